//! Campaigns: standing plans.

use sqlx::AssertSqlSafe;

use crate::domain::campaign::CampaignState;
use crate::domain::id::CampaignId;
use crate::domain::{Actor, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;

const COLUMNS: &str = "SELECT id, name, letter, variables, audience, channels, schedule, zone, state, next_ms, who,
    created_ms, updated_ms FROM campaign";
const INSERT: &str = "INSERT INTO campaign (id, name, letter, variables, audience, channels, schedule, zone, state,
    next_ms, who, created_ms, updated_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const NEXT: &str = "SELECT MIN(next_ms) FROM campaign WHERE state = 'active' AND next_ms IS NOT NULL";
const MOVE: &str = "UPDATE campaign SET state = $2, next_ms = $3, updated_ms = $4 WHERE id = $1";

/// A stored campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignRow {
    /// Identifier.
    pub id: CampaignId,
    /// Its name, which is unique.
    pub name: String,
    /// The letter it sends.
    pub letter: String,
    /// The letter's variables, JSON object.
    pub variables: String,
    /// The audience, as written: `tag:north-shore`.
    pub audience: String,
    /// Channels, comma-separated.
    pub channels: String,
    /// The schedule, as written: `first tuesday 09:00`.
    pub schedule: String,
    /// IANA time zone of the schedule.
    pub zone: String,
    /// Whether it sends when it is due.
    pub state: CampaignState,
    /// The next planned run.
    pub next_ms: Option<Timestamp>,
    /// Who created it.
    pub who: Actor,
    /// When it was created.
    pub created_ms: Timestamp,
    /// When it was last changed.
    pub updated_ms: Timestamp,
}

record!(CampaignRow: "campaign" by id as CampaignId { id, name, letter, variables, audience, channels, schedule, zone, state, next_ms, who, created_ms, updated_ms });

impl Tx {
    /// Stores a new campaign.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the name is taken.
    pub async fn campaign_insert(&mut self, c_: &CampaignRow) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(INSERT)
                .bind(c_.id)
                .bind(&c_.name)
                .bind(&c_.letter)
                .bind(&c_.variables)
                .bind(&c_.audience)
                .bind(&c_.channels)
                .bind(&c_.schedule)
                .bind(&c_.zone)
                .bind(c_.state)
                .bind(c_.next_ms)
                .bind(&c_.who)
                .bind(c_.created_ms)
                .bind(c_.updated_ms)
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// Changes state and next run.
    pub async fn campaign_move(
        &mut self,
        id: CampaignId,
        state: CampaignState,
        next: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(MOVE).bind(id).bind(state).bind(next).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// The active campaigns that are due, the longest overdue first. Takes no lock: see [`Tx::campaign_due`].
    pub async fn campaigns_due(&mut self, now: Timestamp, limit: i64) -> Result<Vec<CampaignRow>, StoreError> {
        on!(self, |c, d| {
            let text = format!(
                "{COLUMNS} WHERE state = 'active' AND next_ms IS NOT NULL AND next_ms <= $1 ORDER BY next_ms, id LIMIT $2"
            );
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(now).bind(limit).fetch_all(&mut *c).await?)
        })
    }

    /// The campaign if it is active and due, its row locked until the end of the transaction; `None` too if another
    /// node holds it.
    pub async fn campaign_due(&mut self, id: CampaignId, now: Timestamp) -> Result<Option<CampaignRow>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE id = $1 AND state = 'active' AND next_ms <= $2{}", d.skip_locked());
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(id).bind(now).fetch_optional(&mut *c).await?)
        })
    }

    /// The earliest planned run of all active campaigns.
    pub async fn campaigns_next(&mut self) -> Result<Option<Timestamp>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(NEXT).fetch_one(&mut *c).await?))
    }

    /// A campaign by its name; `lock` keeps it from changing until the end of the transaction.
    pub async fn campaign_named(&mut self, name: &str, lock: bool) -> Result<Option<CampaignRow>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE name = $1{}", if lock { d.for_update() } else { "" });
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(name).fetch_optional(&mut *c).await?)
        })
    }

    /// All campaigns by name.
    pub async fn campaigns_list(&mut self) -> Result<Vec<CampaignRow>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} ORDER BY name LIMIT 1000");
            Ok(sqlx::query_as(AssertSqlSafe(text)).fetch_all(&mut *c).await?)
        })
    }
}
