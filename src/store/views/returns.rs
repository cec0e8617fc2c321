//! What followed from returns: messages that were held.

use crate::domain::Reason;
use crate::domain::id::ReferrerId;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::rows::push_list;

const HELD_BECAUSE: &str = "SELECT COUNT(*) FROM message WHERE status = 'held' AND reason = ";

impl Tx {
    /// How many messages to a referrer are held for that reason, under whatever record of theirs.
    pub async fn held_because(&mut self, referrer: ReferrerId, reason: Reason) -> Result<i64, StoreError> {
        let records = self.records_of_person(referrer).await?;
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(HELD_BECAUSE);
            statement.push_bind(reason).push(" AND referrer_id IN (");
            push_list(&mut statement, &records);
            Ok(statement.push(")").build_query_scalar().fetch_one(&mut *c).await?)
        })
    }
}
