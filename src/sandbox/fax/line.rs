//! The line: it takes faxes, calls, hangs up, withdraws and deletes, and writes each to the journal before it is
//! reported.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::behaviour::Ending;
use super::journal::Happened;
use super::memory::Memory;
use super::record::{Fax, FaxStatus, LineError, Naming, Order};
use crate::domain::{Clock, Fault, FaxNumber};

/// The line and its memory.
#[derive(Debug)]
pub(super) struct Line {
    memory: Mutex<Memory>,
    clock: Arc<dyn Clock>,
    naming: Naming,
    changed: watch::Sender<u64>,
}

impl Line {
    pub(super) fn new(memory: Memory, clock: Arc<dyn Clock>, naming: Naming) -> Self {
        Self { memory: Mutex::new(memory), clock, naming, changed: watch::Sender::new(0) }
    }

    /// Counts up with every change of any fax.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Every fax kept, oldest first.
    pub(super) fn faxes(&self) -> Vec<Fax> {
        self.lock().iter().cloned().collect()
    }

    /// The number of faxes kept.
    pub(super) fn count(&self) -> usize {
        self.lock().iter().len()
    }

    /// The newest faxes, newest first.
    pub(super) fn newest(&self, count_max: usize) -> Vec<Fax> {
        self.lock().iter().rev().take(count_max).cloned().collect()
    }

    /// One fax.
    pub(super) fn get(&self, id: &str) -> Result<Fax, LineError> {
        self.lock().get(id)
    }

    /// The faxes with that reference, oldest first.
    pub(super) fn with_reference(&self, reference: &str) -> Vec<Fax> {
        self.lock().with_reference(reference)
    }

    /// Whether this number is asked to slow down now: true once per number.
    pub(super) fn slows_now(&self, number: &FaxNumber) -> bool {
        self.lock().slows_now(number)
    }

    /// Takes responsibility for a fax.
    pub(super) fn accept(&self, order: Order) -> Result<Fax, LineError> {
        let fax = self.lock().take(order, self.naming, self.clock.now())?;
        self.tell();
        Ok(fax)
    }

    /// Begins the call, unless it was withdrawn. Returns the fax as it is now and how its call will end.
    pub(super) fn dial(&self, id: &str) -> Result<(Fax, Ending), LineError> {
        let mut memory = self.lock();
        let mut fax = memory.get(id)?;
        let ending = fax.behaviour.ending;
        if fax.status != FaxStatus::Queued {
            return Ok((fax, ending));
        }
        fax.status = FaxStatus::Dialing;
        memory.change(&fax, &[], self.clock.now())?;
        let ending = ending.of_call(memory.count_call(&fax.to_hash, ending));
        drop(memory);
        self.tell();
        Ok((fax, ending))
    }

    /// Ends the call, unless it was withdrawn meanwhile. Returns the fax as it is now.
    pub(super) fn hang_up(&self, id: &str, ending: Ending) -> Result<Fax, LineError> {
        let now = self.clock.now();
        let mut memory = self.lock();
        let mut fax = memory.get(id)?;
        if fax.status.is_final() {
            return Ok(fax);
        }
        match ending {
            Ending::Delivered | Ending::FailsFirst { .. } => fax.end(FaxStatus::Delivered, None, fax.pages, now),
            Ending::Partial(arrived) if arrived.of(fax.pages) == fax.pages => {
                fax.end(FaxStatus::Delivered, None, fax.pages, now);
            }
            Ending::Partial(arrived) => {
                fax.end(FaxStatus::Failed, Some(Fault::PartialSend), arrived.of(fax.pages), now);
            }
            Ending::Short => fax.end(FaxStatus::Delivered, None, fax.pages.saturating_sub(1), now),
            Ending::Fails(fault) => fax.end(FaxStatus::Failed, Some(fault), 0, now),
        }
        memory.change(&fax, end_of(&fax), now)?;
        drop(memory);
        self.tell();
        Ok(fax)
    }

    /// Withdraws a fax whose call has not ended.
    pub(super) fn cancel(&self, id: &str) -> Result<Fax, LineError> {
        let now = self.clock.now();
        let mut memory = self.lock();
        let mut fax = memory.get(id)?;
        if fax.status.is_final() {
            return Err(LineError::TooLate);
        }
        fax.end(FaxStatus::Cancelled, Some(Fault::Cancelled), 0, now);
        memory.change(&fax, &[Happened::Cancelled], now)?;
        drop(memory);
        fax.withdrawn.cancel();
        self.tell();
        Ok(fax)
    }

    /// Deletes the document of a fax that has ended; the fax itself stays. Safe to repeat.
    pub(super) fn purge(&self, id: &str) -> Result<Fax, LineError> {
        let mut memory = self.lock();
        let fax = memory.get(id)?;
        if !fax.status.is_final() {
            return Err(LineError::NotEnded);
        }
        if !fax.purged {
            memory.purge(&fax, self.clock.now())?;
        }
        let fax = memory.get(id)?;
        drop(memory);
        self.tell();
        Ok(fax)
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// A panic elsewhere leaves the memory consistent: each change is one insertion.
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The journal entry for a call that ended like this.
fn end_of(fax: &Fax) -> &'static [Happened] {
    match (fax.status, fax.pages_confirmed.unwrap_or(0)) {
        (FaxStatus::Delivered, _) => &[Happened::Printed],
        (_, 0) => &[Happened::Failed],
        _ => &[Happened::Printed, Happened::Failed],
    }
}
