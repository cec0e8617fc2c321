//! The words for states and kinds, one for each: the word of schema and API, spelled as people write it.

use crate::domain::attempt::AttemptStatus;
use crate::domain::health::Health;
use crate::domain::message::Confidence;
use crate::domain::referrer::{ReferrerState, ReferrerType};
use crate::domain::suppression::Scope;
use crate::domain::touch::{Disposition, TouchKind};
use crate::domain::transport::Transport;
use crate::domain::{Channel, MessageStatus};

/// How good or bad something is; for style and urgency only, the words always say it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Under way.
    Busy,
    /// Needs a person, or a look.
    Warn,
    /// Went wrong.
    Bad,
    /// Neither.
    Quiet,
}

impl Tone {
    /// Its word, which is also its class in the style sheet.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
        }
    }
}

/// A word with its tone.
pub type Label = (Tone, &'static str);

/// Where a message stands.
#[must_use]
pub const fn status(status: MessageStatus) -> Label {
    match status {
        MessageStatus::Queued => (Tone::Busy, "queued"),
        MessageStatus::Held => (Tone::Warn, "held"),
        MessageStatus::Accepted => (Tone::Busy, "accepted"),
        MessageStatus::InDoubt => (Tone::Warn, "in doubt"),
        MessageStatus::Delivered => (Tone::Good, "delivered"),
        MessageStatus::Failed => (Tone::Bad, "failed"),
        MessageStatus::Suppressed => (Tone::Quiet, "suppressed"),
        MessageStatus::Cancelled => (Tone::Quiet, "cancelled"),
        MessageStatus::Expired => (Tone::Bad, "expired"),
    }
}

/// What a message's status means, in one sentence.
#[must_use]
pub const fn status_means(status: MessageStatus) -> &'static str {
    match status {
        MessageStatus::Queued => "It is waiting for its turn or its scheduled time.",
        MessageStatus::Held => "It is on hold until someone releases or cancels it.",
        MessageStatus::Accepted => "The provider accepted it; delivery is not known yet.",
        MessageStatus::InDoubt => "It may or may not have been sent.",
        MessageStatus::Delivered => "It arrived.",
        MessageStatus::Failed => "It did not arrive and is not retried automatically.",
        MessageStatus::Suppressed => "The rules do not allow sending it.",
        MessageStatus::Cancelled => "Someone cancelled it before it was sent.",
        MessageStatus::Expired => "Its time ran out before it could be sent.",
    }
}

/// How sure "delivered" is.
#[must_use]
pub const fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Confirmed => "confirmed",
        Confidence::Presumed => "presumed",
    }
}

/// Where an attempt stands.
#[must_use]
pub const fn attempt_status(status: AttemptStatus) -> Label {
    match status {
        AttemptStatus::Calling => (Tone::Busy, "calling"),
        AttemptStatus::InDoubt => (Tone::Warn, "in doubt"),
        AttemptStatus::Accepted => (Tone::Busy, "accepted"),
        AttemptStatus::NotSent => (Tone::Bad, "not sent"),
        AttemptStatus::Refused => (Tone::Bad, "refused"),
        AttemptStatus::Delivered => (Tone::Good, "delivered"),
        AttemptStatus::Failed => (Tone::Bad, "failed"),
    }
}

/// How a mail travelled to the relay.
#[must_use]
pub fn transport(transport: &Transport) -> String {
    match (transport.is_encrypted(), &transport.peer) {
        (false, _) => "not encrypted".to_owned(),
        (true, Some(peer)) => format!("{}, certificate of {peer} checked", transport.version),
        (true, None) => format!("{}, certificate not checked", transport.version),
    }
}

/// How a touch stands.
#[must_use]
pub const fn disposition(disposition: Disposition) -> Label {
    match disposition {
        Disposition::Pending => (Tone::Busy, "pending"),
        Disposition::Delivered => (Tone::Good, "delivered"),
        Disposition::Failed => (Tone::Bad, "failed"),
        Disposition::Suppressed => (Tone::Quiet, "suppressed"),
        Disposition::Cancelled => (Tone::Quiet, "cancelled"),
        Disposition::Expired => (Tone::Bad, "expired"),
    }
}

/// How a touch stands: a letter by its messages, what a person logged has taken place.
#[must_use]
pub const fn touch_standing(kind: TouchKind, standing: Disposition) -> Label {
    match kind {
        TouchKind::Letter => disposition(standing),
        TouchKind::ReferralReceived | TouchKind::Reply => (Tone::Good, "received"),
        TouchKind::Note => (Tone::Quiet, "noted"),
        _ => (Tone::Good, "took place"),
    }
}

/// Trust in an address.
#[must_use]
pub const fn address_health(health: Health) -> Label {
    match health {
        Health::Unverified => (Tone::Quiet, "not confirmed yet"),
        Health::Confirmed => (Tone::Good, "confirmed"),
        Health::Doubtful => (Tone::Warn, "doubtful"),
        Health::Dead => (Tone::Bad, "does not work"),
    }
}

/// Whether a referrer is written to.
#[must_use]
pub const fn referrer_state(state: ReferrerState) -> Label {
    match state {
        ReferrerState::Active => (Tone::Quiet, "active"),
        ReferrerState::ConversationOpen => (Tone::Busy, "conversation open"),
        ReferrerState::Paused => (Tone::Warn, "paused"),
        ReferrerState::DoNotContact => (Tone::Bad, "do not contact"),
    }
}

/// What choosing a state means.
#[must_use]
pub const fn referrer_state_means(state: ReferrerState) -> &'static str {
    match state {
        ReferrerState::Active => "Letters and updates are sent as planned.",
        ReferrerState::ConversationOpen => "Someone is talking to them: updates wait, individual letters are sent.",
        ReferrerState::Paused => "Letters are held until someone releases them.",
        ReferrerState::DoNotContact => "Nothing is sent, except about their own patients.",
    }
}

/// The channel as a noun.
#[must_use]
pub const fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Fax => "Fax",
        Channel::Email => "Email",
    }
}

/// What kind of touch.
#[must_use]
pub const fn touch_kind(kind: TouchKind) -> &'static str {
    match kind {
        TouchKind::Letter => "Letter",
        TouchKind::Call => "Call",
        TouchKind::Visit => "Visit",
        TouchKind::Meeting => "Meeting",
        TouchKind::LunchAndLearn => "Lunch-and-learn",
        TouchKind::Note => "Note",
        TouchKind::ReferralReceived => "Referral received",
        TouchKind::Reply => "Replied by email",
    }
}

/// How far a refusal goes.
#[must_use]
pub const fn suppression_scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Advertisement => "updates and advertisements",
        Scope::All => "everything",
    }
}

/// A type of referrer, first letter large.
#[must_use]
pub fn referrer_type(kind: ReferrerType) -> String {
    capitalized(kind.label())
}

/// A letter's name as a title: `lunch-and-learn` becomes `Lunch and learn`.
#[must_use]
pub fn letter(name: &str) -> String {
    capitalized(&name.replace(['-', '_'], " "))
}

/// A variable's name as the label of its field: `start_window` becomes `Start window`.
#[must_use]
pub fn variable(name: &str) -> String {
    capitalized(&name.replace(['-', '_'], " "))
}

/// Variables within a sentence, each by its label in quotation marks.
#[must_use]
pub fn variables(names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("“{}”", variable(name))).collect()
}

/// A word or sentence with its first letter upper case.
#[must_use]
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_called_by_its_own_word() {
        for known in MessageStatus::ALL {
            assert_eq!(status(*known).1, known.as_str().replace('_', " "));
        }
        for known in AttemptStatus::ALL {
            assert_eq!(attempt_status(*known).1, known.as_str().replace('_', " "));
        }
        for known in Disposition::ALL {
            assert_eq!(disposition(*known).1, known.as_str());
        }
    }

    #[test]
    fn letters_are_called_by_their_names_in_plain_writing() {
        assert_eq!(letter("end-of-treatment-report"), "End of treatment report");
        assert_eq!(letter(""), "");
    }

    #[test]
    fn variables_are_called_by_their_labels() {
        assert_eq!(variable("start_window"), "Start window");
        assert_eq!(variables(&["as_of".to_owned(), "openings".to_owned()]), ["“As of”", "“Openings”"]);
    }
}
