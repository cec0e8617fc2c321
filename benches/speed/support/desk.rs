//! The bench's own database connection: it prepares rows by the hundred thousand and counts what became of them. All
//! that it prepares is committed to disk before a row starts to measure.

use std::time::Duration;

use anyhow::Context;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, SqliteConnection};

use super::arguments::Engine;
use super::within;

/// Rows made by one statement.
const ROWS_PER_STATEMENT: u64 = 500_000;
/// How often it is looked whether something has come about. A look costs the database some of its time.
const LOOK: Duration = Duration::from_millis(50);

/// A connection to either database.
pub enum Desk {
    /// To the file.
    Sqlite(SqliteConnection),
    /// To the server.
    Postgres(PgConnection),
}

impl Desk {
    /// Opens one. Preparing is neither synchronous nor checked against foreign keys; [`Desk::settle`] ends it.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(30));
            let mut connection = options.disable_statement_logging().connect().await.context("the file opens")?;
            connection.execute("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF").await?;
            return Ok(Self::Sqlite(connection));
        }
        let mut connection = PgConnection::connect(url).await.context("the server answers")?;
        connection
            .execute("SET session_replication_role = replica; SET synchronous_commit = off; SET enable_seqscan = off")
            .await?;
        Ok(Self::Postgres(connection))
    }

    /// The engine.
    pub const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs statements.
    pub async fn run(&mut self, statements: &str) -> anyhow::Result<()> {
        let text = AssertSqlSafe(statements.to_owned());
        match self {
            Self::Sqlite(connection) => connection.execute(text).await.map(|_| ())?,
            Self::Postgres(connection) => connection.execute(text).await.map(|_| ())?,
        }
        Ok(())
    }

    /// One number; 0 for none.
    pub async fn number(&mut self, query: &str) -> anyhow::Result<i64> {
        let text = AssertSqlSafe(query.to_owned());
        let number: Option<i64> = match self {
            Self::Sqlite(connection) => sqlx::query_scalar(text).fetch_one(connection).await?,
            Self::Postgres(connection) => sqlx::query_scalar(text).fetch_one(connection).await?,
        };
        Ok(number.unwrap_or(0))
    }

    /// Fills columns of a table with one row for each `i` from `first` to `last`.
    pub async fn fill(&mut self, table: &str, first: u64, last: u64, columns: &[(&str, &str)]) -> anyhow::Result<()> {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let values: Vec<&str> = columns.iter().map(|(_, value)| *value).collect();
        let (names, values) = (names.join(", "), values.join(", "));
        let mut from = first;
        while from <= last {
            let to = last.min(from + ROWS_PER_STATEMENT - 1);
            let select = match self.engine() {
                Engine::Sqlite => format!(
                    "WITH RECURSIVE series(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM series WHERE i < {to})
                     SELECT {values} FROM series"
                ),
                Engine::Postgres => format!("SELECT {values} FROM generate_series({from}::bigint, {to}) AS series(i)"),
            };
            self.run(&format!("INSERT INTO {table} ({names}) {select}")).await.with_context(|| table.to_owned())?;
            from = to + 1;
        }
        Ok(())
    }

    /// The id made of a number.
    pub fn id(&self, number: &str) -> String {
        match self.engine() {
            Engine::Sqlite => format!("unhex(printf('%032x', {number}))"),
            Engine::Postgres => format!("lpad(to_hex(({number})::bigint), 32, '0')::uuid"),
        }
    }

    /// A number with that many digits.
    pub fn padded(&self, number: &str, digits: usize) -> String {
        match self.engine() {
            Engine::Sqlite => format!("printf('%0{digits}d', {number})"),
            Engine::Postgres => format!("lpad(({number})::text, {digits}, '0')"),
        }
    }

    /// Brings all that was prepared to the disk, and the server's notion of it up to date.
    pub async fn settle(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(_) => self.run("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)").await,
            Self::Postgres(connection) => {
                // As the server does by itself; and as it does, not of tables that are still empty.
                let filled = "SELECT COALESCE(STRING_AGG(FORMAT('%I', relname), ', '), 'referrer') FROM pg_class
                    WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND pg_relation_size(oid) > 0";
                let tables: String = sqlx::query_scalar(filled).fetch_one(&mut *connection).await?;
                self.run(&format!("VACUUM ANALYZE {tables}")).await?;
                self.run("CHECKPOINT").await
            }
        }
    }

    /// Waits until no message is queued any more: every hand-over is made and its outcome recorded.
    pub async fn until_all_recorded(&mut self, limit: Duration) -> anyhow::Result<()> {
        // Along the index of what is to be handed over, which only grows shorter; what is leased is looked at when nothing else
        // is left.
        let any = "SELECT COUNT(*) FROM (SELECT 1 FROM queue_entry WHERE kind = 'submit' AND state = 'ready' LIMIT 1) AS ready";
        let all = "SELECT COUNT(*) FROM message WHERE status = 'queued'";
        within(limit, "every outcome is recorded", async {
            while self.number(any).await? > 0 || self.number(all).await? > 0 {
                tokio::time::sleep(LOOK).await;
            }
            Ok(())
        })
        .await
    }

    /// How many messages stand there.
    pub async fn messages(&mut self, status: &str) -> anyhow::Result<i64> {
        self.number(&format!("SELECT COUNT(*) FROM message WHERE status = '{status}'")).await
    }

    /// Milliseconds since 1970.
    pub fn now_ms() -> i64 {
        chrono::Utc::now().timestamp_millis()
    }
}
