//! Remedies: what a person can do about messages that did not get through, by status and reason, one by one or for all of
//! a cause at once.

use super::labels::Tone;
use super::numbers::grouped;
use crate::domain::{Fault, MessageStatus, OperatorReason, PolicyReason, Reason};

/// What can be done for every message of a cause at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bulk {
    /// Send all of them again.
    Retry,
    /// Send again those whose address was corrected since: the others would only fail again.
    RetryCorrected,
    /// Send again those for whose number permission was recorded since: the others would only be stopped again.
    RetryPermitted,
    /// Let all of them go.
    Release,
}

impl Bulk {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Retry, Self::RetryCorrected, Self::RetryPermitted, Self::Release];

    /// Its word in forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::RetryCorrected => "retry_corrected",
            Self::RetryPermitted => "retry_permitted",
            Self::Release => "release",
        }
    }

    /// What it is called for that many messages.
    #[must_use]
    pub fn label(self, count: i64) -> String {
        match (self, count) {
            (Self::Retry, 1) => "Retry".to_owned(),
            (Self::Retry, _) => format!("Retry all {}", grouped(count)),
            (Self::RetryCorrected, _) => "Retry corrected ones".to_owned(),
            (Self::RetryPermitted, _) => "Retry those with permission".to_owned(),
            (Self::Release, 1) => "Release".to_owned(),
            (Self::Release, _) => format!("Release all {}", grouped(count)),
        }
    }

    /// Whether doing it for all is the likely next step, rather than looking at each message.
    #[must_use]
    pub fn is_likely(self, reason: Reason) -> bool {
        matches!(self, Self::Retry | Self::Release) && retry_makes_sense(reason) && !needs_something_first(reason)
    }
}

/// What can be done for all messages of a cause. What is held because its broadcast has paused itself is decided on the broadcast's
/// page, one broadcast at a time: there stands what came back of it.
#[must_use]
pub fn bulk(status: MessageStatus, reason: Reason) -> Option<Bulk> {
    match status {
        MessageStatus::Held if reason == PolicyReason::BroadcastPaused.into() => None,
        MessageStatus::Held => Some(Bulk::Release),
        _ if !status.may_be_retried() || !retry_makes_sense(reason) => None,
        _ if is_about_address(reason) => Some(Bulk::RetryCorrected),
        _ if reason == PolicyReason::NoBasis.into() => Some(Bulk::RetryPermitted),
        _ => Some(Bulk::Retry),
    }
}

/// Whether a person should be offered to send again. Not after a refusal or a complaint, and not what was withdrawn: an
/// undone letter never leaves.
#[must_use]
pub fn retry_makes_sense(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::Policy(PolicyReason::OptedOut | PolicyReason::DoNotContact)
            | Reason::Fault(Fault::Complaint)
            | Reason::Operator(OperatorReason::Withdrawn)
    )
}

/// Whether the address has to be corrected before another try can work.
#[must_use]
pub fn is_about_address(reason: Reason) -> bool {
    match reason {
        Reason::Policy(reason) => reason == PolicyReason::DeadAddress,
        Reason::Fault(fault) => matches!(
            fault,
            Fault::NotAFax
                | Fault::InvalidNumber
                | Fault::MailboxUnknown
                | Fault::DomainUnknown
                | Fault::MailboxDisabled
        ),
        Reason::Operator(_) => false,
    }
}

/// Whether something has to be corrected first, so that a retry alone would only end like the last try.
#[must_use]
pub fn needs_more_than_retry(reason: Reason) -> bool {
    is_about_address(reason) || reason == PolicyReason::NoBasis.into()
}

/// Whether a person has to ask, look or correct something before sending again or releasing makes sense.
#[must_use]
pub fn needs_something_first(reason: Reason) -> bool {
    let is_first = match reason {
        Reason::Policy(reason) => matches!(
            reason,
            PolicyReason::LetterOutOfService
                | PolicyReason::NoBaa
                | PolicyReason::NoRoute
                | PolicyReason::Restored
                | PolicyReason::RenderingFailed
                | PolicyReason::ProviderPaused
                | PolicyReason::NoFinalReport
                | PolicyReason::OutcomeUnknown
                | PolicyReason::NotFoundAgain
                | PolicyReason::AskedToStop
                | PolicyReason::BroadcastPaused
        ),
        Reason::Fault(fault) => matches!(
            fault,
            Fault::RejectedByRemote
                | Fault::Blocked
                | Fault::PartialSend
                | Fault::DocumentError
                | Fault::TooLarge
                | Fault::AccountError
                | Fault::PolicyRefusal
                | Fault::TlsRequired
        ),
        Reason::Operator(_) => false,
    };
    is_first || needs_more_than_retry(reason)
}

/// The call sheet on which messages stopped for that reason are settled, if there is one.
#[must_use]
pub fn is_settled_by_call(reason: Reason) -> Option<Call> {
    match reason {
        Reason::Policy(PolicyReason::NoBasis) => Some(Call::Permission),
        Reason::Fault(Fault::NotAFax | Fault::InvalidNumber) => Some(Call::Number),
        _ => None,
    }
}

/// What is asked for on the telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Whether updates may be faxed.
    Permission,
    /// The right fax number.
    Number,
}

/// A heading under which causes are listed.
#[derive(Debug, Clone, Copy)]
pub struct Heading {
    /// Its word in links.
    pub key: &'static str,
    /// The heading.
    pub title: &'static str,
    /// One sentence on what the messages under it have in common.
    pub hint: &'static str,
    /// How bad it is.
    pub tone: Tone,
    /// The statuses of the messages under it.
    pub statuses: &'static [MessageStatus],
}

/// The headings under which causes are listed, the most pressing first.
pub const HEADINGS: [Heading; 4] = [
    Heading {
        key: "failed",
        title: "Failed or expired",
        hint: "They did not arrive and are not retried automatically.",
        tone: Tone::Bad,
        statuses: &[MessageStatus::Failed, MessageStatus::Expired],
    },
    Heading {
        key: "in_doubt",
        title: "In doubt",
        hint: "The connection broke. Open each one and mark it as sent or not sent; until then, nothing is sent twice.",
        tone: Tone::Warn,
        statuses: &[MessageStatus::InDoubt],
    },
    Heading {
        key: "held",
        title: "Held",
        hint: "They are on hold until someone releases or cancels them.",
        tone: Tone::Warn,
        statuses: &[MessageStatus::Held],
    },
    Heading {
        key: "suppressed",
        title: "Suppressed",
        hint: "The rules do not allow sending these. This is as it should be, unless something has changed.",
        tone: Tone::Quiet,
        statuses: &[MessageStatus::Suppressed],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_number_is_never_dialled_again_for_all_at_once() {
        assert_eq!(bulk(MessageStatus::Failed, "not_a_fax".parse().expect("a reason")), Some(Bulk::RetryCorrected));
        assert_eq!(bulk(MessageStatus::Failed, "busy".parse().expect("a reason")), Some(Bulk::Retry));
        assert_eq!(bulk(MessageStatus::Held, "conversation_open".parse().expect("a reason")), Some(Bulk::Release));
    }

    #[test]
    fn what_a_paused_broadcast_holds_is_decided_with_the_returns_in_view_and_never_for_all_at_once() {
        let reason = PolicyReason::BroadcastPaused.into();
        assert_eq!(bulk(MessageStatus::Held, reason), None);
        assert!(needs_something_first(reason));
    }

    #[test]
    fn sending_again_comes_first_only_where_nothing_has_to_be_asked_or_corrected_before() {
        for reason in Reason::all() {
            for status in [MessageStatus::Failed, MessageStatus::Held, MessageStatus::Suppressed] {
                let Some(bulk) = bulk(status, reason) else { continue };
                let advice = super::super::dashboard_advice(reason);
                let begins =
                    ["Ask ", "Call ", "Check ", "Correct ", "Fix ", "Set up ", "Add ", "Shorten ", "Read ", "Look "];
                let is_later = begins.iter().any(|word| advice.starts_with(word));
                assert_eq!(bulk.is_likely(reason), !is_later && retry_makes_sense(reason), "{reason}: {advice}");
            }
        }
    }

    #[test]
    fn who_refused_or_complained_is_not_offered_for_another_try() {
        assert_eq!(bulk(MessageStatus::Suppressed, "opted_out".parse().expect("a reason")), None);
        assert_eq!(bulk(MessageStatus::Failed, "complaint".parse().expect("a reason")), None);
        assert_eq!(bulk(MessageStatus::InDoubt, "outcome_unknown".parse().expect("a reason")), None);
    }
}
