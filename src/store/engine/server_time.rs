//! The one place where a database's clock is read: to learn how far this machine's differs from it.

use super::db::{Tx, on};
use super::error::StoreError;
use crate::domain::Timestamp;

impl Tx {
    /// The time by the clock of the server that all nodes share; `None` on SQLite, whose clock is this machine's.
    pub async fn server_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        on!(self, |c, d| match d.server_time() {
            Some(statement) => Ok(Some(sqlx::query_scalar(statement).fetch_one(&mut *c).await?)),
            None => Ok(None),
        })
    }
}
