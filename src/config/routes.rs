//! `[routes]`: which accounts send what. An entry is an account's name, or a table with the messages it is meant for.

use std::collections::BTreeMap;

use figment::value::Value;
use serde::Deserialize;

use super::problem::Problems;
use super::section::Reader;
use super::{ProviderConfig, Routes};
use crate::accounts::routes::{Conditions, Route};
use crate::domain::country::Country;
use crate::domain::mail_domains::DomainPattern;
use crate::domain::{Channel, Purpose};
use crate::provider::Spec;

/// The section as written.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WrittenRoutes {
    fax: Option<Vec<Value>>,
    email: Option<Vec<Value>>,
    cheapest_first: bool,
}

/// An entry as a table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRoute {
    account: String,
    countries: Option<Vec<Country>>,
    domains: Option<Vec<DomainPattern>>,
    purposes: Option<Vec<Purpose>>,
    phi: Option<bool>,
    pages_max: Option<u32>,
}

/// The section with its entries read; `None` where a channel is not mentioned.
pub(super) struct ReadRoutes {
    by_channel: BTreeMap<Channel, Option<Vec<Route>>>,
    cheapest_first: bool,
}

/// What the names in the section can refer to.
pub(super) struct Known<'a> {
    /// The accounts that could be read.
    pub(super) accounts: &'a BTreeMap<String, ProviderConfig>,
    /// Every configured name, which distinguishes a missing account from one that was already refused.
    pub(super) configured: &'a [String],
    pub(super) specs: &'a [&'static Spec],
}

/// Reads the entries; a problem is noted with its key, and the others are still read.
pub(super) fn read(reader: &mut Reader<'_>, written: WrittenRoutes) -> ReadRoutes {
    let WrittenRoutes { fax, email, cheapest_first } = written;
    let mut list = |channel: Channel, entries: Option<Vec<Value>>| {
        let entries = entries?.into_iter().enumerate();
        Some(entries.filter_map(|(place, entry)| read_entry(reader, channel, place, entry)).collect())
    };
    let by_channel = [(Channel::Fax, list(Channel::Fax, fax)), (Channel::Email, list(Channel::Email, email))];
    ReadRoutes { by_channel: BTreeMap::from(by_channel), cheapest_first }
}

fn read_entry(reader: &mut Reader<'_>, channel: Channel, place: usize, entry: Value) -> Option<Route> {
    match entry {
        Value::String(_, account) => Some(Route::to(&account)),
        Value::Dict(_, table) => {
            let place = place.to_string();
            let path = ["routes", channel.as_str(), &place];
            let WrittenRoute { account, countries, domains, purposes, phi, pages_max } = reader.read(&path, table)?;
            let route = Route { account, only: Conditions { countries, domains, purposes, phi, pages_max } };
            check_conditions(reader.problems, channel, &path.join("."), &route);
            Some(route)
        }
        _ => {
            let key = format!("routes.{channel}.{place}");
            reader.problems.add(key, "write an account's name, or a table such as { account = \"…\", phi = true }");
            None
        }
    }
}

fn check_conditions(problems: &mut Problems, channel: Channel, key: &str, route: &Route) {
    let Conditions { countries, domains, purposes, pages_max, .. } = &route.only;
    let nobody = "leaves out everything: remove it, or name at least one";
    if countries.as_ref().is_some_and(Vec::is_empty) {
        problems.add(format!("{key}.countries"), nobody);
    }
    if purposes.as_ref().is_some_and(Vec::is_empty) {
        problems.add(format!("{key}.purposes"), nobody);
    }
    if domains.as_ref().is_some_and(Vec::is_empty) {
        problems.add(format!("{key}.domains"), nobody);
    }
    if domains.is_some() && channel == Channel::Fax {
        problems.add(format!("{key}.domains"), "a number has no mail domain: remove it here");
    }
    if countries.is_some() && channel == Channel::Email {
        problems.add(format!("{key}.countries"), "a mailbox has no country: remove it here");
    }
    if *pages_max == Some(0) {
        problems.add(format!("{key}.pages_max"), "write a number from 1 on");
    }
}

/// The routes as written, or, for a channel that is not mentioned, its only account. Accounts must exist, support the
/// channel, and appear once; one that is meant for health information must be allowed to send it.
pub(super) fn check(problems: &mut Problems, read: ReadRoutes, known: &Known<'_>) -> Routes {
    let mut routes = Routes { cheapest_first: read.cheapest_first, ..Routes::default() };
    for (channel, written) in read.by_channel {
        let key = format!("routes.{channel}");
        let carrying = known.carrying(channel);
        let list = written.unwrap_or_else(|| {
            if carrying.len() > 1 {
                problems.add(&key, format!("say in which order to use: {}", carrying.join(", ")));
            }
            carrying.iter().map(|name| Route::to(name)).collect()
        });
        for (place, Route { account, only }) in list.iter().enumerate() {
            let refused = if list[..place].iter().any(|before| before.account == *account) {
                format!("{account} is listed twice: keep one")
            } else if !known.configured.contains(account) {
                format!("there is no [providers.{account}]: add it or correct the name")
            } else if known.accounts.contains_key(account) && !carrying.contains(&account.as_str()) {
                format!("{account} does not carry {channel}: remove it here")
            } else if only.phi == Some(true) && !known.may_carry_phi(account) {
                format!("{account} must not carry health information: sign an agreement (baa), or remove phi = true")
            } else {
                continue;
            };
            problems.add(&key, refused);
        }
        match channel {
            Channel::Fax => routes.fax = list,
            Channel::Email => routes.email = list,
        }
    }
    routes
}

impl Known<'_> {
    /// The names of the accounts that support a channel.
    fn carrying(&self, channel: Channel) -> Vec<&str> {
        let carries = |account: &ProviderConfig| {
            self.specs.iter().any(|spec| spec.kind == account.kind && spec.channel == channel)
        };
        self.accounts.iter().filter(|(_, account)| carries(account)).map(|(name, _)| name.as_str()).collect()
    }

    /// Whether an account has an agreement; one that was already refused is not reported again.
    fn may_carry_phi(&self, name: &str) -> bool {
        self.accounts.get(name).is_none_or(|account| account.baa.as_ref().is_some_and(|baa| baa.signed))
    }
}
