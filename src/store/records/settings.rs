//! Values that an installation generates for itself once.

use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;

const PUT: &str = "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
const GET: &str = "SELECT value FROM setting WHERE name = $1";

impl Tx {
    /// The value stored under a name; `candidate` is stored and returned if there is none yet.
    pub async fn setting_or(&mut self, name: &str, candidate: &str) -> Result<String, StoreError> {
        on!(self, |c, d| {
            sqlx::query(PUT).bind(name).bind(candidate).execute(&mut *c).await?;
            Ok(sqlx::query_scalar(GET).bind(name).fetch_one(&mut *c).await?)
        })
    }
}
