//! The quotas of an account: how many hand-overs its provider takes within an hour and within 24 hours that end now, over all
//! nodes. What certainly never reached the provider does not count. What is beyond them waits; it neither fails nor counts as a
//! try.

use std::time::Duration;

use serde::Deserialize;

use crate::domain::Timestamp;
use crate::domain::provider_state::Meter;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The quotas of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Hand-overs within any 60 minutes. Default no limit.
    #[serde(default)]
    pub per_hour: Option<u32>,
    /// Hand-overs within any 24 hours. Default no limit.
    #[serde(default)]
    pub per_day: Option<u32>,
}

/// The length of a quota's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// 60 minutes that end now.
    Hour,
    /// 24 hours that end now.
    Day,
}

/// One quota at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its length.
    pub span: Span,
    /// How many it allows.
    pub most: u32,
    /// How many were handed over in it.
    pub used: u64,
    /// How many may still be.
    pub left: u64,
    /// When the oldest of them leave it, so that room for more comes; where it is used up, when there is room again. None: nothing
    /// was handed over in it, or it allows nothing.
    pub frees_ms: Option<Timestamp>,
}

impl Quota {
    /// Whether there is none.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.per_hour.is_none() && self.per_day.is_none()
    }

    /// The meter after one more hand-over. What has no limit is not counted.
    ///
    /// # Errors
    /// A quota is used up: when there is room again.
    pub fn draw(&self, meter: Meter, now: Timestamp) -> Result<Meter, Timestamp> {
        let mut drawn = meter;
        let mut from = now;
        if let Some(most) = self.per_hour {
            from = from.max(meter.hour_counts.below(most, HOUR, now));
            drawn.hour_counts = meter.hour_counts.with_one(HOUR, now);
        }
        if let Some(most) = self.per_day {
            from = from.max(meter.day_counts.below(most, DAY, now));
            drawn.day_counts = meter.day_counts.with_one(DAY, now);
        }
        if from > now { Err(from) } else { Ok(drawn) }
    }

    /// Hand-overs within the last hour and the last 24 hours, of what has a limit.
    #[must_use]
    pub fn used(&self, meter: &Meter, now: Timestamp) -> (Option<u64>, Option<u64>) {
        let hour = self.per_hour.map(|_| meter.hour_counts.count(HOUR, now));
        (hour, self.per_day.map(|_| meter.day_counts.count(DAY, now)))
    }

    /// What is used of each quota that is set: its window in words, how many, and of how many.
    #[must_use]
    pub fn parts(&self, meter: &Meter, now: Timestamp) -> Vec<(&'static str, u64, u32)> {
        let (hour, day) = self.used(meter, now);
        let part = |words, used: Option<u64>, most: Option<u32>| used.zip(most).map(|(used, most)| (words, used, most));
        [part("an hour", hour, self.per_hour), part("24 hours", day, self.per_day)].into_iter().flatten().collect()
    }

    /// Each quota that is set, with how much of it is used and when some of it is free again.
    #[must_use]
    pub fn windows(&self, meter: &Meter, now: Timestamp) -> Vec<Window> {
        let (hour, day) = self.used(meter, now);
        let one = |span: Span, used: Option<u64>, most: Option<u32>| {
            let (used, most) = used.zip(most)?;
            let (counts, length) = match span {
                Span::Hour => (&meter.hour_counts, HOUR),
                Span::Day => (&meter.day_counts, DAY),
            };
            let fewer = u32::try_from(used).unwrap_or(u32::MAX).min(most);
            let frees_ms = (fewer > 0).then(|| counts.below(fewer, length, now));
            Some(Window { span, most, used, left: u64::from(most).saturating_sub(used), frees_ms })
        };
        [one(Span::Hour, hour, self.per_hour), one(Span::Day, day, self.per_day)].into_iter().flatten().collect()
    }

    /// How many may still be handed over today, as far as the quota of a day says; none if it says nothing.
    #[must_use]
    pub fn left_today(&self, meter: &Meter, now: Timestamp) -> Option<u64> {
        let most = u64::from(self.per_day?);
        Some(most.saturating_sub(meter.day_counts.count(DAY, now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_a_quota_waits_until_there_is_room_and_loses_nothing_by_it() {
        let quota = Quota { per_hour: Some(2), per_day: Some(3) };
        let mut now = Timestamp(1_795_000_000_000);
        let mut meter = Meter::default();
        let mut days = Vec::new();
        for _ in 0..7 {
            while let Err(from) = quota.draw(meter, now) {
                assert!(from > now, "it names a later moment");
                now = from;
            }
            meter = quota.draw(meter, now).expect("room");
            days.push(now.since(Timestamp(1_795_000_000_000)).as_secs() / 3600);
        }
        assert!(days[1] == 0 && days[2] >= 1 && days[2] <= 2, "the third waits for the hour: {days:?}");
        assert!(days[3] >= 24 && days[3] <= 25 && days[6] >= 48, "and goes on on the next days by itself: {days:?}");
        assert_eq!(quota.left_today(&Meter::default(), now), Some(3));
        let [hour, day] = quota.windows(&meter, now)[..] else { panic!("two quotas") };
        assert_eq!((hour.span, hour.most, hour.used + hour.left), (Span::Hour, 2, 2));
        assert_eq!((day.span, day.most, day.used + day.left), (Span::Day, 3, 3));
        let frees = day.frees_ms.expect("something is counted");
        assert!(meter.day_counts.count(DAY, frees) < day.used && frees > now, "{frees}");
        assert_eq!(
            quota.windows(&Meter::default(), now).iter().map(|one| one.frees_ms).collect::<Vec<_>>(),
            [None, None]
        );
        assert_eq!(quota.used(&Meter::default(), now), (Some(0), Some(0)));
        assert_eq!(Quota::default().draw(meter, now), Ok(meter), "what has no limit is not counted");
    }
}
