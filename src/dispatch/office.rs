//! Office: whether the recipient's office is open, asked before a letter is rendered, so that what is due at night is not
//! typeset in vain. The gate decides again.

use std::sync::Arc;

use super::{Job, Parts};
use crate::domain::id::MessageId;
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::domain::{MessageStatus, Timestamp};
use crate::policy::hours::Hours;
use crate::policy::keeps_office_hours;
use crate::policy::zones::Zones;
use crate::settle;
use crate::store::StoreError;
use crate::store::engine::batch::Batcher;

/// Until when a message to this referrer waits for office hours; `None` if it may go at this hour.
pub(super) fn closed_until(hours: &Hours, message: &Message, referrer: &Referrer, now: Timestamp) -> Option<Timestamp> {
    let waits = keeps_office_hours(message.purpose) && message.any_hour_ms.is_none();
    let zones = || Zones::of(referrer, &message.address);
    waits.then(|| hours.closed_until(now, zones())).flatten()
}

/// A claimed message whose recipient's office is closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closed {
    message: MessageId,
    claim: settle::Claim,
    until: Timestamp,
}

impl Closed {
    /// `None`: the message may go on.
    pub(super) fn of(parts: &Parts, job: &Job) -> Option<Self> {
        let now = parts.clock.now();
        // What has come to its end of time ends at the gate.
        let until = closed_until(&parts.settings.hours, &job.message, &job.referrer, now)?;
        let waits = job.message.status == MessageStatus::Queued && now < job.message.give_up_ms;
        let claim = (job.claimed.id, job.claimed.fence);
        waits.then_some(Self { message: job.message.id, claim, until })
    }
}

/// Lets messages wait, in batches.
pub(super) fn start(parts: &Parts) -> Batcher<Closed, ()> {
    let parts = Arc::new(parts.clone());
    Batcher::start(move |items| wait_all(parts.clone(), items))
}

/// Each message that is still ours and still queued waits until its office opens.
async fn wait_all(parts: Arc<Parts>, items: Vec<Closed>) -> Result<Vec<()>, StoreError> {
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
        if held.contains(&entry) && message.status == MessageStatus::Queued {
            settle::wait_for_office_hours(&mut tx, message, item.claim, item.until, now).await?;
        }
    }
    tx.commit().await?;
    Ok(vec![(); items.len()])
}
