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
        // Rounded up: an interval that is cut to whole milliseconds would let more through than was asked for.
        let interval = Duration::from_millis(60_000_u64.div_ceil(u64::from(per_minute.min(60_000))));
        let burst = interval * (per_minute / 10).max(1);
        let base = if arrival > now { arrival } else { now };
        let next = base.after(interval);
        if next > now.after(burst) { Err(next.since(now.after(burst))) } else { Ok(next) }
    }
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
