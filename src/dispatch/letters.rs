//! Letters that are out of service: what is queued with one waits, however long it takes to correct it, and goes once it is.

use std::sync::Arc;
use std::time::Duration;

use super::{Job, Parts};
use crate::domain::id::MessageId;
use crate::domain::{MessageStatus, PolicyReason};
use crate::settle::{self, SUBMIT};
use crate::store::engine::batch::Batcher;
use crate::store::{StoreError, in_time};

/// How often a waiting message is looked at. A letter is corrected by a restart, which looks at once.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// A claimed message whose letter is out of service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Broken {
    message: MessageId,
    claim: settle::Claim,
}

impl Broken {
    /// `None`: the letter is in service, or unknown.
    pub(super) fn of(parts: &Parts, job: &Job) -> Option<Self> {
        parts.renderer.mistake(&job.message.letter)?;
        let claim = (job.claimed.id, job.claimed.fence);
        (job.message.status == MessageStatus::Queued).then_some(Self { message: job.message.id, claim })
    }
}

/// Lets messages wait, in batches.
pub(super) fn start(parts: &Parts) -> Batcher<Broken, ()> {
    let parts = Arc::new(parts.clone());
    Batcher::start(move |items| wait_all(parts.clone(), items))
}

/// Each message that is still ours and still queued waits, and says why.
async fn wait_all(parts: Arc<Parts>, items: Vec<Broken>) -> Result<Vec<()>, StoreError> {
    let now = parts.clock.now();
    let ids: Vec<MessageId> = items.iter().map(|item| item.message).collect();
    let claims: Vec<settle::Claim> = items.iter().map(|item| item.claim).collect();
    let reason = Some(PolicyReason::LetterOutOfService);
    let mut tx = parts.store.write().await?;
    let mut messages = tx.messages(&ids, true).await?;
    let held = tx.queue_held(&claims).await?;
    for message in &mut messages {
        let Some(item) = items.iter().find(|item| item.message == message.id) else { continue };
        let (entry, _) = item.claim;
        if held.contains(&entry) && message.status == MessageStatus::Queued {
            settle::defer(&mut tx, message, item.claim, reason, now.after(LOOK_EVERY), now).await?;
        }
    }
    tx.commit().await?;
    Ok(vec![(); items.len()])
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
