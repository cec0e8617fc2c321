//! Letters that are out of service: what is queued with one waits, however long it takes to correct it, and goes once it is.

use std::time::Duration;

use super::{Job, Parts};
use crate::settle::SUBMIT;
use crate::store::{StoreError, in_time};

/// How often a waiting message is looked at. A letter is corrected by a restart, which looks at once.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(600);

/// Whether the letter of a claimed message has a mistake.
pub(super) fn is_out_of_service(parts: &Parts, job: &Job) -> bool {
    parts.renderer.mistake(&job.message.letter).is_some()
}

/// At the start: what waited for a letter that is in service again becomes due now. What goes wrong is made up for when the
/// messages are looked at next.
pub(super) async fn let_go(parts: &Parts) {
    match in_time(hasten(parts)).await {
        Ok(0) => {}
        Ok(messages) => tracing::info!(messages, "letters are in service again; what waited for them goes out"),
        Err(error) => tracing::warn!(%error, "what waited for a letter could not be made due; it goes out later"),
    }
}

async fn hasten(parts: &Parts) -> Result<usize, StoreError> {
    let waiting = parts.store.read().await?.messages_waiting_for_letters().await?;
    let mended = waiting.into_iter().filter(|(_, letter)| parts.renderer.mistake(letter).is_none());
    let subjects: Vec<_> = mended.map(|(message, _)| message.0).collect();
    if !subjects.is_empty() {
        let mut tx = parts.store.write().await?;
        tx.queue_hasten_all(SUBMIT, &subjects, parts.clock.now()).await?;
        tx.commit().await?;
    }
    Ok(subjects.len())
}
