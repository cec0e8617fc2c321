//! What the API shows. Times are RFC 3339 in UTC; addresses are masked unless the caller may operate.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::attempt::Attempt;
use crate::domain::event::Billed;
use crate::domain::message::Message;
use crate::domain::{Channel, Timestamp};
use crate::intake::submit::{Accepted, Counts};
use crate::store::records::events::Event;
use crate::wording::{advice, explain};

/// An accepted submission.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SubmissionView {
    /// The submission.
    submission: Uuid,
    /// The broadcast, for a list.
    broadcast: Option<Uuid>,
    /// Whether the list is accepted but not all of it is on the queue yet. It goes on by itself; `counts`, `messages` and
    /// `skipped` say nothing of it then. The same request with the same `Idempotency-Key` is answered with all of it once
    /// it is done.
    unfolding: bool,
    /// How many of each, all counted.
    counts: CountsView,
    /// The messages, those that policy forbids too; of a long list the first 500 that are queued, and as many that are
    /// not.
    messages: Vec<SubmittedMessage>,
    /// Who gets nothing by some channel, and why; the first 500.
    skipped: Vec<SkippedView>,
}

/// Numbers of messages by where they stand when accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CountsView {
    /// To be sent.
    queued: usize,
    /// Waiting for a person.
    held: usize,
    /// Suppressed: the rules do not allow sending them.
    suppressed: usize,
    /// Left out before they became messages.
    skipped: usize,
}

/// One message of an accepted submission.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SubmittedMessage {
    /// Identifier.
    id: Uuid,
    /// The touch it belongs to.
    touch: Uuid,
    /// For whom.
    referrer: Uuid,
    /// The referrer's name.
    name: String,
    /// `fax` or `email`.
    channel: &'static str,
    /// `queued`, `held` or `suppressed`.
    status: &'static str,
    /// Why, if not queued: a word.
    reason: Option<String>,
}

/// A recipient or channel left out.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SkippedView {
    /// The referrer.
    referrer: Uuid,
    /// The referrer's name.
    name: String,
    /// The channel, if only one is left out.
    channel: Option<&'static str>,
    /// Why, in words.
    why: String,
}

impl From<Accepted> for SubmissionView {
    fn from(accepted: Accepted) -> Self {
        let Counts { queued, held, suppressed, skipped: left_out } = accepted.counts;
        let messages = accepted.messages.into_iter().map(|message| SubmittedMessage {
            id: message.id.0,
            touch: message.touch.0,
            referrer: message.referrer.0,
            name: message.name,
            channel: message.channel.as_str(),
            status: message.status.as_str(),
            reason: message.reason,
        });
        let skipped = accepted.skipped.into_iter().map(|skipped| SkippedView {
            referrer: skipped.referrer.0,
            name: skipped.name,
            channel: skipped.channel.map(Channel::as_str),
            why: skipped.why,
        });
        Self {
            submission: accepted.submission.0,
            broadcast: accepted.broadcast.map(|broadcast| broadcast.0),
            unfolding: false,
            counts: CountsView { queued, held, suppressed, skipped: left_out },
            messages: messages.collect(),
            skipped: skipped.collect(),
        }
    }
}

impl SubmissionView {
    /// A list that is accepted and not all on the queue yet.
    pub(super) fn unfolding(so_far: Accepted) -> Self {
        Self { unfolding: true, ..so_far.into() }
    }
}

/// A message as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessageView {
    /// Identifier.
    id: Uuid,
    /// The submission that asked for it.
    submission: Uuid,
    /// The broadcast it is part of.
    broadcast: Option<Uuid>,
    /// The touch it belongs to.
    touch: Uuid,
    /// To whom.
    referrer: Uuid,
    /// `fax` or `email`.
    channel: &'static str,
    /// Where to; masked unless the token has the scope `operate`.
    to: String,
    /// The letter's name.
    letter: String,
    /// `advertisement`, `informational`, `treatment` or `operational`.
    purpose: &'static str,
    /// `none`, `deidentified` or `identified`.
    phi: &'static str,
    /// `queued`, `held`, `accepted`, `in_doubt`, `delivered`, `failed`, `suppressed`, `cancelled` or `expired`.
    status: &'static str,
    /// Why it stands there: a word.
    reason: Option<String>,
    /// What the reason means, in a sentence.
    explanation: Option<String>,
    /// What can be done about it, in a sentence.
    advice: Option<&'static str>,
    /// How sure "delivered" is: `confirmed` or `presumed`.
    confidence: Option<&'static str>,
    /// Attempts that count against the limit of their fault.
    tries: i64,
    /// Pages of the document last handed over.
    pages: Option<i64>,
    /// Made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Not sent before.
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    /// Not sent after.
    #[schema(value_type = String, format = DateTime)]
    give_up_at: Timestamp,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Timestamp>,
}

impl MessageView {
    /// `whole`: with its address.
    pub(super) fn of(message: &Message, whole: bool) -> Self {
        let to = message.parsed_address().map_or_else(
            |_| "unreadable".to_owned(),
            |address| if whole { address.as_str().to_owned() } else { address.masked() },
        );
        let reason = message.reason.as_deref();
        Self {
            id: message.id.0,
            submission: message.submission_id.0,
            broadcast: message.broadcast_id.map(|id| id.0),
            touch: message.touch_id.0,
            referrer: message.referrer_id.0,
            channel: message.channel.as_str(),
            to,
            letter: message.letter.clone(),
            purpose: message.purpose.as_str(),
            phi: message.phi.as_str(),
            status: message.status.as_str(),
            reason: message.reason.clone(),
            explanation: reason.map(explain),
            advice: reason.map(advice).filter(|words| !words.is_empty()),
            confidence: message.confidence.map(|confidence| confidence.as_str()),
            tries: message.tries,
            pages: message.pages,
            created_at: message.created_ms,
            due_at: message.due_ms,
            give_up_at: message.give_up_ms,
            updated_at: message.updated_ms,
            settled_at: message.settled_ms,
        }
    }
}

/// A message with what was tried and what happened.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessageDetail {
    /// The message.
    #[serde(flatten)]
    pub(super) message: MessageView,
    /// Every hand-over, first to last.
    pub(super) attempts: Vec<AttemptView>,
    /// Every fact and decision, first to last, at most 1,000.
    pub(super) events: Vec<EventView>,
}

/// One hand-over.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AttemptView {
    /// Identifier, and our reference at the provider.
    id: Uuid,
    /// 1 for the first.
    number: i64,
    /// The account's name.
    provider: String,
    /// `calling`, `in_doubt`, `accepted`, `not_sent`, `refused`, `delivered` or `failed`.
    status: &'static str,
    /// The provider's name for it.
    provider_reference: Option<String>,
    /// Why it did not work: a word.
    fault: Option<&'static str>,
    /// The provider's own code.
    raw_code: Option<String>,
    /// The provider's own words.
    raw_text: Option<String>,
    /// Where it was handed over to; masked unless the token has the scope `operate`. A message's address may have been
    /// corrected since.
    to: Option<String>,
    /// Pages the far end confirmed.
    pages_confirmed: Option<i64>,
    /// What the provider charged, where it says so.
    billed: Option<BilledView>,
    /// Recorded, which is before the call.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// When the provider answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    answered_at: Option<Timestamp>,
    /// When its end was known.
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Timestamp>,
}

/// A charge.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BilledView {
    /// A decimal number, as the provider wrote it.
    amount: String,
    /// A currency, or the provider's word for its unit.
    unit: String,
}

impl AttemptView {
    /// `whole`: with its address.
    pub(super) fn of(attempt: Attempt, channel: Channel, whole: bool) -> Self {
        let to = attempt.dialled(channel);
        let billed = attempt.billed().map(|Billed { amount, unit }| BilledView { amount, unit });
        Self {
            to: to.map(|to| if whole { to.as_str().to_owned() } else { to.masked() }),
            billed,
            id: attempt.id.0,
            number: attempt.number,
            provider: attempt.provider,
            status: attempt.status.as_str(),
            provider_reference: attempt.provider_reference,
            fault: attempt.fault.map(|fault| fault.as_str()),
            raw_code: attempt.raw_code,
            raw_text: attempt.raw_text,
            pages_confirmed: attempt.pages_confirmed,
            opened_at: attempt.opened_ms,
            answered_at: attempt.answered_ms,
            settled_at: attempt.settled_ms,
        }
    }
}

/// One fact or decision.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventView {
    /// What happened, one word.
    kind: String,
    /// `answer`, `webhook`, `poll`, `bounce`, `operator` or `policy`.
    source: &'static str,
    /// The provider's, operator's or rule's name.
    who: String,
    /// The attempt it concerns.
    attempt: Option<Uuid>,
    /// Why, where it is about a failure.
    fault: Option<&'static str>,
    /// More words.
    detail: Option<String>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// When it was written down.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        Self {
            kind: event.kind,
            source: event.source.as_str(),
            who: event.who,
            attempt: event.attempt_id.map(|id| id.0),
            fault: event.fault.map(|fault| fault.as_str()),
            detail: event.detail,
            occurred_at: event.occurred_ms,
            recorded_at: event.recorded_ms,
        }
    }
}
