//! Migrations: paired files with the same numbers and names, embedded in the binary.

use sqlx::migrate::{MigrateError, Migrator};

use super::db::Store;
use super::error::StoreError;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

impl Store {
    /// Brings the schema to this binary's version. Safe to run on every start and on several nodes at once.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when the database was made by a later version or is not ours.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let done = match (self.sqlite_writer(), self.postgres()) {
            (Some(writer), _) => SQLITE.run(writer).await,
            (None, Some(pool)) => POSTGRES.run(pool).await,
            (None, None) => Ok(()),
        };
        done.map_err(|error| match error {
            MigrateError::VersionMissing(version) => StoreError::Unusable(format!(
                "it holds migration {version}, which this version of touchline does not know: use the newer one"
            )),
            MigrateError::VersionMismatch(version) => {
                StoreError::Unusable(format!("migration {version} was changed after it was applied"))
            }
            MigrateError::Execute(error) => StoreError::from(error),
            other => StoreError::Unavailable(other.to_string().chars().take(200).collect()),
        })
    }
}
