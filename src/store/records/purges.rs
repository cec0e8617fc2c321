//! The copies of documents that providers are asked to delete.

use crate::domain::Timestamp;
use crate::domain::id::{AttemptId, MessageId};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::portions;

const INSERT: &str = "INSERT INTO purge (attempt_id, message_id, provider, due_ms, tries, given_up_ms) ";
const KEEPING: &str = " ON CONFLICT (attempt_id) DO NOTHING";
const ANEW: &str = " ON CONFLICT (attempt_id) DO UPDATE SET due_ms = excluded.due_ms, tries = 0, given_up_ms = NULL";
const DUE: &str = "SELECT COUNT(*) FROM purge WHERE given_up_ms IS NULL AND due_ms <= $1";
// Whoever waited for another node's claim looks at the time again, and finds it later.
const CLAIM: &str = "UPDATE purge SET due_ms = $2, tries = tries + 1 WHERE due_ms <= $1 AND attempt_id IN
    (SELECT attempt_id FROM purge WHERE given_up_ms IS NULL AND due_ms <= $1 ORDER BY due_ms, attempt_id LIMIT $3)
    RETURNING attempt_id, message_id, provider, due_ms, tries, given_up_ms";
const DONE: &str = "DELETE FROM purge WHERE attempt_id = $1";
const PUT_OFF: &str = "UPDATE purge SET due_ms = $2 WHERE attempt_id = $1";
const GIVE_UP: &str = "UPDATE purge SET given_up_ms = $2 WHERE attempt_id = $1";
const GIVEN_UP: &str = "SELECT COUNT(*) FROM purge WHERE given_up_ms IS NOT NULL";

/// A copy to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purge {
    /// The attempt that handed it over.
    pub attempt_id: AttemptId,
    /// Its message.
    pub message_id: MessageId,
    /// The account that has it.
    pub provider: String,
    /// When the account is asked next.
    pub due_ms: Timestamp,
    /// How often it was asked.
    pub tries: i64,
    /// Since when it is not asked any more.
    pub given_up_ms: Option<Timestamp>,
}

record!(Purge: "purge" by attempt_id as AttemptId { attempt_id, message_id, provider, due_ms, tries, given_up_ms });

impl Tx {
    /// Notes copies to be deleted; those noted already stay as they are.
    pub async fn purges_insert(&mut self, purges: &[Purge]) -> Result<(), StoreError> {
        self.purges_put(purges, KEEPING).await
    }

    /// Notes copies to be deleted; those noted already start over. No attempt is named twice.
    pub async fn purges_anew(&mut self, purges: &[Purge]) -> Result<(), StoreError> {
        self.purges_put(purges, ANEW).await
    }

    async fn purges_put(&mut self, purges: &[Purge], conflict: &'static str) -> Result<(), StoreError> {
        for portion in portions(purges) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT);
                statement.push_values(portion, |mut row, one| {
                    row.push_bind(one.attempt_id).push_bind(one.message_id).push_bind(&one.provider);
                    row.push_bind(one.due_ms).push_bind(one.tries).push_bind(one.given_up_ms);
                });
                statement.push(conflict);
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Whether any copy is to be deleted now.
    pub async fn purges_are_due(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let due: i64 = sqlx::query_scalar(DUE).bind(now).fetch_one(&mut *c).await?;
            Ok(due > 0)
        })
    }

    /// Takes up to `limit` copies that are due; nobody else takes them before `until`.
    pub async fn purges_claim(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<Purge>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(CLAIM).bind(now).bind(until).bind(limit).fetch_all(&mut *c).await?))
    }

    /// A copy is deleted.
    pub async fn purge_done(&mut self, attempt: AttemptId) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(DONE).bind(attempt).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// A copy is to be deleted later.
    pub async fn purge_put_off(&mut self, attempt: AttemptId, due: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(PUT_OFF).bind(attempt).bind(due).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Nobody is asked any more to delete a copy, unless a person says so.
    pub async fn purge_give_up(&mut self, attempt: AttemptId, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(GIVE_UP).bind(attempt).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// How many copies could not be deleted.
    pub async fn purges_given_up(&mut self) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(GIVEN_UP).fetch_one(&mut *c).await?))
    }
}
