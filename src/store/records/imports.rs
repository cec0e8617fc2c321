//! Imports of lists, and what each changed, so that it can be undone.

use sqlx::AssertSqlSafe;

use crate::domain::id::{BasisId, ImportId, ReferrerId};
use crate::domain::referrer::{Location, Referrer};
use crate::domain::{Actor, Address, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::portions;

const COLUMNS: &str = "SELECT id, list, who, added, updated, created_ms, undone_ms FROM list_import";
const INSERT: &str =
    "INSERT INTO list_import (id, list, who, added, updated, created_ms) VALUES ($1, $2, $3, $4, $5, $6)";
const UNDONE: &str = "UPDATE list_import SET undone_ms = $2 WHERE id = $1 AND undone_ms IS NULL";
const INSERT_CHANGES: &str = "INSERT INTO list_import_change (import_id, referrer_id, before, bases) ";
const CHANGES: &str =
    "SELECT referrer_id, before, bases FROM list_import_change WHERE import_id = $1 ORDER BY referrer_id";
const FORGET: &str = "DELETE FROM list_import_change WHERE referrer_id = $1";

/// One import of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListImport {
    /// Identifier.
    pub id: ImportId,
    /// The list's name: its file's, without folders.
    pub list: String,
    /// Who imported it.
    pub who: Actor,
    /// Referrers that it added.
    pub added: i64,
    /// Referrers that it changed.
    pub updated: i64,
    /// When.
    pub created_ms: Timestamp,
    /// When it was undone.
    pub undone_ms: Option<Timestamp>,
}

record!(ListImport: "list_import" by id as ImportId { id, list, who, added, updated, created_ms, undone_ms });

/// A referrer as it was, with its further locations.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Before {
    /// The record.
    pub referrer: Referrer,
    /// Its further locations.
    pub locations: Vec<Location>,
}

impl Before {
    /// Every address of theirs on record, preferred or not.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        self.referrer.addresses().chain(self.locations.iter().flat_map(Location::addresses))
    }
}

/// What an import changed about one referrer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportChange {
    /// Whom.
    pub referrer: ReferrerId,
    /// As it was; none if the import added it.
    pub before: Option<Before>,
    /// Bases that the import recorded.
    pub bases: Vec<BasisId>,
}

impl Tx {
    /// Records an import.
    pub async fn import_insert(&mut self, import: &ListImport) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(INSERT)
                .bind(import.id)
                .bind(&import.list)
                .bind(&import.who)
                .bind(import.added)
                .bind(import.updated)
                .bind(import.created_ms)
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// Records what an import changed, one entry for each referrer.
    pub async fn import_changes_insert(
        &mut self,
        import: ImportId,
        changes: &[ImportChange],
    ) -> Result<(), StoreError> {
        for portion in portions(changes) {
            let rows = portion.iter().map(written).collect::<Result<Vec<_>, _>>()?;
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT_CHANGES);
                statement.push_values(&rows, |mut row, (referrer, before, bases)| {
                    row.push_bind(import).push_bind(*referrer).push_bind(before).push_bind(bases);
                });
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// One import.
    pub async fn import(&mut self, id: ImportId) -> Result<Option<ListImport>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE id = $1");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(id).fetch_optional(&mut *c).await?)
        })
    }

    /// Imports, the newest first, at most `limit`.
    pub async fn imports_list(&mut self, limit: i64) -> Result<Vec<ListImport>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} ORDER BY created_ms DESC, id DESC LIMIT $1");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(limit).fetch_all(&mut *c).await?)
        })
    }

    /// What an import changed.
    pub async fn import_changes(&mut self, id: ImportId) -> Result<Vec<ImportChange>, StoreError> {
        let rows: Vec<(ReferrerId, Option<String>, String)> =
            on!(self, |c, d| sqlx::query_as(CHANGES).bind(id).fetch_all(&mut *c).await?);
        let unreadable = |_| StoreError::Corrupt(format!("list_import_change of {id}: a record cannot be read"));
        rows.into_iter()
            .map(|(referrer, before, bases)| {
                let before = before.map(|text| serde_json::from_str(&text)).transpose().map_err(unreadable)?;
                let bases = serde_json::from_str(&bases).map_err(unreadable)?;
                Ok(ImportChange { referrer, before, bases })
            })
            .collect()
    }

    /// Marks an import as undone. False: it already was.
    pub async fn import_undone(&mut self, id: ImportId, now: Timestamp) -> Result<bool, StoreError> {
        on!(self, |c, d| Ok(sqlx::query(UNDONE).bind(id).bind(now).execute(&mut *c).await?.rows_affected() == 1))
    }

    /// Forgets what imports changed about a referrer who is being deleted.
    pub async fn import_changes_forget(&mut self, referrer: ReferrerId) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(FORGET).bind(referrer).execute(&mut *c).await?;
            Ok(())
        })
    }
}

fn written(change: &ImportChange) -> Result<(ReferrerId, Option<String>, String), StoreError> {
    let failed = |_| StoreError::Corrupt("a record cannot be written as JSON".to_owned());
    let before = change.before.as_ref().map(serde_json::to_string).transpose().map_err(failed)?;
    Ok((change.referrer, before, serde_json::to_string(&change.bases).map_err(failed)?))
}
