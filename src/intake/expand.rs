//! Expand: from recipients to touches and messages, with policy's verdict on each before anything is queued.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::submit::{Accepted, AcceptedMessage, Request, Skipped};
use super::{IntakeError, Parts};
use crate::domain::basis::Basis;
use crate::domain::event::EventSource;
use crate::domain::health::Health;
use crate::domain::id::{BroadcastId, MessageId, SubmissionId, TouchId};
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::domain::suppression::Scope;
use crate::domain::touch::{Touch, TouchKind, disposition};
use crate::domain::{Address, Channel, Lane, MessageStatus, Purpose, Timestamp};
use crate::policy::{self, Facts, Verdict};
use crate::queue::Work;
use crate::render::Letter;
use crate::settle::{self, SUBMIT};
use crate::store::events::Event;
use crate::store::{StoreError, Tx};

/// Everything a submission becomes.
#[derive(Debug)]
pub(super) struct Draft {
    pub accepted: Accepted,
    pub touches: Vec<Touch>,
    pub messages: Vec<Message>,
    pub events: Vec<Event>,
    pub work: Vec<Work>,
    pub addresses: Vec<(Channel, String)>,
}

/// What is known of all the addresses, read at once.
struct Known {
    health: HashMap<(Channel, String), Health>,
    refusals: HashMap<(Channel, String), Vec<Scope>>,
    bases: HashMap<String, Vec<Basis>>,
}

/// What all messages of a submission share.
struct Frame<'a> {
    parts: &'a Parts,
    request: &'a Request,
    letter: &'a Letter,
    submission: SubmissionId,
    broadcast: Option<BroadcastId>,
    lane: Lane,
    variables: String,
    now: Timestamp,
    due: Timestamp,
}

/// Makes the draft; reads, but stores nothing.
pub(super) async fn expand(
    tx: &mut Tx,
    parts: &Parts,
    request: &Request,
    recipients: &[Referrer],
) -> Result<Draft, IntakeError> {
    let letter = parts.renderer.letter(&request.letter);
    let letter = letter.ok_or_else(|| IntakeError::NotFound("there is no such letter".to_owned()))?;
    let now = parts.clock.now();
    let frame = Frame {
        parts,
        request,
        letter,
        submission: SubmissionId::new(),
        broadcast: request.to.is_list().then(BroadcastId::new),
        lane: lane(letter.purpose, request.to.is_list()),
        variables: Value::Object(request.variables.clone()).to_string(),
        now,
        due: request.at.map_or(now, |at| if at > now { at } else { now }),
    };
    let known = read_known(tx, recipients, &request.via).await?;
    let mut draft = Draft {
        accepted: Accepted {
            submission: frame.submission,
            broadcast: frame.broadcast,
            messages: Vec::new(),
            skipped: Vec::new(),
        },
        touches: Vec::new(),
        messages: Vec::new(),
        events: Vec::new(),
        work: Vec::new(),
        addresses: Vec::new(),
    };
    let mut taken = HashSet::new();
    for referrer in recipients {
        add_touch(&mut draft, &frame, &known, &mut taken, referrer);
    }
    Ok(draft)
}

const fn lane(purpose: Purpose, is_list: bool) -> Lane {
    match (purpose, is_list) {
        (Purpose::Treatment, _) => Lane::Treatment,
        (_, false) => Lane::OneOff,
        (_, true) => Lane::Broadcast,
    }
}

async fn read_known(tx: &mut Tx, recipients: &[Referrer], via: &[Channel]) -> Result<Known, StoreError> {
    let addresses: Vec<Address> =
        recipients.iter().flat_map(|referrer| via.iter().filter_map(|channel| referrer.address(*channel))).collect();
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

/// One referrer's touch with a message for each channel that can be used.
fn add_touch(draft: &mut Draft, frame: &Frame<'_>, known: &Known, taken: &mut HashSet<Address>, referrer: &Referrer) {
    let touch = TouchId::new();
    let first = draft.messages.len();
    for channel in &frame.request.via {
        let Some(address) = referrer.address(*channel) else {
            skip(draft, referrer, Some(*channel), format!("no {channel} address"));
            continue;
        };
        if frame.broadcast.is_some() && !taken.insert(address.clone()) {
            skip(
                draft,
                referrer,
                Some(*channel),
                format!("shares the {channel} address of an earlier recipient: one copy goes there"),
            );
            continue;
        }
        add_message(draft, frame, known, touch, referrer, &address);
    }
    let statuses: Vec<MessageStatus> = draft.messages[first..].iter().map(|message| message.status).collect();
    if statuses.is_empty() {
        return;
    }
    draft.touches.push(Touch {
        id: touch,
        referrer_id: referrer.id,
        submission_id: Some(frame.submission),
        broadcast_id: frame.broadcast,
        kind: TouchKind::Letter,
        letter: Some(frame.letter.name.clone()),
        title: frame.letter.title.clone(),
        category: Some(frame.letter.category.to_string()),
        disposition: disposition(&statuses),
        occurred_ms: frame.due,
        delivered_ms: None,
        actor: frame.request.who.clone(),
        notes: None,
    });
}

fn skip(draft: &mut Draft, referrer: &Referrer, channel: Option<Channel>, why: String) {
    draft.accepted.skipped.push(Skipped { referrer: referrer.id, name: referrer.display_name(), channel, why });
}

fn add_message(
    draft: &mut Draft,
    frame: &Frame<'_>,
    known: &Known,
    touch: TouchId,
    referrer: &Referrer,
    address: &Address,
) {
    let (status, reason) = verdict(frame, known, referrer, address);
    let message = Message {
        id: MessageId::new(),
        touch_id: touch,
        submission_id: frame.submission,
        broadcast_id: frame.broadcast,
        referrer_id: referrer.id,
        channel: address.channel(),
        address: address.as_str().to_owned(),
        lane: frame.lane,
        letter: frame.letter.name.clone(),
        purpose: frame.letter.purpose,
        phi: frame.letter.phi,
        variables: frame.variables.clone(),
        status,
        reason: reason.clone(),
        confidence: None,
        due_ms: frame.due,
        give_up_ms: frame.due.after(frame.parts.give_up),
        tries: 0,
        dials: 0,
        document_hash: None,
        pages: None,
        created_ms: frame.now,
        updated_ms: frame.now,
        settled_ms: status.is_terminal().then_some(frame.now),
    };
    let event = Event::new(message.id, status.as_str(), EventSource::Operator, &frame.request.who, frame.now);
    draft.events.push(Event { detail: reason.clone(), ..event });
    draft.addresses.push((address.channel(), address.key()));
    if status == MessageStatus::Queued {
        draft.work.push(settle::work(&message, SUBMIT, frame.due));
    }
    draft.accepted.messages.push(AcceptedMessage {
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
fn verdict(
    frame: &Frame<'_>,
    known: &Known,
    referrer: &Referrer,
    address: &Address,
) -> (MessageStatus, Option<String>) {
    let key = (address.channel(), address.key());
    let facts = Facts {
        purpose: frame.letter.purpose,
        phi: frame.letter.phi,
        channel: address.channel(),
        lane: frame.lane,
        released: false,
        referrer: referrer.state,
        health: known.health.get(&key).copied().unwrap_or(Health::Unverified),
        refusals: known.refusals.get(&key).map_or(&[], Vec::as_slice),
        bases: known.bases.get(address.as_str()).map_or(&[], Vec::as_slice),
        permission_only: frame.parts.permission_only,
        baa: frame.parts.accounts.route(address.channel(), frame.letter.phi).next().is_some(),
        number_busy: false,
    };
    match policy::decide(&facts) {
        Verdict::Allow | Verdict::Defer(..) => (MessageStatus::Queued, None),
        Verdict::Hold(reason) => (MessageStatus::Held, Some(reason.as_str().to_owned())),
        Verdict::Deny(reason) => (MessageStatus::Suppressed, Some(reason.as_str().to_owned())),
    }
}
