//! What is known about a provider account beyond its configuration, shared by all nodes and kept across restarts.

use serde::Serialize;

use super::clock::Timestamp;
use super::cost::Cost;
use super::fault::Fault;
use super::remedy::Remedy;
use super::rolling::Rolling;
use super::slowing::Slowing;
use super::words::words;

/// A provider account's shared state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ProviderState {
    /// The account's name.
    pub provider: String,
    /// Since when it is paused.
    pub paused_ms: Option<Timestamp>,
    /// Why.
    pub paused_reason: Option<String>,
    /// What can be done about it, where that is known.
    pub paused_remedy: Option<Remedy>,
    /// When the pause ends by itself; none if a person must end it.
    pub resumes_ms: Option<Timestamp>,
    /// Until when its circuit breaker is open; in the past, or none, when it is closed.
    pub rests_until_ms: Option<Timestamp>,
    /// Its faults in a row when the breaker last changed.
    pub faults: i64,
    /// The last of them.
    pub fault: Option<Fault>,
    /// The provider's own words about it, cleaned of addresses.
    pub fault_text: Option<String>,
    /// When it happened.
    pub faulted_ms: Option<Timestamp>,
    /// What counts against rate and budget.
    #[serde(flatten)]
    pub meter: Meter,
    /// How far it was slowed down because its provider asked for that.
    #[serde(flatten)]
    pub slowing: Slowing,
}

impl ProviderState {
    /// Whether nothing is handed over to it now because it is paused.
    #[must_use]
    pub fn is_paused(&self, now: Timestamp) -> bool {
        self.paused_ms.is_some() && self.resumes_ms.is_none_or(|resumes| now < resumes)
    }
}

words! {
    /// Whether an account takes letters, and if not, why.
    AccountState {
        /// It takes letters.
        Running = "running",
        /// It takes fewer for a while, because its provider asked for that.
        Slowed = "slowed",
        /// A person, or a fault of the account itself, paused it.
        Paused = "paused",
        /// It is paused briefly after errors in a row.
        Resting = "resting",
        /// Its budget of the day is used up.
        BudgetSpent = "budget_spent",
        /// A quota is used up.
        QuotaSpent = "quota_spent",
    }
}

words! {
    /// How a sign-in stands.
    LoginState {
        /// A person has signed in, and the sign-in is kept alive.
        SignedIn = "signed_in",
        /// A person must sign in.
        SignInNeeded = "sign_in_needed",
        /// The service refused the last renewal.
        Refused = "refused",
        /// No person is needed: a program's own sign-in.
        Ready = "ready",
    }
}

/// What became of letters in the last 24 hours: each is counted when it happened, whenever the letter was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LastDay {
    /// Handed over.
    pub sent: i64,
    /// Refused at the hand-over.
    pub refused: i64,
    /// Delivered, confirmed by a report.
    pub confirmed: i64,
    /// Delivered, because nothing came back.
    pub presumed: i64,
    /// Bounced: the address is bad.
    pub hard: i64,
    /// Bounced, and it may pass.
    pub soft: i64,
    /// Bounced because of our account, content or speed.
    pub ours: i64,
    /// Reported as unwanted.
    pub complaints: i64,
}

/// A pause that follows from what a provider said.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pause {
    /// When it ends by itself; none if a person must end it.
    pub resumes_ms: Option<Timestamp>,
    /// Why: the provider's words without addresses.
    pub reason: String,
    /// What can be done about it.
    pub remedy: Option<Remedy>,
    /// When the call was recorded that brought the news.
    pub called_ms: Timestamp,
}

/// Whose turn it is at one mail domain, by one account, across all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DomainTurn {
    /// Theoretical arrival time of the cell-rate limit.
    pub arrival_ms: Timestamp,
    /// The last moment that was given to a letter that must wait.
    pub promised_ms: Timestamp,
}

/// What counts against an account's rate, its quotas and its daily budget, across all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Meter {
    /// Theoretical arrival time of the cell-rate limit (GCRA, ITU-T I.371).
    pub arrival_ms: Timestamp,
    /// The end of the day that the other fields cover.
    pub day_ends_ms: Option<Timestamp>,
    /// Hand-overs on that day.
    pub day_hand_overs: i64,
    /// Their cost.
    pub day_cost: Cost,
    /// Hand-overs within an hour that ends now.
    #[serde(skip)]
    pub hour_counts: Rolling,
    /// Hand-overs within 24 hours that end now.
    #[serde(skip)]
    pub day_counts: Rolling,
}

impl Meter {
    /// Hand-overs and cost of the current day; zero if the record is of an earlier day.
    #[must_use]
    pub fn today(&self, now: Timestamp) -> (i64, Cost) {
        let runs = self.day_ends_ms.is_some_and(|ends| now < ends);
        if runs { (self.day_hand_overs, self.day_cost) } else { (0, Cost::ZERO) }
    }
}
