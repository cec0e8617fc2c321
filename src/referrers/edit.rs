//! What a person can record about referrers and their addresses: edits, suppressions, bases, manual touches.

use super::{Parts, ReferrersError};
use crate::domain::Actor;
use crate::domain::AuditAct;
use crate::domain::Timestamp;
use crate::domain::id::{ReferrerId, TouchId};
use crate::domain::referrer::Referrer;
use crate::domain::touch::{Disposition, Touch, TouchKind};

/// Changes a referrer. A changed address starts without a record; the old one keeps its record.
///
/// # Errors
/// [`ReferrersError::NotFound`] if the referrer is gone, [`ReferrersError::Invalid`] if another one has the same NPI.
pub async fn edit(
    parts: &Parts,
    id: ReferrerId,
    who: &Actor,
    change: impl FnOnce(&mut Referrer),
) -> Result<Referrer, ReferrersError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let mut referrer =
        tx.referrer(id).await?.ok_or_else(|| ReferrersError::NotFound(format!("there is no referrer {id}")))?;
    change(&mut referrer);
    referrer.updated_ms = now;
    tx.referrer_put(&referrer).await.map_err(npi_taken)?;
    tx.audit(who, AuditAct::EditReferrer, Some(&id.to_string()), None, now).await?;
    tx.commit().await?;
    Ok(referrer)
}

pub(crate) fn npi_taken(error: crate::store::StoreError) -> ReferrersError {
    match error {
        crate::store::StoreError::Conflict(_) => {
            ReferrersError::Invalid("another referrer has the same NPI".to_owned())
        }
        other => ReferrersError::Store(other),
    }
}

/// Logs a touch made by a person: a call, a visit, a meeting, a lunch-and-learn; or a referral received.
///
/// # Errors
/// [`ReferrersError::NotFound`] if the referrer is gone, [`ReferrersError::Invalid`] for a letter, which only sending makes.
pub async fn log_touch(
    parts: &Parts,
    referrer: ReferrerId,
    kind: TouchKind,
    title: &str,
    at: Option<Timestamp>,
    who: &Actor,
) -> Result<TouchId, ReferrersError> {
    if kind == TouchKind::Letter {
        return Err(ReferrersError::Invalid("a letter becomes a touch by being sent".to_owned()));
    }
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    tx.referrer(referrer).await?.ok_or_else(|| ReferrersError::NotFound(format!("there is no referrer {referrer}")))?;
    let occurred = at.unwrap_or(now);
    let touch = Touch {
        id: TouchId::new(),
        referrer_id: referrer,
        submission_id: None,
        broadcast_id: None,
        kind,
        letter: None,
        title: title.chars().take(200).collect(),
        category: None,
        disposition: Disposition::Delivered,
        occurred_ms: occurred,
        delivered_ms: Some(occurred),
        actor: who.to_owned(),
        repeat_of: None,
        notes: None,
    };
    tx.touches_insert(std::slice::from_ref(&touch)).await?;
    tx.audit(who, AuditAct::LogTouch, Some(&referrer.to_string()), Some(kind.as_str()), now).await?;
    tx.commit().await?;
    Ok(touch.id)
}
