//! What can still be withdrawn.

use sqlx::AssertSqlSafe;

use crate::domain::id::SubmissionId;
use crate::domain::{Actor, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;

const COLUMNS: &str = "SELECT s.id, s.who, s.created_ms, s.undo_until_ms, b.name AS broadcast,
        (SELECT MIN(m.letter) FROM message m WHERE m.submission_id = s.id) AS letter,
        (SELECT COUNT(*) FROM message m WHERE m.submission_id = s.id AND m.status IN ('queued', 'held')) AS messages
    FROM submission s LEFT JOIN broadcast b ON b.submission_id = s.id
    WHERE s.undo_until_ms > $1 AND s.undone_ms IS NULL AND (b.unfolding_ms IS NOT NULL OR EXISTS
        (SELECT 1 FROM message m WHERE m.submission_id = s.id AND m.status IN ('queued', 'held')))";

/// A submission within its undo window, of which something waits or is still to be put on the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undoable {
    /// The submission.
    pub id: SubmissionId,
    /// Who sent it.
    pub who: Actor,
    /// When.
    pub created_ms: Timestamp,
    /// Until when it can be withdrawn.
    pub undo_until_ms: Timestamp,
    /// The name of its broadcast, if it is a list.
    pub broadcast: Option<String>,
    /// Its letter; of several, one. `None` while there is no message yet.
    pub letter: Option<String>,
    /// How many of its messages wait, as far as the list is unfolded.
    pub messages: i64,
}

record!(Undoable: "submission" by id as SubmissionId { id, who, created_ms, undo_until_ms, broadcast, letter, messages });

impl Tx {
    /// The submissions that can be withdrawn now, newest first, at most `limit`.
    pub async fn undoable(&mut self, now: Timestamp, limit: i64) -> Result<Vec<Undoable>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} ORDER BY s.created_ms DESC, s.id DESC LIMIT $2");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(now).bind(limit).fetch_all(&mut *c).await?)
        })
    }

    /// A submission, if it can be withdrawn now.
    pub async fn undoable_submission(
        &mut self,
        id: SubmissionId,
        now: Timestamp,
    ) -> Result<Option<Undoable>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} AND s.id = $2");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(now).bind(id).fetch_optional(&mut *c).await?)
        })
    }
}
