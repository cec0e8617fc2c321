//! Undoing an import: whoever it added is taken off again, whoever it changed is as before. What somebody changed since,
//! and whoever has a history by now, stays.

use super::IMPORT_UNDONE;
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

/// An import with what the audit trail says that it brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldImport {
    /// The import.
    pub import: ListImport,
    /// What it brought, each a number and what it counts: `5`, `bases for faxing`. None if the audit trail has no entry.
    pub brought: Vec<(i64, String)>,
}

/// The newest imports, at most 50, with what each brought: people, bases for faxing, and opt-outs.
///
/// # Errors
/// The database cannot be used.
pub async fn imports_told(parts: &Parts) -> Result<Vec<ToldImport>, ReferrersError> {
    let mut tx = parts.store.read().await?;
    let mut told = Vec::new();
    for import in tx.imports_list(IMPORTS_SHOWN).await? {
        let subject = import.id.to_string();
        let detail = tx.audit_detail(AuditAct::ImportReferrers, &subject, import.created_ms).await?;
        let brought = detail.map(|detail| brought(&import.list, &detail)).unwrap_or_default();
        told.push(ToldImport { import, brought });
    }
    Ok(told)
}

/// The numbers of an entry of the audit trail: `list.csv: 12 new, 3 updated, 5 bases for faxing`.
fn brought(list: &str, detail: &str) -> Vec<(i64, String)> {
    let counts = detail.strip_prefix(list).and_then(|rest| rest.strip_prefix(": ")).unwrap_or_default();
    let counts = counts.split(", ").filter_map(|part| part.split_once(' '));
    counts.filter_map(|(count, what)| Some((count.parse().ok()?, what.to_owned()))).collect()
}

/// An undone import for the audit trail: bases are left out where there are none.
fn told(import: &ListImport, undone: &Undone) -> String {
    let mut told = format!("{}: {} removed, {} restored", import.list, undone.removed, undone.restored);
    match undone.bases_ended {
        0 => {}
        1 => told.push_str(", 1 basis for faxing ended"),
        many => told.push_str(&format!(", {many} bases for faxing ended")),
    }
    told
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
            if tx.basis_end(*basis, IMPORT_UNDONE, now).await? {
                undone.bases_ended += 1;
            }
        }
        take_back(&mut tx, &change, import.created_ms, now, &mut undone).await?;
    }
    let detail = told(&import, &undone);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_import_brought_is_read_off_its_entry_whatever_its_name() {
        let expected = vec![(12, "new".to_owned()), (0, "updated".to_owned()), (5, "bases for faxing".to_owned())];
        for list in ["north_shore.csv", "a: 7 new, 9 updated.csv", ""] {
            let detail = format!("{list}: 12 new, 0 updated, 5 bases for faxing");
            assert_eq!(brought(list, &detail), expected, "{list}");
        }
        assert_eq!(brought("list.csv", "something else"), []);
    }
}
