//! Submissions and their idempotency keys.

use super::db::{Tx, on};
use super::error::StoreError;
use crate::domain::Timestamp;
use crate::domain::id::SubmissionId;

const INSERT: &str = "INSERT INTO submission (id, idempotency_key, request_hash, answer, who, created_ms)
    VALUES ($1, $2, $3, $4, $5, $6)";
const BY_KEY: &str = "SELECT id, request_hash, answer FROM submission WHERE idempotency_key = $1";

/// A submission as it is kept.
#[derive(Debug, Clone)]
pub struct SubmissionRow {
    /// Identifier.
    pub id: SubmissionId,
    /// The caller's key, if given.
    pub idempotency_key: Option<String>,
    /// SHA-256 of the request, hex.
    pub request_hash: String,
    /// The answer given, JSON.
    pub answer: String,
    /// Who asked.
    pub who: String,
    /// When.
    pub created_ms: Timestamp,
}

impl Tx {
    /// Stores a submission.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the idempotency key was used before: concurrent callers, one wins.
    pub async fn submission_insert(&mut self, s: &SubmissionRow) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(INSERT)
                .bind(s.id)
                .bind(&s.idempotency_key)
                .bind(&s.request_hash)
                .bind(&s.answer)
                .bind(&s.who)
                .bind(s.created_ms)
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// Identifier, request hash and answer of an earlier submission with that key.
    ///
    /// # Errors
    /// As every store function.
    pub async fn submission_by_key(&mut self, key: &str) -> Result<Option<(SubmissionId, String, String)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(BY_KEY).bind(key).fetch_optional(&mut *c).await?))
    }
}
