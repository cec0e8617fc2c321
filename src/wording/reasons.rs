//! Reasons in plain words: why a message is where it is, whether policy, a fault or a person decided it, and what to do
//! about it. A reason is given by its word, as database, API and webhooks spell it.

use super::faults::{fault, fault_advice};
use crate::domain::{OperatorReason, PolicyReason, Reason};

/// What a reason means, in one sentence for people.
#[must_use]
pub const fn explain(reason: Reason) -> &'static str {
    match reason {
        Reason::Policy(reason) => meaning(reason),
        Reason::Fault(reason) => fault(reason),
        Reason::Operator(OperatorReason::HeldByOperator) => "Someone put it on hold.",
        Reason::Operator(OperatorReason::CancelledByOperator) => "Someone cancelled it.",
        Reason::Operator(OperatorReason::Withdrawn) => "Someone withdrew it before it was sent.",
    }
}

/// What a person can do about it, in one sentence.
#[must_use]
pub const fn advice(reason: Reason) -> &'static str {
    match reason {
        Reason::Policy(reason) => action(reason),
        Reason::Fault(reason) => fault_advice(reason),
        Reason::Operator(OperatorReason::HeldByOperator) => "Release it when it should be sent.",
        Reason::Operator(OperatorReason::CancelledByOperator) => "Retry if it should be sent after all.",
        Reason::Operator(OperatorReason::Withdrawn) => "Start a new send if it should still go out.",
    }
}

/// The same for someone at the dashboard, where the next step is a form on the page and not a command.
#[must_use]
pub const fn dashboard_advice(reason: Reason) -> &'static str {
    match reason {
        Reason::Policy(PolicyReason::NoBasis) => "Ask the office whether you may fax updates, and record the answer.",
        Reason::Policy(PolicyReason::BroadcastPaused) => {
            "Look at what came back and correct the list; then let the whole broadcast go on, or cancel what is held of it."
        }
        Reason::Policy(PolicyReason::OutsideOfficeHours) => {
            "Nothing to do: it goes out when the office opens, or now if you decide so."
        }
        other => advice(other),
    }
}

const fn meaning(reason: PolicyReason) -> &'static str {
    match reason {
        PolicyReason::OptedOut => "They opted out of this.",
        PolicyReason::DoNotContact => "This referrer is marked do not contact.",
        PolicyReason::NoBasis => {
            "Advertisements may be faxed only with recorded permission or a relationship; this number has neither."
        }
        PolicyReason::DeadAddress => "Earlier attempts showed that this address does not work.",
        PolicyReason::NoBaa => {
            "It contains health information, and no provider with a business associate agreement can carry it."
        }
        PolicyReason::NoRoute => {
            "No route accepts it: the conditions under [routes] (country, purpose, health information, pages) \
             exclude it."
        }
        PolicyReason::ReferrerPaused => "This referrer is paused.",
        PolicyReason::ConversationOpen => "Someone is in conversation with this referrer.",
        PolicyReason::AskedToStop => "They answered, and seem to ask for no more letters.",
        PolicyReason::ReferrerAway => "They are away, as an automatic reply says.",
        PolicyReason::BroadcastPaused => "Too many letters of this broadcast came back, so the rest of it waits.",
        PolicyReason::OutsideOfficeHours => "It waits for the recipient's office hours.",
        PolicyReason::NumberBusy => "Another fax to the same number is in progress.",
        PolicyReason::ProviderPaused => "The provider is paused.",
        PolicyReason::ProviderResting => "The provider account is paused briefly after repeated errors.",
        PolicyReason::BudgetSpent => "The provider account's budget for today is used up.",
        PolicyReason::QuotaSpent => "The provider account has handed over as much as its provider takes for now.",
        PolicyReason::BeyondBudget => "It costs more than the provider account's budget for a whole day.",
        PolicyReason::RateReached => "The provider account's rate limit is reached for the moment.",
        PolicyReason::DomainBusy => {
            "As many letters to the recipient's mail domain are being handed over as the provider account allows at once."
        }
        PolicyReason::LetterOutOfService => "Its letter, or the letterhead or a notice of it, has a mistake.",
        PolicyReason::RenderingFailed => "The letter could not be rendered for this recipient.",
        PolicyReason::Restored => {
            "The records were restored from a backup: it may have been sent after the backup was made."
        }
        PolicyReason::UndoWindow => "It can still be withdrawn.",
        PolicyReason::GaveUp => "Its time ran out before it could be sent.",
        PolicyReason::NoFinalReport => "The provider accepted it but never reported the outcome.",
        PolicyReason::OutcomeUnknown => "The connection broke, so it may or may not have been sent.",
        PolicyReason::NotFoundAgain => {
            "It was sent twice without a clear response, and the provider lists neither: it may have sent both."
        }
    }
}

const fn action(reason: PolicyReason) -> &'static str {
    match reason {
        PolicyReason::OptedOut | PolicyReason::DoNotContact => "Do not send it, unless they ask again in writing.",
        PolicyReason::NoBasis => {
            "Ask the office whether you may fax updates, record it with `touchline basis add`, then retry."
        }
        PolicyReason::DeadAddress => "Correct the address, then retry.",
        PolicyReason::NoBaa => "Set up a provider with baa.signed = true, then release.",
        PolicyReason::NoRoute => "Add a route for it under [routes], restart, then release.",
        PolicyReason::ReferrerPaused | PolicyReason::ConversationOpen => "Release it when it should be sent.",
        PolicyReason::AskedToStop => "Read their answer under Returns: suppress the address, or release this letter.",
        PolicyReason::ReferrerAway => "Nothing to do: it is sent when they are back.",
        PolicyReason::BroadcastPaused => {
            "Look at what came back (`touchline returns list`) and correct the list; then let the whole broadcast go on with \
             `touchline broadcast resume`, or cancel what is held of it."
        }
        PolicyReason::Restored => {
            "Check the provider's console or the relay's log for whether it was sent; then release or cancel it."
        }
        PolicyReason::OutsideOfficeHours => {
            "Nothing to do: it goes out when the office opens. `touchline send-now` sends it outside office hours."
        }
        PolicyReason::NumberBusy | PolicyReason::RateReached | PolicyReason::DomainBusy => {
            "Nothing to do: it is sent automatically."
        }
        PolicyReason::UndoWindow => {
            "Nothing to do: it is sent when the undo window ends. To withdraw it, use `touchline undo`."
        }
        PolicyReason::ProviderResting => {
            "Nothing to do at first: it is retried automatically. If this persists, check the provider."
        }
        PolicyReason::BudgetSpent => {
            "Nothing to do: it is sent after midnight, or on a later day where others wait too, and does not run out of time. To \
             send it today, raise daily_budget."
        }
        PolicyReason::BeyondBudget => "Raise daily_budget.cost and restart, or shorten the letter; then release it.",
        PolicyReason::QuotaSpent => {
            "Nothing to do: it is sent as soon as the quota has room, at the latest after a day, and does not run out of time. \
             If your provider takes more, raise quota."
        }
        PolicyReason::ProviderPaused => "Fix the provider account and resume it.",
        PolicyReason::LetterOutOfService => {
            "Correct it (`touchline template check` names the mistake) and restart `touchline serve`: then it is sent."
        }
        PolicyReason::RenderingFailed => "Correct the letter or the referrer's data, then retry.",
        PolicyReason::GaveUp => "Retry if it is still worth sending.",
        PolicyReason::NoFinalReport | PolicyReason::OutcomeUnknown | PolicyReason::NotFoundAgain => {
            "Check the provider's console or call the office; then mark it as sent or not sent."
        }
    }
}
