//! Basis records: permission or relationship for faxing advertisements.

use sqlx::AssertSqlSafe;

use crate::domain::basis::Basis;
use crate::domain::id::BasisId;
use crate::domain::{AddressKey, FaxNumber, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, push_list};

const COLUMNS: &str = "SELECT id, fax, kind, number_source, obtained_on, how, by_whom, note, created_ms, ended_ms,
    ended_reason FROM basis";
const INSERT: &str = "INSERT INTO basis (id, fax, kind, number_source, obtained_on, how, by_whom, note, created_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const END: &str = "UPDATE basis SET ended_ms = $2, ended_reason = $3 WHERE id = $1 AND ended_ms IS NULL";
const END_RELATIONSHIPS: &str = "UPDATE basis SET ended_ms = $2, ended_reason = $3 WHERE fax = $1 AND ended_ms IS NULL";

record!(Basis: "basis" by id as BasisId { id, fax, kind, number_source, obtained_on, how, by_whom, note, created_ms, ended_ms, ended_reason });

impl Tx {
    /// Records a basis.
    pub async fn basis_insert(&mut self, b: &Basis) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(INSERT)
                .bind(b.id)
                .bind(&b.fax)
                .bind(b.kind)
                .bind(b.number_source)
                .bind(&b.obtained_on)
                .bind(&b.how)
                .bind(&b.by_whom)
                .bind(&b.note)
                .bind(b.created_ms)
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// Ends one basis. False: it had already ended.
    pub async fn basis_end(&mut self, id: BasisId, reason: &str, now: Timestamp) -> Result<bool, StoreError> {
        on!(self, |c, d| Ok(
            sqlx::query(END).bind(id).bind(now).bind(reason).execute(&mut *c).await?.rows_affected() == 1
        ))
    }

    /// Ends every basis of a number, as an opt-out does (`compliance.md` R2.11).
    pub async fn basis_end_all(&mut self, fax: &FaxNumber, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(END_RELATIONSHIPS).bind(fax).bind(now).bind(reason).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Every basis of a number, newest first, including ended ones.
    pub async fn basis_of(&mut self, fax: &FaxNumber) -> Result<Vec<Basis>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE fax = $1 ORDER BY created_ms DESC, id DESC LIMIT 100");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(fax).fetch_all(&mut *c).await?)
        })
    }

    /// The current bases among these numbers.
    pub async fn basis_among(&mut self, numbers: &[AddressKey]) -> Result<Vec<Basis>, StoreError> {
        let mut found = Vec::new();
        let numbers: Vec<&str> = numbers.iter().map(AddressKey::as_str).collect();
        for list in lists(&numbers) {
            let rows: Vec<Basis> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
                statement.push(" WHERE ended_ms IS NULL AND fax IN (");
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }
}
