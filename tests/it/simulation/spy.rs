//! The spy: a connection of its own that sees what is committed, and that can put things wrong on purpose.

use sqlx::postgres::PgRow;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, FromRow, PgConnection, SqliteConnection};
use tokio::runtime::Runtime;
use tokio::time::Duration;

/// Children before parents, so that nothing refers to what is gone.
const TABLES: &[&str] = &[
    "inbox_fact",
    "inbox",
    "event",
    "attempt",
    "purge",
    "message",
    "touch",
    "broadcast",
    "submission",
    "queue_entry",
    "queue_flow",
    "provider_state",
    "suppression",
    "basis",
    "address",
    "document",
    "audit",
    "referrer_tag",
    "referrer",
];

enum Wire {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// See the module's comment.
pub struct Spy {
    runtime: Runtime,
    wire: Wire,
    /// SQLite's number of what others have committed, when it was last looked at.
    version: Option<i64>,
}

impl Spy {
    pub fn new(url: &str) -> Self {
        let runtime = super::house::runtime();
        let wire = runtime.block_on(connect(url));
        Self { runtime, wire, version: None }
    }

    /// Every row of a statement that both engines understand.
    pub fn rows<T>(&mut self, sql: &str) -> Vec<T>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let sql = AssertSqlSafe(sql.to_owned());
        let rows = match &mut self.wire {
            Wire::Sqlite(wire) => self.runtime.block_on(sqlx::query_as(sql).fetch_all(wire)),
            Wire::Postgres(wire) => self.runtime.block_on(sqlx::query_as(sql).fetch_all(wire)),
        };
        rows.expect("the spy can read")
    }

    /// Whether anybody else may have changed anything since the last call, or since the database was emptied. PostgreSQL
    /// has no cheap way to know.
    pub fn may_differ(&mut self) -> bool {
        if matches!(self.wire, Wire::Postgres(_)) {
            return true;
        }
        let version: Vec<(i64,)> = self.rows("PRAGMA data_version");
        let version = version.first().map(|row| row.0);
        std::mem::replace(&mut self.version, version) != version
    }

    /// How this engine writes an id as hexadecimal text.
    pub fn hex(&self, column: &str) -> String {
        match &self.wire {
            Wire::Sqlite(_) => format!("LOWER(HEX({column}))"),
            Wire::Postgres(_) => format!("REPLACE(CAST({column} AS TEXT), '-', '')"),
        }
    }

    /// Puts something wrong, or right again. Answers how many rows it changed.
    pub fn tamper(&mut self, sql: &str) -> u64 {
        let sql = AssertSqlSafe(sql.to_owned());
        let done = match &mut self.wire {
            Wire::Sqlite(wire) => {
                self.runtime.block_on(wire.execute(sqlx::raw_sql(sql))).map(|done| done.rows_affected())
            }
            Wire::Postgres(wire) => {
                self.runtime.block_on(wire.execute(sqlx::raw_sql(sql))).map(|done| done.rows_affected())
            }
        };
        done.expect("the spy can write")
    }

    /// Empties the house for the next history. Numbers of queue entries go on: they are never used again.
    pub fn wipe(&mut self) {
        let statements: Vec<String> = TABLES.iter().map(|table| format!("DELETE FROM {table};")).collect();
        self.tamper(&format!("BEGIN; {} COMMIT;", statements.concat()));
        self.version = None;
    }

    /// Waits until nobody is in the middle of changing anything. The database may roll back an abandoned
    /// transaction, or finish a commit that was already requested, after the code that began it has moved on. Either way
    /// the result belongs to the act that began it, and no later act may run into its locks.
    pub fn settle(&mut self) {
        let sql = match &self.wire {
            Wire::Sqlite(_) => "BEGIN IMMEDIATE; COMMIT",
            Wire::Postgres(_) => "BEGIN; LOCK TABLE queue_entry, message, attempt IN EXCLUSIVE MODE; COMMIT",
        };
        self.tamper(sql);
    }

    /// From now on the database takes no change of that table, until [`Spy::mend`].
    pub fn cut(&mut self, table: &str) {
        let sql = match &self.wire {
            Wire::Sqlite(_) => {
                format!("CREATE TRIGGER sim_cut BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'cut off'); END")
            }
            Wire::Postgres(_) => format!(
                "CREATE OR REPLACE FUNCTION sim_cut() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'cut off'; END $$;
                 CREATE TRIGGER sim_cut BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION sim_cut()"
            ),
        };
        self.tamper(&sql);
    }

    /// The database takes changes again.
    pub fn mend(&mut self, table: &str) {
        let sql = match &self.wire {
            Wire::Sqlite(_) => "DROP TRIGGER IF EXISTS sim_cut".to_owned(),
            Wire::Postgres(_) => format!("DROP TRIGGER IF EXISTS sim_cut ON {table}"),
        };
        self.tamper(&sql);
    }
}

async fn connect(url: &str) -> Wire {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let options =
            SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(10)).foreign_keys(true);
        return Wire::Sqlite(options.disable_statement_logging().connect().await.expect("the spy gets in"));
    }
    Wire::Postgres(PgConnection::connect(url).await.expect("the spy gets in"))
}
