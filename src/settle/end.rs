//! Ends and next steps that do not come from an attempt's news: policy's and people's.

use super::{SUBMIT, Told, work};
use crate::domain::message::Message;
use crate::domain::{MessageStatus, Timestamp};
use crate::queue;
use crate::store::records::events::Event;
use crate::store::{StoreError, Tx};

/// Puts a message that has no next step on the queue, to be handed over when it is due.
///
/// # Errors
/// As every store function.
pub async fn put_on_queue(tx: &mut Tx, message: &Message, now: Timestamp) -> Result<(), StoreError> {
    if tx.queue_next_steps(&[(message.id.0, SUBMIT, message.due_ms)]).await?.is_empty() {
        queue::put(tx, &[work(message, SUBMIT, message.due_ms)], now).await?;
    }
    Ok(())
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
    set_ended(message, status, Some(reason), now);
    tx.message_update(message).await?;
    let event = Event::new(message.id, status.as_str(), told.source, &told.who, now);
    tx.events_insert(&[Event { detail: Some(reason.to_owned()), ..event }]).await?;
    touch_of(tx, message, now).await?;
    tx.queue_remove(message.id.0).await
}

/// Projects a message's touch.
///
/// # Errors
/// As every store function.
pub async fn touch_of(tx: &mut Tx, message: &Message, now: Timestamp) -> Result<(), StoreError> {
    tx.touches_project(&[message.touch_id], now).await
}

/// The message at its end; how sure a delivery is stays.
pub(super) fn set_ended(message: &mut Message, status: MessageStatus, reason: Option<&str>, now: Timestamp) {
    message.status = status;
    message.reason = reason.map(str::to_owned);
    message.settled_ms = Some(now);
    if status != MessageStatus::Delivered {
        message.confidence = None;
    }
}
