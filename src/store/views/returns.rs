//! What followed from returns: messages that were held.

use crate::domain::Reason;
use crate::domain::id::ReferrerId;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;

const HELD: &str = "SELECT COUNT(*) FROM message WHERE referrer_id = $1 AND status = 'held' AND reason = $2";

impl Tx {
    /// How many messages to a referrer are held for that reason.
    pub async fn held_because(&mut self, referrer: ReferrerId, reason: Reason) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(HELD).bind(referrer).bind(reason).fetch_one(&mut *c).await?))
    }
}
