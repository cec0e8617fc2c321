//! Migrations: paired files with the same numbers and names, embedded in the binary.

use std::collections::BTreeSet;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions, SqlitePool};
use tokio::sync::OnceCell;

use super::db::{Store, on};
use super::dialect::Dialect;
use super::error::StoreError;
use super::migrations::{POSTGRES, SQLITE};

/// Where the migrator notes what was applied.
const APPLIED: &str = "_sqlx_migrations";
/// How often a new SQLite file is looked at before a failure counts.
const LOOKS_MAX: usize = 4;
/// How many names of foreign tables are reported.
const NAMES_SHOWN_MAX: usize = 3;

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

/// Every column that the migrations make, with its table, the same on both engines. Found once, by applying those of
/// SQLite to a database in memory.
///
/// # Errors
/// [`StoreError::Unavailable`], where the system has no memory or threads left.
pub(super) async fn columns_expected() -> Result<&'static BTreeSet<(String, String)>, StoreError> {
    static EXPECTED: OnceCell<BTreeSet<(String, String)>> = OnceCell::const_new();
    EXPECTED
        .get_or_try_init(|| async {
            let options = SqliteConnectOptions::new().in_memory(true).disable_statement_logging();
            let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
            let failed = |error: MigrateError| StoreError::Unavailable(error.to_string().chars().take(200).collect());
            SQLITE.run(&pool).await.map_err(failed)?;
            let columns: Vec<(String, String)> =
                sqlx::query_as(Dialect::Sqlite.column_names()).fetch_all(&pool).await?;
            pool.close().await;
            Ok::<_, StoreError>(columns.into_iter().collect())
        })
        .await
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
