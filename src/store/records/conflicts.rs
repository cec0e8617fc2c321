//! Differences between a correction by hand and a list, for a person to settle.

use sqlx::AssertSqlSafe;

use crate::domain::conflict::{Choice, Conflict};
use crate::domain::id::{ConflictId, ReferrerId};
use crate::domain::{Actor, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, push_list};

const COLUMNS: &str = "SELECT id, referrer_id, field, kept, offered, list, created_ms, settled_ms, settled_by, choice
    FROM referrer_conflict";
const INSERT: &str = "INSERT INTO referrer_conflict (id, referrer_id, field, kept, offered, list, created_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (referrer_id, field) WHERE settled_ms IS NULL
    DO UPDATE SET kept = excluded.kept, offered = excluded.offered, list = excluded.list";
const SETTLE: &str = "UPDATE referrer_conflict SET settled_ms = $2, settled_by = $3, choice = $4
    WHERE id = $1 AND settled_ms IS NULL";
const COUNT: &str = "SELECT COUNT(*) FROM referrer_conflict WHERE settled_ms IS NULL";

record!(Conflict: "referrer_conflict" by id as ConflictId { id, referrer_id, field, kept, offered, list, created_ms, settled_ms, settled_by, choice });

impl Tx {
    /// Records a conflict; one that is open for the same field is replaced by it and keeps its id.
    pub async fn conflict_put(&mut self, conflict: &Conflict) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(INSERT)
                .bind(conflict.id)
                .bind(conflict.referrer_id)
                .bind(conflict.field)
                .bind(&conflict.kept)
                .bind(&conflict.offered)
                .bind(&conflict.list)
                .bind(conflict.created_ms)
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// One conflict.
    pub async fn conflict(&mut self, id: ConflictId) -> Result<Option<Conflict>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE id = $1");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(id).fetch_optional(&mut *c).await?)
        })
    }

    /// Conflicts that wait for a person, the oldest first, at most `limit`.
    pub async fn conflicts_open(&mut self, limit: i64) -> Result<Vec<Conflict>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE settled_ms IS NULL ORDER BY created_ms, id LIMIT $1");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(limit).fetch_all(&mut *c).await?)
        })
    }

    /// How many wait for a person.
    pub async fn conflicts_count(&mut self) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(COUNT).fetch_one(&mut *c).await?))
    }

    /// All conflicts of these referrers, open and settled.
    pub async fn conflicts_of(&mut self, referrers: &[ReferrerId]) -> Result<Vec<Conflict>, StoreError> {
        let mut found = Vec::new();
        for list in lists(referrers) {
            let rows: Vec<Conflict> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
                statement.push(" WHERE referrer_id IN (");
                push_list(&mut statement, list);
                statement.push(") ORDER BY created_ms, id");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// Settles a conflict. False: it already was.
    pub async fn conflict_settle(
        &mut self,
        id: ConflictId,
        choice: Choice,
        who: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let statement = sqlx::query(SETTLE).bind(id).bind(now).bind(who).bind(choice);
            Ok(statement.execute(&mut *c).await?.rows_affected() == 1)
        })
    }
}
