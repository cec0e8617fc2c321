//! A referrer answered: it is part of their history, and from then on a person is in conversation with them.

use crate::domain::id::{ReferrerId, TouchId};
use crate::domain::touch::{Disposition, Touch, TouchKind};
use crate::domain::{Actor, AuditAct, Timestamp};
use crate::store::{StoreError, Tx};

/// Records an answer that came by email, in a transaction that does more: a touch coming in, which does not count among ours;
/// automatic letters to somebody who was contacted as usual wait from now on. Nothing happens for a referrer who was removed.
///
/// # Errors
/// The database cannot be used.
pub(crate) async fn answered_in(tx: &mut Tx, id: ReferrerId, at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let Some(id) = who_stays(tx, id).await? else { return Ok(()) };
    let touch = Touch {
        id: TouchId::new(),
        referrer_id: id,
        submission_id: None,
        broadcast_id: None,
        kind: TouchKind::Reply,
        letter: None,
        title: "Replied by email".to_owned(),
        category: None,
        disposition: Disposition::Delivered,
        occurred_ms: at.min(now),
        delivered_ms: Some(at.min(now)),
        actor: Actor::Recipient,
        repeat_of: None,
        notes: None,
    };
    tx.touches_insert(&[touch]).await?;
    if tx.referrer_open_conversation(id, now).await? {
        tx.audit(&Actor::Recipient, AuditAct::OpenConversation, Some(&id.to_string()), None, now).await?;
    }
    Ok(())
}

/// The referrer, or the one with whom they were merged; `None` for one who was removed.
///
/// # Errors
/// The database cannot be used.
pub(crate) async fn who_stays(tx: &mut Tx, id: ReferrerId) -> Result<Option<ReferrerId>, StoreError> {
    let mut id = id;
    // Somebody merged may have been merged again.
    for _ in 0..MERGES_MAX {
        match tx.referrer(id).await? {
            None => return Ok(None),
            Some(referrer) if referrer.removed_ms.is_none() => return Ok(Some(id)),
            Some(_) => match tx.merges_standing(&[id]).await?.first() {
                Some((_, kept)) => id = *kept,
                None => return Ok(None),
            },
        }
    }
    Ok(None)
}

/// The referrer under all the records that letters of theirs may stand under: the one they were merged into, and their own.
///
/// # Errors
/// The database cannot be used.
pub(crate) async fn records_of(tx: &mut Tx, id: ReferrerId) -> Result<Vec<ReferrerId>, StoreError> {
    let kept = who_stays(tx, id).await?;
    let mut records: Vec<ReferrerId> = kept.into_iter().chain([id]).collect();
    records.dedup();
    Ok(records)
}

/// Merges of one person after another that are followed.
const MERGES_MAX: usize = 10;
