//! Rate-limited logging where outsiders can trigger log lines: the first occurrence is logged immediately, then one line a
//! minute gives the count.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Timestamp;

/// The time between two lines about one matter.
const BETWEEN: Duration = Duration::from_secs(60);

/// Counts occurrences by key. Keys must be few, and never chosen by an outsider.
#[derive(Debug)]
pub struct Tally<K, V>(Mutex<BTreeMap<K, Since<V>>>);

/// Since the last line about a matter.
#[derive(Debug, Clone, Copy)]
struct Since<V> {
    told: Timestamp,
    count: u64,
    latest: V,
}

impl<V> Since<V> {
    fn is_due(&self, now: Timestamp) -> bool {
        // A clock that was set back delays no line.
        !(self.told..self.told.after(BETWEEN)).contains(&now)
    }
}

impl<K, V> Default for Tally<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord + Clone, V: Clone> Tally<K, V> {
    fn matters(&self) -> MutexGuard<'_, BTreeMap<K, Since<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one; how many a line now is about, if one is due.
    pub fn note(&self, matter: &K, latest: V, now: Timestamp) -> Option<u64> {
        let mut matters = self.matters();
        let Some(since) = matters.get_mut(matter) else {
            matters.insert(matter.clone(), Since { told: now, count: 0, latest });
            return Some(1);
        };
        since.count += 1;
        since.latest = latest;
        if !since.is_due(now) {
            return None;
        }
        since.told = now;
        Some(std::mem::take(&mut since.count))
    }

    /// What was only counted, by matter, where a line is due: how many, and the latest. A matter that has been quiet is
    /// forgotten: its next one is told at once.
    pub fn due(&self, now: Timestamp) -> Vec<(K, u64, V)> {
        let mut due = Vec::new();
        self.matters().retain(|matter, since| {
            let is_due = since.is_due(now);
            if is_due && since.count > 0 {
                due.push((matter.clone(), since.count, since.latest.clone()));
                (since.told, since.count) = (now, 0);
                return true;
            }
            !is_due
        });
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000)
    }

    #[test]
    fn the_first_is_told_at_once_and_then_a_line_a_minute_with_how_many() {
        let tally = Tally::default();
        let note = |matter, seconds| tally.note(&matter, "forged", at(seconds));
        assert_eq!(note("telnyx", 0), Some(1));
        for second in 0..60 {
            assert_eq!(note("telnyx", second), None);
        }
        assert_eq!(note("phaxio", 30), Some(1), "each matter by itself");
        assert_eq!(note("telnyx", 60), Some(61));
        assert_eq!(note("telnyx", 61), None);
        assert_eq!(note("telnyx", -600), Some(2), "a clock that was set back");
    }

    #[test]
    fn what_was_counted_is_told_even_if_no_other_comes() {
        let tally = Tally::default();
        for _ in 0..3 {
            tally.note(&"telnyx", "stale", at(0));
        }
        assert_eq!(tally.due(at(59)), []);
        assert_eq!(tally.due(at(60)), [("telnyx", 2, "stale")]);
        assert_eq!(tally.due(at(61)), []);
        assert_eq!(tally.due(at(120)), []);
        assert_eq!(tally.note(&"telnyx", "forged", at(121)), Some(1), "quiet for a minute: told at once");
    }
}
