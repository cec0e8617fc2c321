//! Time is passed in: every component gets a [`Clock`], so that a test can stop it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment, in whole milliseconds since 1970-01-01T00:00:00Z. Both databases keep it as a BIGINT, which avoids
/// their different ideas of sub-second precision. Shown and serialized as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(pub i64);

crate::domain::words::field_column!(Timestamp: i64);

impl Timestamp {
    /// The first moment of the year 0 in UTC. RFC 3339, by which times are written, has years of four digits only.
    pub const FIRST: Self = Self(-62_167_219_200_000);
    /// The last moment of the year 9999 in UTC.
    pub const LAST: Self = Self(253_402_300_799_999);

    /// The moment of a calendar time that somebody wrote. `None` if its year in UTC does not have four digits, as that of
    /// `9999-12-31T23:59-23:59` does not: such a time could be stored, but not be shown or read again.
    #[must_use]
    pub fn written(time: DateTime<Utc>) -> Option<Self> {
        Some(Self::from_utc(time)).filter(|moment| moment.is_writable())
    }

    /// Whether it can be written by RFC 3339.
    #[must_use]
    pub fn is_writable(self) -> bool {
        (Self::FIRST..=Self::LAST).contains(&self)
    }

    /// The moment this much later; saturates at the end of time, which is [`Timestamp::LAST`].
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        let later = self.0.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        Self(later).min(Self::LAST.max(self))
    }

    /// The moment this much earlier; saturates.
    #[must_use]
    pub fn before(self, wait: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// How far apart the two are, whichever is earlier.
    #[must_use]
    pub fn distance(self, other: Self) -> Duration {
        self.since(other).max(other.since(self))
    }

    /// As a calendar time in UTC. A value outside chrono's range becomes 1970.
    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.0).single().unwrap_or_default()
    }

    /// From a calendar time, dropping what is finer than a millisecond.
    #[must_use]
    pub fn from_utc(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_millis())
    }

    /// As a person in that zone would write it, such as `Nov 23, 2026 9:05 AM CST`.
    #[must_use]
    pub fn in_zone(self, zone: chrono_tz::Tz) -> String {
        self.to_utc().with_timezone(&zone).format("%b %-d, %Y %-I:%M %p %Z").to_string()
    }

    /// The same with the day of the week, such as `Monday, Nov 23, 2026 9:05 AM CST`.
    #[must_use]
    pub fn day_in_zone(self, zone: chrono_tz::Tz) -> String {
        self.to_utc().with_timezone(&zone).format("%A, %b %-d, %Y %-I:%M %p %Z").to_string()
    }

    /// The same with seconds, such as `Nov 23, 2026 9:05:30 AM CST`.
    #[must_use]
    pub fn in_zone_to_the_second(self, zone: chrono_tz::Tz) -> String {
        self.to_utc().with_timezone(&zone).format("%b %-d, %Y %-I:%M:%S %p %Z").to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = DateTime::parse_from_rfc3339(&text).map_err(serde::de::Error::custom)?;
        Self::written(time.to_utc())
            .ok_or_else(|| serde::de::Error::custom("the year in UTC does not have four digits"))
    }
}

/// The source of the current time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The current time.
    fn now(&self) -> Timestamp;

    /// Waits for so long, by the machine's timer unless an implementation says otherwise: a test decides itself when the
    /// wait is over. Dropping the future ends the wait without effect.
    fn sleep(&self, wait: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(wait))
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_utc(Utc::now())
    }
}

/// One time for all nodes: a machine's clock, corrected by how far it was seen to differ from the clock they share, or to
/// have been set back.
#[derive(Debug)]
pub struct SharedClock {
    machine: Arc<dyn Clock>,
    ahead_ms: AtomicI64,
    set_back_ms: AtomicI64,
}

impl SharedClock {
    /// A clock that has not been corrected yet.
    #[must_use]
    pub fn new(machine: Arc<dyn Clock>) -> Self {
        Self { machine, ahead_ms: AtomicI64::new(0), set_back_ms: AtomicI64::new(0) }
    }

    /// What the machine's own clock says.
    #[must_use]
    pub fn machine_now(&self) -> Timestamp {
        self.machine.now()
    }

    /// How far the shared clock is ahead of the machine's, in milliseconds; negative if it is behind.
    #[must_use]
    pub fn ahead_ms(&self) -> i64 {
        self.ahead_ms.load(Ordering::Acquire)
    }

    /// Corrects it: from now on the shared clock counts as that far ahead of the machine's.
    pub fn set_ahead_ms(&self, ahead_ms: i64) {
        self.ahead_ms.store(ahead_ms, Ordering::Release);
    }

    /// By how much the machine's clock was set back and that is made up for, in milliseconds; 0 if it was not.
    #[must_use]
    pub fn set_back_ms(&self) -> i64 {
        self.set_back_ms.load(Ordering::Acquire)
    }

    /// Makes up for a machine's clock that was set back by so much, or, if negative, was then set right again: the shared
    /// clock goes on as if nothing had happened.
    pub fn make_up(&self, back_ms: i64) {
        self.ahead_ms.fetch_add(back_ms, Ordering::AcqRel);
        self.set_back_ms.fetch_add(back_ms, Ordering::AcqRel);
    }
}

impl Clock for SharedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.machine.now().0.saturating_add(self.ahead_ms()))
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'static, ()> {
        self.machine.sleep(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Timestamp> {
        serde_json::from_value(serde_json::Value::from(text)).ok()
    }

    #[test]
    fn a_time_whose_year_has_not_four_digits_in_utc_is_refused() {
        assert_eq!(read("9999-12-31T23:59:59.999Z"), Some(Timestamp::LAST));
        assert_eq!(read("0000-01-01T00:00:00Z"), Some(Timestamp::FIRST));
        for text in ["9999-12-31T23:59:00-23:59", "0000-01-01T00:00:00+00:01", "10000-01-01T00:00:00Z"] {
            assert_eq!(read(text), None, "{text}");
        }
        for moment in [Timestamp::FIRST, Timestamp::LAST] {
            assert_eq!(read(&moment.to_string()), Some(moment), "what is written is read again");
        }
    }

    #[test]
    fn nothing_is_later_than_what_can_be_written() {
        let day = Duration::from_secs(86_400);
        assert_eq!(Timestamp::LAST.before(day).after(day), Timestamp::LAST);
        assert_eq!(Timestamp::LAST.after(day), Timestamp::LAST);
        assert_eq!(Timestamp(0).after(Duration::MAX), Timestamp::LAST);
        assert_eq!(Timestamp(i64::MAX).after(day), Timestamp(i64::MAX), "no time goes backwards");
    }
}
