//! The inbox: verified callbacks, kept before they are answered, applied later, each once.

use sqlx::AssertSqlSafe;

use super::db::{Tx, on};
use super::error::StoreError;
use crate::domain::Timestamp;
use crate::domain::id::InboxId;

const INSERT: &str = "INSERT INTO inbox (id, provider, dedupe, body, state, looks, received_ms)
    VALUES ($1, $2, $3, $4, 'waiting', 0, $5) ON CONFLICT (provider, dedupe) DO NOTHING";
const WAITING: &str = "SELECT id, provider, dedupe, body, looks, received_ms FROM inbox WHERE state = 'waiting'
    ORDER BY looks, received_ms, id LIMIT $1";
const SETTLE: &str = "UPDATE inbox SET state = $2, settled_ms = $3, looks = looks + 1 WHERE id = $1";
const LOOK: &str = "UPDATE inbox SET looks = looks + 1 WHERE id = $1";

/// One callback in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Letter {
    /// Identifier.
    pub id: InboxId,
    /// The account it came to.
    pub provider: String,
    /// The fact's key.
    pub dedupe: String,
    /// The delivery event, JSON.
    pub body: String,
    /// How often it was looked at without finding its attempt.
    pub looks: i64,
    /// When it came.
    pub received_ms: Timestamp,
}

impl Tx {
    /// Keeps a callback. False: the same fact is there already.
    ///
    /// # Errors
    /// As every store function.
    pub async fn inbox_insert(
        &mut self,
        provider: &str,
        dedupe: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let done = sqlx::query(INSERT)
                .bind(InboxId::new())
                .bind(provider)
                .bind(dedupe)
                .bind(body)
                .bind(now)
                .execute(&mut *c)
                .await?;
            Ok(done.rows_affected() == 1)
        })
    }

    /// The callbacks that wait, those least often looked at first, so that many that belong to nothing of ours never
    /// stand before one that does; locked, and those another node works on are skipped.
    ///
    /// # Errors
    /// As every store function.
    pub async fn inbox_waiting(&mut self, limit: i64) -> Result<Vec<Letter>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{WAITING}{}", d.skip_locked());
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(limit).fetch_all(&mut *c).await?)
        })
    }

    /// Marks a callback as applied, or as belonging to nothing we know.
    ///
    /// # Errors
    /// As every store function.
    pub async fn inbox_settle(&mut self, id: InboxId, applied: bool, now: Timestamp) -> Result<(), StoreError> {
        let state = if applied { "applied" } else { "unmatched" };
        on!(self, |c, d| {
            sqlx::query(SETTLE).bind(id).bind(state).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Counts a look that found nothing; the callback goes on waiting.
    ///
    /// # Errors
    /// As every store function.
    pub async fn inbox_looked(&mut self, id: InboxId) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(LOOK).bind(id).execute(&mut *c).await?;
            Ok(())
        })
    }
}
