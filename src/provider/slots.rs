//! Slots: how many hand-overs of an account may be on record at once. As many as it takes calls at once; and where calls are
//! so short that the next is over in a moment, a few more, so that a fast relay does not stand idle while a transaction is
//! written. An attempt on record never waits longer than [`WAIT_MAX`] for its call to begin.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use crate::domain::Lane;

/// The longest that an attempt on record should wait for a free line.
const WAIT_MAX: Duration = Duration::from_millis(20);
/// Slots for each line at most.
const DEEP_MAX: usize = 4;
/// The weight of the calls before in the mean, against the newest one's.
const MEMORY: u32 = 15;

/// The slots and lines of one account.
#[derive(Debug)]
pub(super) struct Slots {
    slots: Arc<Semaphore>,
    /// Only one broadcast at a time stands in the line for a slot, so that a letter somebody waits for stands behind one
    /// at most.
    turnstile: Mutex<()>,
    /// One for each call that may be under way.
    lines: Arc<Semaphore>,
    concurrency: usize,
    known: std::sync::Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    /// How long a call takes, on the mean; at first it is taken for slow.
    call: Duration,
    /// Slots beyond one for each line.
    extra: usize,
}

impl Slots {
    pub(super) fn new(concurrency: usize) -> Self {
        let concurrency = concurrency.max(1);
        Self {
            slots: Arc::new(Semaphore::new(concurrency)),
            turnstile: Mutex::default(),
            lines: Arc::new(Semaphore::new(concurrency)),
            concurrency,
            known: std::sync::Mutex::new(Known { call: WAIT_MAX * 2, extra: 0 }),
        }
    }

    /// A slot, waited for. `None` only if the account is being taken down.
    pub(super) async fn slot(&self, lane: Lane) -> Option<OwnedSemaphorePermit> {
        let _turn = match lane {
            Lane::Broadcast => Some(self.turnstile.lock().await),
            Lane::Treatment | Lane::OneOff => None,
        };
        self.slots.clone().acquire_owned().await.ok()
    }

    /// A free line, waited for. `None` only if the account is being taken down.
    pub(super) async fn line(&self) -> Option<OwnedSemaphorePermit> {
        self.lines.clone().acquire_owned().await.ok()
    }

    /// Learns how long a call took.
    pub(super) fn learn(&self, took: Duration) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.call = (known.call * MEMORY + took) / (MEMORY + 1);
        let wanted = self.concurrency * (deep(known.call) - 1);
        if wanted > known.extra {
            self.slots.add_permits(wanted - known.extra);
            known.extra = wanted;
        } else {
            known.extra -= self.slots.forget_permits(known.extra - wanted);
        }
    }
}

/// How many slots a line has, given how long a call takes.
fn deep(call: Duration) -> usize {
    let calls = WAIT_MAX.as_micros() / call.as_micros().max(1);
    usize::try_from(calls).unwrap_or(DEEP_MAX).saturating_add(1).min(DEEP_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_account_has_a_slot_for_each_line_and_a_fast_one_a_few_more() {
        let slots = Slots::new(4);
        assert_eq!(slots.slots.available_permits(), 4);
        (0..100).for_each(|_| slots.learn(Duration::from_secs(1)));
        assert_eq!(slots.slots.available_permits(), 4);
        (0..200).for_each(|_| slots.learn(Duration::from_millis(1)));
        assert_eq!(slots.slots.available_permits(), 16);
        (0..200).for_each(|_| slots.learn(Duration::from_millis(30)));
        assert_eq!(slots.slots.available_permits(), 4, "it has become slow again");
    }

    #[tokio::test]
    async fn a_letter_somebody_waits_for_stands_behind_one_broadcast_at_most() {
        let slots = Slots::new(1);
        let taken = slots.slot(Lane::Broadcast).await;
        let mut broadcasts: Vec<_> = (0..5).map(|_| Box::pin(slots.slot(Lane::Broadcast))).collect();
        for waiting in &mut broadcasts {
            assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        }
        let mut letter = Box::pin(slots.slot(Lane::OneOff));
        assert!(futures_util::poll!(letter.as_mut()).is_pending());
        drop(taken);
        let first = broadcasts.remove(0).await;
        assert!(futures_util::poll!(broadcasts[0].as_mut()).is_pending());
        drop(first);
        assert!(letter.await.is_some());
    }

    #[tokio::test]
    async fn there_are_as_many_lines_as_calls_that_may_be_under_way() {
        let slots = Slots::new(2);
        let (first, _second) = (slots.line().await, slots.line().await);
        let mut third = Box::pin(slots.line());
        assert!(futures_util::poll!(third.as_mut()).is_pending());
        drop(first);
        assert!(third.await.is_some());
    }
}
