//! From an attempt's new status to the message's, its touch's, its address's and the queue's next step.

use super::{POLL, Rules, SUBMIT, SmtpDoubt, Told, work};
use crate::domain::attempt::{Attempt, AttemptStatus};
use crate::domain::event::EventSource;
use crate::domain::fault::Failure;
use crate::domain::health::AddressHealth;
use crate::domain::message::{Confidence, Message};
use crate::domain::{Address, Channel, Fault, MessageStatus, Timestamp};
use crate::policy::Reason;
use crate::provider::Reconciliation;
use crate::queue::{self, retry};
use crate::store::events::Event;
use crate::store::{StoreError, Tx};

/// Writes what follows from an attempt's changed status. The caller holds the message locked.
#[allow(clippy::too_many_arguments, reason = "one crossing, every fact named")]
pub(super) async fn conclude(
    tx: &mut Tx,
    rules: &Rules,
    mut message: Message,
    attempt: &Attempt,
    failure: Option<&Failure>,
    told: &Told,
    others_open: bool,
    now: Timestamp,
) -> Result<Message, StoreError> {
    message.updated_ms = now;
    match attempt.status {
        AttemptStatus::Calling => {}
        AttemptStatus::Accepted | AttemptStatus::InDoubt if message.status.is_terminal() => {}
        AttemptStatus::Accepted => accepted(tx, rules, &mut message, attempt, now).await?,
        AttemptStatus::InDoubt => in_doubt(tx, rules, &mut message, attempt, now).await?,
        AttemptStatus::Delivered => delivered(tx, &mut message, told, others_open, now).await?,
        AttemptStatus::NotSent | AttemptStatus::Refused | AttemptStatus::Failed => {
            failed(tx, rules, &mut message, attempt, failure, others_open, now).await?;
        }
    }
    let again = message.status == MessageStatus::Queued && !attempt.status.is_open() && !others_open;
    if again && told.source != EventSource::Operator && rules.restored.is_some_and(|at| attempt.opened_ms < at) {
        hold_after_restore(tx, &mut message, now).await?;
    }
    tx.message_update(&message).await?;
    tx.touch_project(message.touch_id, now).await?;
    Ok(message)
}

/// The tries that followed may be forgotten: only a person can know whether one of them reached the recipient.
async fn hold_after_restore(tx: &mut Tx, message: &mut Message, now: Timestamp) -> Result<(), StoreError> {
    message.status = MessageStatus::Held;
    message.reason = Some(Reason::Restored.as_str().to_owned());
    let told = Told::by_policy("restore");
    let event = Event::new(message.id, "held", told.source, &told.who, now);
    tx.events_insert(&[Event { detail: message.reason.clone(), ..event }]).await?;
    tx.queue_remove(message.id.0).await
}

async fn accepted(
    tx: &mut Tx,
    rules: &Rules,
    message: &mut Message,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<(), StoreError> {
    message.status = MessageStatus::Accepted;
    message.reason = None;
    let wait = rules.next_look(message.channel, &attempt.provider, attempt.looks);
    put_off(tx, message, POLL, now.after(wait), now).await
}

/// Doubt is looked into where the provider can be asked; else a person decides, or for mail a written setting.
async fn in_doubt(
    tx: &mut Tx,
    rules: &Rules,
    message: &mut Message,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<(), StoreError> {
    message.status = MessageStatus::InDoubt;
    let silent = attempt.provider_reference.is_some();
    message.reason = Some(if silent { Reason::NoFinalReport } else { Reason::OutcomeUnknown }.as_str().to_owned());
    let can_ask = rules.reconciliation(&attempt.provider) != Reconciliation::None && !silent;
    let by_setting = message.channel == Channel::Email && rules.smtp_doubt != SmtpDoubt::Hold;
    if can_ask || by_setting {
        put_off(tx, message, SUBMIT, now.after(rules.doubt_settle), now).await
    } else {
        tx.queue_remove(message.id.0).await
    }
}

async fn delivered(
    tx: &mut Tx,
    message: &mut Message,
    told: &Told,
    others_open: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    if others_open && message.status != MessageStatus::Delivered {
        // A later attempt is under way although an earlier one arrived: when it ends, this one decides.
        return Ok(());
    }
    let sure = matches!(told.source, EventSource::Webhook | EventSource::Poll | EventSource::Operator);
    message.confidence = Some(if sure { Confidence::Confirmed } else { Confidence::Presumed });
    learn_from_success(tx, message, now).await?;
    end(tx, message, MessageStatus::Delivered, None, now).await
}

async fn failed(
    tx: &mut Tx,
    rules: &Rules,
    message: &mut Message,
    attempt: &Attempt,
    failure: Option<&Failure>,
    others_open: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let unexplained = if attempt.status == AttemptStatus::NotSent { Fault::ProviderError } else { Fault::Unknown };
    let fault = failure.map_or(attempt.fault.unwrap_or(unexplained), |failure| failure.fault);
    if attempt.status != AttemptStatus::NotSent {
        learn_from_fault(tx, message, fault, now).await?;
    }
    if attempt.status == AttemptStatus::Failed {
        message.dials += 1;
    }
    let correction = message.status == MessageStatus::Delivered && attempt.status == AttemptStatus::Failed;
    if others_open || (message.status.is_terminal() && !correction) {
        return Ok(());
    }
    if tx.attempts_of(message.id).await?.iter().any(|one| one.status == AttemptStatus::Delivered) {
        message.confidence = Some(Confidence::Confirmed);
        learn_from_success(tx, message, now).await?;
        return end(tx, message, MessageStatus::Delivered, None, now).await;
    }
    if correction {
        return end(tx, message, MessageStatus::Failed, Some(fault.as_str()), now).await;
    }
    if retry::costs_try(fault) {
        message.tries += 1;
    }
    again_or_never(tx, rules, message, attempt, failure, fault, now).await
}

/// The retry table decides; the give-up age bounds it.
async fn again_or_never(
    tx: &mut Tx,
    rules: &Rules,
    message: &mut Message,
    attempt: &Attempt,
    failure: Option<&Failure>,
    fault: Fault,
    now: Timestamp,
) -> Result<(), StoreError> {
    let asked = failure.and_then(|failure| failure.retry_after_seconds).map(std::time::Duration::from_secs);
    let pages = attempt.pages_confirmed.is_some_and(|pages| pages > 0);
    if fault == Fault::AccountError {
        let reason =
            failure.and_then(|failure| failure.raw_text.as_deref()).unwrap_or("credentials, funds or permission");
        tx.provider_ensure(&attempt.provider, now).await?;
        tx.provider_pause(&attempt.provider, Some(reason), now).await?;
    }
    if fault == Fault::Cancelled {
        return end(tx, message, MessageStatus::Cancelled, Some(fault.as_str()), now).await;
    }
    match retry::after(fault, message.tries, attempt.number, pages, asked, rules.retry) {
        retry::Next::Retry { wait, .. } => {
            let due = now.after(retry::jitter(wait, fastrand::f64()));
            message.reason = Some(fault.as_str().to_owned());
            if due >= message.give_up_ms {
                return end(tx, message, MessageStatus::Expired, Some(Reason::GaveUp.as_str()), now).await;
            }
            message.status = MessageStatus::Queued;
            message.due_ms = due;
            put_off(tx, message, SUBMIT, due, now).await
        }
        retry::Next::GiveUp => end(tx, message, MessageStatus::Failed, Some(fault.as_str()), now).await,
    }
}

/// Sets a message's next step and when it is due. Makes the queue entry if there is none.
///
/// # Errors
/// As every store function.
pub async fn put_off(
    tx: &mut Tx,
    message: &Message,
    kind: &'static str,
    due: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    if tx.queue_next_step(message.id.0, kind, due).await? {
        return Ok(());
    }
    queue::put(tx, &[work(message, kind, due)], now).await
}

/// Puts a message that has no next step on the queue, to be handed over when it is due.
///
/// # Errors
/// As every store function.
pub async fn put_on_queue(tx: &mut Tx, message: &Message, now: Timestamp) -> Result<(), StoreError> {
    put_off(tx, message, SUBMIT, message.due_ms, now).await
}

/// Ends a message: writes it, its touch and its event, and takes it off the queue. The caller holds it locked.
///
/// # Errors
/// As every store function.
pub async fn end_message(
    tx: &mut Tx,
    message: &mut Message,
    status: MessageStatus,
    reason: &str,
    told: &Told,
    now: Timestamp,
) -> Result<(), StoreError> {
    message.updated_ms = now;
    end(tx, message, status, Some(reason), now).await?;
    tx.message_update(message).await?;
    let event = Event::new(message.id, status.as_str(), told.source, &told.who, now);
    tx.events_insert(&[Event { detail: Some(reason.to_owned()), ..event }]).await?;
    tx.touch_project(message.touch_id, now).await?;
    Ok(())
}

async fn end(
    tx: &mut Tx,
    message: &mut Message,
    status: MessageStatus,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    message.status = status;
    message.reason = reason.map(str::to_owned);
    message.settled_ms = Some(now);
    if status != MessageStatus::Delivered {
        message.confidence = None;
    }
    tx.queue_remove(message.id.0).await
}

/// Projects a message's touch.
///
/// # Errors
/// As every store function.
pub async fn touch_of(tx: &mut Tx, message: &Message, now: Timestamp) -> Result<(), StoreError> {
    tx.touch_project(message.touch_id, now).await.map(|_| ())
}

/// Notes that something arrived at the message's address.
///
/// # Errors
/// As every store function.
pub async fn learn_from_success(tx: &mut Tx, message: &Message, now: Timestamp) -> Result<(), StoreError> {
    learn_of_address(tx, message, now, AddressHealth::after_success).await
}

async fn learn_from_fault(tx: &mut Tx, message: &Message, fault: Fault, now: Timestamp) -> Result<(), StoreError> {
    learn_of_address(tx, message, now, |known| known.after_fault(fault)).await
}

async fn learn_of_address(
    tx: &mut Tx,
    message: &Message,
    now: Timestamp,
    lesson: impl FnOnce(&AddressHealth) -> AddressHealth,
) -> Result<(), StoreError> {
    let Ok(address) = Address::parse(message.channel, &message.address) else { return Ok(()) };
    let Some(known) = tx.address_health(&address).await? else { return Ok(()) };
    let learnt = lesson(&known);
    if learnt == known {
        return Ok(());
    }
    tx.address_learn(&address, learnt.health, learnt.strikes, learnt.fault, now).await
}
