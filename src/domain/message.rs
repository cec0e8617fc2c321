//! A message: one recipient, one channel, one rendered content.

use super::address::Address;
use super::channel::{Channel, Lane, PhiClass, Purpose};
use super::clock::Timestamp;
use super::id::{BroadcastId, MessageId, ReferrerId, SubmissionId, TouchId};
use super::reason::{PolicyReason, Reason};
use super::words::words;

words! {
    /// The status of a message.
    MessageStatus {
        /// Waiting for its turn or its time.
        Queued = "queued",
        /// On hold until a person decides.
        Held = "held",
        /// A provider accepted it; the outcome is not known yet.
        Accepted = "accepted",
        /// It may or may not have been sent.
        InDoubt = "in_doubt",
        /// It was delivered.
        Delivered = "delivered",
        /// It was not delivered and will not be retried automatically.
        Failed = "failed",
        /// Policy forbids it.
        Suppressed = "suppressed",
        /// A person cancelled it.
        Cancelled = "cancelled",
        /// Its deadline passed before it could be sent.
        Expired = "expired",
    }
}

impl MessageStatus {
    /// Whether nothing more will happen automatically.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed | Self::Suppressed | Self::Cancelled | Self::Expired)
    }

    /// Whether a person may reopen it with a retry.
    #[must_use]
    pub const fn may_be_retried(self) -> bool {
        matches!(self, Self::Failed | Self::Suppressed | Self::Cancelled | Self::Expired)
    }
}

words! {
    /// How sure "delivered" is.
    Confidence {
        /// The far machine confirmed all pages, or an event said so.
        Confirmed = "confirmed",
        /// The relay accepted it and no bounce came within the window.
        Presumed = "presumed",
    }
}

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Identifier.
    pub id: MessageId,
    /// The touch it belongs to.
    pub touch_id: TouchId,
    /// The submission that asked for it.
    pub submission_id: SubmissionId,
    /// The broadcast it is part of, if any.
    pub broadcast_id: Option<BroadcastId>,
    /// The recipient.
    pub referrer_id: ReferrerId,
    /// The address, and with it the channel; fixed when the message was created, corrected only by a retry.
    pub address: Address,
    /// Lane.
    pub lane: Lane,
    /// Name of the letter.
    pub letter: String,
    /// What the letter is for, as declared when the message was created.
    pub purpose: Purpose,
    /// Whether it holds health information, as declared when the message was created.
    pub phi: PhiClass,
    /// The letter's own variables, JSON object. May contain patient information: never logged.
    pub variables: String,
    /// Status.
    pub status: MessageStatus,
    /// Why it has that status.
    pub reason: Option<Reason>,
    /// When a person released it from a hold or retried it; kept until it ends or is held again. What a person released
    /// is not held again for the same kind of reason.
    pub released_ms: Option<Timestamp>,
    /// When a person decided that it may go outside the recipient's office hours; kept until it ends or is held.
    pub any_hour_ms: Option<Timestamp>,
    /// How sure "delivered" is.
    pub confidence: Option<Confidence>,
    /// Not sent before this moment.
    pub due_ms: Timestamp,
    /// Not sent after this moment.
    pub give_up_ms: Timestamp,
    /// Attempts that count against the limit of their fault class.
    pub tries: i64,
    /// Attempts in which the far end was actually called.
    pub dials: i64,
    /// SHA-256 of the rendered document last handed over, hex.
    pub document_hash: Option<String>,
    /// Pages of that document.
    pub pages: Option<i64>,
    /// When it was created.
    pub created_ms: Timestamp,
    /// When it was last changed.
    pub updated_ms: Timestamp,
    /// When it became terminal.
    pub settled_ms: Option<Timestamp>,
}

impl Message {
    /// Its channel.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        self.address.channel()
    }

    /// Until when it waits for the recipient's office hours, if that is what it waits for.
    #[must_use]
    pub fn waits_until(&self) -> Option<Timestamp> {
        let waits =
            self.status == MessageStatus::Queued && self.reason == Some(PolicyReason::OutsideOfficeHours.into());
        waits.then_some(self.due_ms)
    }
}
