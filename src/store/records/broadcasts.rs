//! Broadcasts: one run of a campaign, or one send to a list.

use sqlx::AssertSqlSafe;

use crate::domain::id::{BroadcastId, CampaignId, SubmissionId};
use crate::domain::{Actor, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::{record, row};

const COLUMNS: &str = "SELECT id, submission_id, campaign_id, planned_ms, name, letter, total, created_ms, finished_ms,
    paused_ms, paused_reason, resumed_ms, resumed_by FROM broadcast";
const INSERT: &str = "INSERT INTO broadcast (id, submission_id, campaign_id, planned_ms, name, letter, total,
    created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const FINISH: &str = "UPDATE broadcast SET finished_ms = $1 WHERE finished_ms IS NULL AND unfolding_ms IS NULL
    AND NOT EXISTS
    (SELECT 1 FROM message m WHERE m.broadcast_id = broadcast.id AND m.settled_ms IS NULL
        AND m.status <> 'in_doubt')";

const REOPEN: &str = "UPDATE broadcast SET finished_ms = NULL WHERE id = $1";
const UNFINISHED: &str = "SELECT COUNT(*) FROM broadcast WHERE finished_ms IS NULL";

/// A stored broadcast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broadcast {
    /// Identifier.
    pub id: BroadcastId,
    /// The submission that created it.
    pub submission_id: SubmissionId,
    /// The campaign it is a run of.
    pub campaign_id: Option<CampaignId>,
    /// The moment that run was planned for.
    pub planned_ms: Option<Timestamp>,
    /// Name for people.
    pub name: String,
    /// The letter.
    pub letter: String,
    /// Number of its messages.
    pub total: i64,
    /// When it was created.
    pub created_ms: Timestamp,
    /// When the last of its messages settled.
    pub finished_ms: Option<Timestamp>,
    /// Whether it paused itself.
    pub pause: OwnPause,
}

/// That a broadcast paused itself because too much of it came back, and that a person let it go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnPause {
    /// When it paused itself.
    pub paused_ms: Option<Timestamp>,
    /// Why, in words with the figures.
    pub paused_reason: Option<String>,
    /// When a person let it go on: it does not pause itself again.
    pub resumed_ms: Option<Timestamp>,
    /// Who.
    pub resumed_by: Option<Actor>,
}

record!(Broadcast: "broadcast" by id as BroadcastId { id, submission_id, campaign_id, planned_ms, name, letter, total, created_ms, finished_ms; pause });
row!(OwnPause { paused_ms, paused_reason, resumed_ms, resumed_by });

impl Broadcast {
    /// Since when it is paused and waits for a person; none if it is not, or if nothing of it is left.
    #[must_use]
    pub fn paused_since(&self) -> Option<Timestamp> {
        let waits = self.pause.resumed_ms.is_none() && self.finished_ms.is_none();
        self.pause.paused_ms.filter(|_| waits)
    }
}

impl Tx {
    /// Stores a broadcast.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the campaign already has one for the same planned moment: another node was first.
    pub async fn broadcast_insert(&mut self, b: &Broadcast) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(INSERT)
                .bind(b.id)
                .bind(b.submission_id)
                .bind(b.campaign_id)
                .bind(b.planned_ms)
                .bind(&b.name)
                .bind(&b.letter)
                .bind(b.total)
                .bind(b.created_ms)
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// Marks the broadcasts all of whose messages are settled or in doubt: delivered + failed + suppressed + cancelled +
    /// expired + in doubt = total. Returns how many.
    pub async fn broadcasts_finish(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query(FINISH).bind(now).execute(&mut *c).await?.rows_affected()))
    }

    /// Marks a broadcast as unfinished again, because one of its messages is.
    pub async fn broadcast_reopen(&mut self, id: BroadcastId) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(REOPEN).bind(id).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Whether any broadcast is not marked as finished.
    pub async fn broadcasts_unfinished(&mut self) -> Result<bool, StoreError> {
        let count: i64 = on!(self, |c, d| sqlx::query_scalar(UNFINISHED).fetch_one(&mut *c).await?);
        Ok(count > 0)
    }

    /// One broadcast.
    pub async fn broadcast(&mut self, id: BroadcastId) -> Result<Option<Broadcast>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE id = $1");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(id).fetch_optional(&mut *c).await?)
        })
    }

    /// The newest broadcasts, of one campaign or of all.
    pub async fn broadcasts_list(
        &mut self,
        campaign: Option<CampaignId>,
        limit: i64,
    ) -> Result<Vec<Broadcast>, StoreError> {
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
            if let Some(campaign) = campaign {
                statement.push(" WHERE campaign_id = ").push_bind(campaign);
            }
            statement.push(" ORDER BY created_ms DESC, id DESC LIMIT ").push_bind(limit);
            Ok(statement.build_query_as().fetch_all(&mut *c).await?)
        })
    }
}
