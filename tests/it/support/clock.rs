//! A clock that stands still until a test advances it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use touchline::domain::{Clock, Timestamp};

/// Starts at 2026-11-23T15:00:00Z, a Monday morning in Chicago.
#[derive(Debug)]
pub struct FakeClock(AtomicI64);

impl FakeClock {
    pub fn new() -> Arc<Self> {
        Self::at("2026-11-23T15:00:00Z")
    }

    pub fn at(rfc3339: &str) -> Arc<Self> {
        let time = chrono::DateTime::parse_from_rfc3339(rfc3339).expect("a time in the test");
        Arc::new(Self(AtomicI64::new(time.timestamp_millis())))
    }

    /// Goes on to a time.
    pub fn set(&self, rfc3339: &str) {
        let time = chrono::DateTime::parse_from_rfc3339(rfc3339).expect("a time in the test");
        self.0.store(time.timestamp_millis(), Ordering::SeqCst);
    }

    pub fn advance(&self, wait: Duration) {
        self.0.fetch_add(wait.as_millis() as i64, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}
