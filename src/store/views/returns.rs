//! What followed from returns: suppressions, and messages that were held.

use crate::domain::Reason;
use crate::domain::id::{ReferrerId, ReturnId};
use crate::domain::suppression::Suppression;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;

const BECAUSE: &str = "SELECT id, channel, address, scope, reason, source, evidence, who, created_ms, lifted_ms,
    lifted_by, lifted_reason, return_id, expires_ms FROM suppression WHERE return_id = $1 ORDER BY created_ms, id LIMIT 20";
const HELD: &str = "SELECT COUNT(*) FROM message WHERE referrer_id = $1 AND status = 'held' AND reason = $2";

impl Tx {
    /// The suppressions that followed from a return, first to last, including lifted ones. At most 20.
    pub async fn suppressions_ever_because(&mut self, of: ReturnId) -> Result<Vec<Suppression>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(BECAUSE).bind(of).fetch_all(&mut *c).await?))
    }

    /// How many messages to a referrer are held for that reason.
    pub async fn held_because(&mut self, referrer: ReferrerId, reason: Reason) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(HELD).bind(referrer).bind(reason).fetch_one(&mut *c).await?))
    }
}
