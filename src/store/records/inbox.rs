//! The inbox: verified callbacks, kept before they are answered, applied later, each once.

use std::collections::HashSet;

use sqlx::AssertSqlSafe;

use crate::domain::Timestamp;
use crate::domain::id::InboxId;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::rows::{lists, portions, push_list};

const INSERT: &str = "INSERT INTO inbox (id, provider, dedupe, body, state, looks, received_ms) ";
const INSERTED: &str = " ON CONFLICT DO NOTHING RETURNING provider, dedupe";
const WAITING: &str = "SELECT id, provider, dedupe, body, looks, received_ms FROM inbox WHERE state = 'waiting'
    ORDER BY looks, received_ms, id LIMIT $1";
const HAS_WAITING: &str = "SELECT id FROM inbox WHERE state = 'waiting' LIMIT 1";
const SETTLE: &str = "UPDATE inbox SET looks = looks + 1, state = ";
const SETTLED: &str = ", settled_ms = ";
const LOOK: &str = "UPDATE inbox SET looks = looks + 1 WHERE id IN (";

/// A callback to be kept.
#[derive(Debug, Clone)]
pub struct NewLetter {
    /// The account it came to.
    pub provider: String,
    /// The fact's key.
    pub dedupe: String,
    /// The delivery event, JSON.
    pub body: String,
    /// When it came.
    pub received_ms: Timestamp,
}

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
    /// Keeps callbacks. Answers for each whether it is new; of two that are the same, here or there already, the second
    /// is not.
    ///
    /// # Errors
    /// As every store function.
    pub async fn inbox_insert(&mut self, letters: &[NewLetter]) -> Result<Vec<bool>, StoreError> {
        let mut kept: HashSet<(String, String)> = HashSet::with_capacity(letters.len());
        for portion in portions(letters) {
            let rows: Vec<(String, String)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT);
                statement.push_values(portion, |mut row, letter| {
                    row.push_bind(InboxId::new()).push_bind(&letter.provider).push_bind(&letter.dedupe);
                    row.push_bind(&letter.body).push_bind("waiting").push_bind(0_i64).push_bind(letter.received_ms);
                });
                statement.push(INSERTED);
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            kept.extend(rows);
        }
        Ok(letters.iter().map(|letter| kept.remove(&(letter.provider.clone(), letter.dedupe.clone()))).collect())
    }

    /// Whether any callback waits. Takes no lock: a look must not hide what it finds from the one who looked.
    ///
    /// # Errors
    /// As every store function.
    pub async fn inbox_has_waiting(&mut self) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let found: Option<InboxId> = sqlx::query_scalar(HAS_WAITING).fetch_optional(&mut *c).await?;
            Ok(found.is_some())
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

    /// Marks callbacks as applied, or as belonging to nothing we know.
    ///
    /// # Errors
    /// As every store function.
    pub async fn inbox_settle(&mut self, ids: &[InboxId], applied: bool, now: Timestamp) -> Result<(), StoreError> {
        let state = if applied { "applied" } else { "unmatched" };
        for list in lists(ids) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(SETTLE);
                statement.push_bind(state).push(SETTLED).push_bind(now).push(" WHERE id IN (");
                push_list(&mut statement, list);
                statement.push(")");
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Counts a look at callbacks that found nothing; they go on waiting.
    ///
    /// # Errors
    /// As every store function.
    pub async fn inbox_looked(&mut self, ids: &[InboxId]) -> Result<(), StoreError> {
        for list in lists(ids) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(LOOK);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }
}
