//! Whether another program has the database open, as far as that can be known.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use super::db::sqlite_file;
use super::error::StoreError;

/// The name of our sessions in PostgreSQL.
pub(in crate::store) const APPLICATION: &str = "touchline";
/// How long a server may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// A database that others may be using.
#[derive(Debug, Clone, Copy)]
pub struct Company<'a> {
    url: &'a str,
}

impl<'a> Company<'a> {
    /// Of the database named by the URL, as [`crate::store::Store::open`] takes it.
    #[must_use]
    pub const fn of(url: &'a str) -> Self {
        Self { url }
    }

    /// Refuses if another program has it open: on SQLite any program, on PostgreSQL any session named touchline. A
    /// later one is not kept out.
    ///
    /// # Errors
    /// [`StoreError::InUse`], or that the database cannot be reached.
    pub async fn refuse(self) -> Result<(), StoreError> {
        match sqlite_file(self.url) {
            Some(path) => {
                LoneConnection::open(path).await?.close().await;
                Ok(())
            }
            None => self.refuse_on_postgres().await,
        }
    }

    /// A question that only this engine understands.
    async fn refuse_on_postgres(self) -> Result<(), StoreError> {
        let options = PgConnectOptions::from_str(self.url)?.application_name("touchline restore");
        let asking = async {
            let mut connection: PgConnection = options.disable_statement_logging().connect().await?;
            let others: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1
                 AND pid <> pg_backend_pid()",
            )
            .bind(APPLICATION)
            .fetch_one(&mut connection)
            .await?;
            connection.close().await?;
            Ok::<_, sqlx::Error>(others)
        };
        match tokio::time::timeout(ANSWER_MAX, asking).await {
            Ok(Ok(0)) => Ok(()),
            Ok(Ok(_)) => Err(in_use()),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(StoreError::Unavailable("no PostgreSQL answers at the address in store.url".to_owned())),
        }
    }
}

/// An exclusive connection to a SQLite database; no one else can use the file until it ends. `None` inside: there is
/// no file, or it is too damaged to be opened.
#[derive(Debug)]
pub(in crate::store) struct LoneConnection(Option<SqliteConnection>);

impl LoneConnection {
    /// Leaving write-ahead mode folds the log into the file, and SQLite does that only for the one connection there is.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if there is another.
    pub(in crate::store) async fn open(file: &Path) -> Result<Self, StoreError> {
        if !file.exists() {
            return Ok(Self(None));
        }
        match Self::fold(file).await {
            Ok(connection) => Ok(Self(Some(connection))),
            Err(error) if is_locked(&error) => Err(in_use()),
            Err(error) => match StoreError::from(error) {
                StoreError::Unusable(_) | StoreError::Corrupt(_) => Ok(Self(None)),
                other => Err(other),
            },
        }
    }

    async fn fold(file: &Path) -> Result<SqliteConnection, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(false)
            .busy_timeout(Duration::ZERO)
            .pragma("locking_mode", "EXCLUSIVE")
            .disable_statement_logging();
        let mut connection: SqliteConnection = options.connect().await?;
        sqlx::query("PRAGMA journal_mode = DELETE").execute(&mut connection).await?;
        // Taken here, the lock stays until the connection ends.
        sqlx::query("BEGIN EXCLUSIVE").execute(&mut connection).await?;
        sqlx::query("COMMIT").execute(&mut connection).await?;
        Ok(connection)
    }

    pub(in crate::store) async fn close(self) {
        if let Some(connection) = self.0 {
            let _ = connection.close().await;
        }
    }
}

fn in_use() -> StoreError {
    StoreError::InUse("stop `touchline serve` and whatever else has it open first".to_owned())
}

fn is_locked(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|database| database.code().map(std::borrow::Cow::into_owned));
    // SQLITE_BUSY, and what it becomes during recovery and with a snapshot.
    matches!(code.as_deref(), Some("5" | "261" | "517"))
}
