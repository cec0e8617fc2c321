//! Broadcasts that pause themselves because too much of them comes back, and what is counted for it.

use crate::domain::id::{BroadcastId, MessageId};
use crate::domain::{Actor, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::rows::{lists, push_list};
use crate::store::records::broadcasts::Broadcast;

const PAUSE: &str = "UPDATE broadcast SET paused_ms = $2, paused_reason = $3
    WHERE id = $1 AND paused_ms IS NULL AND resumed_ms IS NULL";
const RESUME: &str = "UPDATE broadcast SET resumed_ms = $2, resumed_by = $3
    WHERE id = $1 AND paused_ms IS NOT NULL AND resumed_ms IS NULL";
const PAUSED: &str = "SELECT id FROM broadcast WHERE paused_ms IS NOT NULL AND resumed_ms IS NULL AND id IN (";
const PAUSED_NOW: &str = "SELECT id, submission_id, campaign_id, planned_ms, name, letter, total, created_ms, finished_ms,
    paused_ms, paused_reason, resumed_ms, resumed_by FROM broadcast
    WHERE paused_ms IS NOT NULL AND resumed_ms IS NULL AND finished_ms IS NULL ORDER BY paused_ms DESC, id DESC LIMIT $1";
const NOT_HANDED_OVER: &str =
    "SELECT id FROM message WHERE broadcast_id = $1 AND status IN ('held', 'queued') AND id > $2
    ORDER BY id LIMIT $3";
const WATCHED: &str = "SELECT id FROM broadcast WHERE finished_ms IS NULL AND paused_ms IS NULL
    AND resumed_ms IS NULL ORDER BY created_ms DESC LIMIT 100";
const BAD: &str = "SELECT COUNT(*) FROM message m WHERE m.status = 'failed' AND m.broadcast_id = $1
    AND m.channel = 'email' AND (m.reason IN ('mailbox_unknown', 'domain_unknown') OR EXISTS (SELECT 1
    FROM mail_return r WHERE r.message_id = m.id AND r.kind = 'bounce' AND r.class = 'hard'
    AND r.matched_by NOT IN ('recipient', 'sender')
    AND (r.outcome IS NULL OR r.outcome NOT IN ('not_a_bounce', 'dismissed'))))";
const OURS: &str = "SELECT COUNT(*) FROM message m WHERE m.status = 'failed' AND m.broadcast_id = $1
    AND m.channel = 'email' AND EXISTS (SELECT 1 FROM mail_return r WHERE r.message_id = m.id AND r.kind = 'bounce'
    AND r.class = 'ours' AND r.matched_by NOT IN ('recipient', 'sender')
    AND (r.outcome IS NULL OR r.outcome <> 'dismissed'))";
// A complaint with a class is one of an earlier letter, because of which a provider did not try this one.
const COMPLAINTS: &str = "SELECT COUNT(DISTINCT message_id) FROM mail_return WHERE broadcast_id = $1
    AND kind = 'complaint' AND (class IS NULL OR class <> 'hard') AND matched_by NOT IN ('recipient', 'sender')
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
    /// Those of them that came back because of us: of our account, our domain, or how we are known.
    pub ours: i64,
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
            let ours: i64 = sqlx::query_scalar(OURS).bind(id).fetch_one(&mut *c).await?;
            let handed_over = if bounced + ours + complained == 0 {
                0
            } else {
                sqlx::query_scalar(HANDED_OVER).bind(id).fetch_one(&mut *c).await?
            };
            Ok(CameBack { handed_over, bounced, ours, complained })
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

    /// The broadcasts that have paused themselves and wait for a person, those that paused last first. At most `limit`.
    pub async fn broadcasts_paused_now(&mut self, limit: i64) -> Result<Vec<Broadcast>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(PAUSED_NOW).bind(limit).fetch_all(&mut *c).await?))
    }

    /// The messages of a broadcast that are held or queued, behind `after` in the order of their ids. At most `limit`.
    pub async fn messages_not_handed_over(
        &mut self,
        id: BroadcastId,
        after: MessageId,
        limit: i64,
    ) -> Result<Vec<MessageId>, StoreError> {
        on!(self, |c, d| {
            let query = sqlx::query_scalar(NOT_HANDED_OVER).bind(id).bind(after).bind(limit);
            Ok(query.fetch_all(&mut *c).await?)
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
