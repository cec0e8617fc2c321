//! Why a message has its status: a verdict of policy, a provider's fault, or a person's act. One vocabulary with one
//! spelling for the database, the API, webhooks, logs and screens.

use std::fmt;
use std::str::FromStr;

use super::fault::Fault;
use super::words::{text_column, text_json, words};

words! {
    /// A verdict or a built-in rule.
    PolicyReason {
        /// The recipient refused.
        OptedOut = "opted_out",
        /// The referrer must not be contacted.
        DoNotContact = "do_not_contact",
        /// No recorded permission or relationship for faxing advertisements.
        NoBasis = "no_basis",
        /// The address is known to be wrong.
        DeadAddress = "dead_address",
        /// No account under a business associate agreement.
        NoBaa = "no_baa",
        /// No route matches it.
        NoRoute = "no_route",
        /// The referrer is paused.
        ReferrerPaused = "referrer_paused",
        /// A person is in conversation with them.
        ConversationOpen = "conversation_open",
        /// They asked in an answer to be sent no more; a person has not read it yet.
        AskedToStop = "asked_to_stop",
        /// They are away.
        ReferrerAway = "referrer_away",
        /// Too many letters of the broadcast came back.
        BroadcastPaused = "broadcast_paused",
        /// The recipient's office is closed.
        OutsideOfficeHours = "outside_office_hours",
        /// Another call to the number is under way.
        NumberBusy = "number_busy",
        /// Every account for the channel is paused.
        ProviderPaused = "provider_paused",
        /// Every account for the channel is paused briefly after errors.
        ProviderResting = "provider_resting",
        /// The account's budget for today is used up.
        BudgetSpent = "budget_spent",
        /// The account's quota of an hour or a day is used up.
        QuotaSpent = "quota_spent",
        /// The letter costs more than the account's budget of a whole day.
        BeyondBudget = "beyond_budget",
        /// The account's rate is used up.
        RateReached = "rate_reached",
        /// As many letters to the recipient's mail domain are being handed over as the account allows.
        DomainBusy = "domain_busy",
        /// The letter has a mistake, and waits until it is corrected.
        LetterOutOfService = "letter_out_of_service",
        /// The letter cannot be rendered for this recipient.
        RenderingFailed = "rendering_failed",
        /// The database was restored to an earlier state; it may have been sent since.
        Restored = "restored",
        /// It can still be withdrawn.
        UndoWindow = "undo_window",
        /// Its deadline passed.
        GaveUp = "gave_up",
        /// The provider accepted it and never reported the outcome.
        NoFinalReport = "no_final_report",
        /// It is unknown whether the call took effect.
        OutcomeUnknown = "outcome_unknown",
        /// The provider did not have it, it was sent once more, and the provider does not have that either.
        NotFoundAgain = "not_found_again",
    }
}

words! {
    /// A person's act.
    OperatorReason {
        /// A person put it on hold.
        HeldByOperator = "held_by_operator",
        /// A person cancelled it.
        CancelledByOperator = "cancelled_by_operator",
        /// A person withdrew it before its undo window ended.
        Withdrawn = "withdrawn",
    }
}

/// Why a message has its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Policy or a built-in rule decided.
    Policy(PolicyReason),
    /// A fault.
    Fault(Fault),
    /// A person decided.
    Operator(OperatorReason),
}

impl Reason {
    /// The word used in the schema, the API and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Policy(reason) => reason.as_str(),
            Self::Fault(fault) => fault.as_str(),
            Self::Operator(reason) => reason.as_str(),
        }
    }

    /// Every reason there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let policy = PolicyReason::ALL.iter().copied().map(Self::Policy);
        let faults = Fault::ALL.iter().copied().map(Self::Fault);
        policy.chain(faults).chain(OperatorReason::ALL.iter().copied().map(Self::Operator))
    }
}

impl PolicyReason {
    /// Whether a message with this reason waits for nothing but its account: for an operator, a limit or a pace. Its time does not
    /// run out meanwhile.
    #[must_use]
    pub const fn is_for_account(self) -> bool {
        matches!(
            self,
            Self::ProviderPaused | Self::QuotaSpent | Self::BudgetSpent | Self::RateReached | Self::DomainBusy
        )
    }
}

impl From<PolicyReason> for Reason {
    fn from(reason: PolicyReason) -> Self {
        Self::Policy(reason)
    }
}

impl From<Fault> for Reason {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<OperatorReason> for Reason {
    fn from(reason: OperatorReason) -> Self {
        Self::Operator(reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Reason {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = text.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        Self::all().find(|reason| reason.as_str() == word).ok_or_else(|| "this is not a known reason".to_owned())
    }
}

text_json!(Reason);
text_column!(Reason);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_reason_has_one_spelling_of_its_own_and_is_read_back_from_it() {
        let mut seen = BTreeSet::new();
        for reason in Reason::all() {
            assert!(seen.insert(reason.as_str()), "{reason} is spelled like another reason");
            assert_eq!(reason.as_str().parse(), Ok(reason));
            let json = serde_json::to_string(&reason).expect("a word");
            assert_eq!(json, format!("\"{reason}\""));
            assert_eq!(serde_json::from_str::<Reason>(&json).expect("the word"), reason);
        }
        assert!("released".parse::<Reason>().is_err(), "a release is a time of its own, not a reason");
    }
}
