//! What a person may do with a message: retry, hold, release, cancel, decide a doubt, have a copy deleted; and with an address that counts as
//! dead ([`addresses`]), or with a broadcast that paused itself ([`broadcasts`]). Every act is recorded with who did it.

pub mod addresses;
pub mod broadcasts;

mod purge;
mod undo;

use std::sync::Arc;
use std::time::Duration;

use crate::accounts::Accounts;
use crate::domain::attempt::{AttemptStatus, ProviderReference};
use crate::domain::event::{EventKind, EventSource};
use crate::domain::fault::Failure;
use crate::domain::health::AddressHealth;
use crate::domain::id::MessageId;
use crate::domain::message::Message;
use crate::domain::{Actor, AuditAct, Clock, MessageStatus, OperatorReason, PolicyReason, Reason, Timestamp};
use crate::queue::Queue;
use crate::settle::{self, Evidence, Origin, Rules};
use crate::store::records::events::Event;
use crate::store::{Store, StoreError, Tx};
use crate::wording;
pub use undo::{Undone, latest, undo};

/// What a person's acts need.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// This node's end of the queue, to wake it.
    pub queue: Arc<Queue>,
    /// The provider accounts, to ask one of them to stop.
    pub accounts: Arc<Accounts>,
    /// The rules for a message's status.
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
    /// What was asked for cannot be: why.
    #[error("{0}")]
    Invalid(String),
    /// The provider does not stop it, in our words and in its own.
    #[error("{0}")]
    NotStopped(String),
    /// The database cannot do it now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a person does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Send a message that ended without arriving again, to the referrer's present address.
    Retry,
    /// Hold a message that is queued.
    Hold,
    /// Release a held message.
    Release,
    /// Let a message that waits for the recipient's office hours go at once.
    SendNow,
    /// Cancel a message that has not been handed over yet, or ask the provider to stop it; see [`Act::only_asked`].
    Cancel,
    /// Have the provider delete its copy of a message that has ended.
    Purge,
    /// A message in doubt was sent.
    MarkSent,
    /// A message in doubt was not sent: it is sent again.
    MarkNotSent,
}

impl Act {
    /// Whether the act has only asked the provider to stop the message: it counts as cancelled once the provider says so,
    /// and may be delivered all the same.
    #[must_use]
    pub fn only_asked(self, after: &Message) -> bool {
        self == Self::Cancel && !after.status.is_terminal()
    }

    /// The act as the audit log has it.
    #[must_use]
    pub const fn audited(self) -> AuditAct {
        match self {
            Self::Retry => AuditAct::Retry,
            Self::Hold => AuditAct::Hold,
            Self::Release => AuditAct::Release,
            Self::SendNow => AuditAct::SendNow,
            Self::Cancel => AuditAct::Cancel,
            Self::Purge => AuditAct::Purge,
            Self::MarkSent => AuditAct::MarkSent,
            Self::MarkNotSent => AuditAct::MarkNotSent,
        }
    }
}

/// Carries out an act and returns the message as it is afterwards.
///
/// # Errors
/// [`OperatorError::NotFound`], or [`OperatorError::WrongState`] saying why the message does not allow it.
pub async fn act(parts: &Parts, id: MessageId, act: Act, who: &Actor) -> Result<Message, OperatorError> {
    if act == Act::Cancel
        && let Some(stopped) = ask_provider_to_stop(parts, id, who).await?
    {
        return Ok(stopped);
    }
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let message = locked(&mut tx, id).await?;
    let origin = Origin::person(who);
    let message = match act {
        Act::Retry => retry(&mut tx, parts, message, &origin, now).await?,
        Act::Hold => hold(&mut tx, message, &origin, now).await?,
        Act::Release => release(&mut tx, parts, message, &origin, now).await?,
        Act::SendNow => send_now(&mut tx, message, &origin, now).await?,
        Act::Cancel => cancel(&mut tx, message, &origin, now).await?,
        Act::Purge => purge::purge(&mut tx, parts, message, now).await?,
        Act::MarkSent => decide_doubt(&mut tx, parts, message, &Evidence::SaidSent, &origin, now).await?,
        Act::MarkNotSent => decide_doubt(&mut tx, parts, message, &Evidence::SaidNotSent, &origin, now).await?,
    };
    tx.audit(who, act.audited(), Some(&id.to_string()), None, now).await?;
    tx.commit().await?;
    parts.queue.wake();
    Ok(message)
}

/// Takes the locks in the order used everywhere.
async fn locked(tx: &mut Tx, id: MessageId) -> Result<Message, OperatorError> {
    let unknown = || OperatorError::NotFound(format!("there is no message {id}"));
    let peek = tx.message(id, false).await?.ok_or_else(unknown)?;
    tx.addresses_lock(&[peek.address.key()]).await?;
    tx.message(id, true).await?.ok_or_else(unknown)
}

/// Sends it again, to the referrer's present address, whose record starts over.
async fn retry(
    tx: &mut Tx,
    parts: &Parts,
    mut message: Message,
    origin: &Origin,
    now: Timestamp,
) -> Result<Message, OperatorError> {
    if !message.status.may_be_retried() {
        return Err(wrong_state(&message, "only a message that ended without arriving can be retried"));
    }
    if message.reason == Some(OperatorReason::Withdrawn.into()) {
        return Err(wrong_state(&message, "it was withdrawn and never leaves; send the letter anew"));
    }
    if tx.submission(message.submission_id).await?.is_some_and(|submission| submission.undone_ms.is_some()) {
        return Err(wrong_state(&message, "its submission was withdrawn and never leaves; send the letter anew"));
    }
    refuse_a_second_copy(tx, &message).await?;
    let channel = message.channel();
    let referrer = tx.referrer(message.referrer_id).await?;
    message.address = referrer.and_then(|referrer| referrer.address(channel)).ok_or_else(|| {
        OperatorError::WrongState(format!("the referrer no longer has a {channel} address: add one, then retry"))
    })?;
    let key = message.address.key();
    tx.addresses_ensure(std::slice::from_ref(&key), now).await?;
    tx.addresses_learn(&[AddressHealth::fresh(key)], now).await?;
    message.tries = 0;
    let give_up = now.after(parts.give_up);
    settle::send_again(tx, &mut message, EventKind::Retried, give_up, &parts.rules.domains, origin, now).await?;
    Ok(message)
}

/// A letter to win a referrer that was sent to them anew since is not sent a second time by retrying the first.
async fn refuse_a_second_copy(tx: &mut Tx, message: &Message) -> Result<(), OperatorError> {
    if settle::sent_anew(tx, std::slice::from_ref(message)).await?.is_empty() {
        return Ok(());
    }
    Err(wrong_state(message, "the same letter was sent to them again since; `touchline send … --again` sends one more"))
}

async fn hold(tx: &mut Tx, mut message: Message, origin: &Origin, now: Timestamp) -> Result<Message, OperatorError> {
    if message.status != MessageStatus::Queued || has_open_attempt(tx, message.id).await? {
        return Err(wrong_state(&message, "only a message that waits can be put on hold"));
    }
    let reason = OperatorReason::HeldByOperator.into();
    settle::hold(tx, std::slice::from_mut(&mut message), reason, origin, now).await?;
    Ok(message)
}

async fn release(
    tx: &mut Tx,
    parts: &Parts,
    mut message: Message,
    origin: &Origin,
    now: Timestamp,
) -> Result<Message, OperatorError> {
    if message.status != MessageStatus::Held {
        return Err(wrong_state(&message, "only a message on hold can be released"));
    }
    resume_broadcast(tx, &message, origin, now).await?;
    let give_up = message.due_ms.max(now).after(parts.give_up);
    settle::send_again(tx, &mut message, EventKind::Released, give_up, &parts.rules.domains, origin, now).await?;
    Ok(message)
}

/// Who releases a letter of a broadcast that paused itself lets the broadcast go on.
async fn resume_broadcast(tx: &mut Tx, message: &Message, origin: &Origin, now: Timestamp) -> Result<(), StoreError> {
    let (Some(broadcast), Some(Reason::Policy(PolicyReason::BroadcastPaused))) = (message.broadcast_id, message.reason)
    else {
        return Ok(());
    };
    if tx.broadcast_resume(broadcast, &origin.actor, now).await? {
        tx.audit(&origin.actor, AuditAct::ResumeBroadcast, Some(&broadcast.to_string()), None, now).await?;
    }
    Ok(())
}

/// Lets it go outside the recipient's office hours, though never before the time that was asked for when it was submitted.
async fn send_now(
    tx: &mut Tx,
    mut message: Message,
    origin: &Origin,
    now: Timestamp,
) -> Result<Message, OperatorError> {
    if message.waits_until().is_none() || has_open_attempt(tx, message.id).await? {
        return Err(wrong_state(&message, "only a message that waits for office hours can be sent outside them"));
    }
    let asked = tx.submission(message.submission_id).await?.and_then(|submission| submission.at_ms);
    let due = asked.map_or(now, |at| at.max(now));
    settle::any_hour(tx, &mut message, due, origin, now).await?;
    Ok(message)
}

async fn cancel(tx: &mut Tx, mut message: Message, origin: &Origin, now: Timestamp) -> Result<Message, OperatorError> {
    let waiting = matches!(message.status, MessageStatus::Queued | MessageStatus::Held);
    if !waiting || has_open_attempt(tx, message.id).await? {
        return Err(wrong_state(&message, "it was handed over already, or has ended"));
    }
    let reason = OperatorReason::CancelledByOperator.into();
    settle::end(tx, std::slice::from_mut(&mut message), MessageStatus::Cancelled, reason, origin, now).await?;
    Ok(message)
}

/// A person decides what became of a message in doubt.
async fn decide_doubt(
    tx: &mut Tx,
    parts: &Parts,
    message: Message,
    evidence: &Evidence,
    origin: &Origin,
    now: Timestamp,
) -> Result<Message, OperatorError> {
    let open = tx.attempts_open(&[message.id]).await?.pop();
    let Some(attempt) = open.filter(|attempt| attempt.status == AttemptStatus::InDoubt) else {
        return Err(wrong_state(&message, "only a message in doubt can be decided"));
    };
    let after = settle::apply(tx, &parts.rules, attempt.id, evidence, origin, now).await?;
    Ok(after.unwrap_or(message))
}

/// A message that a provider has accepted can only be stopped there. `None`: there is nothing to stop.
async fn ask_provider_to_stop(parts: &Parts, id: MessageId, who: &Actor) -> Result<Option<Message>, OperatorError> {
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
    account.layered.cancel(&reference).await.map_err(|failure| not_stopped(&failure))?;
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let event = Event::new(id, EventKind::CancelAsked, EventSource::Operator, who, now);
    tx.events_insert(&[Event { attempt_id: Some(attempt.id), ..event }]).await?;
    tx.audit(who, AuditAct::Cancel, Some(&id.to_string()), Some("asked the provider to stop"), now).await?;
    tx.queue_hasten(id.0, now).await?;
    tx.commit().await?;
    parts.queue.wake();
    Ok(Some(message))
}

/// Why the provider does not stop it: what kind of trouble it is, and the provider's own words.
fn not_stopped(failure: &Failure) -> OperatorError {
    let own: Vec<&str> = [failure.raw_code.as_deref(), failure.raw_text.as_deref()]
        .into_iter()
        .flatten()
        .filter(|word| !word.is_empty())
        .collect();
    let said = if own.is_empty() { String::new() } else { format!(" The provider said: {}", own.join(" ")) };
    OperatorError::NotStopped(format!("the provider could not stop it: {}{said}", wording::fault(failure.fault)))
}

async fn has_open_attempt(tx: &mut Tx, id: MessageId) -> Result<bool, OperatorError> {
    Ok(!tx.attempts_open(&[id]).await?.is_empty())
}

fn wrong_state(message: &Message, why: &str) -> OperatorError {
    OperatorError::WrongState(format!("the message is {}: {why}", message.status.as_str().replace('_', " ")))
}
