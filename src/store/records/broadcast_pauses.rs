//! Broadcasts that pause themselves because too much of them comes back, and what is counted for it.

use crate::domain::id::{BroadcastId, MessageId};
use crate::domain::{Actor, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::rows::{lists, push_list};

const PAUSE: &str = "UPDATE broadcast SET paused_ms = $2, paused_reason = $3
    WHERE id = $1 AND paused_ms IS NULL AND resumed_ms IS NULL";
const RESUME: &str = "UPDATE broadcast SET resumed_ms = $2, resumed_by = $3
    WHERE id = $1 AND paused_ms IS NOT NULL AND resumed_ms IS NULL";
const PAUSED: &str = "SELECT id FROM broadcast WHERE paused_ms IS NOT NULL AND resumed_ms IS NULL AND id IN (";
const WATCHED: &str = "SELECT id FROM broadcast WHERE finished_ms IS NULL AND paused_ms IS NULL
    AND resumed_ms IS NULL ORDER BY created_ms DESC LIMIT 100";
const BAD: &str = "SELECT COUNT(*) FROM message WHERE status = 'failed' AND broadcast_id = $1
    AND channel = 'email' AND reason IN ('mailbox_unknown', 'domain_unknown')";
const COMPLAINTS: &str = "SELECT COUNT(DISTINCT message_id) FROM mail_return WHERE broadcast_id = $1
    AND kind = 'complaint' AND matched_by NOT IN ('recipient', 'sender')
    AND (outcome IS NULL OR outcome NOT IN ('not_a_bounce', 'dismissed'))";
const HELD_THOUGH_RESUMED: &str = "SELECT m.id FROM broadcast b JOIN message m ON m.broadcast_id = b.id
    WHERE b.resumed_ms IS NOT NULL AND b.finished_ms IS NULL AND m.status = 'held' AND m.reason = 'broadcast_paused'
    ORDER BY m.id LIMIT $1";
const HANDED_OVER: &str = "SELECT COUNT(*) FROM message WHERE broadcast_id = $1 AND channel = 'email'
    AND status IN ('accepted', 'delivered', 'failed', 'in_doubt')";

/// What came back of a broadcast's emails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CameBack {
    /// Emails that were handed over, whatever became of them. Counted only where something came back.
    pub handed_over: i64,
    /// Those of them to addresses that are bad.
    pub bounced: i64,
    /// Those of them that were reported as unwanted.
    pub complained: i64,
}

impl Tx {
    /// The unfinished broadcasts that can still pause themselves, the newest 100.
    pub async fn broadcasts_watched(&mut self) -> Result<Vec<BroadcastId>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(WATCHED).fetch_all(&mut *c).await?))
    }

    /// The messages that are still held because of the pause of a broadcast that a person has let go on. At most `limit`.
    pub async fn messages_held_though_resumed(&mut self, limit: i64) -> Result<Vec<MessageId>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(HELD_THOUGH_RESUMED).bind(limit).fetch_all(&mut *c).await?))
    }

    /// What came back of a broadcast.
    pub async fn broadcast_came_back(&mut self, id: BroadcastId) -> Result<CameBack, StoreError> {
        on!(self, |c, d| {
            let bounced: i64 = sqlx::query_scalar(BAD).bind(id).fetch_one(&mut *c).await?;
            let complained: i64 = sqlx::query_scalar(COMPLAINTS).bind(id).fetch_one(&mut *c).await?;
            let handed_over = if bounced + complained == 0 {
                0
            } else {
                sqlx::query_scalar(HANDED_OVER).bind(id).fetch_one(&mut *c).await?
            };
            Ok(CameBack { handed_over, bounced, complained })
        })
    }

    /// Pauses a broadcast. False: it is paused already, or a person has let it go on.
    pub async fn broadcast_pause(&mut self, id: BroadcastId, why: &str, now: Timestamp) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let done = sqlx::query(PAUSE).bind(id).bind(now).bind(why).execute(&mut *c).await?;
            Ok(done.rows_affected() == 1)
        })
    }

    /// A person lets a paused broadcast go on: it does not pause itself again. False: it was not paused.
    pub async fn broadcast_resume(&mut self, id: BroadcastId, who: &Actor, now: Timestamp) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let done = sqlx::query(RESUME).bind(id).bind(now).bind(who).execute(&mut *c).await?;
            Ok(done.rows_affected() == 1)
        })
    }

    /// Which of these broadcasts are paused.
    pub async fn broadcasts_paused(&mut self, ids: &[BroadcastId]) -> Result<Vec<BroadcastId>, StoreError> {
        let mut found = Vec::new();
        for list in lists(ids) {
            let rows: Vec<BroadcastId> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(PAUSED);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_scalar().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }
}
