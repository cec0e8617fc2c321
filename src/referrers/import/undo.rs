//! Undoing an import: whoever it added is taken off again, whoever it changed is as before. What somebody changed since,
//! and whoever has a history by now, stays.

use crate::domain::id::ImportId;
use crate::domain::referrer::Referrer;
use crate::domain::{Actor, AuditAct, Timestamp};
use crate::referrers::{Parts, ReferrersError};
use crate::store::records::imports::{ImportChange, ListImport};
use crate::store::{StoreError, Tx};

/// Imports shown.
const IMPORTS_SHOWN: i64 = 50;

/// What undoing an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Undone {
    /// Referrers that the import had added and that are gone.
    pub removed: usize,
    /// Referrers that are as before the import.
    pub restored: usize,
    /// Bases that the import had recorded and that are ended.
    pub bases_ended: usize,
    /// Referrers that stay as they are, each with the reason.
    pub left: Vec<String>,
}

/// The newest imports, at most 50.
///
/// # Errors
/// The database cannot be used.
pub async fn imports(parts: &Parts) -> Result<Vec<ListImport>, ReferrersError> {
    Ok(parts.store.read().await?.imports_list(IMPORTS_SHOWN).await?)
}

/// Undoes an import. Refusals that came with it stand: an opt-out is never undone with a list.
///
/// # Errors
/// [`ReferrersError::NotFound`] if there is no such import, [`ReferrersError::Invalid`] if it was undone before.
pub async fn undo_import(parts: &Parts, id: ImportId, who: &Actor) -> Result<Undone, ReferrersError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let import = tx.import(id).await?.ok_or_else(|| ReferrersError::NotFound(format!("there is no import {id}")))?;
    if !tx.import_undone(id, now).await? {
        return Err(ReferrersError::Invalid(format!("the import of {} was undone before", import.list)));
    }
    let mut undone = Undone::default();
    for change in tx.import_changes(id).await? {
        for basis in &change.bases {
            if tx.basis_end(*basis, "the import was undone", now).await? {
                undone.bases_ended += 1;
            }
        }
        take_back(&mut tx, &change, import.created_ms, now, &mut undone).await?;
    }
    let detail = format!("{}: {} removed, {} restored", import.list, undone.removed, undone.restored);
    tx.audit(who, AuditAct::UndoImport, Some(&id.to_string()), Some(&detail), now).await?;
    tx.commit().await?;
    Ok(undone)
}

async fn take_back(
    tx: &mut Tx,
    change: &ImportChange,
    imported: Timestamp,
    now: Timestamp,
    undone: &mut Undone,
) -> Result<(), StoreError> {
    let Some(current) = tx.referrer(change.referrer).await? else { return Ok(()) };
    if current.updated_ms > imported {
        undone.left.push(format!("{}: changed since the import", current.full_description()));
        return Ok(());
    }
    match &change.before {
        Some(before) => {
            let restored = Referrer {
                updated_ms: now,
                state: current.state.stricter(before.referrer.state),
                ..before.referrer.clone()
            };
            tx.referrer_put(&restored).await?;
            tx.locations_delete(change.referrer).await?;
            for location in &before.locations {
                tx.location_put(location).await?;
            }
            undone.restored += 1;
        }
        None if has_history(tx, &current).await? => {
            undone
                .left
                .push(format!("{}: has a history by now; delete them by hand if need be", current.full_description()));
        }
        None => {
            tx.import_changes_forget(change.referrer).await?;
            if tx.referrer_delete(change.referrer).await? {
                undone.removed += 1;
            } else {
                undone.left.push(format!("{}: is part of a merge", current.full_description()));
            }
        }
    }
    Ok(())
}

async fn has_history(tx: &mut Tx, referrer: &Referrer) -> Result<bool, StoreError> {
    Ok(!tx.touches_of(referrer.id, 1).await?.is_empty())
}
