//! Letters that are out of service: what is queued with one waits, however long it takes to correct it, and goes once it is.

use std::time::Duration;

use uuid::Uuid;

use super::{Job, Parts};
use crate::domain::Channel;
use crate::domain::id::MessageId;
use crate::settle::SUBMIT;
use crate::store::{StoreError, in_time};

/// How often a waiting message is looked at. A letter is corrected by a restart, which looks at once.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(600);

/// Messages that are made due in one transaction.
const PORTION: i64 = 2_000;

/// Whether the letter of a claimed message cannot be made because of a mistake.
pub(super) fn is_out_of_service(parts: &Parts, job: &Job) -> bool {
    parts.renderer.mistake(&job.message.letter, &[job.message.channel()]).is_some()
}

/// At the start: what waited for a letter that is in service again becomes due now, a bounded number of messages at a time.
/// What goes wrong is made up for when the
/// messages are looked at next.
pub(super) async fn let_go(parts: &Parts) {
    match hasten(parts).await {
        Ok(0) => {}
        Ok(messages) => tracing::info!(messages, "letters are in service again; what waited for them goes out"),
        Err(error) => tracing::warn!(%error, "what waited for a letter could not be made due; it goes out later"),
    }
}

async fn hasten(parts: &Parts) -> Result<usize, StoreError> {
    let waited_for = in_time(async { parts.store.read().await?.letters_waited_for().await }).await?;
    let mut messages = 0;
    let is_corrected = |letter: &str, by: Channel| parts.renderer.mistake(letter, &[by]).is_none();
    for (letter, by, _) in waited_for.iter().filter(|(letter, by, _)| is_corrected(letter, *by)) {
        let mut after = Some(MessageId(Uuid::nil()));
        while let Some(last) = after {
            let portion = in_time(hasten_portion(parts, letter, *by, last)).await?;
            messages += portion.len();
            after = portion.last().copied();
        }
    }
    Ok(messages)
}

/// Makes the next messages behind `after` that wait for the letter by that channel due now, in one transaction. Nothing is left if it returns
/// none.
async fn hasten_portion(
    parts: &Parts,
    letter: &str,
    by: Channel,
    after: MessageId,
) -> Result<Vec<MessageId>, StoreError> {
    let portion = parts.store.read().await?.messages_waiting_for_letter(letter, by, after, PORTION).await?;
    if !portion.is_empty() {
        let subjects: Vec<Uuid> = portion.iter().map(|message| message.0).collect();
        let mut tx = parts.store.write().await?;
        tx.queue_hasten_all(SUBMIT, &subjects, parts.clock.now()).await?;
        tx.commit().await?;
    }
    Ok(portion)
}
