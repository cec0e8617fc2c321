//! Expand: from recipients to touches and messages, with policy's verdict on each before anything is queued. Pure, but
//! for reading what is known and for storing the draft.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::submit::{AcceptedMessage, Request, Skipped};
use super::{IntakeError, Parts};
use crate::accounts::routes::Parcel;
use crate::domain::basis::Basis;
use crate::domain::event::EventSource;
use crate::domain::health::Health;
use crate::domain::id::{BroadcastId, MessageId, SubmissionId, TouchId};
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::domain::suppression::Scope;
use crate::domain::touch::{Touch, TouchKind, disposition};
use crate::domain::{Address, Channel, Lane, MessageStatus, Purpose, Timestamp};
use crate::policy::{self, Facts, Reason, Verdict};
use crate::queue::{self, Work};
use crate::render::Letter;
use crate::settle::{self, SUBMIT};
use crate::store::records::events::Event;
use crate::store::{StoreError, Tx};

/// What a submission, or a portion of a list, becomes.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub said: Vec<AcceptedMessage>,
    pub skipped: Vec<Skipped>,
    pub touches: Vec<Touch>,
    pub messages: Vec<Message>,
    pub events: Vec<Event>,
    pub work: Vec<Work>,
    pub addresses: Vec<(Channel, String)>,
}

impl Draft {
    /// Puts another draft behind this one.
    pub(super) fn append(&mut self, mut other: Self) {
        self.said.append(&mut other.said);
        self.skipped.append(&mut other.skipped);
        self.touches.append(&mut other.touches);
        self.messages.append(&mut other.messages);
        self.events.append(&mut other.events);
        self.work.append(&mut other.work);
        self.addresses.append(&mut other.addresses);
    }
}

/// What is known of all the addresses, read at once.
pub(super) struct Known {
    health: HashMap<(Channel, String), Health>,
    refusals: HashMap<(Channel, String), Vec<Scope>>,
    bases: HashMap<String, Vec<Basis>>,
}

/// What all messages of a submission share.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub submission: SubmissionId,
    pub broadcast: Option<BroadcastId>,
    pub letter: Arc<str>,
    pub via: Vec<Channel>,
    pub variables: String,
    pub who: String,
    pub lane: Lane,
    pub due: Timestamp,
    /// A list that was recorded before the records were restored: what became of it since may be forgotten, so all of it
    /// waits for a person.
    pub from_before_a_restore: bool,
}

impl Frame {
    /// For a request that is new.
    pub(super) fn of(parts: &Parts, request: &Request) -> Result<Self, IntakeError> {
        let letter = letter(parts, &request.letter)?;
        let now = parts.clock.now();
        Ok(Self {
            submission: SubmissionId::new(),
            broadcast: request.makes_a_broadcast().then(BroadcastId::new),
            letter: letter.name.as_str().into(),
            via: request.via.clone(),
            variables: Value::Object(request.variables.clone()).to_string(),
            who: request.who.clone(),
            lane: lane(letter.purpose, request.to.is_list()),
            due: request.at.map_or(now, |at| if at > now { at } else { now }),
            from_before_a_restore: false,
        })
    }
}

/// The letter of that name.
pub(super) fn letter<'p>(parts: &'p Parts, name: &str) -> Result<&'p Letter, IntakeError> {
    parts.renderer.letter(name).ok_or_else(|| {
        IntakeError::NotFound(format!(
            "there is no letter `{}`; `touchline template list` shows them all",
            name.chars().take(80).collect::<String>()
        ))
    })
}

/// Makes the draft for these recipients; stores nothing. `taken` are the addresses that the list has had already.
pub(super) fn expand(
    parts: &Parts,
    frame: &Frame,
    known: &Known,
    taken: &mut HashSet<Address>,
    recipients: &[Referrer],
) -> Result<Draft, IntakeError> {
    let sheet = Sheet { parts, frame, known, letter: letter(parts, &frame.letter)?, now: parts.clock.now() };
    let mut draft = Draft::default();
    for referrer in recipients {
        sheet.add_touch(&mut draft, taken, referrer);
    }
    Ok(draft)
}

/// Everything that is looked at while a draft is made.
struct Sheet<'a> {
    parts: &'a Parts,
    frame: &'a Frame,
    known: &'a Known,
    letter: &'a Letter,
    now: Timestamp,
}

const fn lane(purpose: Purpose, is_list: bool) -> Lane {
    match (purpose, is_list) {
        (Purpose::Treatment, _) => Lane::Treatment,
        (_, false) => Lane::OneOff,
        (_, true) => Lane::Broadcast,
    }
}

/// What is known of the recipients' addresses.
pub(super) async fn read_known(tx: &mut Tx, recipients: &[Referrer]) -> Result<Known, StoreError> {
    let of = |referrer: &Referrer| Channel::ALL.iter().filter_map(|channel| referrer.address(*channel)).collect();
    let addresses: Vec<Address> = recipients.iter().flat_map(|referrer| -> Vec<Address> { of(referrer) }).collect();
    let keys: Vec<String> = addresses.iter().map(Address::key).collect();
    let mut known = Known { health: HashMap::new(), refusals: HashMap::new(), bases: HashMap::new() };
    for row in tx.addresses_known(&keys).await? {
        known.health.insert((row.channel, row.value), row.health);
    }
    for row in tx.suppressions_among(&keys).await? {
        known.refusals.entry((row.channel, row.address)).or_default().push(row.scope);
    }
    for row in tx.basis_among(&keys).await? {
        known.bases.entry(row.fax.as_str().to_owned()).or_default().push(row);
    }
    Ok(known)
}

impl Sheet<'_> {
    /// One referrer's touch with a message for each channel that can be used.
    fn add_touch(&self, draft: &mut Draft, taken: &mut HashSet<Address>, referrer: &Referrer) {
        let touch = TouchId::new();
        let first = draft.messages.len();
        for channel in &self.frame.via {
            let Some(address) = referrer.address(*channel) else {
                skip(draft, referrer, Some(*channel), format!("no {channel} address"));
                continue;
            };
            if self.frame.broadcast.is_some() && !taken.insert(address.clone()) {
                let why = format!("shares the {channel} address of an earlier recipient: one copy goes there");
                skip(draft, referrer, Some(*channel), why);
                continue;
            }
            self.add_message(draft, touch, referrer, &address);
        }
        let statuses: Vec<MessageStatus> = draft.messages[first..].iter().map(|message| message.status).collect();
        if statuses.is_empty() {
            return;
        }
        draft.touches.push(Touch {
            id: touch,
            referrer_id: referrer.id,
            submission_id: Some(self.frame.submission),
            broadcast_id: self.frame.broadcast,
            kind: TouchKind::Letter,
            letter: Some(self.letter.name.clone()),
            title: self.letter.title.clone(),
            category: Some(self.letter.category.to_string()),
            disposition: disposition(&statuses),
            occurred_ms: self.frame.due,
            delivered_ms: None,
            actor: self.frame.who.clone(),
            notes: None,
        });
    }

    fn add_message(&self, draft: &mut Draft, touch: TouchId, referrer: &Referrer, address: &Address) {
        let (status, reason) = self.verdict(referrer, address);
        let message = Message {
            id: MessageId::new(),
            touch_id: touch,
            submission_id: self.frame.submission,
            broadcast_id: self.frame.broadcast,
            referrer_id: referrer.id,
            channel: address.channel(),
            address: address.as_str().to_owned(),
            lane: self.frame.lane,
            letter: self.letter.name.clone(),
            purpose: self.letter.purpose,
            phi: self.letter.phi,
            variables: self.frame.variables.clone(),
            status,
            reason: reason.clone(),
            confidence: None,
            due_ms: self.frame.due,
            give_up_ms: self.frame.due.after(self.parts.give_up),
            tries: 0,
            dials: 0,
            document_hash: None,
            pages: None,
            created_ms: self.now,
            updated_ms: self.now,
            settled_ms: status.is_terminal().then_some(self.now),
        };
        let event = Event::new(message.id, status.as_str(), EventSource::Operator, &self.frame.who, self.now);
        draft.events.push(Event { detail: reason.clone(), ..event });
        draft.addresses.push((address.channel(), address.key()));
        if status == MessageStatus::Queued {
            draft.work.push(settle::work(&message, SUBMIT, self.frame.due));
        }
        draft.said.push(AcceptedMessage {
            id: message.id,
            touch,
            referrer: referrer.id,
            name: referrer.display_name(),
            channel: message.channel,
            status,
            reason,
        });
        draft.messages.push(message);
    }

    /// Policy's preview. The gate decides again with the facts of that moment; what is refused already is never queued.
    fn verdict(&self, referrer: &Referrer, address: &Address) -> (MessageStatus, Option<String>) {
        let key = (address.channel(), address.key());
        let carriers = self.parts.accounts.carriers(&Parcel {
            channel: address.channel(),
            address: address.as_str(),
            purpose: self.letter.purpose,
            phi: self.letter.phi,
            pages: None,
        });
        let facts = Facts {
            purpose: self.letter.purpose,
            phi: self.letter.phi,
            channel: address.channel(),
            lane: self.frame.lane,
            released: false,
            referrer: referrer.state,
            health: self.known.health.get(&key).copied().unwrap_or(Health::Unverified),
            refusals: self.known.refusals.get(&key).map_or(&[], Vec::as_slice),
            bases: self.known.bases.get(address.as_str()).map_or(&[], Vec::as_slice),
            permission_only: self.parts.permission_only,
            routed: carriers.routed,
            baa: carriers.baa,
            number_busy: false,
        };
        match policy::decide(&facts) {
            Verdict::Allow | Verdict::Defer(..) if self.frame.from_before_a_restore => {
                (MessageStatus::Held, Some(Reason::Restored.as_str().to_owned()))
            }
            Verdict::Allow | Verdict::Defer(..) => (MessageStatus::Queued, None),
            Verdict::Hold(reason) => (MessageStatus::Held, Some(reason.as_str().to_owned())),
            Verdict::Deny(reason) => (MessageStatus::Suppressed, Some(reason.as_str().to_owned())),
        }
    }
}

fn skip(draft: &mut Draft, referrer: &Referrer, channel: Option<Channel>, why: String) {
    draft.skipped.push(Skipped { referrer: referrer.id, name: referrer.display_name(), channel, why });
}

/// Stores a draft with all its parts, and puts what is to be sent on the queue.
pub(super) async fn keep(tx: &mut Tx, draft: &Draft, now: Timestamp) -> Result<(), StoreError> {
    tx.addresses_ensure(&draft.addresses, now).await?;
    tx.touches_insert(&draft.touches).await?;
    tx.messages_insert(&draft.messages).await?;
    tx.events_insert(&draft.events).await?;
    queue::put(tx, &draft.work, now).await
}
