//! The answer to a submission: what was accepted, how many of each, and who was left out.

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;
use crate::domain::id::{BroadcastId, MessageId, ReferrerId, SubmissionId, TouchId};
use crate::domain::words::words;
use crate::domain::{Channel, MessageStatus, Reason};
use crate::store::StoreError;

/// The most messages of a long list shown in an answer, queued and not queued each; likewise skipped recipients.
/// All are counted.
pub const SHOWN_MAX: usize = 500;

/// What was accepted, or in a dry run would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The submission.
    pub submission: SubmissionId,
    /// The broadcast, for a list.
    pub broadcast: Option<BroadcastId>,
    /// Until when it can be withdrawn, if at all.
    #[serde(default)]
    pub undo_until: Option<Timestamp>,
    /// How many of each, all counted.
    pub counts: Counts,
    /// The messages, those that policy forbids too; of a long list the first [`SHOWN_MAX`] that are queued, and as many
    /// that are not.
    pub messages: Vec<AcceptedMessage>,
    /// Who gets nothing by some channel, and why; the first [`SHOWN_MAX`].
    pub skipped: Vec<Skipped>,
}

/// Numbers of messages by their status when accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// To be sent.
    pub queued: usize,
    /// Of those, waiting for the recipients' office hours.
    #[serde(default)]
    pub waiting: usize,
    /// Needing a person.
    pub held: usize,
    /// Not allowed.
    pub suppressed: usize,
    /// Left out before they became messages.
    pub skipped: usize,
}

impl Counts {
    /// All messages.
    #[must_use]
    pub const fn messages(self) -> usize {
        self.queued + self.held + self.suppressed
    }
}

impl Accepted {
    pub(super) fn begin(
        submission: SubmissionId,
        broadcast: Option<BroadcastId>,
        undo_until: Option<Timestamp>,
    ) -> Self {
        let (counts, messages, skipped) = (Counts::default(), Vec::new(), Vec::new());
        Self { submission, broadcast, undo_until, counts, messages, skipped }
    }

    /// Takes the undo window away if nothing waits that could be withdrawn. For an answer that is complete.
    pub(super) fn close_idle_window(&mut self) {
        if self.counts.queued + self.counts.held == 0 {
            self.undo_until = None;
        }
    }

    /// As it is stored with the submission, so that a repeat gets the same answer.
    pub(super) fn kept(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|_| StoreError::Corrupt("the answer".to_owned()))
    }

    /// The answer as it was stored.
    pub(super) fn read(kept: &str) -> Result<Self, StoreError> {
        serde_json::from_str(kept).map_err(|_| StoreError::Corrupt("a stored answer".to_owned()))
    }

    /// Adds the result of a portion of the list.
    pub(super) fn add(&mut self, said: Vec<AcceptedMessage>, skipped: Vec<Skipped>) {
        self.counts.skipped += skipped.len();
        let room = SHOWN_MAX.saturating_sub(self.skipped.len());
        self.skipped.extend(skipped.into_iter().take(room));
        for message in said {
            let before = match message.status {
                MessageStatus::Queued => self.counts.queued,
                _ => self.counts.held + self.counts.suppressed,
            };
            self.counts.waiting += usize::from(message.waits_until.is_some());
            match message.status {
                MessageStatus::Queued => self.counts.queued += 1,
                MessageStatus::Held => self.counts.held += 1,
                _ => self.counts.suppressed += 1,
            }
            if before < SHOWN_MAX {
                self.messages.push(message);
            }
        }
    }
}

/// One message of an accepted submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedMessage {
    /// Identifier.
    pub id: MessageId,
    /// The touch it belongs to.
    pub touch: TouchId,
    /// For whom.
    pub referrer: ReferrerId,
    /// The referrer's name.
    pub name: String,
    /// How.
    pub channel: Channel,
    /// Its status: queued, held or suppressed.
    pub status: MessageStatus,
    /// Why, if not queued, or if it waits.
    pub reason: Option<Reason>,
    /// Until when it waits for the recipient's office hours.
    #[serde(default)]
    pub waits_until: Option<Timestamp>,
}

/// A recipient or channel left out before it became a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The referrer.
    pub referrer: ReferrerId,
    /// The referrer's name.
    pub name: String,
    /// The channel, if only one is left out.
    pub channel: Option<Channel>,
    /// Why, as a word; an answer of an earlier version has none.
    #[serde(default)]
    pub reason: Option<SkipReason>,
    /// Why, in words.
    pub why: String,
}

words! {
    /// Why a recipient or channel is left out before it becomes a message.
    SkipReason {
        /// The referrer has no address for the channel.
        NoAddress = "no_address",
        /// Another recipient of the list has the same address, which gets one copy.
        SharedAddress = "shared_address",
        /// The same letter went to the same referrer within its repeat window.
        Repeat = "repeat",
        /// The referrer's name or organization has characters that a fax cannot print. Mail is still sent.
        UnprintableName = "unprintable_name",
    }
}
