//! Whether the database keeps what it is given: damage, the settings that decide what a power cut can do, room on the
//! disk; and whether the queue moves.

use std::path::Path;

use sqlx::postgres::PgPool;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use super::backup::troubles;
use super::db::{Store, Tx, on, sqlite_path};
use super::error::StoreError;
use crate::domain::Timestamp;

const SCHEMA: &str = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations";
const WRITE_PROBE: &str = "INSERT INTO setting (name, value) VALUES ('write_check', '')
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const LEASES_PAST: &str =
    "SELECT COUNT(*), MIN(lease_until_ms) FROM queue_entry WHERE state = 'leased' AND lease_until_ms < $1";
// Identifiers are in order of time.
const LATEST: &str = "SELECT recorded_ms FROM event ORDER BY id DESC LIMIT 1";
const DUE_PAST: &str = "SELECT COUNT(*), MIN(due_ms) FROM queue_entry WHERE state <> 'leased' AND due_ms < $1";

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Soundness {
    /// Engine and version.
    pub engine: String,
    /// The number of the last migration.
    pub schema: i64,
    /// Damage, one sentence each, at most ten of a kind; empty if there is none, and on PostgreSQL, which has its own
    /// programs for that.
    pub damage: Vec<String>,
    /// Settings under which a power cut can erase what was committed, one sentence each.
    pub risks: Vec<String>,
    /// The file, where there is one.
    pub room: Option<Room>,
}

/// Room on the disk of a SQLite file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Octets that the file and its log take.
    pub used: u64,
    /// Octets available to us; `None` where the system does not report it.
    pub free: Option<u64>,
}

impl Room {
    /// With fewer octets available than this, the next letters may not be recorded.
    pub const LEAST: u64 = 64 << 20;
}

/// Entries of the queue that should have moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late {
    /// How many.
    pub entries: i64,
    /// Since when the oldest of them has been late.
    pub since: Option<Timestamp>,
}

impl Store {
    /// Checks the database. On SQLite all of it is read, which takes a while for a large one; writers go on.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it cannot be asked. Damage is a finding, not an error.
    pub async fn soundness(&self) -> Result<Soundness, StoreError> {
        let mut found = match (self.sqlite_writer(), self.sqlite_reader(), self.postgres()) {
            (Some(writer), Some(reader), _) => of_sqlite(writer, reader).await?,
            (_, _, Some(pool)) => of_postgres(pool).await?,
            _ => Soundness::default(),
        };
        found.room = self.room();
        match self.read().await?.schema_number().await {
            Ok(schema) => found.schema = schema,
            Err(StoreError::Unusable(words)) => found.damage.push(words),
            Err(error) => return Err(error),
        }
        Ok(found)
    }

    /// Room on the disk; `None` where the database is no file of ours.
    #[must_use]
    pub fn room(&self) -> Option<Room> {
        sqlite_path(self).map(room)
    }

    /// Writes one row that says nothing and commits it: the database keeps what it is given.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn prove_writable(&self) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.write_probe().await?;
        tx.commit().await
    }

    /// Whether a row can be written. It is rolled back: nothing of it stays.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        self.write().await?.write_probe().await
    }
}

impl Tx {
    async fn write_probe(&mut self) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(WRITE_PROBE).execute(&mut *c).await?;
        });
        Ok(())
    }

    /// The number of the last migration; 0 if there was none.
    pub async fn schema_number(&mut self) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(SCHEMA).fetch_one(&mut *c).await?))
    }

    /// Entries whose lease ended before that moment: their worker is gone and no node took them back.
    pub async fn queue_leases_past(&mut self, moment: Timestamp) -> Result<Late, StoreError> {
        let (entries, since) = on!(self, |c, d| sqlx::query_as(LEASES_PAST).bind(moment).fetch_one(&mut *c).await?);
        Ok(Late { entries, since })
    }

    /// When the newest event was recorded; `None` if there is none.
    pub async fn event_latest(&mut self) -> Result<Option<Timestamp>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(LATEST).fetch_optional(&mut *c).await?))
    }

    /// Entries that were due before that moment and that no worker has taken.
    pub async fn queue_due_past(&mut self, moment: Timestamp) -> Result<Late, StoreError> {
        let (entries, since) = on!(self, |c, d| sqlx::query_as(DUE_PAST).bind(moment).fetch_one(&mut *c).await?);
        Ok(Late { entries, since })
    }
}

async fn of_sqlite(writer: &SqlitePool, reader: &SqlitePool) -> Result<Soundness, StoreError> {
    let mut found = Soundness::default();
    // These belong to the connection: only the one that writes can tell what is in force.
    let mut connection = writer.acquire().await?;
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut *connection).await?;
    found.engine = format!("SQLite {version}");
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
    if journal != "wal" {
        found.risks.push(format!("journal_mode is {journal}, not wal: readers wait for the writer"));
    }
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await?;
    if synchronous < 2 {
        found.risks.push("synchronous is not FULL: a power cut can erase the record of a call already made".to_owned());
    }
    let foreign_keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut *connection).await?;
    if foreign_keys != 1 {
        found.risks.push("foreign_keys is off".to_owned());
    }
    drop(connection);
    found.damage = damage(&mut *reader.acquire().await?).await?;
    Ok(found)
}

/// A file so damaged that it cannot be read to its end is a finding too.
async fn damage(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let mut look = async |check| match troubles(&mut *connection, check).await {
        Err(StoreError::Unusable(words)) => Ok((Vec::new(), vec![words])),
        other => other.map(|found| (found, Vec::new())),
    };
    let (mut found, unreadable) = look("PRAGMA quick_check(10)").await?;
    found.extend(unreadable);
    let (orphans, unreadable) = look("PRAGMA foreign_key_check").await?;
    if found.is_empty() {
        found.extend(unreadable);
    }
    if !orphans.is_empty() {
        let mut tables = orphans.clone();
        tables.dedup();
        found.push(format!("{} rows refer to missing rows (in {})", orphans.len(), tables.join(", ")));
    }
    Ok(found)
}

async fn of_postgres(pool: &PgPool) -> Result<Soundness, StoreError> {
    let mut found = Soundness::default();
    let version: String = sqlx::query_scalar("SHOW server_version").fetch_one(pool).await?;
    found.engine = format!("PostgreSQL {version}");
    for (ask, name, risk) in [
        ("SHOW fsync", "fsync", "a power cut can destroy the whole database"),
        ("SHOW synchronous_commit", "synchronous_commit", "a power cut can erase the record of a call already made"),
        ("SHOW full_page_writes", "full_page_writes", "a power cut can leave half-written pages"),
    ] {
        let value: String = sqlx::query_scalar(ask).fetch_one(pool).await?;
        if value == "off" {
            found.risks.push(format!("{name} is off: {risk}"));
        }
    }
    Ok(found)
}

fn room(file: &Path) -> Room {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    Room { used: size(file) + size(Path::new(&log)), free: free_octets(file) }
}

#[cfg(unix)]
fn free_octets(file: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(file).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

#[cfg(not(unix))]
const fn free_octets(_: &Path) -> Option<u64> {
    None
}
