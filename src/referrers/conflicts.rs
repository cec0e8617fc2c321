//! Differences between a correction by hand and a list: a person keeps the correction or accepts what the list says.

use super::edit::{note_changes, npi_taken, present};
use super::{Parts, ReferrersError, fields};
use crate::domain::conflict::{Choice, Conflict};
use crate::domain::id::ConflictId;
use crate::domain::{Actor, AuditAct};

/// Most conflicts shown.
const SHOWN_MAX: i64 = 1_000;

/// Conflicts that wait for a person, the oldest first, at most 1,000.
///
/// # Errors
/// The database cannot be used.
pub async fn open(parts: &Parts) -> Result<Vec<Conflict>, ReferrersError> {
    Ok(parts.store.read().await?.conflicts_open(SHOWN_MAX).await?)
}

/// Settles a conflict. An accepted value counts as entered by the person who accepted it.
///
/// # Errors
/// [`ReferrersError::NotFound`] if there is no such conflict or the referrer is gone, [`ReferrersError::Invalid`] if it was
/// settled before, or the value is no longer possible.
pub async fn settle(parts: &Parts, id: ConflictId, choice: Choice, who: &Actor) -> Result<Conflict, ReferrersError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let conflict =
        tx.conflict(id).await?.ok_or_else(|| ReferrersError::NotFound(format!("there is no conflict {id}")))?;
    if !tx.conflict_settle(id, choice, who, now).await? {
        return Err(ReferrersError::Invalid("this difference was settled before".to_owned()));
    }
    if choice == Choice::Accept {
        let before = present(&mut tx, conflict.referrer_id).await?;
        let mut referrer = before.clone();
        fields::set(&mut referrer, conflict.field, &conflict.offered).map_err(ReferrersError::Invalid)?;
        referrer.updated_ms = now;
        note_changes(&before, &mut referrer, who, now);
        tx.referrer_put(&referrer).await.map_err(npi_taken)?;
    }
    let detail = format!("{}: {choice}", conflict.field);
    tx.audit(who, AuditAct::SettleConflict, Some(&conflict.referrer_id.to_string()), Some(&detail), now).await?;
    tx.commit().await?;
    Ok(conflict)
}
