//! Slots: how many messages a node works on at once. A share of them is kept free of broadcasts, and so is a core, so that
//! a letter someone is waiting for is never stuck behind a broadcast.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::Lane;
use crate::queue::Lanes;

/// One slot in this many is kept free of broadcasts.
const KEPT_ONE_IN: usize = 8;

/// The slots of one node.
#[derive(Debug)]
pub(super) struct Slots {
    all: Arc<Semaphore>,
    broadcasts: Arc<Semaphore>,
    for_broadcasts: usize,
}

/// A slot, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    _of_all: OwnedSemaphorePermit,
    _of_broadcasts: Option<OwnedSemaphorePermit>,
}

impl Slots {
    pub(super) fn new(total: usize) -> Self {
        let total = total.max(1);
        let kept = if total > 1 { total.div_ceil(KEPT_ONE_IN) } else { 0 };
        let for_broadcasts = total - kept;
        Self {
            all: Arc::new(Semaphore::new(total)),
            broadcasts: Arc::new(Semaphore::new(for_broadcasts)),
            for_broadcasts,
        }
    }

    /// What may be claimed now, and how many.
    pub(super) fn room(&self) -> (Lanes, usize) {
        let all = self.all.available_permits();
        match self.broadcasts.available_permits().min(all) {
            0 => (Lanes::Urgent, all),
            free => (Lanes::All, free),
        }
    }

    /// Whether enough slots are free that a claim is worth its transaction.
    pub(super) fn mostly_free(&self) -> bool {
        self.broadcasts.available_permits() * 4 >= self.for_broadcasts
    }

    /// A slot for a message of that lane. `None` cannot happen to what was claimed by [`Slots::room`].
    pub(super) fn take(&self, lane: Lane) -> Option<Slot> {
        let of_broadcasts = match lane {
            Lane::Broadcast => Some(self.broadcasts.clone().try_acquire_owned().ok()?),
            Lane::Treatment | Lane::OneOff => None,
        };
        Some(Slot { _of_all: self.all.clone().try_acquire_owned().ok()?, _of_broadcasts: of_broadcasts })
    }
}

/// The cores that typeset, as many for broadcasts as there are, and as many again for everything else.
#[derive(Debug)]
pub(super) struct Cores {
    broadcasts: Arc<Semaphore>,
    others: Arc<Semaphore>,
}

impl Cores {
    pub(super) fn of_this_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self { broadcasts: Arc::new(Semaphore::new(cores)), others: Arc::new(Semaphore::new(cores)) }
    }

    /// A core for a message of that lane, when one is free. `None` never happens: the semaphores are not closed.
    pub(super) async fn take(&self, lane: Lane) -> Option<OwnedSemaphorePermit> {
        let cores = if lane == Lane::Broadcast { &self.broadcasts } else { &self.others };
        cores.clone().acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasts_leave_room_for_a_letter_somebody_waits_for() {
        let slots = Slots::new(16);
        assert_eq!(slots.room(), (Lanes::All, 14));
        let taken: Vec<Slot> = (0..14).filter_map(|_| slots.take(Lane::Broadcast)).collect();
        assert_eq!(taken.len(), 14);
        assert!(slots.take(Lane::Broadcast).is_none());
        assert_eq!(slots.room(), (Lanes::Urgent, 2));
        assert!(slots.take(Lane::OneOff).is_some());
    }

    #[test]
    fn a_single_slot_serves_everybody() {
        let slots = Slots::new(1);
        assert_eq!(slots.room(), (Lanes::All, 1));
        let slot = slots.take(Lane::Broadcast);
        assert!(slot.is_some());
        assert_eq!(slots.room(), (Lanes::Urgent, 0));
    }
}
