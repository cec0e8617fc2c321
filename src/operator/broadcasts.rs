//! What a person does about a broadcast, such as one that paused itself: let it go on, or cancel the rest of it.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{Act, OperatorError, Parts, act};
use crate::domain::id::{BroadcastId, MessageId};
use crate::domain::{Actor, AuditAct};
use crate::store::records::broadcasts::Broadcast;

/// Messages that are cancelled before it is looked whether time is over.
const PORTION: i64 = 100;

/// Lets a broadcast go on that paused itself, and returns it as it is afterward. What is held of it is queued by upkeep, a
/// portion of some thousand each minute; it does not pause itself again.
///
/// # Errors
/// [`OperatorError::NotFound`]; [`OperatorError::WrongState`] if it is not paused.
pub async fn resume(parts: &Parts, id: BroadcastId, who: &Actor) -> Result<Broadcast, OperatorError> {
    let now = parts.clock.now();
    let unknown = || OperatorError::NotFound(format!("there is no broadcast {id}"));
    let mut tx = parts.store.write().await?;
    let known = tx.broadcast(id).await?.ok_or_else(unknown)?;
    if known.paused_since().is_none() || !tx.broadcast_resume(id, who, now).await? {
        return Err(OperatorError::WrongState("it is not paused".to_owned()));
    }
    tx.audit(who, AuditAct::ResumeBroadcast, Some(&id.to_string()), None, now).await?;
    let after = tx.broadcast(id).await?.ok_or_else(unknown)?;
    tx.commit().await?;
    Ok(after)
}

/// How far cancelling the rest of a broadcast has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled {
    /// Messages that were cancelled.
    pub cancelled: u64,
    /// Whether some are left because time was over: the same call goes on with them.
    pub has_more: bool,
}

/// Cancels the messages of a broadcast that were not handed over: those that are held and those that are queued. A list that is
/// still being unfolded stops. Each message is a
/// transaction of its own, so that what was done stays done; ends after a portion once `within` is over. A message that is handed
/// over meanwhile is left as it is.
///
/// # Errors
/// [`OperatorError::NotFound`]; the database cannot be used.
pub async fn cancel_rest(
    parts: &Parts,
    id: BroadcastId,
    who: &Actor,
    within: Duration,
) -> Result<Cancelled, OperatorError> {
    let ends = Instant::now() + within;
    stop_unfolding(parts, id, who).await?;
    let (mut cancelled, mut after) = (0, MessageId(Uuid::nil()));
    loop {
        let portion = parts.store.read().await?.messages_not_handed_over(id, after, PORTION).await?;
        let Some(last) = portion.last() else { return Ok(Cancelled { cancelled, has_more: false }) };
        after = *last;
        for message in portion {
            match act(parts, message, Act::Cancel, who).await {
                Ok(_) => cancelled += 1,
                Err(OperatorError::WrongState(_) | OperatorError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if Instant::now() >= ends {
            let left = parts.store.read().await?.messages_not_handed_over(id, after, 1).await?;
            return Ok(Cancelled { cancelled, has_more: !left.is_empty() });
        }
    }
}

/// What is still to come of the list is not made into messages. The act on the broadcast is recorded once, however often the call is repeated.
async fn stop_unfolding(parts: &Parts, id: BroadcastId, who: &Actor) -> Result<(), OperatorError> {
    let mut tx = parts.store.write().await?;
    let known = tx.broadcast(id).await?;
    known.ok_or_else(|| OperatorError::NotFound(format!("there is no broadcast {id}")))?;
    if tx.broadcast_unfold_stop(id).await? {
        tx.audit(who, AuditAct::CancelBroadcast, Some(&id.to_string()), None, parts.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(())
}
