//! A person has the provider delete its copy of a letter.

use super::{OperatorError, Parts, wrong_state};
use crate::domain::Timestamp;
use crate::domain::event::EventKind;
use crate::domain::message::Message;
use crate::settle;
use crate::store::Tx;

/// Has every copy deleted that a provider still has of a letter that has ended; what comes of it are events.
pub(super) async fn purge(
    tx: &mut Tx,
    parts: &Parts,
    message: Message,
    now: Timestamp,
) -> Result<Message, OperatorError> {
    if !message.status.is_terminal() {
        return Err(wrong_state(&message, "a provider's copy can be deleted once it has ended"));
    }
    let attempts = tx.attempts_of(message.id).await?;
    let can = |provider: &str| parts.accounts.get(provider).is_some_and(|account| account.capabilities().purge);
    let mut copies = settle::copies(&attempts, |attempt| can(&attempt.provider), now);
    if copies.is_empty() {
        return Err(wrong_state(&message, "no provider that can delete has a copy of it"));
    }
    let events = tx.events_of(message.id).await?;
    copies.retain(|copy| {
        !events.iter().any(|event| event.kind == EventKind::Purged && event.attempt_id == Some(copy.attempt_id))
    });
    if copies.is_empty() {
        return Err(wrong_state(&message, "its provider has deleted it already"));
    }
    tx.purges_anew(&copies).await?;
    Ok(message)
}
