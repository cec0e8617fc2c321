//! Lists that are being unfolded into messages: who is on them, and how far each has come.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::domain::id::{BroadcastId, ReferrerId, SubmissionId};
use crate::domain::{Address, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::row;

const BEGIN: &str = "UPDATE broadcast SET plan = $2, recipients = $3, unfolded = 0, unfolding_ms = $4 WHERE id = $1";
const GET: &str = "SELECT b.submission_id, b.created_ms, b.plan, b.recipients, b.unfolded, s.answer
    FROM broadcast b JOIN submission s ON s.id = b.submission_id WHERE b.id = $1 AND b.unfolding_ms IS NOT NULL";
const LOCK: &str = "SELECT id FROM broadcast WHERE id = $1 AND unfolding_ms IS NOT NULL AND unfolded = $2";
const ON: &str = "UPDATE broadcast SET unfolded = $2, total = $3, unfolding_ms = $4 WHERE id = $1";
const END: &str = "UPDATE broadcast SET total = $2, plan = NULL, recipients = NULL, unfolding_ms = NULL WHERE id = $1";
const STOP: &str = "UPDATE broadcast SET plan = NULL, recipients = NULL, unfolding_ms = NULL WHERE id = $1 AND unfolding_ms IS NOT NULL";
const IS_UNFOLDING: &str = "SELECT id FROM broadcast WHERE id = $1 AND unfolding_ms IS NOT NULL";
const LEFT: &str = "SELECT id FROM broadcast WHERE unfolding_ms < $1 ORDER BY id LIMIT 100";
const ADDRESSES: &str = "SELECT address FROM message WHERE broadcast_id = $1";

/// A list and its progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfolding {
    /// The submission that created it.
    pub submission: SubmissionId,
    /// When it was recorded.
    pub created_ms: Timestamp,
    /// What all its messages have in common, JSON.
    pub plan: String,
    /// Everyone on it, in order.
    pub recipients: Vec<ReferrerId>,
    /// How many of them have been processed.
    pub unfolded: i64,
    /// The response so far, JSON.
    pub answer: String,
}

struct Row {
    submission_id: SubmissionId,
    created_ms: Timestamp,
    plan: String,
    recipients: Vec<u8>,
    unfolded: i64,
    answer: String,
}

row!(Row { submission_id, created_ms, plan, recipients, unfolded, answer });

impl Tx {
    /// Fixes who is on a broadcast's list.
    pub async fn broadcast_unfold_begin(
        &mut self,
        id: BroadcastId,
        plan: &str,
        recipients: &[ReferrerId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let recipients: Vec<u8> = recipients.iter().flat_map(|referrer| referrer.0.into_bytes()).collect();
        on!(self, |c, d| {
            sqlx::query(BEGIN).bind(id).bind(plan).bind(recipients).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// A list that is being unfolded; `None` once that is done.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the list cannot be read.
    pub async fn broadcast_unfolding(&mut self, id: BroadcastId) -> Result<Option<Unfolding>, StoreError> {
        let row: Option<Row> = on!(self, |c, d| sqlx::query_as(GET).bind(id).fetch_optional(&mut *c).await?);
        let Some(row) = row else { return Ok(None) };
        let ids: Result<Vec<Uuid>, _> = row.recipients.chunks(16).map(Uuid::from_slice).collect();
        let ids = ids.map_err(|_| StoreError::Corrupt("a list of recipients".to_owned()))?;
        Ok(Some(Unfolding {
            submission: row.submission_id,
            created_ms: row.created_ms,
            plan: row.plan,
            recipients: ids.into_iter().map(ReferrerId).collect(),
            unfolded: row.unfolded,
            answer: row.answer,
        }))
    }

    /// Takes a list's lock if its progress is exactly this.
    pub async fn broadcast_unfold_lock(&mut self, id: BroadcastId, unfolded: usize) -> Result<bool, StoreError> {
        let unfolded = i64::try_from(unfolded).unwrap_or(i64::MAX);
        on!(self, |c, d| {
            let text = format!("{LOCK}{}", d.for_update());
            let found: Option<BroadcastId> =
                sqlx::query_scalar(AssertSqlSafe(text)).bind(id).bind(unfolded).fetch_optional(&mut *c).await?;
            Ok(found.is_some())
        })
    }

    /// Records a list's progress, and how many messages it has created.
    pub async fn broadcast_unfold_on(
        &mut self,
        id: BroadcastId,
        unfolded: usize,
        total: usize,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let [unfolded, total] = [unfolded, total].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        on!(self, |c, d| {
            sqlx::query(ON).bind(id).bind(unfolded).bind(total).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Marks a list as unfolded, with that many messages.
    pub async fn broadcast_unfold_end(&mut self, id: BroadcastId, total: usize) -> Result<(), StoreError> {
        let total = i64::try_from(total).unwrap_or(i64::MAX);
        on!(self, |c, d| {
            sqlx::query(END).bind(id).bind(total).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Stops a list that is being unfolded, wherever it is: its messages are those that it has now. Waits for the portion
    /// that is being written. Returns whether there was anything left to unfold.
    pub async fn broadcast_unfold_stop(&mut self, id: BroadcastId) -> Result<bool, StoreError> {
        on!(self, |c, d| Ok(sqlx::query(STOP).bind(id).execute(&mut *c).await?.rows_affected() > 0))
    }

    /// Whether a list is still being unfolded.
    pub async fn broadcast_is_unfolding(&mut self, id: BroadcastId) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let found: Option<BroadcastId> = sqlx::query_scalar(IS_UNFOLDING).bind(id).fetch_optional(&mut *c).await?;
            Ok(found.is_some())
        })
    }

    /// Lists that have not moved since a moment, at most 100.
    pub async fn broadcasts_left_unfolding(&mut self, since: Timestamp) -> Result<Vec<BroadcastId>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(LEFT).bind(since).fetch_all(&mut *c).await?))
    }

    /// Every address that a broadcast has a message for.
    pub async fn broadcast_addresses(&mut self, id: BroadcastId) -> Result<Vec<Address>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(ADDRESSES).bind(id).fetch_all(&mut *c).await?))
    }
}
