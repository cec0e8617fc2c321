//! Submissions and their idempotency keys.

use std::collections::BTreeSet;

use sqlx::AssertSqlSafe;

use crate::domain::id::{BroadcastId, MessageId, SubmissionId};
use crate::domain::{Actor, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::{record, row};
use crate::store::engine::rows::{lists, portions, push_list};

const COLUMNS: &str =
    "SELECT id, idempotency_key, request_hash, answer, who, created_ms, at_ms, undo_until_ms, undone_ms, undone_by
    FROM submission";
const INSERT: &str =
    "INSERT INTO submission (id, idempotency_key, request_hash, answer, who, created_ms, at_ms, undo_until_ms) ";
const ANSWER: &str = "UPDATE submission SET answer = $2, undo_until_ms = $3 WHERE id = $1";
const UNDONE: &str = "UPDATE submission SET undone_ms = $2, undone_by = $3 WHERE id = $1";
const WINDOWS: &str =
    "SELECT id, undo_until_ms, undone_ms FROM submission WHERE (undone_ms IS NOT NULL OR undo_until_ms > ";
const HANDED_OVER: &str =
    "SELECT m.id FROM message m JOIN attempt a ON a.message_id = m.id WHERE m.submission_id = $1 LIMIT 1";
const UNDONE_LEFT: &str = "SELECT s.id, s.undone_by FROM submission s WHERE s.undone_ms > $1 AND EXISTS
    (SELECT 1 FROM message m WHERE m.submission_id = s.id AND m.status IN ('queued', 'held')) ORDER BY s.id LIMIT 100";
const BROADCAST_OF: &str = "SELECT id FROM broadcast WHERE submission_id = $1";

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
    /// Before when nothing of it may go out, if it asked for a time.
    pub at_ms: Option<Timestamp>,
    /// Until when it can be withdrawn; `None` if it never could.
    pub undo_until_ms: Option<Timestamp>,
    /// When it was withdrawn.
    pub undone_ms: Option<Timestamp>,
    /// By whom.
    pub undone_by: Option<Actor>,
}

impl SubmissionRow {
    fn is_of(&self, who: &Actor) -> bool {
        self.who == *who
    }

    fn has_key(&self, key: &str) -> bool {
        self.idempotency_key.as_deref() == Some(key)
    }
}

/// Whether a submission can be withdrawn, or was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UndoWindow {
    /// The submission.
    pub id: SubmissionId,
    /// Until when it can be withdrawn.
    pub undo_until_ms: Option<Timestamp>,
    /// When it was withdrawn.
    pub undone_ms: Option<Timestamp>,
}

row!(UndoWindow { id, undo_until_ms, undone_ms });

record!(SubmissionRow: "submission" by id as SubmissionId {
    id, idempotency_key, request_hash, answer, who, created_ms, at_ms, undo_until_ms, undone_ms, undone_by
});

impl Tx {
    /// Stores submissions.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if an idempotency key was used before by the same caller: concurrent callers, one wins.
    pub async fn submissions_insert(&mut self, submissions: &[SubmissionRow]) -> Result<(), StoreError> {
        for portion in portions(submissions) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT);
                statement.push_values(portion, |mut row, s| {
                    row.push_bind(s.id).push_bind(&s.idempotency_key).push_bind(&s.request_hash).push_bind(&s.answer);
                    row.push_bind(&s.who).push_bind(s.created_ms).push_bind(s.at_ms).push_bind(s.undo_until_ms);
                });
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// The earlier submissions with these keys, each used by whom it stands with: a key belongs to whoever used it.
    pub async fn submissions_by_keys(&mut self, keys: &[(&Actor, &str)]) -> Result<Vec<SubmissionRow>, StoreError> {
        let mut found: Vec<SubmissionRow> = Vec::new();
        for portion in lists(keys) {
            let who: BTreeSet<&Actor> = portion.iter().map(|(who, _)| *who).collect();
            let who: Vec<&Actor> = who.into_iter().collect();
            let keys: Vec<&str> = portion.iter().map(|(_, key)| *key).collect();
            let rows: Vec<SubmissionRow> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
                statement.push(" WHERE who IN (");
                push_list(&mut statement, &who);
                statement.push(") AND idempotency_key IN (");
                push_list(&mut statement, &keys);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            let is_asked = |row: &SubmissionRow| portion.iter().any(|(who, key)| row.is_of(who) && row.has_key(key));
            found.extend(rows.into_iter().filter(is_asked));
        }
        Ok(found)
    }

    /// A submission by its id.
    pub async fn submission(&mut self, id: SubmissionId) -> Result<Option<SubmissionRow>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE id = $1");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(id).fetch_optional(&mut *c).await?)
        })
    }

    /// The same, locked until the end of the transaction: no hand-over passes the gate meanwhile.
    pub async fn submission_lock(&mut self, id: SubmissionId) -> Result<Option<SubmissionRow>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE id = $1{}", d.for_update());
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(id).fetch_optional(&mut *c).await?)
        })
    }

    /// Of these submissions, those that were withdrawn, or can be after a moment. They are locked against being withdrawn
    /// until the end of the transaction.
    pub async fn submissions_undo_windows(
        &mut self,
        ids: &[SubmissionId],
        after: Timestamp,
    ) -> Result<Vec<UndoWindow>, StoreError> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut found = Vec::new();
        for list in lists(&ids) {
            let rows: Vec<UndoWindow> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(WINDOWS);
                statement.push_bind(after).push(") AND id IN (");
                push_list(&mut statement, list);
                statement.push(") ORDER BY id").push(d.for_share());
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// Notes that a submission was withdrawn. The caller holds it locked.
    pub async fn submission_undone(&mut self, id: SubmissionId, who: &Actor, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(UNDONE).bind(id).bind(now).bind(who).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Whether any message of a submission has an attempt.
    pub async fn submission_was_handed_over(&mut self, id: SubmissionId) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let found: Option<MessageId> = sqlx::query_scalar(HANDED_OVER).bind(id).fetch_optional(&mut *c).await?;
            Ok(found.is_some())
        })
    }

    /// The submissions withdrawn after a moment that still have messages to be cancelled, with who withdrew them; at most
    /// 100.
    pub async fn submissions_undone_left(
        &mut self,
        after: Timestamp,
    ) -> Result<Vec<(SubmissionId, Option<Actor>)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(UNDONE_LEFT).bind(after).fetch_all(&mut *c).await?))
    }

    /// The broadcast that a submission made, if it is a list.
    pub async fn broadcast_of_submission(&mut self, id: SubmissionId) -> Result<Option<BroadcastId>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(BROADCAST_OF).bind(id).fetch_optional(&mut *c).await?))
    }

    /// Records the response as it is now, and until when the submission can be withdrawn.
    pub async fn submission_answer(
        &mut self,
        id: SubmissionId,
        answer: &str,
        undo_until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(ANSWER).bind(id).bind(answer).bind(undo_until).execute(&mut *c).await?;
            Ok(())
        })
    }
}
