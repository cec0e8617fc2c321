//! Whether a database is whole, as far as a look at it tells in milliseconds: before anything is begun on it. Damage inside
//! the file is found by reading all of it, which `touchline doctor` does.

use std::collections::BTreeSet;
use std::path::Path;

use sqlx::sqlite::SqlitePool;

use super::db::{Store, on, sqlite_path};
use super::error::StoreError;
use super::migrate::columns_expected;

const PAGE_SIZE: &str = "PRAGMA page_size";
const PAGE_COUNT: &str = "PRAGMA page_count";
/// Octets of the log's own before each page in it.
const FRAME_HEADER: u64 = 24;
/// How many missing columns are named.
const NAMES_SHOWN_MAX: usize = 3;

impl Store {
    /// Checks a database that was brought to this version: on SQLite the file's header and size, and on both engines that
    /// every table and column is there, whatever the list of applied migrations says.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] if something is missing, [`StoreError::Unavailable`] if it cannot be asked.
    pub async fn check_start(&self) -> Result<(), StoreError> {
        if let (Some(reader), Some(path)) = (self.sqlite_reader(), sqlite_path(self)) {
            check_length(reader, path).await?;
        }
        let mut tx = self.read().await?;
        let columns: Vec<(String, String)> =
            on!(tx, |c, d| sqlx::query_as(d.column_names()).fetch_all(&mut *c).await?);
        drop(tx);
        check_columns(&columns.into_iter().collect(), columns_expected().await?)
    }
}

/// SQLite reads the header itself, and refuses one that is not its own. Each page is in the file or in the log; the log is
/// measured first, because pages only ever move from it to the file. The file is not opened here: a program that closes it
/// gives up the locks that its own connections have on it.
async fn check_length(reader: &SqlitePool, path: &Path) -> Result<(), StoreError> {
    let mut connection = reader.acquire().await?;
    let size: i64 = sqlx::query_scalar(PAGE_SIZE).fetch_one(&mut *connection).await?;
    let count: i64 = sqlx::query_scalar(PAGE_COUNT).fetch_one(&mut *connection).await?;
    drop(connection);
    let Some((size, count)) = u64::try_from(size).ok().filter(|size| *size > 0).zip(u64::try_from(count).ok()) else {
        return Err(StoreError::Unusable(
            "the header of the database file is damaged: restore it from a backup".to_owned(),
        ));
    };
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let logged = std::fs::metadata(log).map_or(0, |log| log.len() / (size + FRAME_HEADER));
    // A database in memory has no file.
    let Ok(file) = std::fs::metadata(path) else { return Ok(()) };
    let there = file.len() / size;
    if there.saturating_add(logged) < count {
        return Err(StoreError::Unusable(format!(
            "the database file was cut off: {there} of {count} pages are there. Restore it from a backup"
        )));
    }
    Ok(())
}

fn check_columns(there: &BTreeSet<(String, String)>, expected: &BTreeSet<(String, String)>) -> Result<(), StoreError> {
    let missing: Vec<String> = expected.difference(there).map(|(table, column)| format!("{table}.{column}")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let shown = missing[..missing.len().min(NAMES_SHOWN_MAX)].join(", ");
    let more = if missing.len() > NAMES_SHOWN_MAX { " and others" } else { "" };
    Err(StoreError::Unusable(format!(
        "columns are missing ({shown}{more}), though all migrations were applied: something else changed the database. \
         Restore it from a backup"
    )))
}
