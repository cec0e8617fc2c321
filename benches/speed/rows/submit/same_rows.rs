//! The same rows written without us: what a round of submissions left in SQLite, written again into a database of the same
//! shape, with the same settings and in batches of the same mean size. No request is read, nothing is checked or rendered,
//! and one statement copies a batch's rows of a table out of memory.

use std::time::Instant;

use anyhow::{Context, ensure};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, SqliteConnection};

use crate::support::arguments::Engine;
use crate::support::crowd::{self, Crowd};
use crate::support::database::Database;
use crate::support::spread::rate;

/// The tables of the product's database, those first that others refer to: the order in which they were made.
const TABLES: &str = "SELECT made.name FROM ours.sqlite_master AS made \
    JOIN pragma_table_list AS listed ON listed.schema = 'ours' AND listed.name = made.name \
    WHERE made.type = 'table' AND listed.wr = 0 AND made.name NOT GLOB 'sqlite_*' ORDER BY made.rowid";
/// Every row of a transaction bears the moment at which it began, and no two begin in the same millisecond: each waits for
/// the disk.
const TRANSACTIONS: &str = "SELECT COUNT(DISTINCT created_ms) FROM temp.submission";

/// The rows of the product's database, and where they are written again.
pub struct SameRows {
    ours: String,
    own: Database,
    connection: SqliteConnection,
    /// The last row of each table that was looked at.
    seen: Vec<(String, i64)>,
}

/// What a round came to.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    /// Submissions.
    pub per_second: f64,
    /// Rows of each, in all tables.
    pub rows_each: f64,
    /// Submissions in a transaction.
    pub batch: f64,
}

/// A table's rows of one round.
struct Gathered {
    table: String,
    rows: i64,
}

impl SameRows {
    /// Makes a database in which the same people are known.
    pub async fn prepare(ours: &Database, crowd: &Crowd) -> anyhow::Result<Self> {
        let own = Database::fresh(Engine::Sqlite).await?.context("a file is always to be had")?;
        let mut desk = own.desk().await?;
        crowd::know(&mut desk, crowd).await?;
        desk.settle().await?;
        let connection = connect(&path_of(&own)?).await?;
        Ok(Self { ours: path_of(ours)?, own, connection, seen: Vec::new() })
    }

    /// Passes over all that the product's database has so far.
    pub async fn pass_over(&mut self) -> anyhow::Result<()> {
        self.attach().await?;
        self.seen = self.last_rows().await?;
        self.detach().await
    }

    /// Writes again what is new in the product's database.
    pub async fn once(&mut self) -> anyhow::Result<Written> {
        let gathered = self.gather().await?;
        let of_submissions = gathered.iter().find(|one| one.table == "submission");
        let submissions = of_submissions.context("submissions")?.rows;
        let transactions: i64 = sqlx::query_scalar(TRANSACTIONS).fetch_one(&mut self.connection).await?;
        ensure!(transactions > 0, "no transaction");
        let statements: Vec<(String, i64)> = gathered.iter().map(|one| (one.copying(), one.rows)).collect();

        let started = Instant::now();
        for batch in 0..transactions {
            self.connection.execute("BEGIN IMMEDIATE").await?;
            for (statement, rows) in &statements {
                let (after, to) = (rows * batch / transactions, rows * (batch + 1) / transactions);
                let copying = sqlx::query(AssertSqlSafe(statement.clone())).bind(after).bind(to);
                let copied = copying.execute(&mut self.connection).await?.rows_affected();
                ensure!(copied == u64::try_from(to - after)?, "{copied} rows by {statement}");
            }
            self.connection.execute("COMMIT").await?;
        }
        let took = started.elapsed();

        let rows: i64 = gathered.iter().map(|one| one.rows).sum();
        for Gathered { table, .. } in gathered {
            self.run(&format!("DROP TABLE temp.{table}")).await?;
        }
        Ok(Written {
            per_second: rate(usize::try_from(submissions)?, took),
            rows_each: rows as f64 / submissions as f64,
            batch: submissions as f64 / transactions as f64,
        })
    }

    /// Removes its database.
    pub async fn remove(self) {
        self.own.remove().await;
    }

    /// Brings every row that is new into memory, under the name of its table.
    async fn gather(&mut self) -> anyhow::Result<Vec<Gathered>> {
        self.attach().await?;
        let now = self.last_rows().await?;
        let mut gathered = Vec::new();
        for ((table, before), (_, last)) in self.seen.clone().into_iter().zip(&now) {
            if *last == before {
                continue;
            }
            self.run(&format!(
                "CREATE TEMP TABLE {table} AS SELECT * FROM ours.{table} WHERE rowid > {before} ORDER BY rowid"
            ))
            .await?;
            let rows = self.number(&format!("SELECT COUNT(*) FROM temp.{table}")).await?;
            gathered.push(Gathered { table, rows });
        }
        self.seen = now;
        self.detach().await?;
        Ok(gathered)
    }

    async fn last_rows(&mut self) -> anyhow::Result<Vec<(String, i64)>> {
        let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut self.connection).await?;
        let mut last = Vec::with_capacity(tables.len());
        for table in tables {
            let row = self.number(&format!("SELECT COALESCE(MAX(rowid), 0) FROM ours.{table}")).await?;
            last.push((table, row));
        }
        Ok(last)
    }

    /// Only as long as it is read: a transaction that writes would take the locks of both databases.
    async fn attach(&mut self) -> anyhow::Result<()> {
        let path = self.ours.clone();
        sqlx::query("ATTACH DATABASE $1 AS ours").bind(path).execute(&mut self.connection).await?;
        Ok(())
    }

    async fn detach(&mut self) -> anyhow::Result<()> {
        self.run("DETACH DATABASE ours").await
    }

    async fn run(&mut self, statement: &str) -> anyhow::Result<()> {
        self.connection.execute(AssertSqlSafe(statement.to_owned())).await.context("the same rows")?;
        Ok(())
    }

    async fn number(&mut self, query: &str) -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&mut self.connection).await?)
    }
}

impl Gathered {
    fn copying(&self) -> String {
        let table = &self.table;
        format!("INSERT INTO main.{table} SELECT * FROM temp.{table} WHERE rowid > $1 AND rowid <= $2")
    }
}

/// Set as the product's own connection that writes.
async fn connect(path: &str) -> anyhow::Result<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("temp_store", "memory")
        .pragma("wal_autocheckpoint", "8000")
        .pragma("journal_size_limit", "67108864")
        .pragma("cache_size", "-8192");
    options.disable_statement_logging().connect().await.context("the file opens")
}

fn path_of(database: &Database) -> anyhow::Result<String> {
    database.url.strip_prefix("sqlite:").map(str::to_owned).context("a file of SQLite")
}
