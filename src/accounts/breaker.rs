//! The circuit breaker of one account: after a number of provider faults in a row it lets no hand-over through for a
//! while. Its state can be watched, so that it can be stored, and restored after a restart.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::layers::{End, Gate, Kind};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Clock, Timestamp};

/// The state of an account's circuit breaker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BreakerState {
    /// Hand-overs are refused until this moment; zero when closed.
    pub open_until_ms: Timestamp,
    /// Faults in a row.
    pub faults: u32,
    /// The last fault.
    pub fault: Option<Fault>,
    /// The provider's own words about it, cleaned of addresses.
    pub words: Option<String>,
    /// When it happened.
    pub faulted_ms: Option<Timestamp>,
}

/// Opens after a number of provider faults in a row and refuses submissions for a while. Recipients' faults, such as a
/// busy line, close it again: they prove that the provider works.
pub(crate) struct Breaker {
    faults_max: u32,
    pause: Duration,
    clock: Arc<dyn Clock>,
    state: watch::Sender<BreakerState>,
}

impl Breaker {
    pub(crate) fn new(faults_max: u32, pause: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { faults_max: faults_max.max(1), pause, clock, state: watch::Sender::default() }
    }

    /// Seconds to wait, if nothing may be handed over now.
    pub(crate) fn refuses(&self) -> Option<u64> {
        let (until, now) = (self.state.borrow().open_until_ms, self.clock.now());
        (until > now).then(|| until.since(now).as_secs() + 1)
    }

    /// Notes how a call ended. Watchers are notified only of openings and closings.
    pub(crate) fn observe(&self, failure: Option<&Failure>) {
        match failure.filter(|failure| failure.is_the_providers()) {
            Some(failure) => self.note(failure),
            None => self.close(),
        }
    }

    fn note(&self, failure: &Failure) {
        let now = self.clock.now();
        let opened = self.state.send_if_modified(|state| {
            state.faults = state.faults.saturating_add(1);
            state.fault = Some(failure.fault);
            state.words.clone_from(&failure.raw_text);
            state.faulted_ms = Some(now);
            if state.faults < self.faults_max {
                return false;
            }
            state.open_until_ms = now.after(self.pause);
            true
        });
        if opened {
            let (fault, seconds) = (failure.fault, self.pause.as_secs());
            tracing::warn!(%fault, seconds, "a provider account is paused briefly after repeated errors");
        }
    }

    fn close(&self) {
        let is_calm = |state: &BreakerState| state.faults == 0 && state.open_until_ms == Timestamp(0);
        if is_calm(&self.state.borrow()) {
            return;
        }
        self.state.send_if_modified(|state| {
            let was_open = state.open_until_ms != Timestamp(0);
            state.faults = 0;
            state.open_until_ms = Timestamp(0);
            was_open
        });
    }

    /// Continues from another breaker's state, and pauses no longer than it would by itself.
    pub(crate) fn adopt(&self, known: BreakerState) {
        let latest = self.clock.now().after(self.pause);
        self.state.send_replace(BreakerState { open_until_ms: known.open_until_ms.min(latest), ..known });
    }

    pub(crate) fn state(&self) -> BreakerState {
        self.state.borrow().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<BreakerState> {
        self.state.subscribe()
    }
}

/// Questions always pass: they can do no harm.
impl Gate for Arc<Breaker> {
    fn admit(&self, kind: Kind) -> Result<(), Failure> {
        let wait_seconds = if kind.is_hand_over { self.refuses() } else { None };
        match wait_seconds {
            Some(_) => {
                Err(Failure::new(Fault::ProviderError).text("paused after repeated errors").retry_after(wait_seconds))
            }
            None => Ok(()),
        }
    }

    fn ended(&self, _kind: Kind, end: End<'_>) {
        self.observe(end.failure);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[derive(Debug, Default)]
    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.load(Ordering::Relaxed))
        }
    }

    fn trouble() -> Failure {
        Failure::new(Fault::ProviderError).text("no answer in time")
    }

    #[test]
    fn only_openings_and_closings_are_told() {
        let breaker = Breaker::new(3, Duration::from_secs(30), Arc::new(Hand(AtomicI64::new(1_000))));
        let mut told = breaker.watch();
        let mut moved = || told.has_changed().is_ok_and(|changed| changed && told.borrow_and_update().fault.is_some());
        breaker.observe(Some(&trouble()));
        breaker.observe(Some(&trouble()));
        assert!(!moved() && breaker.refuses().is_none());
        breaker.observe(Some(&trouble()));
        assert!(moved());
        assert_eq!(breaker.refuses(), Some(31));
        assert_eq!(breaker.state().words.as_deref(), Some("no answer in time"));
        breaker.observe(Some(&Failure::new(Fault::Busy)));
        assert!(moved() && breaker.refuses().is_none(), "a busy line proves that the provider works");
        breaker.observe(None);
        assert!(!moved());
    }

    #[test]
    fn after_a_restart_the_pause_goes_on_and_one_more_fault_is_enough() {
        let hand = Arc::new(Hand(AtomicI64::new(1_000)));
        let before = Breaker::new(2, Duration::from_secs(30), hand.clone());
        before.observe(Some(&trouble()));
        before.observe(Some(&trouble()));
        let after = Breaker::new(2, Duration::from_secs(30), hand.clone());
        after.adopt(before.state());
        assert_eq!(after.refuses(), Some(31));
        hand.0.store(40_000, Ordering::Relaxed);
        assert_eq!(after.refuses(), None);
        after.observe(Some(&trouble()));
        assert_eq!(after.refuses(), Some(31));
        after.adopt(BreakerState { open_until_ms: Timestamp(i64::MAX), ..after.state() });
        assert_eq!(after.refuses(), Some(31), "a record cannot stop it for ever");
    }
}
