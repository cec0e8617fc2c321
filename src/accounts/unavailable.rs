//! Which accounts accept nothing now, and why, for screens and alerts.

use crate::accounts::breaker_records::as_breaker;
use crate::accounts::{Accounts, ConfiguredAccount};
use crate::domain::provider_state::ProviderState;
use crate::domain::{Fault, Remedy, Timestamp};

/// An account that accepts nothing now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// The account.
    pub account: String,
    /// Why.
    pub cause: Cause,
}

/// Why an account accepts nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A person, or a fault of the account itself, paused it.
    Paused {
        /// Why, if it was said.
        reason: Option<String>,
        /// What can be done, if that is known.
        remedy: Option<Remedy>,
        /// When it ends by itself, as when a quota returns.
        resumes: Option<Timestamp>,
    },
    /// It is paused briefly after errors in a row.
    Resting {
        /// How many errors in a row.
        faults: u32,
        /// The last of them.
        fault: Option<Fault>,
    },
}

impl Accounts {
    /// The configured accounts that accept nothing now, the paused ones first, by what this node knows and by what all
    /// nodes have recorded. An account may be paused both ways. Records of accounts that the configuration no longer
    /// names are ignored.
    #[must_use]
    pub fn unavailable(&self, states: &[ProviderState], now: Timestamp) -> Vec<Unavailable> {
        let nothing_known = ProviderState::default();
        let paused = states.iter().filter(|state| state.is_paused(now) && self.get(&state.provider).is_some());
        let paused = paused.map(|state| Unavailable {
            account: state.provider.clone(),
            cause: Cause::Paused {
                reason: state.paused_reason.clone(),
                remedy: state.paused_remedy,
                resumes: state.resumes_ms,
            },
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
