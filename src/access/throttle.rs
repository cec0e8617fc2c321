//! The login throttle: a number of failures of one name from one peer within some minutes, then a wait. In memory: a
//! restart forgets the count, which helps an attacker less than waiting would.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::domain::Timestamp;

/// Failures within [`WINDOW`] after which a name from a peer must wait.
const FAILURES_MAX: u32 = 10;
/// The window, counted from the first failure.
const WINDOW: Duration = Duration::from_secs(5 * 60);
/// Names and peers remembered at once.
const REMEMBERED_MAX: usize = 10_000;
/// Passwords checked concurrently; each takes 19 MiB and a core.
const CHECKS_AT_ONCE: usize = 2;

type Key = (String, IpAddr);

/// Counts failed logins.
#[derive(Debug)]
pub struct Throttle {
    failures: Mutex<HashMap<Key, (u32, Timestamp)>>,
    checks: Semaphore,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { failures: Mutex::new(HashMap::new()), checks: Semaphore::new(CHECKS_AT_ONCE) }
    }
}

impl Throttle {
    /// Counts an attempt as a failure before its password is checked, so that simultaneous attempts all count.
    ///
    /// # Errors
    /// How long to wait, if there were too many.
    pub fn count(&self, name: &str, peer: IpAddr, now: Timestamp) -> Result<(), Duration> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (name.to_lowercase(), peer);
        if failures.len() >= REMEMBERED_MAX && !failures.contains_key(&key) {
            make_room(&mut failures, now);
        }
        let (count, since) = failures.entry(key).or_insert((0, now));
        let gone = now.since(*since);
        if gone >= WINDOW {
            (*count, *since) = (0, now);
        } else if *count >= FAILURES_MAX {
            return Err(WINDOW.saturating_sub(gone));
        }
        *count += 1;
        Ok(())
    }

    /// Forgets the failures of a name from a peer that then logged in.
    pub fn forget(&self, name: &str, peer: IpAddr) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&(name.to_lowercase(), peer));
    }

    /// The right to check one password now.
    pub const fn checks(&self) -> &Semaphore {
        &self.checks
    }
}

/// Forgets expired counters; if there are none, a tenth of the counters: those with the fewest failures, the oldest of
/// these first. A flood of names tried once never resets a higher counter.
fn make_room(failures: &mut HashMap<Key, (u32, Timestamp)>, now: Timestamp) {
    failures.retain(|_, (_, since)| now.since(*since) < WINDOW);
    if failures.len() < REMEMBERED_MAX {
        return;
    }
    let mut counted: Vec<_> = failures.values().copied().collect();
    let mut excess = counted.len() / 10;
    let (_, highest, _) = counted.select_nth_unstable(excess);
    failures.retain(|_, counted| {
        let stays = *counted > *highest || excess == 0;
        excess -= usize::from(!stays);
        stays
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn the_eleventh_failure_waits_and_the_window_ends() {
        let throttle = Throttle::default();
        let start = Timestamp(0);
        for _ in 0..FAILURES_MAX {
            assert_eq!(throttle.count("dana", HERE, start), Ok(()));
        }
        assert_eq!(throttle.count("Dana", HERE, start.after(Duration::from_secs(60))), Err(Duration::from_secs(240)));
        assert_eq!(throttle.count("erin", HERE, start), Ok(()), "another name is not held up");
        assert_eq!(throttle.count("dana", HERE, start.after(WINDOW)), Ok(()));
        throttle.forget("dana", HERE);
        assert_eq!(throttle.count("dana", HERE, start.after(WINDOW)), Ok(()));
    }

    #[test]
    fn it_remembers_a_bounded_number() {
        let throttle = Throttle::default();
        for n in 0..REMEMBERED_MAX * 2 {
            assert_eq!(throttle.count(&n.to_string(), HERE, Timestamp(0)), Ok(()));
        }
        assert!(throttle.failures.lock().expect("not poisoned").len() <= REMEMBERED_MAX);
    }

    #[test]
    fn a_flood_of_other_names_sets_no_counter_back() {
        let throttle = Throttle::default();
        for _ in 0..FAILURES_MAX {
            assert_eq!(throttle.count("dana", HERE, Timestamp(0)), Ok(()));
        }
        for n in 0..REMEMBERED_MAX * 2 {
            assert_eq!(throttle.count(&n.to_string(), HERE, Timestamp(1)), Ok(()));
        }
        assert!(throttle.count("dana", HERE, Timestamp(2)).is_err());
    }
}
