//! Campaigns: standing plans.

use sqlx::AssertSqlSafe;

use crate::domain::campaign::CampaignState;
use crate::domain::id::CampaignId;
use crate::domain::{Actor, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;

const COLUMNS: &str = "SELECT id, name, letter, variables, dated, audience, channels, schedule, zone, state, next_ms,
    runs, waiting_ms, who, created_ms, updated_ms, removed_ms FROM campaign";
const INSERT: &str =
    "INSERT INTO campaign (id, name, letter, variables, dated, audience, channels, schedule, zone, state,
    next_ms, runs, waiting_ms, who, created_ms, updated_ms, removed_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
const UPDATE: &str =
    "UPDATE campaign SET name = $2, letter = $3, variables = $4, dated = $5, audience = $6, channels = $7,
    schedule = $8, zone = $9, state = $10, next_ms = $11, runs = $12, waiting_ms = $13, updated_ms = $14,
    removed_ms = $15 WHERE id = $1";
const NEXT: &str = "SELECT MIN(next_ms) FROM campaign WHERE state = 'active' AND next_ms IS NOT NULL
    AND waiting_ms IS NULL";
const MOVE: &str = "UPDATE campaign SET state = $2, next_ms = $3, updated_ms = $4, waiting_ms = NULL WHERE id = $1";
const RAN: &str = "UPDATE campaign SET runs = runs + 1, updated_ms = $2 WHERE id = $1";

/// A stored campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignRow {
    /// Identifier.
    pub id: CampaignId,
    /// Its name, which is unique among those that are not removed.
    pub name: String,
    /// The letter it sends.
    pub letter: String,
    /// The letter's variables, JSON object.
    pub variables: String,
    /// When each variable was set or confirmed, JSON object by name; one without an entry was set at the creation.
    pub dated: String,
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
    /// How many runs it has made, by plan or by hand.
    pub runs: i64,
    /// Since when the run of `next_ms` waits for variables to be renewed.
    pub waiting_ms: Option<Timestamp>,
    /// Who created it.
    pub who: Actor,
    /// When it was created.
    pub created_ms: Timestamp,
    /// When it was last changed.
    pub updated_ms: Timestamp,
    /// When it was removed. Its row stays for the broadcasts that refer to it.
    pub removed_ms: Option<Timestamp>,
}

record!(CampaignRow: "campaign" by id as CampaignId { id, name, letter, variables, dated, audience, channels, schedule, zone, state, next_ms, runs, waiting_ms, who, created_ms, updated_ms, removed_ms });

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
                .bind(&c_.dated)
                .bind(&c_.audience)
                .bind(&c_.channels)
                .bind(&c_.schedule)
                .bind(&c_.zone)
                .bind(c_.state)
                .bind(c_.next_ms)
                .bind(c_.runs)
                .bind(c_.waiting_ms)
                .bind(&c_.who)
                .bind(c_.created_ms)
                .bind(c_.updated_ms)
                .bind(c_.removed_ms)
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// Stores a changed campaign; who created it and when stays.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if its new name is taken.
    pub async fn campaign_update(&mut self, c_: &CampaignRow) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(UPDATE)
                .bind(c_.id)
                .bind(&c_.name)
                .bind(&c_.letter)
                .bind(&c_.variables)
                .bind(&c_.dated)
                .bind(&c_.audience)
                .bind(&c_.channels)
                .bind(&c_.schedule)
                .bind(&c_.zone)
                .bind(c_.state)
                .bind(c_.next_ms)
                .bind(c_.runs)
                .bind(c_.waiting_ms)
                .bind(c_.updated_ms)
                .bind(c_.removed_ms)
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// Counts one more run.
    pub async fn campaign_ran(&mut self, id: CampaignId, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(RAN).bind(id).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Changes state and next run; nothing waits any more.
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

    /// The earliest planned run of all active campaigns, those that wait for a person left out.
    pub async fn campaigns_next(&mut self) -> Result<Option<Timestamp>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(NEXT).fetch_one(&mut *c).await?))
    }

    /// A campaign by its name, unless it is removed; `lock` keeps it from changing until the end of the transaction.
    pub async fn campaign_named(&mut self, name: &str, lock: bool) -> Result<Option<CampaignRow>, StoreError> {
        on!(self, |c, d| {
            let text =
                format!("{COLUMNS} WHERE name = $1 AND removed_ms IS NULL{}", if lock { d.for_update() } else { "" });
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(name).fetch_optional(&mut *c).await?)
        })
    }

    /// A campaign by its identifier, removed or not.
    pub async fn campaign(&mut self, id: CampaignId) -> Result<Option<CampaignRow>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE id = $1");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(id).fetch_optional(&mut *c).await?)
        })
    }

    /// All campaigns that are not removed, by name.
    pub async fn campaigns_list(&mut self) -> Result<Vec<CampaignRow>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE removed_ms IS NULL ORDER BY name LIMIT 1000");
            Ok(sqlx::query_as(AssertSqlSafe(text)).fetch_all(&mut *c).await?)
        })
    }

    /// The removed campaigns, the last removed first.
    pub async fn campaigns_removed(&mut self) -> Result<Vec<CampaignRow>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE removed_ms IS NOT NULL ORDER BY removed_ms DESC, name LIMIT 1000");
            Ok(sqlx::query_as(AssertSqlSafe(text)).fetch_all(&mut *c).await?)
        })
    }
}
