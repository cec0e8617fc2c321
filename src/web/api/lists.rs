//! What the API shows of histories and lists, and of what goes wrong.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::views::MessageView;
use crate::domain::Timestamp;
use crate::domain::touch::Touch;
use crate::policy::{advice, explain};
use crate::store::views::overview::{Cause, MessageLine};

/// One communication in a referrer's history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TouchView {
    /// Identifier.
    id: Uuid,
    /// `letter`, `call`, `visit`, `meeting`, `lunch_and_learn`, `note` or `referral_received`.
    kind: &'static str,
    /// The letter's name.
    letter: Option<String>,
    /// The letter's title at that time, or the words of the person who logged it.
    title: String,
    /// Content category.
    category: Option<String>,
    /// `pending`, `delivered`, `failed`, `suppressed`, `cancelled` or `expired`.
    disposition: &'static str,
    /// The broadcast it is part of.
    broadcast: Option<Uuid>,
    /// Who asked for it or logged it.
    actor: String,
    /// When it was made, or took place.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// When the first of its messages arrived.
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    /// Its messages; none for what a person logged.
    messages: Vec<MessageView>,
}

impl TouchView {
    pub(super) fn of(touch: Touch, messages: Vec<MessageView>) -> Self {
        Self {
            id: touch.id.0,
            kind: touch.kind.as_str(),
            letter: touch.letter,
            title: touch.title,
            category: touch.category,
            disposition: touch.disposition.as_str(),
            broadcast: touch.broadcast_id.map(|id| id.0),
            actor: touch.actor,
            occurred_at: touch.occurred_ms,
            delivered_at: touch.delivered_ms,
            messages,
        }
    }
}

/// A page of a referrer's history, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TouchPage {
    /// The referrer.
    pub(super) referrer: Uuid,
    /// Touches delivered, or that took place, over the whole history.
    pub(super) delivered: i64,
    /// How many are aimed at.
    pub(super) goal: u32,
    /// This page.
    pub(super) touches: Vec<TouchView>,
    /// What to give as `after` for the next page; null at the end.
    pub(super) next: Option<String>,
}

/// What did not get through.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FailureList {
    /// By cause, the most frequent first.
    pub(super) causes: Vec<CauseView>,
    /// Messages, newest first.
    pub(super) messages: Vec<FailureView>,
}

/// A cause and how often.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CauseView {
    /// `fax` or `email`.
    channel: &'static str,
    /// `failed`, `in_doubt`, `held`, `expired` or `suppressed`.
    status: &'static str,
    /// A word.
    reason: String,
    /// What it means, in a sentence.
    explanation: String,
    /// How many.
    messages: i64,
    /// The latest of them.
    #[schema(value_type = String, format = DateTime)]
    latest_at: Timestamp,
}

impl From<Cause> for CauseView {
    fn from(cause: Cause) -> Self {
        Self {
            channel: cause.channel.as_str(),
            status: cause.status.as_str(),
            explanation: explain(&cause.reason),
            reason: cause.reason,
            messages: cause.messages,
            latest_at: cause.latest_ms,
        }
    }
}

/// A message that did not get through.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FailureView {
    /// Identifier.
    id: Uuid,
    /// To whom.
    referrer: Uuid,
    /// The referrer's name.
    name: String,
    /// `fax` or `email`.
    channel: &'static str,
    /// The letter's name.
    letter: String,
    /// `failed`, `in_doubt`, `held`, `expired` or `suppressed`.
    status: &'static str,
    /// A word.
    reason: String,
    /// What can be done about it, in a sentence.
    advice: &'static str,
    /// Attempts that count.
    tries: i64,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
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
            advice: advice(&line.reason),
            reason: line.reason,
            tries: line.tries,
            updated_at: line.updated_ms,
        }
    }
}

/// What went wrong (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
#[allow(dead_code, reason = "describes what `web::problem` writes")]
pub(super) struct ProblemView {
    /// `urn:touchline:problem:` and a word that never changes.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened and what to do.
    detail: String,
    /// The field of the request it is about.
    field: Option<String>,
    /// For `missing-variables`: a line for each recipient.
    missing: Option<Vec<String>>,
    /// When to come again.
    retry_after_seconds: Option<u64>,
}
