//! Reasons in plain words: why a message is where it is, whether policy, a fault or a person decided it, and what to do
//! about it. A reason is given by its word, as database, API and webhooks spell it.

use super::faults::{fault, fault_advice};
use crate::domain::Fault;
use crate::policy::Reason;

/// What a reason word means, in one sentence for people. Unknown words explain themselves.
#[must_use]
pub fn explain(word: &str) -> String {
    word.parse::<Reason>()
        .map(meaning)
        .or_else(|_| word.parse::<Fault>().map(fault))
        .map_or_else(|_| word.replace('_', " "), str::to_owned)
}

/// What a person can do about it, in one sentence; empty if nothing is known.
#[must_use]
pub fn advice(word: &str) -> &'static str {
    word.parse::<Reason>().map(action).or_else(|_| word.parse::<Fault>().map(fault_advice)).unwrap_or("")
}

/// The same for somebody at the dashboard, where the next step is a form on the page and not a command.
#[must_use]
pub fn dashboard_advice(word: &str) -> &'static str {
    if word == Reason::NoBasis.as_str() {
        return "Ask the office whether you may fax updates, and record the answer.";
    }
    advice(word)
}

const fn meaning(reason: Reason) -> &'static str {
    match reason {
        Reason::OptedOut => "They asked not to receive this.",
        Reason::DoNotContact => "This referrer is marked do not contact.",
        Reason::NoBasis => {
            "Advertisements may be faxed only with recorded permission or a relationship; there is none for this number."
        }
        Reason::DeadAddress => "Earlier attempts showed that this address does not work.",
        Reason::NoBaa => {
            "It holds health information and no provider under a business associate agreement can carry it."
        }
        Reason::NoRoute => {
            "No route is meant for it: the conditions under [routes] (country, purpose, health information, pages) \
             leave it out."
        }
        Reason::ReferrerPaused => "This referrer is paused.",
        Reason::ConversationOpen => "Somebody is in conversation with this referrer.",
        Reason::NumberBusy => "Another fax to the same number is under way.",
        Reason::ProviderPaused => "The provider is paused.",
        Reason::ProviderResting => "The provider account is paused briefly after repeated errors.",
        Reason::BudgetSpent => "The provider account's budget for today is used up.",
        Reason::RateReached => "The provider account's rate is used up for the moment.",
        Reason::RenderingFailed => "The letter could not be rendered for this recipient.",
        Reason::HeldByOperator => "Somebody put it on hold.",
        Reason::Restored => "The records were restored from a backup: it may have gone out after the backup was made.",
        Reason::Released => "Somebody released it.",
        Reason::CancelledByOperator => "Somebody cancelled it.",
        Reason::GaveUp => "Its time ran out before it could be sent.",
        Reason::NoFinalReport => "The provider took it but never reported how it ended.",
        Reason::OutcomeUnknown => "The connection broke at a moment when it may or may not have been sent.",
    }
}

const fn action(reason: Reason) -> &'static str {
    match reason {
        Reason::OptedOut | Reason::DoNotContact => "Leave it, unless they ask again in writing.",
        Reason::NoBasis => {
            "Ask the office whether you may fax updates, record it with `touchline basis add`, then retry."
        }
        Reason::DeadAddress => "Correct the address, then retry.",
        Reason::NoBaa => "Set up a provider with baa.signed = true, then release.",
        Reason::NoRoute => "Add a route that is meant for it under [routes], restart, then release.",
        Reason::ReferrerPaused | Reason::ConversationOpen | Reason::HeldByOperator => {
            "Release it when it should go out."
        }
        Reason::Restored => {
            "Look in the provider's console or the relay's log whether it went out; then release or cancel it."
        }
        Reason::NumberBusy | Reason::RateReached | Reason::Released => "Nothing to do: it goes out by itself.",
        Reason::ProviderResting => {
            "Nothing to do at first: it is tried again by itself. If it lasts, look at the provider."
        }
        Reason::BudgetSpent => "Nothing to do: it goes out after midnight. To send it today, raise daily_budget.",
        Reason::ProviderPaused => "Fix the provider account and resume it.",
        Reason::RenderingFailed => "Correct the letter or the referrer's data, then retry.",
        Reason::CancelledByOperator => "Retry if it should go out after all.",
        Reason::GaveUp => "Retry if it is still worth sending.",
        Reason::NoFinalReport | Reason::OutcomeUnknown => {
            "Look in the provider's console or call the office; then mark it as sent or as not sent."
        }
    }
}
