//! Why policy or a person, not a provider, decided something. The sentences for it are in `wording`.

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
