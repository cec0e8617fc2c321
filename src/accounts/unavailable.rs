//! Which accounts take nothing now, and why: what screens and alerts need to know of them.

use crate::accounts::breaker_records::as_breaker;
use crate::accounts::{Accounts, ConfiguredAccount};
use crate::domain::provider_state::ProviderState;
use crate::domain::{Fault, Timestamp};

/// An account that takes nothing now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// The account.
    pub account: String,
    /// Why.
    pub cause: Cause,
}

/// Why an account takes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A person, or a fault of the account itself, paused it: why, if it was said.
    Paused(Option<String>),
    /// It is paused briefly after errors in a row.
    Resting {
        /// How many errors in a row.
        faults: u32,
        /// The last of them.
        fault: Option<Fault>,
    },
}

impl Accounts {
    /// The configured accounts that take nothing now, the paused ones first, by what this node knows and by what all nodes
    /// have recorded. An account may be both paused and resting. Records of accounts that the configuration no longer names
    /// count for nothing.
    #[must_use]
    pub fn unavailable(&self, states: &[ProviderState], now: Timestamp) -> Vec<Unavailable> {
        let nothing_known = ProviderState::default();
        let paused = states.iter().filter(|state| state.paused_ms.is_some() && self.get(&state.provider).is_some());
        let paused = paused.map(|state| Unavailable {
            account: state.provider.clone(),
            cause: Cause::Paused(state.paused_reason.clone()),
        });
        let resting = self.iter().filter_map(|(name, account)| {
            let state = states.iter().find(|state| state.provider == name).unwrap_or(&nothing_known);
            Some(Unavailable { account: name.to_owned(), cause: resting(account, state, now)? })
        });
        paused.chain(resting).collect()
    }
}

fn resting(account: &ConfiguredAccount, state: &ProviderState, now: Timestamp) -> Option<Cause> {
    account.rests_until(state, now)?;
    let here = account.layered.breaker();
    let seen = if here.open_until_ms > now { here } else { as_breaker(state.clone()) };
    Some(Cause::Resting { faults: seen.faults, fault: seen.fault })
}
