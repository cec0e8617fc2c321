//! Slots: how many messages a node works on at once. A share of them is kept free of broadcasts, and so is a core, so that
//! a letter someone is waiting for is never stuck behind a broadcast; and a share is left to other accounts, so that one
//! that answers slowly never has them all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::Lane;
use crate::queue::Lanes;

/// One slot in this many is kept free of broadcasts.
const KEPT_ONE_IN: usize = 8;
/// One slot in this many is left to other accounts by those that take the most.
const LEFT_ONE_IN: usize = 4;

/// The slots of one node.
#[derive(Debug)]
pub(super) struct Slots {
    all: Arc<Semaphore>,
    broadcasts: Arc<Semaphore>,
    for_broadcasts: usize,
    /// How many each group of accounts has, and how many it may have: what hangs takes no more.
    of_groups: Arc<Mutex<HashMap<String, usize>>>,
    group_max: usize,
}

/// A slot, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    _of_all: OwnedSemaphorePermit,
    _of_broadcasts: Option<OwnedSemaphorePermit>,
    of_groups: Arc<Mutex<HashMap<String, usize>>>,
    group: String,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut groups = self.of_groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = groups.get_mut(&self.group) {
            *taken = taken.saturating_sub(1);
        }
    }
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
            of_groups: Arc::default(),
            group_max: total - total / LEFT_ONE_IN,
        }
    }

    /// How many more slots a group of accounts may have.
    pub(super) fn room_of(&self, group: &str) -> usize {
        let groups = self.of_groups.lock().unwrap_or_else(PoisonError::into_inner);
        self.group_max.saturating_sub(groups.get(group).copied().unwrap_or(0))
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

    /// A slot for a message of that lane and group. `None` cannot happen to what was claimed by [`Slots::room`].
    pub(super) fn take(&self, lane: Lane, group: String) -> Option<Slot> {
        let of_broadcasts = match lane {
            Lane::Broadcast => Some(self.broadcasts.clone().try_acquire_owned().ok()?),
            Lane::Treatment | Lane::OneOff => None,
        };
        let of_all = self.all.clone().try_acquire_owned().ok()?;
        *self.of_groups.lock().unwrap_or_else(PoisonError::into_inner).entry(group.clone()).or_default() += 1;
        Some(Slot { _of_all: of_all, _of_broadcasts: of_broadcasts, of_groups: self.of_groups.clone(), group })
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
        let take = |lane| slots.take(lane, "fax".to_owned());
        let taken: Vec<Slot> = (0..14).filter_map(|_| take(Lane::Broadcast)).collect();
        assert_eq!(taken.len(), 14);
        assert!(take(Lane::Broadcast).is_none());
        assert_eq!(slots.room(), (Lanes::Urgent, 2));
        assert!(take(Lane::OneOff).is_some());
    }

    #[test]
    fn no_group_of_accounts_has_all_slots_and_what_it_gives_back_is_free() {
        let slots = Slots::new(16);
        assert_eq!((slots.room_of("fax"), slots.room_of("mail")), (12, 12));
        let taken: Vec<Slot> = (0..12).filter_map(|_| slots.take(Lane::Broadcast, "fax".to_owned())).collect();
        assert_eq!((slots.room_of("fax"), slots.room_of("mail")), (0, 12));
        assert_eq!(slots.room(), (Lanes::All, 2));
        drop(taken);
        assert_eq!(slots.room_of("fax"), 12);
    }

    #[test]
    fn a_single_slot_serves_everybody() {
        let slots = Slots::new(1);
        assert_eq!(slots.room(), (Lanes::All, 1));
        let slot = slots.take(Lane::Broadcast, String::new());
        assert!(slot.is_some());
        assert_eq!(slots.room(), (Lanes::Urgent, 0));
    }
}
