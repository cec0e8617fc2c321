//! The words of the screens: the same ones as in schema and API, and beside them what a person would say.

use crate::domain::attempt::AttemptStatus;
use crate::domain::health::Health;
use crate::domain::message::Confidence;
use crate::domain::referrer::{ReferrerState, ReferrerType};
use crate::domain::suppression::Scope;
use crate::domain::touch::{Disposition, TouchKind};
use crate::domain::{Channel, MessageStatus};

/// How something is meant; style only, the words always say it too.
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
    /// The class in the style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
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
pub type Said = (Tone, &'static str);

/// Where a message stands.
#[must_use]
pub const fn status(status: MessageStatus) -> Said {
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
pub const fn attempt(status: AttemptStatus) -> Said {
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

/// How a touch stands.
#[must_use]
pub const fn disposition(disposition: Disposition) -> Said {
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
pub const fn touch_standing(kind: TouchKind, standing: Disposition) -> Said {
    match kind {
        TouchKind::Letter => disposition(standing),
        TouchKind::ReferralReceived => (Tone::Good, "received"),
        TouchKind::Note => (Tone::Quiet, "noted"),
        _ => (Tone::Good, "took place"),
    }
}

/// Trust in an address.
#[must_use]
pub const fn health(health: Health) -> Said {
    match health {
        Health::Unverified => (Tone::Quiet, "not tried yet"),
        Health::Confirmed => (Tone::Good, "confirmed"),
        Health::Doubtful => (Tone::Warn, "doubtful"),
        Health::Dead => (Tone::Bad, "does not work"),
    }
}

/// Whether a referrer is written to.
#[must_use]
pub const fn state(state: ReferrerState) -> Said {
    match state {
        ReferrerState::Active => (Tone::Good, "active"),
        ReferrerState::ConversationOpen => (Tone::Busy, "conversation open"),
        ReferrerState::Paused => (Tone::Warn, "paused"),
        ReferrerState::DoNotContact => (Tone::Bad, "do not contact"),
    }
}

/// What choosing a state means.
#[must_use]
pub const fn state_means(state: ReferrerState) -> &'static str {
    match state {
        ReferrerState::Active => "Letters and updates go out as planned.",
        ReferrerState::ConversationOpen => "Somebody is talking to them: updates wait, single letters go.",
        ReferrerState::Paused => "Not for now: letters are held until somebody releases them.",
        ReferrerState::DoNotContact => "Never, except about their own patients.",
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
pub const fn touch(kind: TouchKind) -> &'static str {
    match kind {
        TouchKind::Letter => "Letter",
        TouchKind::Call => "Call",
        TouchKind::Visit => "Visit",
        TouchKind::Meeting => "Meeting",
        TouchKind::LunchAndLearn => "Lunch-and-learn",
        TouchKind::Note => "Note",
        TouchKind::ReferralReceived => "Referral received",
    }
}

/// How far a refusal goes.
#[must_use]
pub const fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Advertisement => "updates and advertisements",
        Scope::All => "everything",
    }
}

/// A type of referrer, first letter large.
#[must_use]
pub fn kind(kind: ReferrerType) -> String {
    let label = kind.label();
    let mut letters = label.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `1 message`, `2 messages`.
#[must_use]
pub fn count(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A number as people write it: `12,408`.
#[must_use]
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// A letter's name as a title: `lunch-and-learn` becomes `Lunch and learn`.
#[must_use]
pub fn letter(name: &str) -> String {
    let spaced = name.replace(['-', '_'], " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_counted_as_people_write_them() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(12_408), "12,408");
        assert_eq!(grouped(-1_000_000), "-1,000,000");
        assert_eq!(count(1, "message", "messages"), "1 message");
        assert_eq!(count(0, "message", "messages"), "0 messages");
    }

    #[test]
    fn letters_are_called_by_their_names_in_plain_writing() {
        assert_eq!(letter("end-of-treatment-report"), "End of treatment report");
        assert_eq!(letter(""), "");
    }
}
