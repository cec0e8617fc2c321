//! Choice: which account takes a message now, and if none does, why and when to check again. Asked before rendering
//! with the states as they were at the claim, and decided in the gate with the current ones.

use std::time::Duration;

use crate::accounts::routes::Parcel;
use crate::accounts::{Accounts, ConfiguredAccount, Ready};
use crate::domain::message::Message;
use crate::domain::provider_state::{Meter, ProviderState};
use crate::domain::{PolicyReason, Timestamp};

/// How long a message waits while every account is paused: someone may resume one, or another node may have found that
/// it works again.
const ACCOUNT_WAIT: Duration = Duration::from_secs(30);
/// The same for a budget or a quota that is used up: someone may raise it before there is room again.
const BUDGET_WAIT: Duration = Duration::from_secs(15 * 60);

/// What was chosen.
#[derive(Debug)]
pub(super) enum Choice<'a> {
    /// This account, and its meter afterwards.
    Take(&'a ConfiguredAccount, Box<Meter>),
    /// None now; the reason, and how long until another check is worthwhile.
    Wait(PolicyReason, Duration),
    /// No account is meant for it.
    Nobody,
}

/// The message as its route sees it.
pub(super) fn parcel(accounts: &Accounts, message: &Message, pages: Option<u32>) -> Parcel {
    Parcel { key: accounts.key_of(message), pages }
}

/// The first account on the route that can take it. Of those that cannot, the one that can soonest gives the reason.
pub(super) fn choose<'a>(
    accounts: &'a Accounts,
    parcel: &'a Parcel,
    state_of: impl Fn(&str) -> Option<&'a ProviderState>,
    now: Timestamp,
) -> Choice<'a> {
    let nothing_known = ProviderState::default();
    let mut soonest: Option<(Duration, PolicyReason)> = None;
    for account in accounts.route(parcel) {
        let state = state_of(account.layered.name()).unwrap_or(&nothing_known);
        let (wait, reason) = match account.ready(state, parcel.pages.unwrap_or(1), now) {
            Ready::Now(meter) => return Choice::Take(account, meter),
            Ready::TooFast(wait) => (wait, PolicyReason::RateReached),
            Ready::Resting(until) => (until.since(now).min(ACCOUNT_WAIT), PolicyReason::ProviderResting),
            Ready::Spent(until) => (until.since(now).min(BUDGET_WAIT), PolicyReason::BudgetSpent),
            Ready::OverQuota(until) => (until.since(now).min(BUDGET_WAIT), PolicyReason::QuotaSpent),
            Ready::Paused => (ACCOUNT_WAIT, PolicyReason::ProviderPaused),
        };
        if soonest.is_none_or(|(other, _)| wait < other) {
            soonest = Some((wait, reason));
        }
    }
    soonest.map_or(Choice::Nobody, |(wait, reason)| Choice::Wait(reason, wait))
}
