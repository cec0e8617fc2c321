//! Waiting: a claimed message that cannot go on now, because its letter is out of service or the recipient's office is closed,
//! is put off before it is rendered. Many share a transaction.

use std::sync::Arc;

use super::{Job, Parts, letters, office};
use crate::domain::id::MessageId;
use crate::domain::{MessageStatus, PolicyReason, Timestamp};
use crate::settle;
use crate::store::StoreError;
use crate::store::engine::batch::Batcher;

/// Why a message waits.
#[derive(Debug, Clone, Copy)]
enum Why {
    /// Its letter is out of service.
    Letter,
    /// The recipient's office is closed until then.
    Office(Timestamp),
}

/// A claimed message that is to wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    message: MessageId,
    claim: settle::Claim,
    why: Why,
}

impl Wait {
    /// `None`: the message may go on.
    pub(super) fn of(parts: &Parts, job: &Job) -> Option<Self> {
        if job.message.status != MessageStatus::Queued {
            return None;
        }
        let why =
            if letters::is_out_of_service(parts, job) { Why::Letter } else { Why::Office(office::until(parts, job)?) };
        Some(Self { message: job.message.id, claim: (job.claimed.id, job.claimed.fence), why })
    }
}

/// Lets messages wait, in batches.
pub(super) fn start(parts: &Parts) -> Batcher<Wait, ()> {
    let parts = Arc::new(parts.clone());
    Batcher::start(move |items| wait_all(parts.clone(), items))
}

/// Each message that is still ours and still queued waits, and says why.
async fn wait_all(parts: Arc<Parts>, items: Vec<Wait>) -> Result<Vec<()>, StoreError> {
    let now = parts.clock.now();
    let ids: Vec<MessageId> = items.iter().map(|item| item.message).collect();
    let claims: Vec<settle::Claim> = items.iter().map(|item| item.claim).collect();
    let mut tx = parts.store.write().await?;
    let mut messages = tx.messages(&ids, true).await?;
    let held = tx.queue_held(&claims).await?;
    for message in &mut messages {
        let Some(item) = items.iter().find(|item| item.message == message.id) else { continue };
        let (entry, _) = item.claim;
        // What a person let go at any hour meanwhile has another fence.
        if !held.contains(&entry) || message.status != MessageStatus::Queued {
            continue;
        }
        match item.why {
            Why::Letter => {
                let (reason, due) = (Some(PolicyReason::LetterOutOfService), now.after(letters::LOOK_EVERY));
                settle::defer(&mut tx, message, item.claim, reason, due, now).await?;
            }
            Why::Office(until) => {
                settle::wait_for_office_hours(&mut tx, message, item.claim, until, now).await?;
            }
        }
    }
    tx.commit().await?;
    Ok(vec![(); items.len()])
}
