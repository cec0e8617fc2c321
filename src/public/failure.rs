//! What did not get through, by cause and by message.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::{Reason, Timestamp};
use crate::store::views::overview::{Cause, MessageLine};
use crate::wording;

/// What did not get through.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailureList {
    /// By cause, the most frequent first.
    pub causes: Vec<CauseView>,
    /// Messages, newest first.
    pub messages: Vec<FailureView>,
}

/// A cause and how often.
#[derive(Debug, Serialize, ToSchema)]
pub struct CauseView {
    /// `fax` or `email`.
    pub channel: &'static str,
    /// `failed`, `in_doubt`, `held`, `expired` or `suppressed`.
    pub status: &'static str,
    /// A word.
    pub reason: &'static str,
    /// What it means, in a sentence.
    pub explanation: &'static str,
    /// What can be done about it, in a sentence.
    pub advice: &'static str,
    /// How many.
    pub messages: i64,
    /// The latest of them.
    #[schema(value_type = String, format = DateTime)]
    pub latest_at: Timestamp,
}

impl From<Cause> for CauseView {
    fn from(cause: Cause) -> Self {
        Self {
            channel: cause.channel.as_str(),
            status: cause.status.as_str(),
            reason: cause.reason.as_str(),
            explanation: wording::explain(cause.reason),
            advice: wording::advice(cause.reason),
            messages: cause.messages,
            latest_at: cause.latest_ms,
        }
    }
}

/// A message that did not get through.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailureView {
    /// Identifier.
    pub id: Uuid,
    /// To whom.
    pub referrer: Uuid,
    /// The referrer's name.
    pub name: String,
    /// `fax` or `email`.
    pub channel: &'static str,
    /// The letter's name.
    pub letter: String,
    /// `failed`, `in_doubt`, `held`, `expired` or `suppressed`.
    pub status: &'static str,
    /// A word.
    pub reason: &'static str,
    /// What can be done about it, in a sentence.
    pub advice: &'static str,
    /// Attempts that count.
    pub tries: i64,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl From<MessageLine> for FailureView {
    fn from(line: MessageLine) -> Self {
        Self {
            id: line.id.0,
            referrer: line.referrer_id.0,
            name: line.name(),
            channel: line.channel.as_str(),
            letter: line.letter,
            status: line.status.as_str(),
            reason: line.reason.map_or("unknown", Reason::as_str),
            advice: line.reason.map_or("", wording::advice),
            tries: line.tries,
            updated_at: line.updated_ms,
        }
    }
}
