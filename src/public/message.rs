//! A message, its attempts and its events.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::attempt::Attempt;
use crate::domain::event::Billed;
use crate::domain::message::Message;
use crate::domain::transport::Transport;
use crate::domain::{Actor, Reason, Timestamp};
use crate::store::records::events::Event;
use crate::wording;

/// A message and its current state.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageView {
    /// Identifier.
    pub id: Uuid,
    /// The submission that asked for it.
    pub submission: Uuid,
    /// The broadcast it is part of.
    pub broadcast: Option<Uuid>,
    /// The touch it belongs to.
    pub touch: Uuid,
    /// To whom.
    pub referrer: Uuid,
    /// `fax` or `email`.
    pub channel: &'static str,
    /// Where to; masked unless the token has the scope `operate`.
    pub to: String,
    /// The letter's name.
    pub letter: String,
    /// `advertisement`, `informational`, `treatment` or `operational`.
    pub purpose: &'static str,
    /// `none`, `deidentified` or `identified`.
    pub phi: &'static str,
    /// `queued`, `held`, `accepted`, `in_doubt`, `delivered`, `failed`, `suppressed`, `cancelled` or `expired`.
    pub status: &'static str,
    /// Why it has this status: a word.
    pub reason: Option<&'static str>,
    /// What the reason means, in a sentence.
    pub explanation: Option<&'static str>,
    /// What can be done about it, in a sentence.
    pub advice: Option<&'static str>,
    /// How sure "delivered" is: `confirmed` or `presumed`.
    pub confidence: Option<&'static str>,
    /// Attempts that count against the limit of their fault.
    pub tries: i64,
    /// Pages of the document last handed over.
    pub pages: Option<i64>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Earliest time to send.
    #[schema(value_type = String, format = DateTime)]
    pub due_at: Timestamp,
    /// Latest time to send.
    #[schema(value_type = String, format = DateTime)]
    pub give_up_at: Timestamp,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When a person released it from a hold or retried it, if that still applies.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub released_at: Option<Timestamp>,
    /// Until when it waits for the recipient's office hours, if that is what it waits for.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub waits_until: Option<Timestamp>,
    /// When a person decided that it may go outside office hours, if that still applies.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub any_hour_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub settled_at: Option<Timestamp>,
}

impl MessageView {
    /// `whole`: with its address.
    pub fn of(message: &Message, whole: bool) -> Self {
        let to = if whole { message.address.as_str().to_owned() } else { message.address.masked() };
        Self {
            id: message.id.0,
            submission: message.submission_id.0,
            broadcast: message.broadcast_id.map(|id| id.0),
            touch: message.touch_id.0,
            referrer: message.referrer_id.0,
            channel: message.channel().as_str(),
            to,
            letter: message.letter.clone(),
            purpose: message.purpose.as_str(),
            phi: message.phi.as_str(),
            status: message.status.as_str(),
            reason: message.reason.map(Reason::as_str),
            explanation: message.reason.map(wording::explain),
            advice: message.reason.map(wording::advice),
            released_at: message.released_ms,
            waits_until: message.waits_until(),
            any_hour_at: message.any_hour_ms,
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
pub struct MessageDetail {
    /// The message.
    #[serde(flatten)]
    pub message: MessageView,
    /// True in the answer to `cancel` where the message was handed over already: the provider was asked to stop it, and its
    /// status changes once the provider says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_requested: Option<bool>,
    /// Every hand-over, first to last.
    pub attempts: Vec<AttemptView>,
    /// Every fact and decision, first to last, at most 1,000.
    pub events: Vec<EventView>,
}

/// One hand-over.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptView {
    /// Identifier, and our reference at the provider.
    pub id: Uuid,
    /// 1 for the first.
    pub number: i64,
    /// The account's name.
    pub provider: String,
    /// `calling`, `in_doubt`, `accepted`, `not_sent`, `refused`, `delivered` or `failed`.
    pub status: &'static str,
    /// The provider's name for it.
    pub provider_reference: Option<String>,
    /// Why it did not work: a word.
    pub fault: Option<&'static str>,
    /// The provider's own code.
    pub raw_code: Option<String>,
    /// The provider's own words.
    pub raw_text: Option<String>,
    /// Where it was handed over to; masked unless the token has the scope `operate`. A message's address may have been
    /// corrected since.
    pub to: Option<String>,
    /// Pages the far end confirmed.
    pub pages_confirmed: Option<i64>,
    /// What the provider charged, where it says so.
    pub billed: Option<BilledView>,
    /// How a mail travelled to the relay, where that is known.
    pub tls: Option<TlsView>,
    /// Recorded, which is before the call.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    /// When the provider answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub answered_at: Option<Timestamp>,
    /// When its end was known.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub settled_at: Option<Timestamp>,
}

/// A charge.
#[derive(Debug, Serialize, ToSchema)]
pub struct BilledView {
    /// A decimal number, as the provider wrote it.
    pub amount: String,
    /// A currency, or the provider's word for its unit.
    pub unit: String,
}

/// How a mail travelled to the relay.
#[derive(Debug, Serialize, ToSchema)]
pub struct TlsView {
    /// The protocol, such as `TLS 1.3`; `none` if it was not encrypted.
    pub version: String,
    /// The cipher suite by its IANA name.
    pub cipher: Option<String>,
    /// The name that the relay's certificate was checked for; null if nobody checked it.
    pub checked_name: Option<String>,
}

impl From<Transport> for TlsView {
    fn from(transport: Transport) -> Self {
        Self { version: transport.version, cipher: transport.cipher, checked_name: transport.peer }
    }
}

impl AttemptView {
    /// `whole`: with its address.
    pub fn of(attempt: Attempt, whole: bool) -> Self {
        let to = attempt.dialled.clone();
        let tls = attempt.transport().map(TlsView::from);
        let billed = attempt.billed().map(|Billed { amount, unit }| BilledView { amount, unit });
        Self {
            to: to.map(|to| if whole { to.as_str().to_owned() } else { to.masked() }),
            billed,
            tls,
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
pub struct EventView {
    /// What happened: a word.
    pub kind: &'static str,
    /// `answer`, `webhook`, `poll`, `bounce`, `operator` or `policy`.
    pub source: &'static str,
    /// Who did or said it: `operator:NAME`, `token:NAME`, `campaign:NAME`, `provider:ACCOUNT`, `rule:WORD`, `recipient` or
    /// `system`.
    #[schema(value_type = String)]
    pub who: Actor,
    /// The attempt it concerns.
    pub attempt: Option<Uuid>,
    /// Why, where it is about a failure.
    pub fault: Option<&'static str>,
    /// Why the message has its status: a word.
    pub reason: Option<&'static str>,
    /// Further details.
    pub detail: Option<String>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Timestamp,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        Self {
            kind: event.kind.as_str(),
            source: event.source.as_str(),
            who: event.who,
            attempt: event.attempt_id.map(|id| id.0),
            fault: event.fault.map(|fault| fault.as_str()),
            reason: event.reason.map(Reason::as_str),
            detail: event.detail,
            occurred_at: event.occurred_ms,
            recorded_at: event.recorded_ms,
        }
    }
}
