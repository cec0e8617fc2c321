//! The gate: one short transaction in which everything is checked again and the attempt is recorded. Only after its
//! commit may the provider be called.

use std::sync::Arc;
use std::time::Instant;

use super::Parts;
use super::choice::{Choice, choose, parcel};
use super::domain_turns::Passenger;
use super::gate_facts::GateFacts;
use super::render::Prepared;
use crate::accounts::ConfiguredAccount;
use crate::accounts::layers::Layered;
use crate::accounts::routes::Parcel;
use crate::domain::attempt::{Attempt, AttemptStatus};
use crate::domain::envelope::Envelope;
use crate::domain::id::AttemptId;
use crate::domain::message::Message;
use crate::domain::provider_state::Meter;
use crate::domain::transport::TransportNote;
use crate::domain::{Channel, Lane, MessageStatus, OperatorReason, PolicyReason, Reason, Rule, Timestamp};
use crate::policy::{self, Verdict};
use crate::queue::Lease;
use crate::settle::{self, Origin};
use crate::store::engine::batch::Batcher;
use crate::store::records::documents::Document;
use crate::store::{StoreError, Tx};

/// A call that may be made now: its attempt is on record.
#[derive(Debug)]
pub(super) struct Call {
    pub attempt: AttemptId,
    /// When the attempt was written, by the records' clock and by the machine's monotonic one.
    pub opened: (Timestamp, Instant),
    pub account: String,
    pub layered: Layered,
    pub envelope: Arc<Envelope>,
    /// Held until the answer is recorded, so that a slow call is not taken for a dead worker.
    pub lease: Lease,
}

/// The gate of one node.
#[derive(Debug)]
pub(super) struct Gate {
    batcher: Batcher<Prepared, Option<Call>>,
}

impl Gate {
    pub(super) fn start(parts: Parts) -> Self {
        let parts = Arc::new(parts);
        Self { batcher: Batcher::start(move |items| pass_all(parts.clone(), items)) }
    }

    /// Lets one message through, or deals with it otherwise and answers `None`.
    pub(super) async fn pass(&self, prepared: Prepared) -> Result<Option<Call>, StoreError> {
        self.batcher.ask(prepared).await
    }
}

/// What is to be done with one message, decided inside the transaction.
enum Step {
    /// No longer ours, or not in a state to be sent.
    Drop,
    Go(Box<ConfiguredAccount>),
    /// Deferred until then; why, if it is worth saying.
    Defer(Option<PolicyReason>, Timestamp),
    /// The recipient's office is closed until then.
    Closed(Timestamp),
    Hold(PolicyReason),
    End(MessageStatus, Reason),
}

async fn pass_all(parts: Arc<Parts>, items: Vec<Prepared>) -> Result<Vec<Option<Call>>, StoreError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let mut facts = GateFacts::read(&mut tx, &parts, &items, now).await?;
    let mut opened = Opened::default();
    let mut calls = Vec::with_capacity(items.len());
    for item in items {
        let step = decide(&parts, &mut tx, &mut facts, &item, now).await?;
        let Some(message) = facts.messages.remove(&item.message.id) else {
            calls.push(None);
            continue;
        };
        if let Step::Go(account) = step {
            let number = facts.numbers.get(&message.id).copied().unwrap_or(0) + 1;
            calls.push(opened.open(&account, item, number, now));
        } else {
            carry_out(&mut tx, message, &item, step, now).await?;
            calls.push(None);
        }
    }
    tx.documents_put(&opened.documents, now).await?;
    tx.attempts_insert(&opened.attempts).await?;
    facts.write_meters(&mut tx, now).await?;
    tx.commit().await?;
    Ok(calls)
}

/// The attempts of one transaction, with the documents to store.
#[derive(Default)]
struct Opened {
    attempts: Vec<Attempt>,
    documents: Vec<Document>,
}

impl Opened {
    /// Opens an attempt. The message itself stays as it is until the provider has answered.
    fn open(&mut self, account: &ConfiguredAccount, item: Prepared, number: i64, now: Timestamp) -> Option<Call> {
        let Prepared { claimed, message, document, content, pages } = item;
        let to = message.address.clone();
        let attempt = attempt(&message, account.layered.name(), &document.hash, pages, number, now);
        let envelope = Envelope {
            attempt: attempt.id,
            to,
            content,
            purpose: message.purpose,
            phi: message.phi,
            transport: TransportNote::default(),
        };
        let call = Call {
            attempt: attempt.id,
            opened: (now, Instant::now()),
            account: attempt.provider.clone(),
            layered: account.layered.clone(),
            envelope: Arc::new(envelope),
            lease: claimed,
        };
        self.attempts.push(attempt);
        self.documents.push(document);
        Some(call)
    }
}

fn attempt(message: &Message, provider: &str, hash: &str, pages: u32, number: i64, now: Timestamp) -> Attempt {
    Attempt {
        id: AttemptId::new(),
        message_id: message.id,
        number,
        provider: provider.to_owned(),
        status: AttemptStatus::Calling,
        provider_reference: None,
        fault: None,
        raw_code: None,
        raw_text: None,
        pages_confirmed: None,
        document_hash: hash.to_owned(),
        pages: Some(i64::from(pages)),
        dialled: Some(message.address.clone()),
        billed_amount: None,
        billed_unit: None,
        tls_version: None,
        tls_cipher: None,
        tls_peer: None,
        opened_ms: now,
        answered_ms: None,
        settled_ms: None,
        looks: 0,
        doubt_deadline_ms: None,
    }
}

/// Everything that decides one hand-over.
async fn decide(
    parts: &Parts,
    tx: &mut Tx,
    facts: &mut GateFacts,
    item: &Prepared,
    now: Timestamp,
) -> Result<Step, StoreError> {
    let Some(message) = facts.messages.get(&item.message.id) else { return Ok(Step::Drop) };
    let ours = facts.held.contains(&item.claimed.id);
    if ours && message.status.is_terminal() {
        tx.queue_finish(item.claimed.id, item.claimed.fence).await?;
        return Ok(Step::Drop);
    }
    if !ours || message.status != MessageStatus::Queued || facts.open.contains(&message.id) {
        return Ok(Step::Drop);
    }
    if message.address != item.message.address {
        return Ok(Step::Defer(None, now));
    }
    let window = facts.windows.get(&message.submission_id);
    if window.is_some_and(|window| window.undone_ms.is_some()) {
        return Ok(Step::End(MessageStatus::Cancelled, OperatorReason::Withdrawn.into()));
    }
    let parcel = parcel(&parts.accounts, message, Some(item.pages));
    let state_of = |name: &str| facts.states.get(name);
    let waits_for_account =
        matches!(choose(&parts.accounts, &parcel, state_of, now), Choice::Wait(reason, _) if reason.is_for_account());
    if now >= message.give_up_ms && !waits_for_account {
        return Ok(Step::End(MessageStatus::Expired, PolicyReason::GaveUp.into()));
    }
    if let Some(until) = window.and_then(|window| window.undo_until_ms)
        && policy::undo::holds_back(Some(until), now)
    {
        return Ok(Step::Defer(Some(PolicyReason::UndoWindow), until));
    }
    if message.due_ms > now {
        return Ok(Step::Defer(message.waits_until().map(|_| PolicyReason::OutsideOfficeHours), message.due_ms));
    }
    let carriers = parts.accounts.carriers(&parcel);
    let number_busy = message.channel() == Channel::Fax && facts.busy.contains(&message.address.key());
    let verdict = policy::decide(&facts.of(message, &parts.settings, carriers, number_busy, now));
    if verdict == Verdict::Allow
        && let Some(step) = automatic_wait(facts, message)
    {
        return Ok(step);
    }
    Ok(match verdict {
        Verdict::Deny(reason) => Step::End(MessageStatus::Suppressed, reason.into()),
        Verdict::Hold(reason) => Step::Hold(reason),
        Verdict::Defer(PolicyReason::OutsideOfficeHours, until) => Step::Closed(until),
        Verdict::Defer(reason, until) => Step::Defer(Some(reason), until),
        Verdict::Allow => {
            let (step, meter) = permit(parts, facts, &parcel, now);
            if let (Step::Go(account), Some(meter)) = (&step, meter) {
                let number = (message.channel() == Channel::Fax).then(|| message.address.key());
                if let Some((reason, until)) = facts.turns.take(account, Passenger::of(message), now) {
                    return Ok(Step::Defer(Some(reason), until));
                }
                facts.busy.extend(number);
                facts.draw(account.layered.name(), *meter);
            }
            step
        }
    })
}

/// Why an automatic letter waits that the rules allow: its broadcast is paused, or the referrer is away. What a person released goes.
fn automatic_wait(facts: &GateFacts, message: &Message) -> Option<Step> {
    if message.lane != Lane::Broadcast || message.released_ms.is_some() {
        return None;
    }
    if message.broadcast_id.is_some_and(|broadcast| facts.paused.contains(&broadcast)) {
        return Some(Step::Hold(PolicyReason::BroadcastPaused));
    }
    let until = facts.away.get(&message.referrer_id).filter(|_| message.purpose.is_outreach())?;
    Some(Step::Defer(Some(PolicyReason::ReferrerAway), *until))
}

/// The first account on the route that can take it, with what that uses of its rate, quotas and budget.
fn permit(parts: &Parts, facts: &GateFacts, parcel: &Parcel, now: Timestamp) -> (Step, Option<Box<Meter>>) {
    match choose(&parts.accounts, parcel, |name| facts.states.get(name), now) {
        Choice::Take(account, meter) => (Step::Go(Box::new(account.clone())), Some(meter)),
        Choice::Wait(reason, wait) => (Step::Defer(Some(reason), now.after(wait)), None),
        Choice::TooDear => (Step::Hold(PolicyReason::BeyondBudget), None),
        Choice::Nobody => (Step::Hold(PolicyReason::NoRoute), None),
    }
}

/// Everything but sending: deferred, held, ended. None of it costs a try.
async fn carry_out(
    tx: &mut Tx,
    mut message: Message,
    item: &Prepared,
    step: Step,
    now: Timestamp,
) -> Result<(), StoreError> {
    let origin = Origin::rule(Rule::Gate);
    let claim = (item.claimed.id, item.claimed.fence);
    match step {
        Step::Drop | Step::Go(_) => Ok(()),
        Step::Defer(reason, due) => settle::defer(tx, &mut message, claim, reason, due, now).await,
        Step::Closed(until) => settle::wait_for_office_hours(tx, &mut message, claim, until, now).await,
        Step::Hold(reason) => settle::hold(tx, &mut [message], reason.into(), &origin, now).await,
        Step::End(status, reason) => settle::end(tx, &mut [message], status, reason, &origin, now).await,
    }
}
