//! A message: one recipient, one channel, one rendered content.

use super::address::Address;
use super::channel::{Channel, Lane, PhiClass, Purpose};
use super::clock::Timestamp;
use super::id::{BroadcastId, MessageId, ReferrerId, SubmissionId, TouchId};
use super::reason::Reason;
use super::words::words;

words! {
    /// Where a message stands.
    MessageStatus {
        /// Waiting for its turn or its time.
        Queued = "queued",
        /// Parked until a person decides.
        Held = "held",
        /// A provider took it; what became of it is not known yet.
        Accepted = "accepted",
        /// It may or may not have been sent.
        InDoubt = "in_doubt",
        /// It arrived.
        Delivered = "delivered",
        /// It did not arrive and will not be tried again by itself.
        Failed = "failed",
        /// Policy forbids it.
        Suppressed = "suppressed",
        /// A person withdrew it.
        Cancelled = "cancelled",
        /// Its time ran out before it could be sent.
        Expired = "expired",
    }
}

impl MessageStatus {
    /// Whether nothing more will happen by itself.
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
        /// The relay took it and no bounce came within the window.
        Presumed = "presumed",
    }
}

/// A message as it is kept.
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
    /// To whom.
    pub referrer_id: ReferrerId,
    /// Where to, and with it by which channel; fixed when the message was made, corrected by a retry alone.
    pub address: Address,
    /// Class of work.
    pub lane: Lane,
    /// Name of the letter.
    pub letter: String,
    /// What the letter is for, as declared when the message was made.
    pub purpose: Purpose,
    /// Whether it holds health information, as declared when the message was made.
    pub phi: PhiClass,
    /// The letter's own variables, JSON object. May hold patient words: never logged.
    pub variables: String,
    /// Where it stands.
    pub status: MessageStatus,
    /// Why it stands there.
    pub reason: Option<Reason>,
    /// When a person released it from a hold or retried it; stands until it ends or is held again. What a person released
    /// is not held again for the same kind of reason.
    pub released_ms: Option<Timestamp>,
    /// How sure "delivered" is.
    pub confidence: Option<Confidence>,
    /// Not before this moment.
    pub due_ms: Timestamp,
    /// Not after this moment.
    pub give_up_ms: Timestamp,
    /// Attempts that count against the limit of their fault class.
    pub tries: i64,
    /// Attempts in which the far end was really called.
    pub dials: i64,
    /// SHA-256 of the rendered document last handed over, hex.
    pub document_hash: Option<String>,
    /// Pages of that document.
    pub pages: Option<i64>,
    /// Made.
    pub created_ms: Timestamp,
    /// Last changed.
    pub updated_ms: Timestamp,
    /// When it became terminal.
    pub settled_ms: Option<Timestamp>,
}

impl Message {
    /// How it travels.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        self.address.channel()
    }
}
