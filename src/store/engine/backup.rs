//! A consistent copy of a running SQLite database in one file, what such a copy holds, and its way back.
//!
//! The copy is made by `VACUUM INTO` on a reading connection: one statement over one snapshot of the database, whole
//! and without a write-ahead log beside it. Writers go on meanwhile; only the log grows until the copy is done.
//! SQLite's other way, the backup API, is not offered by sqlx, and page by page it starts over whenever another
//! connection writes.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Row};
use tempfile::NamedTempFile;

use super::db::Store;
use super::error::StoreError;
use super::migrate;
use super::peers::LoneConnection;
use crate::domain::Timestamp;
use crate::files::folder_of;

const SCHEMA: &str = "SELECT MAX(version) FROM _sqlx_migrations";
const MESSAGES: &str = "SELECT COUNT(*) FROM message";
const LATEST: &str = "SELECT MAX(recorded_ms) FROM event";
/// How many problems are reported for a damaged file.
const TROUBLES_SHOWN_MAX: usize = 3;
/// The files that SQLite keeps beside a database in use.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// The number of its last migration.
    pub schema: i64,
    /// Messages in it.
    pub messages: i64,
    /// When the latest event in it was recorded.
    #[serde(rename = "latest")]
    pub latest_ms: Option<Timestamp>,
    /// Its size in octets.
    pub octets: u64,
}

/// A copy in a file.
#[derive(Debug, Clone)]
pub struct BackupFile {
    path: PathBuf,
}

/// A database file that is about to replace another; deleted if dropped before.
#[derive(Debug)]
pub struct Replacement {
    file: NamedTempFile,
    target: PathBuf,
}

impl Store {
    /// Copies the database into a new file that only its owner can read, while work goes on. The file appears
    /// under its name when it is complete, on the disk, and found sound.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if there is such a file already, [`StoreError::Unusable`] on PostgreSQL or if the copy is
    /// not sound, [`StoreError::Unavailable`] if it cannot be written.
    pub async fn backup(&self, file: &Path) -> Result<Contents, StoreError> {
        let Some(reader) = self.sqlite_reader() else {
            return Err(StoreError::Unusable("PostgreSQL is copied by its own programs".to_owned()));
        };
        refuse_existing(file)?;
        let partial = beside(file, ".touchline-backup-")?;
        // Outside any transaction: VACUUM opens its own.
        let mut connection = reader.acquire().await?;
        sqlx::query("VACUUM INTO $1").bind(as_text(partial.path())?).execute(&mut *connection).await?;
        drop(connection);
        sync(partial.path()).await?;
        let contents = BackupFile::at(partial.path()).inspect().await?;
        partial.persist_noclobber(file).map_err(|error| trouble(file, &error.error))?;
        sync(folder_of(file)).await?;
        Ok(contents)
    }
}

impl BackupFile {
    /// A file that should be a backup.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Reads all of it and says what it holds.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] if it is damaged, not ours, of a later version, or not whole (a write-ahead log lies beside
    /// it); [`StoreError::Unavailable`] if it cannot be read.
    pub async fn inspect(&self) -> Result<Contents, StoreError> {
        let octets = std::fs::metadata(&self.path).map_err(|error| trouble(&self.path, &error))?.len();
        self.refuse_files_of_a_running_database()?;
        let mut connection = self.connect().await?;
        let troubles = troubles(&mut connection, "PRAGMA integrity_check(10)").await?;
        if !troubles.is_empty() {
            let shown = troubles[..troubles.len().min(TROUBLES_SHOWN_MAX)].join("; ");
            return Err(StoreError::Unusable(format!("the file is damaged: {shown}")));
        }
        let names: Vec<String> =
            sqlx::query_scalar(super::dialect::Dialect::Sqlite.table_names()).fetch_all(&mut connection).await?;
        if !["_sqlx_migrations", "message", "attempt"].iter().all(|table| names.iter().any(|name| name == table)) {
            return Err(StoreError::Unusable("the file contains no touchline records".to_owned()));
        }
        let schema: i64 = sqlx::query_scalar(SCHEMA).fetch_one(&mut connection).await?;
        if schema > migrate::newest() {
            return Err(StoreError::Unusable(format!(
                "the file holds migration {schema}, which this version of touchline does not know: use the newer one"
            )));
        }
        let messages = sqlx::query_scalar(MESSAGES).fetch_one(&mut connection).await?;
        let latest_ms = sqlx::query_scalar(LATEST).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(Contents { schema, messages, latest_ms, octets })
    }

    /// Copies it to a new file beside `target`, which it may replace later.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it cannot be read or there is no room.
    pub async fn stage(&self, target: &Path) -> Result<Replacement, StoreError> {
        let target = std::path::absolute(target).map_err(|error| trouble(target, &error))?;
        let file = beside(&target, ".touchline-restore-")?;
        // Into the file that is there, which keeps its permissions.
        let mut from = tokio::fs::File::open(&self.path).await.map_err(|error| trouble(&self.path, &error))?;
        let mut to =
            tokio::fs::File::options().write(true).open(file.path()).await.map_err(|error| trouble(&target, &error))?;
        tokio::io::copy(&mut from, &mut to).await.map_err(|error| trouble(&target, &error))?;
        to.sync_all().await.map_err(|error| trouble(&target, &error))?;
        Ok(Replacement { file, target })
    }

    /// A database in use is more than its file: the newest commits are in the log beside it.
    fn refuse_files_of_a_running_database(&self) -> Result<(), StoreError> {
        let log = with_suffix(&self.path, BESIDE[0]);
        if std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
            let words = "a write-ahead log (-wal) lies beside the file: it is in use, or was copied while it was. Only \
                         `touchline backup` makes a whole copy of a running database";
            return Err(StoreError::Unusable(words.to_owned()));
        }
        Ok(())
    }

    /// Nothing changes the file, so nothing is written beside it either.
    async fn connect(&self) -> Result<SqliteConnection, StoreError> {
        let options = SqliteConnectOptions::new().filename(&self.path).read_only(true).immutable(true);
        Ok(options.disable_statement_logging().connect().await?)
    }
}

impl Replacement {
    /// The URL by which the staged database is opened.
    #[must_use]
    pub fn url(&self) -> String {
        format!("sqlite:{}", self.file.path().display())
    }

    /// Puts it in place. A database that was there is kept beside it, under the returned name, with its log folded in.
    /// At every moment one of the two is under the target's name, and both are on the disk.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another program has the old one open; [`StoreError::Unavailable`] if files cannot be
    /// moved. Then the old database is still in place.
    pub async fn take_its_place(self, now: Timestamp) -> Result<Option<PathBuf>, StoreError> {
        let log = with_suffix(self.file.path(), BESIDE[0]);
        if log.exists() {
            return Err(StoreError::Unavailable("the staged database is still in use".to_owned()));
        }
        sync(self.file.path()).await?;
        let alone = LoneConnection::open(&self.target).await?;
        let kept = self.set_old_aside(now)?;
        self.file.persist(&self.target).map_err(|error| trouble(&self.target, &error.error))?;
        sync(folder_of(&self.target)).await?;
        alone.close().await;
        Ok(kept)
    }

    fn set_old_aside(&self, now: Timestamp) -> Result<Option<PathBuf>, StoreError> {
        let stamp = now.to_utc().format("%Y%m%dT%H%M%SZ");
        let aside = with_suffix(&self.target, &format!(".replaced-{stamp}"));
        let moved = |error: std::io::Error| trouble(&aside, &error);
        // A log that could not be folded in belongs to the old file alone: the new one must never meet it.
        for suffix in BESIDE {
            let lying = with_suffix(&self.target, suffix);
            match std::fs::rename(&lying, with_suffix(&aside, suffix)) {
                // The connection that found the file too damaged may end late, and takes its log with it.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                other => other.map_err(moved)?,
            }
        }
        let Ok(old) = std::fs::metadata(&self.target) else { return Ok(None) };
        same_owner(self.file.path(), &old);
        if std::fs::hard_link(&self.target, &aside).is_err() {
            // Some file systems have no second names: then there is a moment without the file.
            std::fs::rename(&self.target, &aside).map_err(moved)?;
        }
        Ok(Some(aside))
    }
}

/// What a check pragma found, `ok` left out.
pub(in crate::store) async fn troubles(
    connection: &mut SqliteConnection,
    check: &'static str,
) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(check).fetch_all(connection).await?;
    let words = rows.iter().filter_map(|row| row.try_get::<String, _>(0).ok());
    Ok(words.filter(|word| word != "ok").map(|word| word.chars().take(120).collect()).collect())
}

fn refuse_existing(file: &Path) -> Result<(), StoreError> {
    if file.symlink_metadata().is_ok() {
        return Err(StoreError::Conflict(format!("{}; it is not overwritten", file.display())));
    }
    Ok(())
}

/// A new file beside another, readable by its owner alone.
fn beside(file: &Path, prefix: &str) -> Result<NamedTempFile, StoreError> {
    let folder = std::path::absolute(folder_of(file)).map_err(|error| trouble(file, &error))?;
    tempfile::Builder::new()
        .prefix(prefix)
        .suffix(".partial")
        .tempfile_in(folder)
        .map_err(|error| trouble(file, &error))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn as_text(path: &Path) -> Result<&str, StoreError> {
    path.to_str().ok_or_else(|| StoreError::Unusable("the file's path is not valid Unicode".to_owned()))
}

/// Waits until the disk has it: for a folder, the names in it.
async fn sync(path: &Path) -> Result<(), StoreError> {
    let file = tokio::fs::File::open(path).await.map_err(|error| trouble(path, &error))?;
    file.sync_all().await.map_err(|error| trouble(path, &error))
}

/// Gives the new file the owner of the old one, where permitted: the daemon must be able to open it.
fn same_owner(file: &Path, old: &std::fs::Metadata) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, chown};
        let _ = chown(file, Some(old.uid()), Some(old.gid()));
    }
    #[cfg(not(unix))]
    let _ = (file, old);
}

fn trouble(path: &Path, error: &std::io::Error) -> StoreError {
    let words = match error.kind() {
        ErrorKind::AlreadyExists => return StoreError::Conflict(format!("{}; it is not overwritten", path.display())),
        ErrorKind::StorageFull => "the disk is full",
        ErrorKind::NotFound => "there is no such file or folder",
        ErrorKind::PermissionDenied => "not allowed",
        kind => return StoreError::Unavailable(format!("{}: {kind}", path.display())),
    };
    StoreError::Unavailable(format!("{}: {words}", path.display()))
}
