//! The configured accounts, wrapped in their layers, in the order of their routes, and whether each is available now.

pub mod acts;
mod breaker;
pub mod breaker_records;
pub mod budget;
pub mod domains;
pub mod health;
pub mod layers;
pub mod mail_tokens;
pub mod presets;
mod questions;
pub mod quota;
mod rate;
pub mod routes;
mod slots;
#[cfg(test)]
pub(crate) mod stub;
pub mod unavailable;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::accounts::budget::Budget;
use crate::accounts::layers::Layered;
use crate::accounts::quota::Quota;
use crate::accounts::rate::next_arrival;
use crate::accounts::routes::{Parcel, Route};
use crate::domain::cost::Cost;
use crate::domain::mail_domains::MailDomains;
use crate::domain::message::Message;
use crate::domain::provider_state::{Meter, ProviderState};
use crate::domain::{Address, Channel, PhiClass, Purpose, RouteKey, Timestamp};
use crate::provider::{Capabilities, DnsRecord, Spec};

/// One account, ready to be used.
#[derive(Debug, Clone)]
pub struct ConfiguredAccount {
    /// The provider with its layers.
    pub layered: Layered,
    /// Whether a business associate agreement is signed.
    pub baa: bool,
    /// Hand-overs per minute across all nodes: the lower of the configured rate and the provider's limit.
    pub rate_per_minute: Option<u32>,
    /// Hand-overs per minute to one mail domain across all nodes.
    pub rate_per_domain: Option<u32>,
    /// Letters to one mail domain that are being handed over at once, across all nodes.
    pub concurrency_per_domain: Option<u32>,
    /// What a page costs.
    pub cost_per_page: Option<Cost>,
    /// What may be spent in a day, across all nodes.
    pub budget: Option<Budget>,
    /// What its provider takes in an hour and in a day, across all nodes.
    pub quota: Quota,
}

/// Whether an account can take a hand-over now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// Yes; its meter afterward.
    Now(Box<Meter>),
    /// It is paused, until someone resumes it or a quota returns.
    Paused,
    /// It is paused briefly, until then, after repeated errors.
    Resting(Timestamp),
    /// Its rate is used up; how long until the next may start.
    TooFast(Duration),
    /// Its budget is used up; when a new one begins.
    Spent(Timestamp),
    /// A quota is used up; when there is room again.
    OverQuota(Timestamp),
}

impl ConfiguredAccount {
    /// An account without limits or costs.
    #[must_use]
    pub const fn free(layered: Layered) -> Self {
        Self {
            layered,
            baa: true,
            rate_per_minute: None,
            rate_per_domain: None,
            concurrency_per_domain: None,
            cost_per_page: None,
            budget: None,
            quota: Quota { per_hour: None, per_day: None },
        }
    }

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

    /// Whether anything about it is counted across all nodes.
    #[must_use]
    pub const fn is_metered(&self) -> bool {
        self.rate_per_minute.is_some() || self.budget.is_some() || !self.quota.is_none()
    }

    /// Until when it is paused after errors, by what this node knows or what is on record, whichever is later.
    #[must_use]
    pub fn rests_until(&self, state: &ProviderState, now: Timestamp) -> Option<Timestamp> {
        let here = self.layered.breaker().open_until_ms;
        Some(here.max(state.rests_until_ms.unwrap_or_default())).filter(|until| *until > now)
    }

    /// Whether it can take that many pages now, given what all nodes know of it.
    #[must_use]
    pub fn ready(&self, state: &ProviderState, pages: u32, now: Timestamp) -> Ready {
        if state.is_paused(now) {
            return Ready::Paused;
        }
        if let Some(until) = self.rests_until(state, now) {
            return Ready::Resting(until);
        }
        let cost = self.cost_per_page.unwrap_or_default().times(pages);
        let drawn = match self.budget.map_or(Ok(state.meter), |budget| budget.draw(state.meter, cost, now)) {
            Ok(drawn) => drawn,
            Err(until) => return Ready::Spent(until),
        };
        let drawn = match self.quota.draw(drawn, now) {
            Ok(drawn) => drawn,
            Err(until) => return Ready::OverQuota(until),
        };
        match self.rate(state, now).map(|rate| next_arrival(rate, drawn.arrival_ms, now)) {
            Some(Err(wait)) => Ready::TooFast(wait),
            Some(Ok(arrival_ms)) => Ready::Now(Box::new(Meter { arrival_ms, ..drawn })),
            None => Ready::Now(Box::new(drawn)),
        }
    }

    /// Hand-overs a minute now: its rate, or less for a while after its provider asked for that.
    #[must_use]
    pub fn rate(&self, state: &ProviderState, now: Timestamp) -> Option<u32> {
        state.slowing.rate(self.rate_per_minute, now)
    }

    /// Whether its budget of a whole day covers a letter of that many pages. One that it does not cover never goes out.
    #[must_use]
    pub fn affords(&self, pages: u32) -> bool {
        let cost = self.cost_per_page.unwrap_or_default().times(pages);
        self.budget.is_none_or(|budget| budget.covers(cost))
    }

    /// Whether a document of that many pages is within the provider's limit.
    fn takes(&self, pages: Option<u32>) -> bool {
        self.capabilities().pages_max.is_none_or(|most| pages.is_none_or(|pages| pages <= most))
    }
}

/// How many hand-overs a minute an account makes: what its configuration allows, or less if the provider takes less.
#[must_use]
pub fn rate_within(configured: Option<u32>, can: &Capabilities) -> Option<u32> {
    configured.into_iter().chain(can.submits_per_minute).min()
}

/// Which accounts could carry a message, whatever their state now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carriers {
    /// Whether the routes lead to some account for it.
    pub routed: bool,
    /// Whether one of those is under a business associate agreement.
    pub baa: bool,
}

/// All accounts and the routes to them.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    by_name: BTreeMap<String, ConfiguredAccount>,
    fax: Vec<Route>,
    email: Vec<Route>,
    domains: MailDomains,
}

impl Accounts {
    /// The accounts, and for each channel its routes in the order in which they are tried.
    #[must_use]
    pub fn new(by_name: BTreeMap<String, ConfiguredAccount>, fax: Vec<Route>, email: Vec<Route>) -> Self {
        let domains = email.iter().flat_map(|route| route.only.domains.iter().flatten().cloned()).collect();
        Self { by_name, fax, email, domains: MailDomains::new(domains) }
    }

    /// The mail domains that the routes tell apart.
    #[must_use]
    pub const fn domains(&self) -> &MailDomains {
        &self.domains
    }

    /// What the route of a message depends on.
    #[must_use]
    pub fn key_of(&self, message: &Message) -> RouteKey {
        RouteKey::of(message, &self.domains)
    }

    /// What the route of a message to that address depends on.
    #[must_use]
    pub fn key(&self, address: &Address, purpose: Purpose, phi: PhiClass) -> RouteKey {
        RouteKey::new(address, purpose, phi, &self.domains)
    }

    /// With each channel's routes sorted by price per page, cheapest first; those without a price come last, and
    /// equal prices stay in order.
    #[must_use]
    pub fn cheapest_first(mut self) -> Self {
        let price = |route: &Route| {
            let price = self.by_name.get(&route.account).and_then(|account| account.cost_per_page);
            price.unwrap_or(Cost(i64::MAX))
        };
        self.fax.sort_by_key(price);
        self.email.sort_by_key(price);
        self
    }

    /// The account of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ConfiguredAccount> {
        self.by_name.get(name)
    }

    /// What the practice's domain must publish for the account of that name; nothing if there is none.
    #[must_use]
    pub fn dns_records(&self, name: &str) -> Vec<DnsRecord> {
        self.get(name).map(|account| account.layered.provider().dns_records()).unwrap_or_default()
    }

    /// Every account by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ConfiguredAccount)> {
        self.by_name.iter().map(|(name, account)| (name.as_str(), account))
    }

    /// The names of the accounts for which anything is counted across all nodes.
    pub fn metered(&self) -> impl Iterator<Item = &str> {
        self.iter().filter(|(_, account)| account.is_metered()).map(|(name, _)| name)
    }

    /// A channel's routes, in the order in which they are tried.
    #[must_use]
    pub fn routes(&self, channel: Channel) -> &[Route] {
        match channel {
            Channel::Fax => &self.fax,
            Channel::Email => &self.email,
        }
    }

    /// Whether some account carries the channel at all.
    #[must_use]
    pub fn carries(&self, channel: Channel) -> bool {
        self.routes(channel).iter().any(|route| self.by_name.contains_key(&route.account))
    }

    /// Whether some account of the channel's routes is under a business associate agreement.
    #[must_use]
    pub fn carries_phi(&self, channel: Channel) -> bool {
        let agreed = |route: &Route| self.by_name.get(&route.account).is_some_and(|account| account.baa);
        self.routes(channel).iter().any(|route| agreed(route) && route.only.phi != Some(false))
    }

    /// An account's place in the routes of its channel, from 1, and for which messages it is meant there.
    #[must_use]
    pub fn place(&self, channel: Channel, name: &str) -> Option<(usize, &Route)> {
        (1..).zip(self.routes(channel)).find(|(_, route)| route.account == name)
    }

    /// The accounts that may carry a message, in the order in which they are tried.
    pub fn route<'a>(&'a self, parcel: &Parcel) -> impl Iterator<Item = &'a ConfiguredAccount> + use<'a> {
        let needs_agreement = parcel.needs_agreement();
        self.fitting(parcel).filter(move |account| account.baa || !needs_agreement)
    }

    /// Which accounts could carry a message: what policy must know.
    #[must_use]
    pub fn carriers(&self, parcel: &Parcel) -> Carriers {
        let mut fitting = self.fitting(parcel).peekable();
        Carriers { routed: fitting.peek().is_some(), baa: fitting.any(|account| account.baa) }
    }

    fn fitting<'a>(&'a self, parcel: &Parcel) -> impl Iterator<Item = &'a ConfiguredAccount> + use<'a> {
        let (parcel, pages) = (parcel.clone(), parcel.pages);
        self.routes(parcel.key.channel)
            .iter()
            .filter(move |route| route.only.fit(&parcel))
            .filter_map(|route| self.by_name.get(&route.account))
            .filter(move |account| account.takes(pages))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::stub::KIND;
    use super::*;
    use crate::accounts::layers::BreakerState;
    use crate::accounts::routes::Conditions;
    use crate::domain::{Clock, SystemClock};

    fn account(name: &str) -> ConfiguredAccount {
        stub::account(name, 1)
    }

    fn letter() -> Parcel {
        static TO: LazyLock<Address> = LazyLock::new(|| "+13125550142".parse().expect("an address"));
        Parcel {
            key: RouteKey::new(&TO, Purpose::Treatment, PhiClass::Identified, &MailDomains::default()),
            pages: Some(2),
        }
    }

    fn names(accounts: &Accounts, parcel: &Parcel) -> Vec<String> {
        accounts.route(parcel).map(|account| account.layered.name().to_owned()).collect()
    }

    #[test]
    fn a_route_leads_past_accounts_that_must_not_or_cannot_carry_it_and_policy_is_told_why() {
        let plain = ConfiguredAccount { baa: false, ..account("plain") };
        let by_name = BTreeMap::from([("plain".to_owned(), plain), ("agreed".to_owned(), account("agreed"))]);
        let short = Conditions { pages_max: Some(2), ..Conditions::default() };
        let routes = vec![Route::to("plain"), Route { account: "agreed".to_owned(), only: short }, Route::to("gone")];
        let accounts = Accounts::new(by_name, routes, Vec::new());
        assert_eq!(names(&accounts, &letter()), ["agreed"]);
        assert_eq!(accounts.carriers(&letter()), Carriers { routed: true, baa: true });
        let long = || Parcel { pages: Some(3), ..letter() };
        assert_eq!(names(&accounts, &long()), [] as [&str; 0]);
        assert_eq!(accounts.carriers(&long()), Carriers { routed: true, baa: false });
        let harmless = RouteKey { phi: PhiClass::None, ..long().key };
        assert_eq!(names(&accounts, &Parcel { key: harmless, ..long() }), ["plain"]);
        let too_long = Parcel { pages: Some(10), ..letter() };
        assert_eq!(accounts.carriers(&too_long), Carriers { routed: false, baa: false }, "the provider takes nine");
        assert!(accounts.carries(Channel::Fax) && accounts.carries_phi(Channel::Fax));
        assert!(!accounts.carries(Channel::Email));
        assert_eq!(accounts.place(Channel::Fax, "agreed").map(|(place, _)| place), Some(2));
    }

    #[test]
    fn the_cheapest_goes_first_and_what_has_no_price_last() {
        let priced = |name: &str, cost| (name.to_owned(), ConfiguredAccount { cost_per_page: cost, ..account(name) });
        let by_name = BTreeMap::from([
            priced("dear", Some(Cost(90_000))),
            priced("cheap", Some(Cost(30_000))),
            priced("also", Some(Cost(30_000))),
            priced("unknown", None),
        ]);
        let routes = ["unknown", "dear", "cheap", "also"].map(Route::to).to_vec();
        let accounts = Accounts::new(by_name, routes, Vec::new()).cheapest_first();
        assert_eq!(names(&accounts, &letter()), ["cheap", "also", "dear", "unknown"]);
    }

    #[test]
    fn an_account_says_why_it_takes_nothing_now_and_what_it_takes_counts() {
        let now = SystemClock.now();
        let budget = Budget { hand_overs: Some(1), cost: None, zone: chrono_tz::America::Chicago };
        let account = ConfiguredAccount {
            rate_per_minute: Some(6),
            cost_per_page: Some(Cost(70_000)),
            budget: Some(budget),
            ..account("fax")
        };
        let state = ProviderState::default();
        let Ready::Now(meter) = account.ready(&state, 2, now) else { panic!("it is ready") };
        assert_eq!(meter.today(now), (1, Cost(140_000)));
        let drawn = ProviderState { meter: *meter, ..state.clone() };
        assert!(matches!(account.ready(&drawn, 2, now), Ready::Spent(until) if until > now));
        let freely = ConfiguredAccount { budget: None, ..account.clone() };
        assert!(matches!(freely.ready(&drawn, 2, now), Ready::TooFast(_)));
        let resting = ProviderState { rests_until_ms: Some(now.after(Duration::from_secs(9))), ..state.clone() };
        assert_eq!(account.ready(&resting, 2, now), Ready::Resting(now.after(Duration::from_secs(9))));
        let paused = ProviderState { paused_ms: Some(now), ..resting };
        assert_eq!(account.ready(&paused, 2, now), Ready::Paused);
        let here = now.after(Duration::from_secs(5));
        account.layered.adopt_breaker(BreakerState { open_until_ms: here, ..BreakerState::default() });
        assert_eq!(account.ready(&state, 2, now), Ready::Resting(here), "what this node knows counts too");
    }

    #[test]
    fn a_quota_that_is_used_up_and_a_provider_that_asked_for_less_are_told_apart() {
        let now = SystemClock.now();
        let account = ConfiguredAccount {
            rate_per_minute: Some(60),
            quota: Quota { per_hour: None, per_day: Some(1) },
            ..account("mail")
        };
        assert!(account.is_metered());
        let state = ProviderState::default();
        let Ready::Now(meter) = account.ready(&state, 1, now) else { panic!("it is ready") };
        let drawn = ProviderState { meter: *meter, ..state.clone() };
        assert!(
            matches!(account.ready(&drawn, 1, now), Ready::OverQuota(until) if until.since(now).as_secs() > 23 * 3600)
        );
        let slowing = state.slowing.halved(now).expect("slower");
        let slowed = ProviderState { slowing, ..state };
        assert_eq!(account.rate(&slowed, now), Some(30));
        let unlimited = ConfiguredAccount::free(account.layered.clone());
        assert_eq!((unlimited.rate(&ProviderState::default(), now), unlimited.rate(&slowed, now)), (None, Some(60)));
    }

    #[test]
    fn the_lower_of_our_rate_and_the_providers_is_kept() {
        let can = KIND.capabilities;
        assert_eq!(
            [rate_within(None, &can), rate_within(Some(30), &can), rate_within(Some(90), &can)],
            [60, 30, 60].map(Some)
        );
        assert_eq!(rate_within(None, &Capabilities::NONE), None);
    }
}
