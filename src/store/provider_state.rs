//! The state of provider accounts that all nodes share: pauses, and the cell-rate limit.

use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::db::{Tx, on};
use super::error::StoreError;
use crate::domain::Timestamp;

const ENSURE: &str = "INSERT INTO provider_state (provider, arrival_ms, updated_ms) VALUES ($1, 0, $2)
    ON CONFLICT (provider) DO NOTHING";
const COLUMNS: &str = "SELECT provider, paused_ms, paused_reason, arrival_ms FROM provider_state";
const ARRIVAL: &str = "UPDATE provider_state SET arrival_ms = $2, updated_ms = $3 WHERE provider = $1";
const PAUSE: &str = "UPDATE provider_state SET paused_ms = $2, paused_reason = $3, updated_ms = $4 WHERE provider = $1";

/// A provider account's shared state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct ProviderState {
    /// The account's name.
    pub provider: String,
    /// Since when it is paused.
    pub paused_ms: Option<Timestamp>,
    /// Why.
    pub paused_reason: Option<String>,
    /// Theoretical arrival time of the cell-rate limit (GCRA, ITU-T I.371).
    pub arrival_ms: Timestamp,
}

impl Tx {
    /// Makes sure that an account has its row.
    ///
    /// # Errors
    /// As every store function.
    pub async fn provider_ensure(&mut self, provider: &str, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(ENSURE).bind(provider).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// The state of every account; `lock` keeps the rows from changing until the end of the transaction.
    ///
    /// # Errors
    /// As every store function.
    pub async fn provider_states(&mut self, lock: bool) -> Result<Vec<ProviderState>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} ORDER BY provider{}", if lock { d.for_update() } else { "" });
            Ok(sqlx::query_as(AssertSqlSafe(text)).fetch_all(&mut *c).await?)
        })
    }

    /// Writes the cell-rate limit forward.
    ///
    /// # Errors
    /// As every store function.
    pub async fn provider_arrival(
        &mut self,
        provider: &str,
        arrival: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(ARRIVAL).bind(provider).bind(arrival).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Pauses an account with a reason, or resumes it with none.
    ///
    /// # Errors
    /// As every store function.
    pub async fn provider_pause(
        &mut self,
        provider: &str,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(PAUSE).bind(provider).bind(reason.map(|_| now)).bind(reason).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }
}
