//! What policy, a setting or a person does to messages, apart from evidence about their attempts: hold, defer, send
//! again, end. Nothing outside this module changes a message; the layering test checks it.

use std::time::Duration;

use super::{Origin, SUBMIT, set_ended, work};
use crate::domain::event::EventKind;
use crate::domain::mail_domains::MailDomains;
use crate::domain::message::Message;
use crate::domain::{MessageStatus, PolicyReason, Reason, Timestamp};
use crate::queue;
use crate::store::records::events::Event;
use crate::store::{StoreError, Tx};

/// A claim on a queue entry: its id, and the fence under which it was made.
pub type Claim = (i64, i64);

/// Holds messages until a person decides, and takes them off the queue. The caller has them locked.
///
/// # Errors
/// [`StoreError`]; then the transaction has no effect.
pub async fn hold(
    tx: &mut Tx,
    messages: &mut [Message],
    reason: Reason,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), StoreError> {
    for message in messages.iter_mut() {
        set_held(message, reason, now);
    }
    write(tx, messages, EventKind::Held, origin, now).await?;
    tx.queue_remove_all(&messages.iter().map(|message| message.id.0).collect::<Vec<_>>()).await
}

/// What is left of a message's time once the account it waits for is in use again, or its letter is corrected.
pub(super) const TIME_AFTER_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// Defers a message: the claimed entry becomes due then, and the message says why. Costs no try. The time of a message that
/// waits for a paused account, for a limit of an account, until its letter is corrected, or until somebody is back, does not run out meanwhile.
///
/// # Errors
/// [`StoreError`]; then the transaction has no effect.
pub async fn defer(
    tx: &mut Tx,
    message: &mut Message,
    claim: Claim,
    reason: Option<PolicyReason>,
    due: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    message.reason = reason.map(Reason::Policy);
    let is_for_letter_or_person = matches!(reason, Some(PolicyReason::LetterOutOfService | PolicyReason::ReferrerAway));
    if is_for_letter_or_person || reason.is_some_and(PolicyReason::is_for_account) {
        message.give_up_ms = message.give_up_ms.max(due.after(TIME_AFTER_PAUSE));
    }
    message.updated_ms = now;
    tx.messages_update(std::slice::from_ref(message)).await?;
    tx.queue_snooze(claim.0, claim.1, SUBMIT, due).await.map(|_| ())
}

/// A message waits for the recipient's office hours: the claimed entry becomes due when they begin, and nothing makes it
/// due before. The wait is not counted towards the time for which it is tried, and costs no try.
///
/// # Errors
/// [`StoreError`]; then the transaction has no effect.
pub async fn wait_for_office_hours(
    tx: &mut Tx,
    message: &mut Message,
    claim: Claim,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    message.due_ms = until;
    message.give_up_ms = message.give_up_ms.after(until.since(now));
    defer(tx, message, claim, Some(PolicyReason::OutsideOfficeHours), until, now).await
}

/// A person lets a message that waits for the recipient's office hours go without them: it is due at `due`, and is not asked
/// for the hour again until it ends or is held. The caller has it locked.
///
/// # Errors
/// [`StoreError`]; then the transaction has no effect.
pub async fn any_hour(
    tx: &mut Tx,
    message: &mut Message,
    due: Timestamp,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), StoreError> {
    message.any_hour_ms = Some(now);
    message.reason = None;
    message.due_ms = due;
    message.updated_ms = now;
    write(tx, std::slice::from_ref(message), EventKind::AnyHour, origin, now).await?;
    tx.queue_next_steps(&[(message.id.0, SUBMIT, due)]).await.map(|_| ())
}

/// Releases a message, or sends one that ended without arriving again: it is queued with a new give-up time, and what a
/// person released is not held again for what they have seen. `kind` says which of the two it was. `domains`: those that the
/// routes tell apart.
///
/// # Errors
/// [`StoreError`]; then the transaction has no effect.
pub async fn send_again(
    tx: &mut Tx,
    message: &mut Message,
    kind: EventKind,
    give_up: Timestamp,
    domains: &MailDomains,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), StoreError> {
    message.released_ms = Some(now);
    queue_again(tx, message, kind, give_up, domains, origin, now).await
}

/// Queues a held message as if it had never been held: what would hold it for another reason still does. The caller has it locked.
///
/// # Errors
/// [`StoreError`]; then the transaction has no effect.
pub async fn go_on(
    tx: &mut Tx,
    message: &mut Message,
    give_up: Timestamp,
    domains: &MailDomains,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), StoreError> {
    queue_again(tx, message, EventKind::Released, give_up, domains, origin, now).await
}

async fn queue_again(
    tx: &mut Tx,
    message: &mut Message,
    kind: EventKind,
    give_up: Timestamp,
    domains: &MailDomains,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), StoreError> {
    message.status = MessageStatus::Queued;
    message.reason = None;
    message.settled_ms = None;
    message.confidence = None;
    message.due_ms = message.due_ms.max(now);
    message.give_up_ms = give_up.max(message.due_ms);
    message.updated_ms = now;
    if let Some(broadcast) = message.broadcast_id {
        tx.broadcast_reopen(broadcast).await?;
    }
    write(tx, std::slice::from_ref(message), kind, origin, now).await?;
    if tx.queue_next_steps(&[(message.id.0, SUBMIT, message.due_ms)]).await?.is_empty() {
        queue::put(tx, &[work(message, domains, SUBMIT, message.due_ms)], now).await?;
    }
    Ok(())
}

/// Ends messages and takes them off the queue. The caller has them locked.
///
/// # Errors
/// [`StoreError`]; then the transaction has no effect.
pub async fn end(
    tx: &mut Tx,
    messages: &mut [Message],
    status: MessageStatus,
    reason: Reason,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), StoreError> {
    for message in messages.iter_mut() {
        message.updated_ms = now;
        set_ended(message, status, Some(reason), now);
    }
    write(tx, messages, status.into(), origin, now).await?;
    tx.queue_remove_all(&messages.iter().map(|message| message.id.0).collect::<Vec<_>>()).await
}

/// A message stays in doubt until a person decides, for this reason, and goes off the queue. The caller has it locked.
///
/// # Errors
/// [`StoreError`]; then the transaction has no effect.
pub async fn leave_in_doubt(
    tx: &mut Tx,
    message: &mut Message,
    reason: PolicyReason,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), StoreError> {
    message.reason = Some(reason.into());
    message.updated_ms = now;
    write(tx, std::slice::from_ref(message), EventKind::InDoubt, origin, now).await?;
    tx.queue_remove(message.id.0).await
}

/// The message as it is held.
pub(super) fn set_held(message: &mut Message, reason: Reason, now: Timestamp) {
    message.status = MessageStatus::Held;
    message.reason = Some(reason);
    message.released_ms = None;
    message.any_hour_ms = None;
    message.updated_ms = now;
}

/// Writes messages, an event for each, and their touches.
async fn write(
    tx: &mut Tx,
    messages: &[Message],
    kind: EventKind,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), StoreError> {
    let event = |message: &Message| {
        let event = Event::new(message.id, kind, origin.source, &origin.actor, now);
        Event { reason: message.reason, ..event }
    };
    tx.messages_update(messages).await?;
    tx.events_insert(&messages.iter().map(event).collect::<Vec<_>>()).await?;
    tx.touches_project(&messages.iter().map(|message| message.touch_id).collect::<Vec<_>>(), now).await
}
