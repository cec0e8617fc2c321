//! What people answer, sealed, where the setting says that all of it is kept. The text goes when its time is over; that somebody
//! answered stays on record.

use crate::domain::Timestamp;
use crate::domain::id::ReturnId;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;

const INSERT: &str = "INSERT INTO mail_reply (return_id, sealed, octets, received_ms) VALUES ($1, $2, $3, $4)";
const REPLY: &str = "SELECT return_id, sealed, octets, purged_ms FROM mail_reply WHERE return_id = $1";
const HAS_OLDER: &str = "SELECT return_id FROM mail_reply WHERE sealed IS NOT NULL AND received_ms < $1 LIMIT 1";
const FORGET: &str = "UPDATE mail_reply SET sealed = NULL, purged_ms = $3 WHERE return_id IN
    (SELECT return_id FROM mail_reply WHERE sealed IS NOT NULL AND received_ms < $1 ORDER BY received_ms LIMIT $2)";

/// The text of an answer as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedReply {
    /// The return that it came as.
    pub return_id: ReturnId,
    /// The sealed text; `None` once its time is over.
    pub sealed: Option<Vec<u8>>,
    /// The size of the whole text in octets; what is kept of it may be less.
    pub octets: i64,
    /// When it was deleted.
    pub purged_ms: Option<Timestamp>,
}

record!(SealedReply: "mail_reply" by return_id as ReturnId { return_id, sealed, octets, purged_ms });

impl Tx {
    /// Stores the sealed text of an answer. `octets`: the size of the whole text.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if that return has one already.
    pub async fn reply_insert(
        &mut self,
        of: ReturnId,
        sealed: &[u8],
        octets: i64,
        received: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(INSERT).bind(of).bind(sealed).bind(octets).bind(received).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// The text of an answer; `None` if it never was kept.
    pub async fn reply(&mut self, of: ReturnId) -> Result<Option<SealedReply>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(REPLY).bind(of).fetch_optional(&mut *c).await?))
    }

    /// Whether the text of an answer is kept that was received before a moment.
    pub async fn replies_have_older(&mut self, before: Timestamp) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let found: Option<ReturnId> = sqlx::query_scalar(HAS_OLDER).bind(before).fetch_optional(&mut *c).await?;
            Ok(found.is_some())
        })
    }

    /// Deletes the texts of answers that were received before a moment, the oldest first, at most `limit`, and notes when. Returns how
    /// many.
    pub async fn replies_forget(&mut self, before: Timestamp, limit: i64, now: Timestamp) -> Result<u64, StoreError> {
        on!(self, |c, d| {
            Ok(sqlx::query(FORGET).bind(before).bind(limit).bind(now).execute(&mut *c).await?.rows_affected())
        })
    }
}
