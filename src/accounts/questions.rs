//! Status queries and other questions: how many a minute each node asks an account.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::layers::{End, Gate, Kind};
use super::rate::{interval, next_arrival};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Clock, Timestamp};

/// The longest wait given to a caller whose question must wait.
const WAIT_MAX: Duration = Duration::from_secs(30 * 60);

/// Keeps the questions to one account within its provider's limit.
pub(crate) struct Questions {
    per_minute: u32,
    clock: Arc<dyn Clock>,
    turns: Mutex<Turns>,
}

/// How much of the rate has been used.
#[derive(Debug, Clone, Copy, Default)]
struct Turns {
    /// Theoretical arrival time of the next question.
    arrival: Timestamp,
    /// The last moment given to a waiting caller, so that callers do not all come back at the same time.
    promised: Timestamp,
}

impl Questions {
    pub(crate) fn new(per_minute: u32, clock: Arc<dyn Clock>) -> Self {
        Self { per_minute, clock, turns: Mutex::default() }
    }

    /// Whether a question may be asked now. What a person waits for is always asked, at the expense of later questions.
    ///
    /// # Errors
    /// How long to wait; each waiting caller gets a different moment.
    pub(crate) fn turn(&self, for_a_person: bool) -> Result<(), Duration> {
        let now = self.clock.now();
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        match next_arrival(self.per_minute, turns.arrival, now) {
            Ok(arrival) => {
                turns.arrival = arrival;
                Ok(())
            }
            Err(_) if for_a_person => {
                turns.arrival = turns.arrival.max(now).after(interval(self.per_minute)).min(now.after(WAIT_MAX));
                Ok(())
            }
            Err(wait) => {
                let next = turns.promised.after(interval(self.per_minute)).max(now.after(wait));
                turns.promised = next.min(now.after(WAIT_MAX));
                Err(turns.promised.since(now))
            }
        }
    }
}

/// Accounts whose provider names no limit have none. Hand-overs have a separate rate.
impl Gate for Option<Arc<Questions>> {
    fn admit(&self, kind: Kind) -> Result<(), Failure> {
        let Some(questions) = self.as_ref().filter(|_| !kind.is_hand_over) else { return Ok(()) };
        questions.turn(kind.is_for_a_person).map_err(|wait| {
            let failure =
                Failure::new(Fault::RateLimited).text("not asked: the provider's limit on status requests is reached");
            failure.retry_after(Some(wait.as_secs() + 1))
        })
    }

    fn ended(&self, _kind: Kind, _end: End<'_>) {}
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

    #[test]
    fn those_who_must_wait_are_told_different_moments_and_are_answered_then() {
        let hand = Arc::new(Hand(AtomicI64::new(1_000_000)));
        let questions = Questions::new(6, hand.clone());
        assert_eq!(questions.turn(false), Ok(()));
        let waits: Vec<u64> = (0..3).map(|_| questions.turn(false).expect_err("too soon").as_secs()).collect();
        assert_eq!(waits, [10, 20, 30]);
        for _ in 0..3 {
            hand.0.fetch_add(10_000, Ordering::Relaxed);
            assert_eq!(questions.turn(false), Ok(()));
        }
    }

    #[test]
    fn what_a_person_waits_for_is_asked_at_once_and_the_others_make_up_for_it() {
        let questions = Questions::new(6, Arc::new(Hand(AtomicI64::new(1_000_000))));
        assert_eq!(questions.turn(false), Ok(()));
        assert_eq!(questions.turn(true), Ok(()));
        assert_eq!(questions.turn(false).map_err(|wait| wait.as_secs()), Err(20));
    }
}
