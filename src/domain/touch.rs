//! A touch: one communication in a referrer's history. Faxing and emailing one letter is one touch with two messages.

use super::actor::Actor;
use super::clock::Timestamp;
use super::id::{BroadcastId, ReferrerId, SubmissionId, TouchId};
use super::message::MessageStatus;
use super::words::words;

/// Delivered touches after which a referrer usually begins to refer; the "7" of "n of 7".
pub const TOUCH_GOAL_DEFAULT: u32 = 7;

words! {
    /// What kind of communication.
    TouchKind {
        /// A letter sent by this system.
        Letter = "letter",
        /// A telephone call, logged by a person.
        Call = "call",
        /// A visit.
        Visit = "visit",
        /// A meeting.
        Meeting = "meeting",
        /// A lunch-and-learn.
        LunchAndLearn = "lunch_and_learn",
        /// Something else outbound, logged by a person.
        Note = "note",
        /// They referred a patient: the result of the outreach, not a touch of ours.
        ReferralReceived = "referral_received",
        /// They answered an email: not a touch of ours.
        Reply = "reply",
    }
}

impl TouchKind {
    /// Whether it counts toward the goal once it took place.
    #[must_use]
    pub const fn counts(self) -> bool {
        !matches!(self, Self::ReferralReceived | Self::Note | Self::Reply)
    }
}

words! {
    /// The outcome of the touch as a whole: a projection of its messages, written by nothing else.
    Disposition {
        /// At least one message is still under way.
        Pending = "pending",
        /// At least one message was delivered, or a person logged that it took place.
        Delivered = "delivered",
        /// Every message is settled and none was delivered.
        Failed = "failed",
        /// Every message was forbidden by policy.
        Suppressed = "suppressed",
        /// Every message was cancelled.
        Cancelled = "cancelled",
        /// All of them expired.
        Expired = "expired",
    }
}

/// The projection: delivered if any message is; pending while any may still be; else the worst outcome.
#[must_use]
pub fn disposition(messages: &[MessageStatus]) -> Disposition {
    if messages.contains(&MessageStatus::Delivered) {
        Disposition::Delivered
    } else if messages.is_empty() || messages.iter().any(|status| !status.is_terminal()) {
        Disposition::Pending
    } else if messages.contains(&MessageStatus::Failed) {
        Disposition::Failed
    } else if messages.contains(&MessageStatus::Expired) {
        Disposition::Expired
    } else if messages.contains(&MessageStatus::Suppressed) {
        Disposition::Suppressed
    } else {
        Disposition::Cancelled
    }
}

/// A stored touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// Identifier.
    pub id: TouchId,
    /// The referrer whose history it is in.
    pub referrer_id: ReferrerId,
    /// The submission it came from; none for a touch that a person logged.
    pub submission_id: Option<SubmissionId>,
    /// The broadcast it is part of.
    pub broadcast_id: Option<BroadcastId>,
    /// What kind.
    pub kind: TouchKind,
    /// The letter's name.
    pub letter: Option<String>,
    /// The letter's title at that time, or the words of the person who logged it.
    pub title: String,
    /// Content category of the outreach practice.
    pub category: Option<String>,
    /// Its outcome.
    pub disposition: Disposition,
    /// When it was created, or took place.
    pub occurred_ms: Timestamp,
    /// When the first of its messages was delivered.
    pub delivered_ms: Option<Timestamp>,
    /// Who asked for it or logged it.
    pub actor: Actor,
    /// The touch it repeats, if the same letter went to the same referrer within its repeat window. It does not count
    /// while that one counts.
    pub repeat_of: Option<TouchId>,
    /// Notes for people; nothing about patients.
    pub notes: Option<String>,
}
