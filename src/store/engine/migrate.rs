//! Migrations: paired files with the same numbers and names, embedded in the binary.

use sqlx::SqlitePool;
use sqlx::migrate::{MigrateError, Migrator};

use super::db::{Store, on};
use super::error::StoreError;

/// Where the migrator notes what was applied.
const APPLIED: &str = "_sqlx_migrations";
/// How often a new SQLite file is looked at before a failure counts.
const LOOKS_MAX: usize = 4;
/// How many names of foreign tables are reported.
const NAMES_SHOWN_MAX: usize = 3;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// The number of the newest migration that this binary knows.
#[must_use]
pub fn newest() -> i64 {
    SQLITE.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// The migrator takes no lock on SQLite. Of two programs that start together on a new file both see that nothing was
/// applied; the slower one fails at the first table, changes nothing, and finds the work done when it looks again.
async fn migrate_sqlite(writer: &SqlitePool) -> Result<(), MigrateError> {
    for _ in 1..LOOKS_MAX {
        match SQLITE.run(writer).await {
            Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..)) => {}
            done => return done,
        }
    }
    SQLITE.run(writer).await
}

impl Store {
    /// Brings the schema to this binary's version.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when the database was written by a later version or is not Touchline's.
    pub(in crate::store) async fn migrate_schema(&self) -> Result<(), StoreError> {
        self.refuse_a_foreign_database().await?;
        let done = match (self.sqlite_writer(), self.postgres()) {
            (Some(writer), _) => migrate_sqlite(writer).await,
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
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => StoreError::from(error),
            other => StoreError::Unavailable(other.to_string().chars().take(200).collect()),
        })
    }

    /// A database with tables but without our list of migrations belongs to another program: nothing is written to it.
    async fn refuse_a_foreign_database(&self) -> Result<(), StoreError> {
        let mut tx = self.read().await?;
        let names: Vec<String> = on!(tx, |c, d| sqlx::query_scalar(d.table_names()).fetch_all(&mut *c).await?);
        if names.is_empty() || names.iter().any(|name| name == APPLIED) {
            return Ok(());
        }
        Err(StoreError::Unusable(format!(
            "it contains another program's tables ({}): give touchline a separate database",
            names[..names.len().min(NAMES_SHOWN_MAX)].join(", ")
        )))
    }
}
