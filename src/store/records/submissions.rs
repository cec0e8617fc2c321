//! Submissions and their idempotency keys.

use crate::domain::id::SubmissionId;
use crate::domain::{Actor, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, portions, push_list};

const INSERT: &str = "INSERT INTO submission (id, idempotency_key, request_hash, answer, who, created_ms) ";
const BY_KEYS: &str = "SELECT id, idempotency_key, request_hash, answer, who, created_ms FROM submission
    WHERE idempotency_key IN (";
const BY_ID: &str = "SELECT id, idempotency_key, request_hash, answer, who, created_ms FROM submission WHERE id = $1";
const ANSWER: &str = "UPDATE submission SET answer = $2 WHERE id = $1";

/// A stored submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionRow {
    /// Identifier.
    pub id: SubmissionId,
    /// The caller's key, if given.
    pub idempotency_key: Option<String>,
    /// SHA-256 of the request, hex.
    pub request_hash: String,
    /// The response given, JSON.
    pub answer: String,
    /// Who submitted it.
    pub who: Actor,
    /// When it was submitted.
    pub created_ms: Timestamp,
}

record!(SubmissionRow: "submission" by id as SubmissionId { id, idempotency_key, request_hash, answer, who, created_ms });

impl Tx {
    /// Stores submissions.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if an idempotency key was used before: concurrent callers, one wins.
    pub async fn submissions_insert(&mut self, submissions: &[SubmissionRow]) -> Result<(), StoreError> {
        for portion in portions(submissions) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT);
                statement.push_values(portion, |mut row, s| {
                    row.push_bind(s.id).push_bind(&s.idempotency_key).push_bind(&s.request_hash).push_bind(&s.answer);
                    row.push_bind(&s.who).push_bind(s.created_ms);
                });
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// The earlier submissions with these keys.
    pub async fn submissions_by_keys(&mut self, keys: &[&str]) -> Result<Vec<SubmissionRow>, StoreError> {
        let mut found = Vec::new();
        for list in lists(keys) {
            let rows: Vec<SubmissionRow> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(BY_KEYS);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// A submission by its id.
    pub async fn submission(&mut self, id: SubmissionId) -> Result<Option<SubmissionRow>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(BY_ID).bind(id).fetch_optional(&mut *c).await?))
    }

    /// Records the response as it is now.
    pub async fn submission_answer(&mut self, id: SubmissionId, answer: &str) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(ANSWER).bind(id).bind(answer).execute(&mut *c).await?;
            Ok(())
        })
    }
}
