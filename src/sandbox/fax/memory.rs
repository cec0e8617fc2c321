//! What the line remembers between requests, within its limits, and how it is rebuilt from the journal.

use std::collections::{BTreeMap, HashMap, HashSet};

use axum::body::Bytes;

use super::behaviour::{Behaviour, Ending};
use super::journal::{Entry, Happened, Journal};
use super::record::{Fax, FaxStatus, LineError, Naming, Order, tail_and_hash};
use crate::domain::{Fault, FaxNumber, Timestamp};

/// The most faxes kept; the oldest finished one is dropped for the next.
pub const FAXES_MAX: usize = 10_000;
/// The most bytes of documents kept; the oldest documents go first.
pub const DOCUMENTS_BYTES_MAX: usize = 256 * 1024 * 1024;
/// The most numbers whose earlier calls are remembered.
const REMEMBERED_MAX: usize = 10_000;

/// The faxes, found by id and by reference, and the journal that records them.
#[derive(Debug)]
pub(super) struct Memory {
    journal: Journal,
    /// By id; ids sort by age.
    faxes: BTreeMap<String, Fax>,
    by_reference: HashMap<String, Vec<String>>,
    /// Earlier calls by number hash, for numbers whose behavior depends on them.
    calls: HashMap<String, u32>,
    /// Number hashes that were asked to slow down.
    slowed: HashSet<String>,
    documents_bytes: usize,
    /// The last number given as an id.
    last_number: u32,
}

impl Memory {
    /// A memory rebuilt from the journal. Their last digits decide what becomes of those faxes.
    pub(super) fn rebuild(journal: Journal, entries: Vec<Entry>, again: impl Fn(&str) -> Behaviour) -> Self {
        let mut memory = Self {
            journal,
            faxes: BTreeMap::new(),
            by_reference: HashMap::new(),
            calls: HashMap::new(),
            slowed: HashSet::new(),
            documents_bytes: 0,
            last_number: 0,
        };
        for entry in entries {
            memory.replay(entry, &again);
        }
        let called = |fax: &&Fax| matches!(fax.status, FaxStatus::Delivered | FaxStatus::Failed);
        let calls: Vec<Fax> = memory.faxes.values().filter(called).cloned().collect();
        for fax in calls {
            memory.count_call(&fax.to_hash, fax.behaviour.ending);
        }
        memory
    }

    pub(super) fn get(&self, id: &str) -> Result<Fax, LineError> {
        self.faxes.get(id).cloned().ok_or(LineError::NotFound)
    }

    /// Every fax, oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Fax> + ExactSizeIterator {
        self.faxes.values()
    }

    /// The faxes with that reference, oldest first.
    pub(super) fn with_reference(&self, reference: &str) -> Vec<Fax> {
        let ids = self.by_reference.get(reference).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| self.faxes.get(id).cloned()).collect()
    }

    /// True the first time it is asked about a number.
    pub(super) fn slows_now(&mut self, number: &FaxNumber) -> bool {
        self.slowed.len() < REMEMBERED_MAX && self.slowed.insert(tail_and_hash(number).1)
    }

    /// Takes responsibility for a new fax.
    pub(super) fn take(&mut self, order: Order, naming: Naming, now: Timestamp) -> Result<Fax, LineError> {
        let fax = Fax::taken(naming.next(&mut self.last_number, now), order, now);
        self.accept(fax.clone())?;
        Ok(fax)
    }

    /// Adds a new fax: journal first.
    fn accept(&mut self, fax: Fax) -> Result<(), LineError> {
        self.make_room()?;
        self.write(&fax, Happened::Accepted, fax.received_ms)?;
        self.keep(fax);
        Ok(())
    }

    /// Replaces a known fax by its new version once these lines about it are in the journal.
    pub(super) fn change(&mut self, fax: &Fax, happened: &[Happened], now: Timestamp) -> Result<(), LineError> {
        for event in happened {
            self.write(fax, *event, now)?;
        }
        self.faxes.insert(fax.id.clone(), fax.clone());
        Ok(())
    }

    /// Deletes a document on request: journal first.
    pub(super) fn purge(&mut self, fax: &Fax, now: Timestamp) -> Result<(), LineError> {
        self.write(fax, Happened::Purged, now)?;
        self.forget_document(&fax.id);
        if let Some(fax) = self.faxes.get_mut(&fax.id) {
            fax.purged = true;
        }
        Ok(())
    }

    /// Counts a call to a number whose behavior depends on earlier ones, and returns how many there were before.
    pub(super) fn count_call(&mut self, to_hash: &str, ending: Ending) -> u32 {
        if !matches!(ending, Ending::FailsFirst { .. }) {
            return 0;
        }
        let before = self.calls.get(to_hash).copied().unwrap_or(0);
        if self.calls.len() < REMEMBERED_MAX || before > 0 {
            self.calls.insert(to_hash.to_owned(), before.saturating_add(1));
        }
        before
    }

    fn write(&mut self, fax: &Fax, event: Happened, now: Timestamp) -> Result<(), LineError> {
        let entry = Entry {
            channel: "fax".to_owned(),
            event,
            id: fax.id.clone(),
            reference: fax.reference.clone(),
            to_hash: fax.to_hash.clone(),
            to_tail: fax.to_tail.clone(),
            pages: fax.pages,
            pages_confirmed: fax.pages_confirmed.unwrap_or(0),
            fault: fax.fault,
            at_ms: now.0,
        };
        self.journal.append(&entry).map_err(|_| LineError::Journal)
    }

    fn keep(&mut self, fax: Fax) {
        self.documents_bytes += fax.document.as_ref().map_or(0, Bytes::len);
        if !fax.reference.is_empty() {
            self.by_reference.entry(fax.reference.clone()).or_default().push(fax.id.clone());
        }
        self.faxes.insert(fax.id.clone(), fax);
        while self.documents_bytes > DOCUMENTS_BYTES_MAX {
            let oldest = self.faxes.values().find(|fax| fax.document.is_some()).map(|fax| fax.id.clone());
            let Some(id) = oldest else { return };
            self.forget_document(&id);
        }
    }

    fn forget_document(&mut self, id: &str) {
        let document = self.faxes.get_mut(id).and_then(|fax| fax.document.take());
        self.documents_bytes -= document.map_or(0, |document| document.len());
    }

    fn make_room(&mut self) -> Result<(), LineError> {
        while self.faxes.len() >= FAXES_MAX {
            let oldest = self.faxes.values().find(|fax| fax.status.is_final()).map(|fax| fax.id.clone());
            self.forget(&oldest.ok_or(LineError::Full)?);
        }
        Ok(())
    }

    fn forget(&mut self, id: &str) {
        self.forget_document(id);
        let Some(fax) = self.faxes.remove(id) else { return };
        if let Some(ids) = self.by_reference.get_mut(&fax.reference) {
            ids.retain(|other| other != id);
            if ids.is_empty() {
                self.by_reference.remove(&fax.reference);
            }
        }
    }

    fn replay(&mut self, entry: Entry, again: &impl Fn(&str) -> Behaviour) {
        let now = Timestamp(entry.at_ms);
        if entry.event == Happened::Accepted {
            // The journal may hold more than is kept; finished ones are dropped, as they were then.
            if self.make_room().is_ok() {
                self.last_number = self.last_number.max(entry.id.parse().unwrap_or(0));
                let behaviour = again(&entry.to_tail);
                self.keep(Fax::replayed(entry, behaviour));
            }
            return;
        }
        let Some(fax) = self.faxes.get_mut(&entry.id) else { return };
        match entry.event {
            Happened::Printed if entry.fault.is_none() => {
                fax.end(FaxStatus::Delivered, None, entry.pages_confirmed, now);
            }
            Happened::Printed => fax.end(FaxStatus::Failed, Some(Fault::PartialSend), entry.pages_confirmed, now),
            Happened::Failed => fax.end(FaxStatus::Failed, entry.fault, entry.pages_confirmed, now),
            Happened::Cancelled => fax.end(FaxStatus::Cancelled, Some(Fault::Cancelled), 0, now),
            Happened::Purged => fax.purged = true,
            Happened::Accepted => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Memory {
        let (journal, entries) = Journal::open(None).expect("no file is needed");
        Memory::rebuild(journal, entries, |_| Behaviour::ORDINARY)
    }

    fn fax(number: usize, status: FaxStatus) -> Fax {
        let entry = Entry {
            channel: "fax".into(),
            event: Happened::Accepted,
            id: format!("fx_{number:08}"),
            reference: format!("reference {number}"),
            to_hash: "00".into(),
            to_tail: "0142".into(),
            pages: 1,
            pages_confirmed: 0,
            fault: None,
            at_ms: 0,
        };
        Fax { status, ..Fax::replayed(entry, Behaviour::ORDINARY) }
    }

    #[test]
    fn the_oldest_finished_fax_makes_room_and_its_reference_is_forgotten_with_it() {
        let mut memory = empty();
        memory.accept(fax(0, FaxStatus::Dialing)).expect("room");
        for number in 1..=FAXES_MAX {
            memory.accept(fax(number, FaxStatus::Delivered)).expect("room");
        }
        assert_eq!(memory.iter().len(), FAXES_MAX);
        assert!(memory.get("fx_00000000").is_ok(), "what is under way is never forgotten");
        assert_eq!(memory.get("fx_00000001").map(|fax| fax.id), Err(LineError::NotFound));
        assert!(memory.with_reference("reference 1").is_empty());
        assert_eq!(memory.with_reference("reference 2").len(), 1);
    }

    #[test]
    fn a_line_whose_every_fax_is_under_way_takes_no_more() {
        let mut memory = empty();
        for number in 0..FAXES_MAX {
            memory.accept(fax(number, FaxStatus::Queued)).expect("room");
        }
        assert_eq!(memory.accept(fax(FAXES_MAX, FaxStatus::Queued)), Err(LineError::Full));
    }

    #[test]
    fn documents_are_bounded_and_the_oldest_go_first() {
        let mut memory = empty();
        let document = Bytes::from(vec![0; DOCUMENTS_BYTES_MAX / 4]);
        for number in 0..6 {
            memory.accept(Fax { document: Some(document.clone()), ..fax(number, FaxStatus::Delivered) }).expect("room");
        }
        let kept: Vec<bool> = memory.iter().map(|fax| fax.document.is_some()).collect();
        assert_eq!(kept, [false, false, true, true, true, true]);
    }
}
