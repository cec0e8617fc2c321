//! A referrer answered: it is part of their history, and from then on a person is in conversation with them.

use std::collections::HashMap;

use crate::domain::id::{ReferrerId, TouchId};
use crate::domain::referrer::Referrer;
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

/// The referrers, each as the record in use says: of one who was merged, the one that stays.
///
/// # Errors
/// The database cannot be used.
pub(crate) async fn who_stay(tx: &mut Tx, ids: &[ReferrerId]) -> Result<HashMap<ReferrerId, Referrer>, StoreError> {
    let people = tx.records_of_people(ids).await?;
    let mut records: Vec<ReferrerId> = people.values().flatten().copied().collect();
    records.sort_unstable();
    records.dedup();
    let known: HashMap<ReferrerId, Referrer> =
        tx.referrers(&records).await?.into_iter().map(|one| (one.id, one)).collect();
    let in_use = |records: &[ReferrerId]| {
        let mut records = records.iter().filter_map(|id| known.get(id));
        records.find(|one| one.removed_ms.is_none()).cloned()
    };
    let found = people
        .into_iter()
        .filter_map(|(id, records)| Some((id, in_use(&records).or_else(|| known.get(&id).cloned())?)));
    Ok(found.collect())
}

/// Merges of one person after another that are followed.
const MERGES_MAX: usize = 10;
