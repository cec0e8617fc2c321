//! The configured accounts, with their layers on, in the order of their routes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::layers::Layered;
use super::{Capabilities, Spec};
use crate::domain::{Channel, PhiClass, Timestamp};

/// One account, ready to be used.
#[derive(Debug, Clone)]
pub struct ConfiguredAccount {
    /// The provider with its layers.
    pub layered: Layered,
    /// Whether a business associate agreement is signed.
    pub baa: bool,
    /// Hand-overs per minute over all nodes.
    pub rate_per_minute: Option<u32>,
}

impl ConfiguredAccount {
    /// What kind it is.
    #[must_use]
    pub fn spec(&self) -> &'static Spec {
        self.layered.provider().spec()
    }

    /// What it can do.
    #[must_use]
    pub fn capabilities(&self) -> &'static Capabilities {
        &self.spec().capabilities
    }

    /// The account's cell-rate limit: when the next hand-over may start, given the stored theoretical arrival time, and
    /// the new arrival time if it starts now (GCRA; a burst of a tenth of a minute's worth is allowed).
    ///
    /// # Errors
    /// How long to wait.
    pub fn permit(&self, arrival: Timestamp, now: Timestamp) -> Result<Timestamp, Duration> {
        let Some(per_minute) = self.rate_per_minute.filter(|rate| *rate > 0) else { return Ok(arrival) };
        next_arrival(per_minute, arrival, now)
    }
}

/// The cell-rate rule itself (GCRA, ITU-T I.371): one interval further, if that is not beyond the burst.
fn next_arrival(per_minute: u32, arrival: Timestamp, now: Timestamp) -> Result<Timestamp, Duration> {
    let interval = Duration::from_millis(60_000 / u64::from(per_minute.min(60_000)));
    let burst = interval * (per_minute / 10).max(1);
    let base = if arrival > now { arrival } else { now };
    let next = base.after(interval);
    if next > now.after(burst) { Err(next.since(now.after(burst))) } else { Ok(next) }
}

/// All accounts and the routes to them.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    by_name: BTreeMap<String, ConfiguredAccount>,
    fax: Vec<String>,
    email: Vec<String>,
}

impl Accounts {
    /// The accounts, and for each channel the names in the order in which they are tried.
    #[must_use]
    pub const fn new(by_name: BTreeMap<String, ConfiguredAccount>, fax: Vec<String>, email: Vec<String>) -> Self {
        Self { by_name, fax, email }
    }

    /// The account of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ConfiguredAccount> {
        self.by_name.get(name)
    }

    /// Every account by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ConfiguredAccount)> {
        self.by_name.iter().map(|(name, account)| (name.as_str(), account))
    }

    /// The names of the accounts that keep a rate.
    pub fn with_rate(&self) -> impl Iterator<Item = &str> {
        self.iter().filter(|(_, account)| account.rate_per_minute.is_some()).map(|(name, _)| name)
    }

    /// The accounts that may carry a message, in the order in which they are tried.
    pub fn route(&self, channel: Channel, phi: PhiClass) -> impl Iterator<Item = &ConfiguredAccount> {
        let names = match channel {
            Channel::Fax => &self.fax,
            Channel::Email => &self.email,
        };
        names
            .iter()
            .filter_map(|name| self.by_name.get(name))
            .filter(move |account| account.baa || phi != PhiClass::Identified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_window_holds_more_starts_than_its_share_and_the_burst(
            rate in 1u32..2000, gaps in prop::collection::vec(0i64..20_000, 1..80),
        ) {
            let (interval, burst) = (60_000 / i64::from(rate), i64::from((rate / 10).max(1)));
            let (mut now, mut arrival, mut starts) = (Timestamp(1_000_000), Timestamp(0), Vec::new());
            for gap in gaps {
                now = Timestamp(now.0 + gap);
                if let Ok(next) = next_arrival(rate, arrival, now) {
                    arrival = next;
                    starts.push(now.0);
                }
            }
            for (first, from) in starts.iter().enumerate() {
                for (count, to) in (1_i64..).zip(&starts[first..]) {
                    prop_assert!(count <= (to - from) / interval + burst, "{count} within {} ms", to - from);
                }
            }
        }

        #[test]
        fn the_wait_it_names_is_exactly_long_enough(rate in 1u32..2000, ahead in 0i64..600_000) {
            let now = Timestamp(1_000_000);
            let arrival = Timestamp(now.0 + ahead);
            if let Err(wait) = next_arrival(rate, arrival, now) {
                prop_assert!(next_arrival(rate, arrival, now.after(wait)).is_ok());
                prop_assert!(next_arrival(rate, arrival, now.after(wait).before(Duration::from_millis(1))).is_err());
            }
        }

        #[test]
        fn an_idle_account_has_its_burst_and_no_more(rate in 1u32..2000, idle in 0i64..10_000_000) {
            let now = Timestamp(20_000_000);
            let mut arrival = Timestamp(now.0 - idle);
            let mut count = 0_u32;
            while let Ok(next) = next_arrival(rate, arrival, now) {
                arrival = next;
                count += 1;
            }
            prop_assert_eq!(count, (rate / 10).max(1));
        }
    }
}
