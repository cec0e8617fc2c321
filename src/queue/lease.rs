//! A claimed entry in the hands of a worker. Its lease is extended for as long as it is held here, and no longer:
//! work that was given up in the middle is found again when the lease ends.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::records::queue_entries::Claimed;

/// What this node works on now, as (entry, fence).
#[derive(Debug, Default)]
pub(super) struct Working(Mutex<BTreeSet<(i64, i64)>>);

/// An entry that is ours until its lease ends. Dropped, it is given up: if its work was not finished, snoozed or
/// released by then, any node can claim it when the lease ends.
#[derive(Debug)]
pub struct Lease {
    claimed: Claimed,
    working: Arc<Working>,
}

impl Working {
    pub(super) fn begin(self: &Arc<Self>, claimed: Claimed) -> Lease {
        self.lock().insert((claimed.id, claimed.fence));
        Lease { claimed, working: self.clone() }
    }

    /// The entries worked on.
    pub(super) fn entries(&self) -> Vec<i64> {
        self.lock().iter().map(|(id, _)| *id).collect()
    }

    /// A panic elsewhere leaves the set whole: each change is one insertion or removal.
    fn lock(&self) -> MutexGuard<'_, BTreeSet<(i64, i64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Lease {
    type Target = Claimed;

    fn deref(&self) -> &Claimed {
        &self.claimed
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.working.lock().remove(&(self.claimed.id, self.claimed.fence));
    }
}
