//! The gate: one short transaction in which everything is looked at once more and the attempt is recorded. Only after
//! its commit may the provider be called.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::Parts;
use super::batch::Batcher;
use super::gate_facts::GateFacts;
use super::render::Prepared;
use crate::domain::attempt::{Attempt, AttemptStatus};
use crate::domain::envelope::{Content, Envelope};
use crate::domain::id::AttemptId;
use crate::domain::message::Message;
use crate::domain::{Channel, MessageStatus, Timestamp};
use crate::policy::{self, Reason, Verdict};
use crate::provider::accounts::ConfiguredAccount;
use crate::provider::layers::Layered;
use crate::queue::Lease;
use crate::settle::{self, SUBMIT, Told};
use crate::store::events::Event;
use crate::store::{StoreError, Tx};

/// How long a message waits when no account can take it.
const ACCOUNT_WAIT: Duration = Duration::from_secs(30);

/// A call that may be made now: its attempt is on record.
#[derive(Debug)]
pub(super) struct Call {
    pub attempt: AttemptId,
    /// When the attempt was recorded.
    pub opened: Timestamp,
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
    /// Not ours any more, or not in a state to be sent.
    Drop,
    Go(Box<ConfiguredAccount>),
    Defer(Reason, Timestamp),
    Hold(Reason),
    End(MessageStatus, Reason),
}

async fn pass_all(parts: Arc<Parts>, items: Vec<Prepared>) -> Result<Vec<Option<Call>>, StoreError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let mut facts = GateFacts::read(&mut tx, &items, now).await?;
    let mut numbers_taken = HashSet::new();
    let mut calls = Vec::with_capacity(items.len());
    let mut documents = Vec::new();
    let mut attempts = Vec::new();
    for item in items {
        let step = decide(&parts, &mut tx, &mut facts, &mut numbers_taken, &item, now).await?;
        let Some(message) = facts.messages.remove(&item.message.id) else {
            calls.push(None);
            continue;
        };
        match step {
            Step::Go(account) => {
                let number = facts.numbers.get(&message.id).copied().unwrap_or(0) + 1;
                attempts.push(open(&mut tx, message, &item, account.layered.name(), number, now).await?);
                let Prepared { claimed, message, document, content, .. } = item;
                calls.extend(attempts.last().map(|attempt| call(&account, attempt, &message, content, claimed)));
                documents.push(document);
            }
            other => {
                carry_out(&mut tx, message, &item, other, now).await?;
                calls.push(None);
            }
        }
    }
    tx.documents_put(&documents, now).await?;
    tx.attempts_insert(&attempts).await?;
    tx.commit().await?;
    Ok(calls)
}

/// Everything that speaks for or against one hand-over.
async fn decide(
    parts: &Parts,
    tx: &mut Tx,
    facts: &mut GateFacts,
    numbers_taken: &mut HashSet<String>,
    item: &Prepared,
    now: Timestamp,
) -> Result<Step, StoreError> {
    let Some(message) = facts.messages.get(&item.message.id) else { return Ok(Step::Drop) };
    let ours = tx.queue_holds(item.claimed.id, item.claimed.fence).await?;
    if ours && message.status.is_terminal() {
        tx.queue_finish(item.claimed.id, item.claimed.fence).await?;
        return Ok(Step::Drop);
    }
    if !ours || message.status != MessageStatus::Queued || facts.open.contains(&message.id) {
        return Ok(Step::Drop);
    }
    if message.address != item.message.address {
        return Ok(Step::Defer(Reason::Released, now));
    }
    if now >= message.give_up_ms {
        return Ok(Step::End(MessageStatus::Expired, Reason::GaveUp));
    }
    if message.due_ms > now {
        return Ok(Step::Defer(Reason::Released, message.due_ms));
    }
    let baa = parts.accounts.route(message.channel, message.phi).next().is_some();
    let number_busy = message.channel == Channel::Fax
        && (facts.busy.contains(&message.address) || numbers_taken.contains(&message.address));
    let verdict = policy::decide(&facts.of(message, parts.settings.permission_only, baa, number_busy));
    Ok(match verdict {
        Verdict::Deny(reason) => Step::End(MessageStatus::Suppressed, reason),
        Verdict::Hold(reason) => Step::Hold(reason),
        Verdict::Defer(reason, seconds) => Step::Defer(reason, now.after(Duration::from_secs(seconds))),
        Verdict::Allow => {
            let message = message.clone();
            let step = permit(parts, tx, facts, &message, now).await?;
            if matches!(step, Step::Go(_)) && message.channel == Channel::Fax {
                numbers_taken.insert(message.address);
            }
            step
        }
    })
}

/// The first account on the route that is neither paused nor resting, with a permit of its rate.
async fn permit(
    parts: &Parts,
    tx: &mut Tx,
    facts: &mut GateFacts,
    message: &Message,
    now: Timestamp,
) -> Result<Step, StoreError> {
    let mut wait = None;
    for account in parts.accounts.route(message.channel, message.phi) {
        let name = account.layered.name();
        let paused = facts.paused.contains(name);
        if paused || account.layered.breaker().open_until_ms > now {
            continue;
        }
        let arrival = arrival(tx, facts, account, now).await?;
        match account.permit(arrival, now) {
            Ok(next) => {
                if next != arrival {
                    tx.provider_arrival(name, next, now).await?;
                    facts.arrivals.insert(name.to_owned(), next);
                }
                return Ok(Step::Go(Box::new(account.clone())));
            }
            Err(later) => wait = Some(wait.map_or(later, |soonest: Duration| soonest.min(later))),
        }
    }
    Ok(match wait {
        Some(later) => Step::Defer(Reason::RateReached, now.after(later)),
        None => Step::Defer(Reason::ProviderPaused, now.after(ACCOUNT_WAIT)),
    })
}

/// Where an account's cell-rate limit stands. Its row is made by the first who needs it and locked like the others, so
/// that two nodes do not both find no row and both begin with a full burst.
async fn arrival(
    tx: &mut Tx,
    facts: &mut GateFacts,
    account: &ConfiguredAccount,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    let name = account.layered.name();
    if account.rate_per_minute.is_some() && !facts.arrivals.contains_key(name) {
        tx.provider_ensure(name, now).await?;
        facts.read_accounts(tx).await?;
    }
    Ok(facts.arrivals.get(name).copied().unwrap_or_default())
}

/// Records the attempt's document on its message and makes the attempt.
async fn open(
    tx: &mut Tx,
    mut message: Message,
    item: &Prepared,
    provider: &str,
    number: i64,
    now: Timestamp,
) -> Result<Attempt, StoreError> {
    message.document_hash = Some(item.document.hash.clone());
    message.pages = Some(i64::from(item.pages));
    message.reason = None;
    message.updated_ms = now;
    tx.message_update(&message).await?;
    Ok(Attempt {
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
        document_hash: item.document.hash.clone(),
        opened_ms: now,
        answered_ms: None,
        settled_ms: None,
        looks: 0,
        doubt_deadline_ms: None,
    })
}

fn call(
    account: &ConfiguredAccount,
    attempt: &Attempt,
    message: &Message,
    content: Content,
    lease: Lease,
) -> Option<Call> {
    let to = message.parsed_address().ok()?;
    let envelope = Envelope { attempt: attempt.id, to, content, purpose: message.purpose, phi: message.phi };
    Some(Call {
        attempt: attempt.id,
        opened: attempt.opened_ms,
        account: attempt.provider.clone(),
        layered: account.layered.clone(),
        envelope: Arc::new(envelope),
        lease,
    })
}

/// Everything but going: put off, held, ended. None of it costs a try.
async fn carry_out(
    tx: &mut Tx,
    mut message: Message,
    item: &Prepared,
    step: Step,
    now: Timestamp,
) -> Result<(), StoreError> {
    let told = Told::by_policy("gate");
    match step {
        Step::Drop | Step::Go(_) => Ok(()),
        Step::Defer(reason, due) => {
            // A person's release stands until it goes: putting it off must not send it back to where it was held.
            if message.reason.as_deref() != Some(Reason::Released.as_str()) {
                message.reason = Some(reason.as_str().to_owned()).filter(|_| reason != Reason::Released);
            }
            message.updated_ms = now;
            tx.message_update(&message).await?;
            tx.queue_snooze(item.claimed.id, item.claimed.fence, SUBMIT, due).await.map(|_| ())
        }
        Step::Hold(reason) => {
            message.status = MessageStatus::Held;
            message.reason = Some(reason.as_str().to_owned());
            message.updated_ms = now;
            tx.message_update(&message).await?;
            let event = Event::new(message.id, "held", told.source, &told.who, now);
            tx.events_insert(&[Event { detail: Some(reason.as_str().to_owned()), ..event }]).await?;
            settle::touch_of(tx, &message, now).await?;
            tx.queue_finish(item.claimed.id, item.claimed.fence).await.map(|_| ())
        }
        Step::End(status, reason) => settle::end_message(tx, &mut message, status, reason.as_str(), &told, now).await,
    }
}
