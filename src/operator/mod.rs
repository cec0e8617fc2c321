//! What a person may do with a message: retry, hold, release, cancel, decide a doubt. Every act is recorded with who did it.

use std::sync::Arc;
use std::time::Duration;

use crate::accounts::Accounts;
use crate::domain::attempt::{AttemptStatus, ProviderReference};
use crate::domain::event::EventSource;
use crate::domain::health::{AddressHealth, Health};
use crate::domain::id::MessageId;
use crate::domain::message::Message;
use crate::domain::{Clock, MessageStatus, Timestamp};
use crate::policy::Reason;
use crate::queue::Queue;
use crate::settle::{self, News, Rules, Told};
use crate::store::records::events::Event;
use crate::store::{Store, StoreError, Tx};

/// What a person's acts need.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// This node's end of the queue, to wake it.
    pub queue: Arc<Queue>,
    /// The provider accounts, to ask one of them to stop.
    pub accounts: Arc<Accounts>,
    /// What follows from what.
    pub rules: Arc<Rules>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long a message is tried, from a retry or release on.
    pub give_up: Duration,
}

/// Why an act was not carried out. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// There is no such message.
    #[error("{0}")]
    NotFound(String),
    /// The message is in a state that does not allow it: which, and why.
    #[error("{0}")]
    WrongState(String),
    /// The database cannot do it now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a person does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Send a message that ended without arriving once more, to the referrer's present address.
    Retry,
    /// Park a message that waits.
    Hold,
    /// Let a parked message go.
    Release,
    /// Withdraw a message that was not handed over yet, or ask the provider to stop.
    Cancel,
    /// A message in doubt was sent.
    MarkSent,
    /// A message in doubt was not sent: it goes out again.
    MarkNotSent,
}

impl Act {
    /// The word for the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Cancel => "cancel",
            Self::MarkSent => "mark_sent",
            Self::MarkNotSent => "mark_not_sent",
        }
    }
}

/// Carries out an act and answers the message as it stands afterwards.
///
/// # Errors
/// [`OperatorError::NotFound`], or [`OperatorError::WrongState`] saying why the message does not allow it.
pub async fn act(parts: &Parts, id: MessageId, act: Act, who: &str) -> Result<Message, OperatorError> {
    if act == Act::Cancel
        && let Some(stopped) = ask_provider_to_stop(parts, id, who).await?
    {
        return Ok(stopped);
    }
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let mut message = locked(&mut tx, id).await?;
    match act {
        Act::Retry => retry(&mut tx, parts, &mut message, who, now).await?,
        Act::Hold => hold(&mut tx, &mut message, who, now).await?,
        Act::Release => release(&mut tx, parts, &mut message, who, now).await?,
        Act::Cancel => cancel(&mut tx, &mut message, who, now).await?,
        Act::MarkSent => decide_doubt(&mut tx, parts, &mut message, &News::SaidSent, who, now).await?,
        Act::MarkNotSent => decide_doubt(&mut tx, parts, &mut message, &News::SaidNotSent, who, now).await?,
    }
    tx.audit(who, act.as_str(), Some(&id.to_string()), None, now).await?;
    tx.commit().await?;
    parts.queue.wake();
    Ok(message)
}

/// Takes the locks in the order that everybody takes them.
async fn locked(tx: &mut Tx, id: MessageId) -> Result<Message, OperatorError> {
    let unknown = || OperatorError::NotFound(format!("there is no message {id}"));
    let peek = tx.message(id, false).await?.ok_or_else(unknown)?;
    tx.addresses_lock(&[peek.address.to_lowercase()]).await?;
    tx.message(id, true).await?.ok_or_else(unknown)
}

async fn retry(
    tx: &mut Tx,
    parts: &Parts,
    message: &mut Message,
    who: &str,
    now: Timestamp,
) -> Result<(), OperatorError> {
    if !message.status.may_be_retried() {
        return Err(wrong_state(message, "only a message that ended without arriving can be retried"));
    }
    let referrer = tx.referrer(message.referrer_id).await?;
    let address = referrer.and_then(|referrer| referrer.address(message.channel)).ok_or_else(|| {
        OperatorError::WrongState(format!(
            "the referrer has no {} address any more: add one, then retry",
            message.channel
        ))
    })?;
    address.as_str().clone_into(&mut message.address);
    tx.addresses_ensure(&[(message.channel, address.key())], now).await?;
    let fresh = AddressHealth {
        channel: message.channel,
        value: address.key(),
        health: Health::Unverified,
        strikes: 0,
        fault: None,
    };
    tx.addresses_learn(&[fresh], now).await?;
    message.tries = 0;
    if let Some(broadcast) = message.broadcast_id {
        tx.broadcast_reopen(broadcast).await?;
    }
    requeue(tx, parts, message, now).await?;
    record(tx, message, "retried", who, now).await
}

/// Back on the queue, due now, with a fresh time to give up. A release by a person stands as the reason until it goes.
async fn requeue(tx: &mut Tx, parts: &Parts, message: &mut Message, now: Timestamp) -> Result<(), OperatorError> {
    message.status = MessageStatus::Queued;
    message.reason = Some(Reason::Released.as_str().to_owned());
    message.settled_ms = None;
    message.confidence = None;
    message.due_ms = if message.due_ms > now { message.due_ms } else { now };
    message.give_up_ms = message.due_ms.after(parts.give_up);
    settle::put_on_queue(tx, message, now).await?;
    Ok(())
}

async fn hold(tx: &mut Tx, message: &mut Message, who: &str, now: Timestamp) -> Result<(), OperatorError> {
    if message.status != MessageStatus::Queued || has_open_attempt(tx, message.id).await? {
        return Err(wrong_state(message, "only a message that waits can be put on hold"));
    }
    message.status = MessageStatus::Held;
    message.reason = Some(Reason::HeldByOperator.as_str().to_owned());
    tx.queue_remove(message.id.0).await?;
    record(tx, message, "held", who, now).await
}

async fn release(
    tx: &mut Tx,
    parts: &Parts,
    message: &mut Message,
    who: &str,
    now: Timestamp,
) -> Result<(), OperatorError> {
    if message.status != MessageStatus::Held {
        return Err(wrong_state(message, "only a message on hold can be released"));
    }
    requeue(tx, parts, message, now).await?;
    record(tx, message, "released", who, now).await
}

async fn cancel(tx: &mut Tx, message: &mut Message, who: &str, now: Timestamp) -> Result<(), OperatorError> {
    let waiting = matches!(message.status, MessageStatus::Queued | MessageStatus::Held);
    if !waiting || has_open_attempt(tx, message.id).await? {
        return Err(wrong_state(message, "it was handed over already, or has ended"));
    }
    let told = Told::by_operator(who);
    let reason = Reason::CancelledByOperator.as_str();
    settle::end_message(tx, message, MessageStatus::Cancelled, reason, &told, now).await?;
    Ok(())
}

/// A person decides what became of a message in doubt.
async fn decide_doubt(
    tx: &mut Tx,
    parts: &Parts,
    message: &mut Message,
    news: &News,
    who: &str,
    now: Timestamp,
) -> Result<(), OperatorError> {
    let open = tx.attempts_open(&[message.id]).await?.pop();
    let Some(attempt) = open.filter(|attempt| attempt.status == AttemptStatus::InDoubt) else {
        return Err(wrong_state(message, "only a message in doubt can be decided"));
    };
    if *news == News::SaidNotSent {
        // It goes out again, whatever was tried before and however long the decision took.
        message.tries = 0;
        let give_up = now.after(parts.give_up);
        message.give_up_ms = message.give_up_ms.max(give_up);
        tx.message_update(message).await?;
    }
    let told = Told::by_operator(who);
    if let Some(after) = settle::learn(tx, &parts.rules, attempt.id, news, &told, now).await? {
        *message = after;
    }
    Ok(())
}

/// A message that a provider has accepted can only be stopped there. `None`: there is nothing to stop.
async fn ask_provider_to_stop(parts: &Parts, id: MessageId, who: &str) -> Result<Option<Message>, OperatorError> {
    let mut tx = parts.store.read().await?;
    let message = tx.message(id, false).await?;
    let open = tx.attempts_open(&[id]).await?.pop();
    drop(tx);
    let (Some(message), Some(attempt)) = (message, open) else { return Ok(None) };
    let reference = attempt.provider_reference.as_deref().and_then(ProviderReference::new);
    let account = parts.accounts.get(&attempt.provider).filter(|account| account.capabilities().cancel);
    let (Some(reference), Some(account)) = (reference, account) else {
        return Err(wrong_state(&message, "it was handed over and this provider cannot stop it"));
    };
    account.layered.cancel(&reference).await.map_err(|failure| {
        OperatorError::WrongState(format!("the provider could not stop it: {}", failure.fault.explain()))
    })?;
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let event = Event::new(id, "cancel_asked", EventSource::Operator, who, now);
    tx.events_insert(&[Event { attempt_id: Some(attempt.id), ..event }]).await?;
    tx.audit(who, Act::Cancel.as_str(), Some(&id.to_string()), Some("asked the provider to stop"), now).await?;
    tx.queue_hasten(id.0, now).await?;
    tx.commit().await?;
    parts.queue.wake();
    Ok(Some(message))
}

async fn has_open_attempt(tx: &mut Tx, id: MessageId) -> Result<bool, OperatorError> {
    Ok(!tx.attempts_open(&[id]).await?.is_empty())
}

async fn record(
    tx: &mut Tx,
    message: &mut Message,
    kind: &str,
    who: &str,
    now: Timestamp,
) -> Result<(), OperatorError> {
    message.updated_ms = now;
    tx.message_update(message).await?;
    tx.events_insert(&[Event::new(message.id, kind, EventSource::Operator, who, now)]).await?;
    settle::touch_of(tx, message, now).await?;
    Ok(())
}

fn wrong_state(message: &Message, why: &str) -> OperatorError {
    OperatorError::WrongState(format!("the message is {}: {why}", message.status.as_str().replace('_', " ")))
}
