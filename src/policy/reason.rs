//! Why policy, not a provider, decided something; and the one place that turns any reason word into sentences.

use crate::domain::Fault;
use crate::domain::channel::words;

words! {
    /// A reason of ours.
    Reason {
        /// The address refused.
        OptedOut = "opted_out",
        /// The referrer must not be contacted.
        DoNotContact = "do_not_contact",
        /// No recorded permission or relationship for faxing advertisements.
        NoBasis = "no_basis",
        /// The address is known to be wrong.
        DeadAddress = "dead_address",
        /// No account under a business associate agreement.
        NoBaa = "no_baa",
        /// No route is meant for it.
        NoRoute = "no_route",
        /// The referrer is paused.
        ReferrerPaused = "referrer_paused",
        /// A person is talking to them.
        ConversationOpen = "conversation_open",
        /// Another call to the number is under way.
        NumberBusy = "number_busy",
        /// Every account for the channel is paused.
        ProviderPaused = "provider_paused",
        /// Every account for the channel rests after repeated trouble.
        ProviderResting = "provider_resting",
        /// The account's budget for today is used up.
        BudgetSpent = "budget_spent",
        /// The account's rate is used up.
        RateReached = "rate_reached",
        /// The letter cannot be rendered for this recipient.
        RenderingFailed = "rendering_failed",
        /// A person parked it.
        HeldByOperator = "held_by_operator",
        /// The records were put back to an earlier state; it may have gone out since.
        Restored = "restored",
        /// A person released it.
        Released = "released",
        /// A person withdrew it.
        CancelledByOperator = "cancelled_by_operator",
        /// Its time ran out.
        GaveUp = "gave_up",
        /// The provider took it and never said what became of it.
        NoFinalReport = "no_final_report",
        /// Nobody knows whether the call took effect.
        OutcomeUnknown = "outcome_unknown",
    }
}

impl Reason {
    const fn explanation(self) -> &'static str {
        match self {
            Self::OptedOut => "They asked not to receive this.",
            Self::DoNotContact => "This referrer is marked do not contact.",
            Self::NoBasis => {
                "Advertisements may be faxed only with recorded permission or a relationship; there is none for this number."
            }
            Self::DeadAddress => "Earlier attempts showed that this address does not work.",
            Self::NoBaa => {
                "It holds health information and no provider under a business associate agreement can carry it."
            }
            Self::NoRoute => {
                "No route is meant for it: the conditions under [routes] (country, purpose, health information, pages) \
                 leave it out."
            }
            Self::ReferrerPaused => "This referrer is paused.",
            Self::ConversationOpen => "Somebody is in conversation with this referrer.",
            Self::NumberBusy => "Another fax to the same number is under way.",
            Self::ProviderPaused => "The provider is paused.",
            Self::ProviderResting => "The provider account rests after repeated trouble.",
            Self::BudgetSpent => "The provider account's budget for today is used up.",
            Self::RateReached => "The provider account's rate is used up for the moment.",
            Self::RenderingFailed => "The letter could not be rendered for this recipient.",
            Self::HeldByOperator => "Somebody put it on hold.",
            Self::Restored => {
                "The records were restored from a backup: it may have gone out after the backup was made."
            }
            Self::Released => "Somebody released it.",
            Self::CancelledByOperator => "Somebody cancelled it.",
            Self::GaveUp => "Its time ran out before it could be sent.",
            Self::NoFinalReport => "The provider took it but never reported how it ended.",
            Self::OutcomeUnknown => "The connection broke at a moment when it may or may not have been sent.",
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::OptedOut | Self::DoNotContact => "Leave it, unless they ask again in writing.",
            Self::NoBasis => {
                "Ask the office whether you may fax updates, record it with `touchline basis add`, then retry."
            }
            Self::DeadAddress => "Correct the address, then retry.",
            Self::NoBaa => "Set up a provider with baa.signed = true, then release.",
            Self::NoRoute => "Add a route that is meant for it under [routes], restart, then release.",
            Self::ReferrerPaused | Self::ConversationOpen | Self::HeldByOperator => "Release it when it should go out.",
            Self::Restored => {
                "Look in the provider's console or the relay's log whether it went out; then release or cancel it."
            }
            Self::NumberBusy | Self::RateReached | Self::Released => "Nothing to do: it goes out by itself.",
            Self::ProviderResting => {
                "Nothing to do at first: it is tried again by itself. If it lasts, look at the provider."
            }
            Self::BudgetSpent => "Nothing to do: it goes out after midnight. To send it today, raise daily_budget.",
            Self::ProviderPaused => "Mend the provider account and resume it.",
            Self::RenderingFailed => "Mend the letter or the referrer's data, then retry.",
            Self::CancelledByOperator => "Retry if it should go out after all.",
            Self::GaveUp => "Retry if it is still worth sending.",
            Self::NoFinalReport | Self::OutcomeUnknown => {
                "Look in the provider's console or call the office; then mark it as sent or as not sent."
            }
        }
    }
}

/// What a reason word means, in one sentence for people. Unknown words explain themselves.
#[must_use]
pub fn explain(word: &str) -> String {
    word.parse::<Reason>()
        .map(Reason::explanation)
        .or_else(|_| word.parse::<Fault>().map(Fault::explain))
        .map_or_else(|_| word.replace('_', " "), str::to_owned)
}

/// What a person can do about it, in one sentence; empty if nothing is known.
#[must_use]
pub fn advice(word: &str) -> &'static str {
    word.parse::<Reason>().map(Reason::action).or_else(|_| word.parse::<Fault>().map(Fault::advice)).unwrap_or("")
}
