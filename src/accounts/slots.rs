//! Slots: how many hand-overs of an account may be on record at the same time. As many as it takes concurrent calls,
//! and a few more where calls are very short, so that a fast relay is not idle while a transaction is written. Few
//! enough that an attempt on record should not wait longer than [`WAIT_MAX`] for its call to begin; while an account is
//! becoming slow, one may.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::Lane;

/// The longest that an attempt on record should wait for a free line.
const WAIT_MAX: Duration = Duration::from_millis(20);
/// Slots for each line at most.
const DEEP_MAX: usize = 4;
/// How long what is at hand should last, and how many messages for each line that is at most.
const AHEAD: Duration = Duration::from_millis(100);
const AHEAD_MAX: usize = 64;
/// The weight of earlier calls in the mean, against that of the newest.
const MEMORY: u32 = 15;

/// One in this many slots is kept free of broadcasts; an account with fewer keeps none.
const KEPT_ONE_IN: usize = 8;

/// A slot of an account, until it is dropped.
#[derive(Debug)]
pub struct Slot {
    _slot: OwnedSemaphorePermit,
    _of_broadcasts: Option<OwnedSemaphorePermit>,
}

/// The slots and lines of one account.
#[derive(Debug)]
pub(crate) struct Slots {
    all: Pool,
    /// A broadcast takes one of these first. They leave a share of a wide account's slots to letters someone waits for,
    /// and keep broadcasts out of the line in which those wait.
    for_broadcasts: Pool,
    /// One for each call that may be under way.
    lines: Arc<Semaphore>,
    concurrency: usize,
    /// The mean duration of a call; at first it is assumed to be slow.
    call: Mutex<Duration>,
}

impl Slots {
    pub(crate) fn new(concurrency: usize) -> Self {
        let concurrency = concurrency.max(1);
        Self {
            all: Pool::new(concurrency),
            for_broadcasts: Pool::new(concurrency - concurrency / KEPT_ONE_IN),
            lines: Arc::new(Semaphore::new(concurrency)),
            concurrency,
            call: Mutex::new(WAIT_MAX * 2),
        }
    }

    /// A slot, waited for. `None` only if the account is shutting down.
    pub(crate) async fn slot(&self, lane: Lane) -> Option<Slot> {
        let of_broadcasts = match lane {
            Lane::Broadcast => Some(self.for_broadcasts.take().await?),
            Lane::Treatment | Lane::OneOff => None,
        };
        Some(Slot { _slot: self.all.take().await?, _of_broadcasts: of_broadcasts })
    }

    /// How many slots a message of that lane finds free now.
    pub(crate) fn free(&self, lane: Lane) -> usize {
        let all = self.all.free.available_permits();
        match lane {
            Lane::Broadcast => self.for_broadcasts.free.available_permits().min(all),
            Lane::Treatment | Lane::OneOff => all,
        }
    }

    /// How many messages are worth having at hand, so that no slot of a fast account is idle while the next ones are
    /// claimed.
    pub(crate) fn ahead(&self) -> usize {
        let call = *self.call.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = AHEAD.as_micros() / call.as_micros().max(1);
        self.concurrency * usize::try_from(calls).unwrap_or(AHEAD_MAX).clamp(1, AHEAD_MAX)
    }

    /// A free line, waited for. `None` only if the account is shutting down.
    pub(crate) async fn line(&self) -> Option<OwnedSemaphorePermit> {
        self.lines.clone().acquire_owned().await.ok()
    }

    /// Learns how long a call took.
    pub(crate) fn learn(&self, took: Duration) {
        let mut call = self.call.lock().unwrap_or_else(PoisonError::into_inner);
        *call = (*call * MEMORY + took) / (MEMORY + 1);
        let extra = self.concurrency * (deep(*call) - 1);
        self.all.want(extra);
        self.for_broadcasts.want(extra);
    }
}

/// Slots that grow immediately and shrink as they are returned.
#[derive(Debug)]
struct Pool {
    free: Arc<Semaphore>,
    /// Slots beyond the first ones: how many there are, and how many there should be.
    extra: AtomicUsize,
    wanted: AtomicUsize,
}

impl Pool {
    fn new(slots: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(slots)), extra: AtomicUsize::new(0), wanted: AtomicUsize::new(0) }
    }

    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            let permit = self.free.clone().acquire_owned().await.ok()?;
            let fewer = |extra: usize| (extra > self.wanted.load(Ordering::Relaxed)).then(|| extra - 1);
            if self.extra.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_err() {
                return Some(permit);
            }
            permit.forget();
        }
    }

    /// Says how many extra slots there should be; one caller at a time.
    fn want(&self, extra: usize) {
        self.wanted.store(extra, Ordering::Relaxed);
        let before = self.extra.fetch_max(extra, Ordering::Relaxed);
        self.free.add_permits(extra.saturating_sub(before));
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

    /// Takes slots for a broadcast until there are no more, and answers how many there were.
    async fn count(slots: &Slots) -> usize {
        let mut taken = Vec::new();
        while let std::task::Poll::Ready(slot) = futures_util::poll!(Box::pin(slots.slot(Lane::Broadcast))) {
            taken.push(slot);
        }
        taken.len()
    }

    #[tokio::test]
    async fn a_slow_account_has_a_slot_for_each_line_and_a_fast_one_a_few_more() {
        let slots = Slots::new(4);
        assert_eq!(count(&slots).await, 4);
        (0..100).for_each(|_| slots.learn(Duration::from_secs(1)));
        assert_eq!(count(&slots).await, 4);
        (0..200).for_each(|_| slots.learn(Duration::from_millis(1)));
        assert_eq!(count(&slots).await, 16);
        (0..200).for_each(|_| slots.learn(Duration::from_millis(30)));
        assert_eq!(count(&slots).await, 4, "it has become slow again");
    }

    #[tokio::test]
    async fn a_letter_somebody_waits_for_stands_behind_no_broadcast() {
        let slots = Slots::new(1);
        let taken = slots.slot(Lane::Broadcast).await;
        let mut broadcasts: Vec<_> = (0..5).map(|_| Box::pin(slots.slot(Lane::Broadcast))).collect();
        for waiting in &mut broadcasts {
            assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        }
        let mut letter = Box::pin(slots.slot(Lane::OneOff));
        assert!(futures_util::poll!(letter.as_mut()).is_pending());
        drop(taken);
        assert!(futures_util::poll!(broadcasts[0].as_mut()).is_pending());
        assert!(letter.await.is_some());
    }

    #[tokio::test]
    async fn a_wide_account_keeps_a_slot_free_of_broadcasts() {
        let slots = Slots::new(8);
        let taken: Vec<_> = futures_util::future::join_all((0..7).map(|_| slots.slot(Lane::Broadcast))).await;
        assert!(futures_util::poll!(Box::pin(slots.slot(Lane::Broadcast))).is_pending());
        assert!(futures_util::poll!(Box::pin(slots.slot(Lane::Treatment))).is_ready());
        drop(taken);
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
