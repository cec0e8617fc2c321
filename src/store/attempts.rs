//! Attempts: written before the call, corrected by what is learnt.

use sqlx::AssertSqlSafe;

use super::db::{Tx, on};
use super::error::StoreError;
use super::queue_entries::ROWS_PER_INSERT;
use crate::domain::attempt::{Attempt, ProviderReference};
use crate::domain::id::{AttemptId, MessageId, TouchId};
use crate::domain::{FaxNumber, Timestamp};

const COLUMNS: &str = "SELECT id, message_id, number, provider, status, provider_reference, fault, raw_code, raw_text,
    pages_confirmed, document_hash, opened_ms, answered_ms, settled_ms, looks, doubt_deadline_ms FROM attempt";
const INSERT: &str = "INSERT INTO attempt (id, message_id, number, provider, status, document_hash, opened_ms, looks) ";
const UPDATE: &str = "UPDATE attempt SET status = $2, provider_reference = $3, fault = $4, raw_code = $5,
    raw_text = $6, pages_confirmed = $7, answered_ms = $8, settled_ms = $9, looks = $10, doubt_deadline_ms = $11
    WHERE id = $1";
const LOOKS: &str = "UPDATE attempt SET looks = $2 WHERE id = $1";
const NUMBERS: &str = "SELECT message_id, MAX(number) FROM attempt WHERE message_id IN (";
const NUMBERS_BUSY: &str = "SELECT DISTINCT m.address FROM message m JOIN attempt a ON a.message_id = m.id
    WHERE m.channel = 'fax' AND m.settled_ms IS NULL AND a.status IN ('calling', 'in_doubt', 'accepted') AND a.opened_ms > ";
const MESSAGES_OF: &str = "SELECT m.id, m.touch_id, m.address FROM message m JOIN attempt a ON a.message_id = m.id
    WHERE a.id IN (";
const CLAIMED_REFERENCE: &str = "SELECT id FROM attempt WHERE provider = $1 AND provider_reference = $2";

impl Tx {
    /// Records attempts that are about to be made.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a message has an open attempt already: the index is the last line of defence.
    pub async fn attempts_insert(&mut self, attempts: &[Attempt]) -> Result<(), StoreError> {
        for chunk in attempts.chunks(ROWS_PER_INSERT) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT);
                statement.push_values(chunk, |mut row, a| {
                    row.push_bind(a.id).push_bind(a.message_id).push_bind(a.number).push_bind(&a.provider);
                    row.push_bind(a.status).push_bind(&a.document_hash).push_bind(a.opened_ms).push_bind(a.looks);
                });
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Writes back everything about an attempt that can change.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another attempt has the same provider reference.
    pub async fn attempt_update(&mut self, a: &Attempt) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(UPDATE)
                .bind(a.id)
                .bind(a.status)
                .bind(&a.provider_reference)
                .bind(a.fault)
                .bind(&a.raw_code)
                .bind(&a.raw_text)
                .bind(a.pages_confirmed)
                .bind(a.answered_ms)
                .bind(a.settled_ms)
                .bind(a.looks)
                .bind(a.doubt_deadline_ms)
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// Counts a look at an attempt without touching anything that evidence may have changed meanwhile.
    ///
    /// # Errors
    /// As every store function.
    pub async fn attempt_update_looks(&mut self, id: AttemptId, looks: i64) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(LOOKS).bind(id).bind(looks).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Takes the locks of all that news about these attempts may change, in the order in which everybody takes them:
    /// addresses, messages, touches. Whoever brings news of several attempts in one transaction does this first;
    /// taking the locks one attempt after the other, two could wait for each other in a circle.
    ///
    /// # Errors
    /// As every store function.
    pub async fn attempts_lock(&mut self, attempts: &[AttemptId]) -> Result<(), StoreError> {
        let mut about: Vec<(MessageId, TouchId, String)> = Vec::with_capacity(attempts.len());
        for chunk in attempts.chunks(ROWS_PER_INSERT) {
            let rows: Vec<(MessageId, TouchId, String)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(MESSAGES_OF);
                let mut list = statement.separated(", ");
                for id in chunk {
                    list.push_bind(*id);
                }
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            about.extend(rows);
        }
        let keys: Vec<String> = about.iter().map(|(_, _, address)| address.to_lowercase()).collect();
        self.addresses_lock(&keys).await?;
        self.messages(&about.iter().map(|(id, _, _)| *id).collect::<Vec<_>>(), true).await?;
        self.touches_lock(&about.iter().map(|(_, touch, _)| *touch).collect::<Vec<_>>()).await
    }

    /// One attempt.
    ///
    /// # Errors
    /// As every store function.
    pub async fn attempt(&mut self, id: AttemptId) -> Result<Option<Attempt>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE id = $1");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(id).fetch_optional(&mut *c).await?)
        })
    }

    /// The attempt a provider knows by that reference.
    ///
    /// # Errors
    /// As every store function.
    pub async fn attempt_by_reference(
        &mut self,
        provider: &str,
        reference: &ProviderReference,
    ) -> Result<Option<Attempt>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE provider = $1 AND provider_reference = $2");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(provider).bind(&reference.0).fetch_optional(&mut *c).await?)
        })
    }

    /// All attempts of a message, first to last.
    ///
    /// # Errors
    /// As every store function.
    pub async fn attempts_of(&mut self, message: MessageId) -> Result<Vec<Attempt>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE message_id = $1 ORDER BY number");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(message).fetch_all(&mut *c).await?)
        })
    }

    /// The open attempts among these messages.
    ///
    /// # Errors
    /// As every store function.
    pub async fn attempts_open(&mut self, messages: &[MessageId]) -> Result<Vec<Attempt>, StoreError> {
        let mut found = Vec::new();
        for chunk in messages.chunks(ROWS_PER_INSERT) {
            let rows: Vec<Attempt> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
                statement.push(" WHERE status IN ('calling', 'in_doubt', 'accepted') AND message_id IN (");
                let mut list = statement.separated(", ");
                for id in chunk {
                    list.push_bind(*id);
                }
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// The highest attempt number of each of these messages that has one.
    ///
    /// # Errors
    /// As every store function.
    pub async fn attempt_numbers(&mut self, messages: &[MessageId]) -> Result<Vec<(MessageId, i64)>, StoreError> {
        let mut found = Vec::new();
        for chunk in messages.chunks(ROWS_PER_INSERT) {
            let rows: Vec<(MessageId, i64)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(NUMBERS);
                let mut list = statement.separated(", ");
                for id in chunk {
                    list.push_bind(*id);
                }
                statement.push(") GROUP BY message_id");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// Which of these fax numbers are being called now, by an attempt opened after `since`.
    ///
    /// # Errors
    /// As every store function.
    pub async fn numbers_being_called(
        &mut self,
        numbers: &[FaxNumber],
        since: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(NUMBERS_BUSY);
            statement.push_bind(since).push(" AND m.address IN (");
            let mut list = statement.separated(", ");
            for number in numbers {
                list.push_bind(number.as_str());
            }
            statement.push(")");
            Ok(statement.build_query_scalar().fetch_all(&mut *c).await?)
        })
    }

    /// Whether some attempt already bears that provider reference.
    ///
    /// # Errors
    /// As every store function.
    pub async fn reference_is_claimed(
        &mut self,
        provider: &str,
        reference: &ProviderReference,
    ) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let found: Option<AttemptId> =
                sqlx::query_scalar(CLAIMED_REFERENCE).bind(provider).bind(&reference.0).fetch_optional(&mut *c).await?;
            Ok(found.is_some())
        })
    }
}
