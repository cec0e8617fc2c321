//! From recipients to touches and messages, with policy's verdict on each before anything is queued: pure, but for storing
//! the draft.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::answer::{AcceptedMessage, SkipReason, Skipped};
use super::repeat::{Guard, History};
use super::request::{self, Content, Request};
use super::{IntakeError, Parts};
use crate::accounts::routes::Parcel;
use crate::consent::facts::{AddressFacts, Circumstances, Subject};
use crate::domain::event::EventSource;
use crate::domain::id::{BroadcastId, MessageId, ReferrerId, SubmissionId, TouchId};
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::domain::touch::{Touch, TouchKind, disposition};
use crate::domain::{
    Actor, Address, AddressKey, Channel, Lane, MessageStatus, PolicyReason, Purpose, Reason, Timestamp,
};
use crate::policy::zones::Zones;
use crate::policy::{self, Verdict};
use crate::queue::{self, Work};
use crate::render::Letter;
use crate::settle::{self, SUBMIT};
use crate::store::records::events::Event;
use crate::store::{StoreError, Tx};

/// What a submission, or a portion of a list, produces.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub said: Vec<AcceptedMessage>,
    pub skipped: Vec<Skipped>,
    pub touches: Vec<Touch>,
    pub messages: Vec<Message>,
    pub events: Vec<Event>,
    pub work: Vec<Work>,
    pub addresses: Vec<AddressKey>,
}

impl Draft {
    /// Appends another draft.
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

/// What all messages of a submission share, and what single recipients get instead.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub submission: SubmissionId,
    pub broadcast: Option<BroadcastId>,
    pub letter: Arc<str>,
    pub via: Vec<Channel>,
    /// JSON object.
    pub variables: String,
    pub individually: BTreeMap<ReferrerId, Content>,
    pub who: Actor,
    pub lane: Lane,
    /// When it is to go out, its undo window aside.
    pub due: Timestamp,
    /// Until when it can be withdrawn.
    pub undo_until: Option<Timestamp>,
    /// None: a list recorded by a version that knew no guard.
    pub guard: Option<Guard>,
    /// When a person decided that it goes at any hour.
    pub any_hour: Option<Timestamp>,
    /// A list that was recorded before the records were restored: what happened to it since may be lost, so all of it
    /// needs a person.
    pub from_before_a_restore: bool,
}

impl Frame {
    /// For a request that is new.
    pub(super) fn of(parts: &Parts, request: &Request) -> Result<Self, IntakeError> {
        let letter = request::letter(parts, &request.letter)?;
        let now = parts.clock.now();
        Ok(Self {
            submission: SubmissionId::new(),
            broadcast: request.makes_a_broadcast().then(BroadcastId::new),
            letter: letter.name.as_str().into(),
            via: request.via.clone(),
            variables: Value::Object(request.variables.clone()).to_string(),
            individually: request.individually.clone(),
            who: request.who.clone(),
            lane: lane(letter.purpose, request.to.is_list()),
            due: request.due(now),
            undo_until: request.undo_window(parts).map(|window| now.after(window)),
            guard: Some(Guard::of(request)),
            any_hour: request.now.then_some(now),
            from_before_a_restore: false,
        })
    }
}

impl Frame {
    /// No provider is called before this moment.
    fn send_from(&self) -> Timestamp {
        self.undo_until.map_or(self.due, |until| until.max(self.due))
    }

    /// One recipient's letter with its variables, JSON.
    pub(super) fn written_for(&self, referrer: ReferrerId) -> (&str, Cow<'_, str>) {
        match self.individually.get(&referrer) {
            None => (&*self.letter, Cow::Borrowed(self.variables.as_str())),
            Some(own) => (own.letter.as_str(), Cow::Owned(Value::Object(own.variables.clone()).to_string())),
        }
    }
}

/// The keys of all the recipients' addresses.
pub(super) fn keys(recipients: &[Referrer]) -> Vec<AddressKey> {
    let of = |referrer: &Referrer| -> Vec<Address> {
        Channel::ALL.iter().filter_map(|channel| referrer.address(*channel)).collect()
    };
    recipients.iter().flat_map(of).map(|address| address.key()).collect()
}

/// Makes the draft for these recipients; stores nothing. `taken` are the addresses that the list has already used.
pub(super) fn plan(
    parts: &Parts,
    frame: &Frame,
    facts: &AddressFacts,
    history: &History,
    taken: &mut HashSet<AddressKey>,
    recipients: &[Referrer],
) -> Result<Draft, IntakeError> {
    let planner = Planner { parts, frame, facts, history, now: parts.clock.now(), closed: RefCell::default() };
    let mut draft = Draft::default();
    for referrer in recipients {
        planner.add_touch(&mut draft, taken, referrer)?;
    }
    Ok(draft)
}

/// Everything that is consulted while a draft is made.
struct Planner<'a> {
    parts: &'a Parts,
    frame: &'a Frame,
    facts: &'a AddressFacts,
    history: &'a History,
    now: Timestamp,
    /// Until when offices in these zones are closed; a list has few.
    closed: RefCell<HashMap<Zones, Option<Timestamp>>>,
}

/// One recipient's letter with its variables, JSON.
struct Written<'a> {
    letter: &'a Letter,
    variables: Cow<'a, str>,
}

/// How a message begins.
struct Planned {
    status: MessageStatus,
    reason: Option<Reason>,
    /// The first moment at which it may go.
    due: Timestamp,
}

const fn lane(purpose: Purpose, is_list: bool) -> Lane {
    match (purpose, is_list) {
        (Purpose::Treatment, _) => Lane::Treatment,
        (_, false) => Lane::OneOff,
        (_, true) => Lane::Broadcast,
    }
}

impl Planner<'_> {
    fn written_for(&self, referrer: ReferrerId) -> Result<Written<'_>, IntakeError> {
        let (letter, variables) = self.frame.written_for(referrer);
        Ok(Written { letter: request::letter(self.parts, letter)?, variables })
    }

    /// One referrer's touch with a message for each channel that can be used.
    fn add_touch(
        &self,
        draft: &mut Draft,
        taken: &mut HashSet<AddressKey>,
        referrer: &Referrer,
    ) -> Result<(), IntakeError> {
        let written = self.written_for(referrer.id)?;
        let repeat = self.history.repeat_of(self.frame, written.letter, referrer.id, &written.variables);
        let again = self.frame.guard.is_some_and(|guard| guard.again);
        if let Some(repeat) = repeat.as_ref().filter(|_| !again) {
            taken.extend(repeat.addresses.iter().cloned());
            let why = repeat.why(written.letter, self.parts.renderer.practice().time_zone);
            skip(draft, referrer, None, SkipReason::Repeat, why);
            return Ok(());
        }
        let touch = TouchId::new();
        let first = draft.messages.len();
        for channel in &self.frame.via {
            let Some(address) = referrer.address(*channel) else {
                skip(draft, referrer, Some(*channel), SkipReason::NoAddress, format!("no {channel} address"));
                continue;
            };
            if let Some(characters) = self.unprintable_name(referrer, *channel) {
                let why = format!(
                    "a fax cannot print {characters} in the name or organization: write it in Latin letters to fax it"
                );
                skip(draft, referrer, Some(*channel), SkipReason::UnprintableName, why);
                continue;
            }
            if self.frame.broadcast.is_some() && !taken.insert(address.key()) {
                let why = format!("shares the {channel} address of an earlier recipient: one copy is sent there");
                skip(draft, referrer, Some(*channel), SkipReason::SharedAddress, why);
                continue;
            }
            self.add_message(draft, touch, referrer, address, &written);
        }
        let made = &draft.messages[first..];
        let statuses: Vec<MessageStatus> = made.iter().map(|message| message.status).collect();
        let Some(occurred_ms) = made.iter().map(|message| message.due_ms).min() else { return Ok(()) };
        draft.touches.push(Touch {
            id: touch,
            referrer_id: referrer.id,
            submission_id: Some(self.frame.submission),
            broadcast_id: self.frame.broadcast,
            kind: TouchKind::Letter,
            letter: Some(written.letter.name.clone()),
            title: written.letter.title.clone(),
            category: Some(written.letter.category.to_string()),
            disposition: disposition(&statuses),
            occurred_ms,
            delivered_ms: None,
            actor: self.frame.who.clone(),
            repeat_of: repeat.map(|repeat| repeat.earlier.touch_id),
            notes: None,
        });
        Ok(())
    }

    /// What a fax cannot print of the name of a recipient of a list, who is left out of it. A single letter is refused before.
    fn unprintable_name(&self, referrer: &Referrer, channel: Channel) -> Option<String> {
        let is_faxed_to_a_list = channel == Channel::Fax && self.frame.broadcast.is_some();
        is_faxed_to_a_list.then(|| self.parts.renderer.unprintable_in_name(referrer)).flatten()
    }

    fn add_message(
        &self,
        draft: &mut Draft,
        touch: TouchId,
        referrer: &Referrer,
        address: Address,
        written: &Written<'_>,
    ) {
        let Planned { status, reason, due } = self.verdict(referrer, &address, written.letter);
        let message = Message {
            id: MessageId::new(),
            touch_id: touch,
            submission_id: self.frame.submission,
            broadcast_id: self.frame.broadcast,
            referrer_id: referrer.id,
            address,
            lane: self.frame.lane,
            letter: written.letter.name.clone(),
            purpose: written.letter.purpose,
            phi: written.letter.phi,
            variables: written.variables.clone().into_owned(),
            status,
            reason,
            released_ms: None,
            any_hour_ms: self.frame.any_hour.filter(|_| status == MessageStatus::Queued),
            confidence: None,
            due_ms: due,
            give_up_ms: due.after(self.parts.give_up),
            tries: 0,
            dials: 0,
            document_hash: None,
            pages: None,
            created_ms: self.now,
            updated_ms: self.now,
            settled_ms: status.is_terminal().then_some(self.now),
        };
        let event = Event::new(message.id, status.into(), EventSource::Operator, &self.frame.who, self.now);
        draft.events.push(Event { reason, ..event });
        draft.addresses.push(message.address.key());
        if status == MessageStatus::Queued {
            draft.work.push(settle::work(&message, self.parts.accounts.domains(), SUBMIT, due));
        }
        draft.said.push(AcceptedMessage {
            id: message.id,
            touch,
            referrer: referrer.id,
            name: referrer.display_name(),
            channel: message.channel(),
            status,
            reason,
            waits_until: message.waits_until(),
        });
        draft.messages.push(message);
    }

    /// Until when the recipient's office is closed at the earliest moment of the submission.
    fn closed_until(&self, referrer: &Referrer, address: &Address) -> Option<Timestamp> {
        let zones = Zones::of(referrer, address);
        let look = || self.parts.hours.closed_until(self.frame.send_from(), zones);
        *self.closed.borrow_mut().entry(zones).or_insert_with(look)
    }

    /// Policy's preview. The gate decides again with the facts of that moment; what is already refused is never queued.
    fn verdict(&self, referrer: &Referrer, address: &Address, letter: &Letter) -> Planned {
        let (purpose, phi, due) = (letter.purpose, letter.phi, self.frame.send_from());
        let any_hour = self.frame.any_hour.is_some();
        let carriers =
            self.parts.accounts.carriers(&Parcel { key: self.parts.accounts.key(address, purpose, phi), pages: None });
        let subject = Subject {
            address,
            purpose,
            phi,
            lane: self.frame.lane,
            released: false,
            any_hour,
            referrer: referrer.state,
            refuses_channel: referrer.refuses(address.channel()),
        };
        let circumstances = Circumstances {
            permission_only: self.parts.permission_only,
            routed: carriers.routed,
            baa: carriers.baa,
            number_busy: false,
            now: due,
            closed_until: policy::keeps_office_hours(purpose).then(|| self.closed_until(referrer, address)).flatten(),
        };
        let planned =
            |status, reason: Option<PolicyReason>, due| Planned { status, reason: reason.map(Reason::Policy), due };
        match policy::decide(&self.facts.of(&subject, circumstances)) {
            Verdict::Allow | Verdict::Defer(..) if self.frame.from_before_a_restore => {
                planned(MessageStatus::Held, Some(PolicyReason::Restored), due)
            }
            Verdict::Allow => planned(MessageStatus::Queued, None, due),
            Verdict::Defer(reason, until) => planned(MessageStatus::Queued, Some(reason), until),
            Verdict::Hold(reason) => planned(MessageStatus::Held, Some(reason), due),
            Verdict::Deny(reason) => planned(MessageStatus::Suppressed, Some(reason), due),
        }
    }
}

fn skip(draft: &mut Draft, referrer: &Referrer, channel: Option<Channel>, reason: SkipReason, why: String) {
    let (id, name) = (referrer.id, referrer.display_name());
    draft.skipped.push(Skipped { referrer: id, name, channel, reason: Some(reason), why });
}

/// Stores a draft with all its parts, and puts what is to be sent on the queue.
pub(super) async fn keep(tx: &mut Tx, draft: &Draft, now: Timestamp) -> Result<(), StoreError> {
    tx.addresses_ensure(&draft.addresses, now).await?;
    tx.touches_insert(&draft.touches).await?;
    tx.messages_insert(&draft.messages).await?;
    tx.events_insert(&draft.events).await?;
    queue::put(tx, &draft.work, now).await
}
