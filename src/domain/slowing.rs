//! Slowing down: an account whose provider says "slower" hands over less for a while, and comes back to its pace by itself.

use std::time::Duration;

use serde::Serialize;

use super::clock::Timestamp;

/// The most halvings: a 32nd of the pace.
const HALVINGS_MAX: i64 = 5;
/// One halving is taken back after this long without another answer that asks for less.
const RECOVERS_EVERY: Duration = Duration::from_secs(10 * 60);
/// Answers within this time are to calls that were under way together, and count once.
const ONE_ANSWER: Duration = Duration::from_secs(60);
/// Hand-overs a minute from which an account is slowed down that has no rate of its own.
const RATE_WITHOUT_ONE: u32 = 120;

/// How far an account was slowed down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Slowing {
    /// How often its pace was halved, as of the last time.
    pub halvings: i64,
    /// When that was.
    pub slowed_ms: Option<Timestamp>,
}

impl Slowing {
    /// How many of the halvings still hold.
    #[must_use]
    pub fn now(&self, now: Timestamp) -> u32 {
        let Some(since) = self.slowed_ms else { return 0 };
        let recovered = i64::try_from(now.since(since).as_secs() / RECOVERS_EVERY.as_secs()).unwrap_or(i64::MAX);
        u32::try_from(self.halvings.min(HALVINGS_MAX).saturating_sub(recovered)).unwrap_or(0)
    }

    /// After an answer that asks for less; none if it belongs to the last one.
    #[must_use]
    pub fn halved(&self, now: Timestamp) -> Option<Self> {
        if self.slowed_ms.is_some_and(|since| now.distance(since) < ONE_ANSWER) {
            return None;
        }
        let halvings = (i64::from(self.now(now)) + 1).min(HALVINGS_MAX);
        Some(Self { halvings, slowed_ms: Some(now) })
    }

    /// Hand-overs a minute now, of an account that has this rate of its own, or none.
    #[must_use]
    pub fn rate(&self, own: Option<u32>, now: Timestamp) -> Option<u32> {
        match self.now(now) {
            0 => own,
            halvings => Some((own.unwrap_or(RATE_WITHOUT_ONE) >> halvings).max(1)),
        }
    }

    /// When it is back at its own pace, if nothing else is said until then.
    #[must_use]
    pub fn over(&self, now: Timestamp) -> Option<Timestamp> {
        let since = self.slowed_ms.filter(|_| self.now(now) > 0)?;
        let halvings = u32::try_from(self.halvings.min(HALVINGS_MAX)).unwrap_or(0);
        Some(since.after(RECOVERS_EVERY * halvings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_000_000_000);

    #[test]
    fn each_answer_halves_the_pace_and_ten_minutes_of_quiet_take_one_back() {
        let minutes = |count: u64| NOW.after(Duration::from_secs(60 * count));
        let calm = Slowing::default();
        assert_eq!((calm.rate(Some(30), NOW), calm.rate(None, NOW), calm.over(NOW)), (Some(30), None, None));
        let once = calm.halved(NOW).expect("slower");
        assert_eq!((once.rate(Some(30), NOW), once.rate(None, NOW)), (Some(15), Some(60)));
        assert_eq!(once.halved(NOW.after(Duration::from_secs(59))), None, "calls that were under way together");
        let twice = once.halved(minutes(1)).expect("slower");
        assert_eq!(twice.rate(Some(30), minutes(1)), Some(7));
        assert_eq!([10, 11, 21].map(|at| twice.rate(Some(30), minutes(at))), [7, 15, 30].map(Some));
        assert_eq!(twice.over(minutes(1)), Some(minutes(21)));
        let mut slow = calm;
        for at in 0..20 {
            slow = slow.halved(minutes(at * 2)).expect("slower");
        }
        assert_eq!(
            (slow.rate(Some(30), minutes(38)), slow.rate(Some(1), minutes(38))),
            (Some(1), Some(1)),
            "never none"
        );
    }
}
