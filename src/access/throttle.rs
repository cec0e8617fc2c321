//! The login throttle. Three counters, all in memory: a restart forgets them, which helps an attacker less than waiting
//! would.
//!
//! - a client's tries over all names ([`super::clients`]);
//! - behind it, the failures of one name from one client;
//! - the failures of one device ([`super::devices`]), which is subject to neither of the others.
//!
//! So strangers elsewhere never lock an operator out, and strangers behind the operator's own address lock out only a
//! browser in which the operator has not logged in before.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::NAME_CHARS_MAX;
use super::clients::{Client, Clients};
use super::devices::Device;
use crate::domain::Timestamp;

/// Failures within [`WINDOW`] after which a name from a client, or a device, must wait.
const FAILURES_MAX: u32 = 10;
/// The window, counted from the first failure.
const WINDOW: Duration = Duration::from_secs(5 * 60);
/// Counters of each kind remembered at once.
const REMEMBERED_MAX: usize = 10_000;
/// Passwords checked concurrently; each takes 19 MiB and a core.
const CHECKS_AT_ONCE: usize = 2;

/// One try to log in.
#[derive(Debug, Clone)]
pub struct Attempt<'a> {
    /// The name as it was typed.
    pub name: &'a str,
    /// Where it came from.
    pub peer: IpAddr,
    /// The browser, if somebody of that name has logged in with it before.
    pub device: Option<Device>,
}

impl Attempt<'_> {
    /// What is counted of a name and a client: capitals and what is longer than any name make no difference.
    fn key(&self) -> (String, Client) {
        let name = self.name.chars().take(NAME_CHARS_MAX + 1).flat_map(char::to_lowercase).collect();
        (name, Client::of(self.peer))
    }
}

/// Counts failed logins.
#[derive(Debug)]
pub struct Throttle {
    clients: Clients,
    names: Counters<(String, Client)>,
    devices: Counters<Device>,
    checks: Semaphore,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            clients: Clients::default(),
            names: Counters::default(),
            devices: Counters::default(),
            checks: Semaphore::new(CHECKS_AT_ONCE),
        }
    }
}

impl Throttle {
    /// Counts an attempt as a failure before its password is checked, so that simultaneous attempts all count.
    ///
    /// # Errors
    /// How long to wait, if there were too many.
    pub fn count(&self, attempt: &Attempt<'_>, now: Timestamp) -> Result<(), Duration> {
        if let Some(device) = &attempt.device {
            return self.devices.count(device.clone(), now);
        }
        self.clients.count(Client::of(attempt.peer))?;
        self.names.count(attempt.key(), now)
    }

    /// Forgets the failures of a name from a client, or of a device, that then logged in.
    pub fn forget(&self, attempt: &Attempt<'_>) {
        match &attempt.device {
            Some(device) => self.devices.forget(device),
            None => self.names.forget(&attempt.key()),
        }
    }

    /// The right to check one password now.
    pub const fn checks(&self) -> &Semaphore {
        &self.checks
    }
}

/// Failures by what they are counted for.
#[derive(Debug)]
struct Counters<K>(Mutex<HashMap<K, (u32, Timestamp)>>);

impl<K> Default for Counters<K> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Hash + Eq> Counters<K> {
    fn count(&self, key: K, now: Timestamp) -> Result<(), Duration> {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

    fn forget(&self, key: &K) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

/// Forgets expired counters; if there are none, a tenth of the counters: those with the fewest failures, the oldest of
/// these first. A flood of names tried once never resets a higher counter.
fn make_room<K: Hash + Eq>(failures: &mut HashMap<K, (u32, Timestamp)>, now: Timestamp) {
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
    use super::super::devices::Devices;
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn attempt(name: &str) -> Attempt<'_> {
        Attempt { name, peer: HERE, device: None }
    }

    #[test]
    fn the_eleventh_failure_waits_and_the_window_ends() {
        let throttle = Throttle::default();
        let start = Timestamp(0);
        for _ in 0..FAILURES_MAX {
            assert_eq!(throttle.count(&attempt("dana"), start), Ok(()));
        }
        let later = start.after(Duration::from_secs(60));
        assert_eq!(throttle.count(&attempt("Dana"), later), Err(Duration::from_secs(240)));
        assert_eq!(throttle.count(&attempt("erin"), start), Ok(()), "another name is not held up");
        assert_eq!(throttle.count(&attempt("dana"), start.after(WINDOW)), Ok(()));
        throttle.forget(&attempt("dana"));
        assert_eq!(throttle.count(&attempt("dana"), start.after(WINDOW)), Ok(()));
    }

    #[test]
    fn strangers_behind_the_same_address_do_not_lock_a_known_device_out() {
        let throttle = Throttle::default();
        let devices = Devices::new(b"key");
        let cookie = devices.issue("dana").expect("a cookie");
        let known = Attempt { device: devices.known("dana", &cookie), ..attempt("dana") };
        while throttle.count(&attempt("dana"), Timestamp(0)).is_ok() {}
        for _ in 0..FAILURES_MAX {
            assert_eq!(throttle.count(&known, Timestamp(0)), Ok(()));
        }
        assert!(throttle.count(&known, Timestamp(0)).is_err(), "someone who stole the cookie guesses no faster");
        throttle.forget(&known);
        assert_eq!(throttle.count(&known, Timestamp(0)), Ok(()));
    }

    #[test]
    fn strangers_elsewhere_do_not_lock_an_operator_out() {
        let throttle = Throttle::default();
        for tail in 1..=200 {
            let elsewhere = Attempt { peer: IpAddr::from([198, 51, 100, tail]), ..attempt("dana") };
            for _ in 0..2 * FAILURES_MAX {
                let _ = throttle.count(&elsewhere, Timestamp(0));
            }
        }
        assert_eq!(throttle.count(&attempt("dana"), Timestamp(0)), Ok(()));
    }

    #[test]
    fn it_remembers_a_bounded_number_of_short_names() {
        let counters = Counters::default();
        for n in 0..REMEMBERED_MAX * 2 {
            assert_eq!(counters.count(n, Timestamp(0)), Ok(()));
        }
        assert!(counters.0.lock().expect("not poisoned").len() <= REMEMBERED_MAX);
        assert!(attempt(&"x".repeat(16_000)).key().0.len() <= NAME_CHARS_MAX + 1);
    }

    #[test]
    fn a_flood_of_other_names_sets_no_counter_back() {
        let counters = Counters::default();
        for _ in 0..FAILURES_MAX {
            assert_eq!(counters.count(usize::MAX, Timestamp(0)), Ok(()));
        }
        for n in 0..REMEMBERED_MAX * 2 {
            assert_eq!(counters.count(n, Timestamp(1)), Ok(()));
        }
        assert!(counters.count(usize::MAX, Timestamp(2)).is_err());
    }
}
