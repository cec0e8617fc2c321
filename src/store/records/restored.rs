//! What a restore reads and leaves in the records: what had not ended, and when the restore happened.

use crate::domain::Timestamp;
use crate::domain::id::MessageId;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;

const WAITING: &str = "SELECT id FROM message WHERE status = 'queued' AND NOT EXISTS
    (SELECT 1 FROM attempt WHERE attempt.message_id = message.id AND attempt.status IN ('calling', 'in_doubt', 'accepted'))
    ORDER BY id LIMIT $1";
const IN_FLIGHT: &str = "SELECT COUNT(*) FROM attempt WHERE status IN ('calling', 'in_doubt', 'accepted')";
const PAUSE_DUE: &str = "UPDATE campaign SET state = 'paused', next_ms = NULL, waiting_ms = NULL,
    updated_ms = $1 WHERE state = 'active' AND next_ms <= $1 RETURNING name";
const END_SESSIONS: &str = "DELETE FROM session";
const NOTE: &str = "INSERT INTO setting (name, value) VALUES ('restored_ms', $1)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const NOTED: &str = "SELECT value FROM setting WHERE name = 'restored_ms'";

impl Tx {
    /// Queued messages that no provider has, in the order of their ids, at most `limit`.
    pub async fn messages_waiting(&mut self, limit: i64) -> Result<Vec<MessageId>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(WAITING).bind(limit).fetch_all(&mut *c).await?))
    }

    /// How many attempts are open.
    pub async fn attempts_in_flight(&mut self) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(IN_FLIGHT).fetch_one(&mut *c).await?))
    }

    /// Pauses the active campaigns that are due, and returns their names.
    pub async fn campaigns_pause_due(&mut self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let mut names: Vec<String> =
            on!(self, |c, d| sqlx::query_scalar(PAUSE_DUE).bind(now).fetch_all(&mut *c).await?);
        names.sort_unstable();
        Ok(names)
    }

    /// Ends every operator's session. Returns how many.
    pub async fn sessions_end_all(&mut self) -> Result<u64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query(END_SESSIONS).execute(&mut *c).await?.rows_affected()))
    }

    /// Records that the database was restored to an earlier state at that moment.
    pub async fn restore_note(&mut self, at: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(NOTE).bind(at.0.to_string()).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// When the database was last restored to an earlier state, if ever.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the note was changed by hand.
    pub async fn restored_at(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let noted: Option<String> = on!(self, |c, d| sqlx::query_scalar(NOTED).fetch_optional(&mut *c).await?);
        let read = |text: String| text.parse().map(Timestamp);
        noted.map(read).transpose().map_err(|_| StoreError::Corrupt("setting restored_ms".to_owned()))
    }
}
