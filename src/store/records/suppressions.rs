//! Suppressions: standing refusals. Setting one takes the address's lock, so no call starts after its commit.

use sqlx::AssertSqlSafe;

use crate::domain::id::{ReturnId, SuppressionId};
use crate::domain::suppression::Suppression;
use crate::domain::{Actor, Address, AddressKey, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, push_list};

const COLUMNS: &str = "SELECT id, channel, address, scope, reason, source, evidence, who, created_ms, lifted_ms,
    lifted_by, lifted_reason, return_id, expires_ms FROM suppression";
const INSERT: &str = "INSERT INTO suppression (id, channel, address, scope, reason, source, evidence, who, created_ms,
    return_id, expires_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING";
const LIFT: &str = "UPDATE suppression SET lifted_ms = $2, lifted_by = $3, lifted_reason = $4
    WHERE id = $1 AND lifted_ms IS NULL";
const EXPIRED: &str =
    "SELECT id FROM suppression WHERE lifted_ms IS NULL AND expires_ms IS NOT NULL AND expires_ms <= $1
    ORDER BY expires_ms LIMIT $2";

record!(Suppression: "suppression" by id as SuppressionId { id, channel, address, scope, reason, source, evidence, who, created_ms, lifted_ms, lifted_by, lifted_reason, return_id, expires_ms });

impl Tx {
    /// Sets a suppression. False: one with the same scope is already in effect.
    pub async fn suppression_insert(&mut self, s: &Suppression) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let done = sqlx::query(INSERT)
                .bind(s.id)
                .bind(s.channel)
                .bind(&s.address)
                .bind(s.scope)
                .bind(s.reason)
                .bind(s.source)
                .bind(&s.evidence)
                .bind(&s.who)
                .bind(s.created_ms)
                .bind(s.return_id)
                .bind(s.expires_ms)
                .execute(&mut *c)
                .await?;
            Ok(done.rows_affected() == 1)
        })
    }

    /// Lifts a suppression; its row stays. False: it had already been lifted.
    pub async fn suppression_lift(
        &mut self,
        id: SuppressionId,
        who: &Actor,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let done = sqlx::query(LIFT).bind(id).bind(now).bind(who).bind(reason).execute(&mut *c).await?;
            Ok(done.rows_affected() == 1)
        })
    }

    /// One suppression, in effect or lifted.
    pub async fn suppression(&mut self, id: SuppressionId) -> Result<Option<Suppression>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE id = $1");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(id).fetch_optional(&mut *c).await?)
        })
    }

    /// The suppressions in effect that end by themselves before a moment. At most `limit`.
    pub async fn suppressions_expired(&mut self, now: Timestamp, limit: i64) -> Result<Vec<SuppressionId>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(EXPIRED).bind(now).bind(limit).fetch_all(&mut *c).await?))
    }

    /// The suppressions that followed from a return, first to last, including lifted ones. At most 20.
    pub async fn suppressions_ever_because(&mut self, of: ReturnId) -> Result<Vec<Suppression>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE return_id = $1 ORDER BY created_ms, id LIMIT 20");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(of).fetch_all(&mut *c).await?)
        })
    }

    /// The suppressions in effect for an address.
    pub async fn suppressions_of(&mut self, address: &Address) -> Result<Vec<Suppression>, StoreError> {
        on!(self, |c, d| {
            let text =
                format!("{COLUMNS} WHERE channel = $1 AND address = $2 AND lifted_ms IS NULL ORDER BY created_ms, id");
            Ok(sqlx::query_as(AssertSqlSafe(text))
                .bind(address.channel())
                .bind(address.key())
                .fetch_all(&mut *c)
                .await?)
        })
    }

    /// Every suppression that an address ever had, newest first, including lifted ones. At most 100.
    pub async fn suppressions_ever_of(&mut self, address: &Address) -> Result<Vec<Suppression>, StoreError> {
        on!(self, |c, d| {
            let text =
                format!("{COLUMNS} WHERE channel = $1 AND address = $2 ORDER BY created_ms DESC, id DESC LIMIT 100");
            Ok(sqlx::query_as(AssertSqlSafe(text))
                .bind(address.channel())
                .bind(address.key())
                .fetch_all(&mut *c)
                .await?)
        })
    }

    /// The suppressions in effect among these addresses (their keys).
    pub async fn suppressions_among(&mut self, addresses: &[AddressKey]) -> Result<Vec<Suppression>, StoreError> {
        let mut found = Vec::new();
        let addresses: Vec<&str> = addresses.iter().map(AddressKey::as_str).collect();
        for list in lists(&addresses) {
            let rows: Vec<Suppression> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
                statement.push(" WHERE lifted_ms IS NULL AND channel IN ('fax', 'email') AND address IN (");
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// All suppressions, newest first, including lifted ones if asked for. At most `limit`.
    pub async fn suppressions_list(&mut self, ended_too: bool, limit: i64) -> Result<Vec<Suppression>, StoreError> {
        on!(self, |c, d| {
            let filter = if ended_too { "" } else { " WHERE lifted_ms IS NULL" };
            let text = format!("{COLUMNS}{filter} ORDER BY created_ms DESC, id DESC LIMIT $1");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(limit).fetch_all(&mut *c).await?)
        })
    }
}
