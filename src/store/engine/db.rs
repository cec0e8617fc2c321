//! Pools and transactions: an enum of the two engines and one macro. Not sqlx's `Any` driver (it cannot decode UUIDs)
//! and not a trait with two implementations (every text twice).

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Postgres, Sqlite, Transaction};

use super::damage::Damage;
use super::dialect::Dialect;
use super::empty;
use super::error::StoreError;

/// How long a writer waits for another program that holds the SQLite file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a caller waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// Pages of the write-ahead log (4 KiB each) after which it is folded into the file: 32 MiB. Pages that every transaction
/// changes are then folded once for hundreds of them; durability is the log's own and does not depend on it.
const CHECKPOINT_PAGES: &str = "8000";
/// What is left of the log's file after a fold, in octets, however large it had grown.
const LOG_OCTETS_KEPT: &str = "67108864";
/// Pages that the connection that writes to SQLite keeps in memory, in KiB (negative, as SQLite has it): 8 MiB at most.
const CACHE: &str = "-8192";
/// Statements that a connection keeps prepared: every text there is, in each of its lengths.
const STATEMENTS_KEPT: usize = 512;
/// A connection that was used so recently is not tried before it is used again: a round trip for each transaction.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// How long a server may take to answer when the store is opened.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a server may take to let its connections go.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
/// Session settings on a server. A node that is frozen or cut off in the middle of a transaction keeps its row locks, and
/// all other nodes waiting, until the server gives up that session.
///
/// Plans are kept, those of foreign keys too, and a plan made while a table was small reads all of it: then each letter of
/// a first broadcast would cost more than the one before it, until the server looks at the table again. There is an index for
/// every question that is asked per letter, so it is used from the start. What has no index is read as a whole as before,
/// and without compiling the query first (`jit`), for which such a plan would seem dear enough (decision 42).
const SESSION: &str = "SET idle_in_transaction_session_timeout = '20s'; SET tcp_user_timeout = '20s';
    SET tcp_keepalives_idle = '20s'; SET tcp_keepalives_interval = '5s'; SET tcp_keepalives_count = 3;
    SET enable_seqscan = off; SET jit = off";

/// Runs one body on whichever engine the transaction belongs to. `$c` is the connection, `$d` the dialect;
/// a body that builds its statement calls the engine `Engine`.
macro_rules! on {
    ($tx:expr, |$c:ident, $d:ident| $body:expr) => {
        match $tx.inner() {
            $crate::store::engine::db::Inner::Sqlite(transaction) => {
                #[allow(unused_variables, reason = "most statements are the same text on both engines")]
                let $d = $crate::store::engine::dialect::Dialect::Sqlite;
                #[allow(dead_code, reason = "only built statements name the engine")]
                type Engine = sqlx::Sqlite;
                let $c = &mut **transaction;
                $body
            }
            $crate::store::engine::db::Inner::Postgres(transaction) => {
                #[allow(unused_variables, reason = "most statements are the same text on both engines")]
                let $d = $crate::store::engine::dialect::Dialect::Postgres;
                #[allow(dead_code, reason = "only built statements name the engine")]
                type Engine = sqlx::Postgres;
                let $c = &mut **transaction;
                $body
            }
        }
    };
}
pub(in crate::store) use on;

#[derive(Debug, Clone)]
enum Pools {
    Sqlite { writer: SqlitePool, reader: SqlitePool, path: PathBuf },
    Postgres(PgPool),
}

/// The database, on either engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pools: Pools,
    damage: Damage,
}

/// One transaction. Dropped without [`Tx::commit`], it leaves no trace.
#[derive(Debug)]
pub struct Tx {
    inner: Inner,
}

#[derive(Debug)]
pub(in crate::store) enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Store {
    /// Opens the database named by the URL: `sqlite:FILE` (created if absent) or `postgres://…`. Does not migrate.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] for a URL that cannot be understood, [`StoreError::Unavailable`] if it cannot be reached.
    pub async fn open(url: &str, connections_max: u32) -> Result<Self, StoreError> {
        if let Some(path) = sqlite_file(url) {
            Self::open_sqlite(path, connections_max).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::open_postgres(url, connections_max).await
        } else {
            Err(StoreError::Unusable("store.url must begin with sqlite: or postgres://".to_owned()))
        }
    }

    /// Fully synchronous write-ahead logging: with less, a power cut can erase the record of a call already made.
    ///
    /// A new file is its owner's alone, and SQLite gives the files beside it the same permissions. An existing one keeps
    /// its own: `touchline doctor` says when others may read it. One that is there and empty is not begun anew.
    async fn open_sqlite(path: &Path, connections_max: u32) -> Result<Self, StoreError> {
        if is_on_disk(path) {
            empty::refuse(path)?;
            empty::begin(path).await;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("temp_store", "memory")
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .pragma("journal_size_limit", LOG_OCTETS_KEPT)
            .statement_cache_capacity(STATEMENTS_KEPT)
            .disable_statement_logging();
        let writer = sqlite_pool()
            .max_connections(1)
            .min_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.clone().pragma("cache_size", CACHE))
            .await?;
        let reader = sqlite_pool()
            .max_connections(connections_max.max(2))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await?;
        let pools = Pools::Sqlite { writer, reader, path: path.to_owned() };
        Ok(Self { pools, damage: Damage::default() })
    }

    async fn open_postgres(url: &str, connections_max: u32) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?
            .application_name(super::peers::APPLICATION)
            .statement_cache_capacity(STATEMENTS_KEPT)
            .disable_statement_logging();
        let connecting = PgPoolOptions::new()
            .max_connections(connections_max.max(2))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(|connection, _| {
                Box::pin(async move { sqlx::Executor::execute(connection, SESSION).await.map(drop) })
            })
            .test_before_acquire(false)
            .before_acquire(|connection, known| {
                Box::pin(async move {
                    if known.idle_for >= TRUSTED_FOR {
                        sqlx::Connection::ping(connection).await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options);
        // While nothing listens, the pool keeps trying: a server may start at the same time as this program.
        let Ok(connected) = tokio::time::timeout(OPEN_TIMEOUT, connecting).await else {
            let words = "no PostgreSQL answers at the address in store.url; is it running?";
            return Err(StoreError::Unavailable(words.to_owned()));
        };
        let pool = connected?;
        Ok(Self { pools: Pools::Postgres(pool), damage: Damage::default() })
    }

    /// The engine.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// A transaction that may change things. On SQLite it takes the write lock immediately: one that upgrades later
    /// fails immediately whenever another commit came between, whatever the timeout.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            Pools::Sqlite { writer, .. } => Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pool) => Inner::Postgres(begin(pool).await?),
        };
        Ok(Tx { inner })
    }

    /// A transaction for reading: one consistent snapshot on SQLite, read-committed on PostgreSQL.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            Pools::Sqlite { reader, .. } => Inner::Sqlite(reader.begin().await?),
            Pools::Postgres(pool) => Inner::Postgres(begin(pool).await?),
        };
        Ok(Tx { inner })
    }

    /// Ends all connections once they are idle; on SQLite the write-ahead log is folded into the file. A silent server
    /// is given ten seconds.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, reader, .. } => {
                reader.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => {
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, pool.close()).await;
            }
        }
    }

    /// For people: the file, or the kind of server. Never the URL, which may hold a password.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.pools {
            Pools::Sqlite { path, .. } => format!("SQLite file {}", path.display()),
            Pools::Postgres(_) => "PostgreSQL".to_owned(),
        }
    }

    pub(super) const fn damage(&self) -> &Damage {
        &self.damage
    }

    pub(in crate::store) const fn sqlite_writer(&self) -> Option<&SqlitePool> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => Some(writer),
            Pools::Postgres(_) => None,
        }
    }

    pub(in crate::store) const fn sqlite_reader(&self) -> Option<&SqlitePool> {
        match &self.pools {
            Pools::Sqlite { reader, .. } => Some(reader),
            Pools::Postgres(_) => None,
        }
    }

    pub(in crate::store) const fn postgres(&self) -> Option<&PgPool> {
        match &self.pools {
            Pools::Postgres(pool) => Some(pool),
            Pools::Sqlite { .. } => None,
        }
    }
}

/// A pool that never hands out a connection that is still inside a transaction. When a disk fills up, SQLite rolls back
/// by itself; the driver's own rollback then fails, and it would refuse to begin another transaction forever.
fn sqlite_pool() -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(async move { Ok(!sqlx::Connection::is_in_transaction(connection)) }))
}

/// Begins a transaction on a connection that works. One that the server has ended is noticed by its first statement, which
/// is this one and has no effect: the next connection is taken.
async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    for _ in 0..pool.size() {
        match pool.begin().await {
            Err(error) if is_ended(&error) => tracing::debug!("the server closed a connection; using another"),
            other => return other,
        }
    }
    pool.begin().await
}

/// Whether the connection itself is gone: the socket, or as the server reports (class 57P, operator intervention).
fn is_ended(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

/// The file that a `sqlite:` URL names; `None` for another engine's.
#[must_use]
pub fn sqlite_file(url: &str) -> Option<&Path> {
    url.strip_prefix("sqlite:").map(|path| Path::new(path.trim_start_matches("//")))
}

/// Whether SQLite takes it for the path of a file: it has words of its own for a database in memory, and for addresses.
fn is_on_disk(path: &Path) -> bool {
    let text = path.to_string_lossy();
    !text.is_empty() && !text.starts_with(":memory:") && !text.starts_with("file:")
}

/// The file of a store on SQLite.
pub(in crate::store) fn sqlite_path(store: &Store) -> Option<&Path> {
    match &store.pools {
        Pools::Sqlite { path, .. } => Some(path),
        Pools::Postgres(_) => None,
    }
}

impl Tx {
    /// Commits the transaction and makes it durable.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; then nothing of it stands, unless the connection broke while the answer was on its way:
    /// then the outcome is unknown. The same holds for a commit whose future is dropped: asked for, it may still take
    /// effect.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(transaction) => transaction.commit().await?,
            Inner::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    /// Rolls the transaction back and waits until the database has released its locks, which dropping it does not.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; nothing of it stands then either.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(transaction) => transaction.rollback().await?,
            Inner::Postgres(transaction) => transaction.rollback().await?,
        }
        Ok(())
    }

    pub(in crate::store) const fn inner(&mut self) -> &mut Inner {
        &mut self.inner
    }
}
