//! What is said of callbacks that are not accepted. Anybody can send them, so the log gets the first at once and then a line
//! a minute for each account, with how many there were; the metric counts every one.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::Timestamp;
use crate::provider::Rejection;

/// The time between two lines about one account.
const BETWEEN: Duration = Duration::from_secs(60);

/// Rejected callbacks by account. Only configured accounts get here, so that it stays small.
#[derive(Debug, Default)]
pub(super) struct Rejections(Mutex<BTreeMap<String, Since>>);

/// Since the last line about an account.
#[derive(Debug, Clone, Copy)]
struct Since {
    told: Timestamp,
    count: u64,
    latest: Rejection,
}

impl Since {
    fn is_due(&self, now: Timestamp) -> bool {
        // A clock that was set back delays no line.
        !(self.told..self.told.after(BETWEEN)).contains(&now)
    }
}

impl Rejections {
    fn accounts(&self) -> MutexGuard<'_, BTreeMap<String, Since>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one, and logs it if a line is due.
    pub(super) fn count(&self, provider: &str, rejection: Rejection, now: Timestamp) {
        metrics::counter!("touchline_callbacks_rejected_total", "provider" => provider.to_owned()).increment(1);
        if let Some(count) = self.note(provider, rejection, now) {
            tell(provider, count, rejection);
        }
    }

    /// Logs what was only counted, where a line is due.
    pub(super) fn tell_due(&self, now: Timestamp) {
        for (provider, count, latest) in self.due(now) {
            tell(&provider, count, latest);
        }
    }

    /// Counts one; how many a line now is about, if one is due.
    fn note(&self, provider: &str, rejection: Rejection, now: Timestamp) -> Option<u64> {
        let mut accounts = self.accounts();
        let Some(since) = accounts.get_mut(provider) else {
            accounts.insert(provider.to_owned(), Since { told: now, count: 0, latest: rejection });
            return Some(1);
        };
        since.count += 1;
        since.latest = rejection;
        if !since.is_due(now) {
            return None;
        }
        since.told = now;
        Some(std::mem::take(&mut since.count))
    }

    /// What was only counted, by account, where a line is due. An account that has been quiet is forgotten: its next one is
    /// logged at once.
    fn due(&self, now: Timestamp) -> Vec<(String, u64, Rejection)> {
        let mut due = Vec::new();
        self.accounts().retain(|provider, since| {
            let is_due = since.is_due(now);
            if is_due && since.count > 0 {
                due.push((provider.clone(), since.count, since.latest));
                (since.told, since.count) = (now, 0);
                return true;
            }
            !is_due
        });
        due
    }
}

fn tell(provider: &str, count: u64, latest: Rejection) {
    tracing::warn!(provider, count, rejection = %latest, "callbacks were rejected");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000)
    }

    #[test]
    fn the_first_is_told_at_once_and_then_a_line_a_minute_with_how_many() {
        let rejections = Rejections::default();
        let note = |provider, seconds| rejections.note(provider, Rejection::Forged, at(seconds));
        assert_eq!(note("telnyx", 0), Some(1));
        for second in 0..60 {
            assert_eq!(note("telnyx", second), None);
        }
        assert_eq!(note("phaxio", 30), Some(1), "each account by itself");
        assert_eq!(note("telnyx", 60), Some(61));
        assert_eq!(note("telnyx", 61), None);
        assert_eq!(note("telnyx", -600), Some(2), "a clock that was set back");
    }

    #[test]
    fn what_was_counted_is_told_even_if_no_other_comes() {
        let rejections = Rejections::default();
        for _ in 0..3 {
            rejections.note("telnyx", Rejection::Stale, at(0));
        }
        assert_eq!(rejections.due(at(59)), []);
        assert_eq!(rejections.due(at(60)), [("telnyx".to_owned(), 2, Rejection::Stale)]);
        assert_eq!(rejections.due(at(61)), []);
        assert_eq!(rejections.due(at(120)), []);
        assert_eq!(rejections.note("telnyx", Rejection::Forged, at(121)), Some(1), "quiet for a minute: told at once");
    }
}
