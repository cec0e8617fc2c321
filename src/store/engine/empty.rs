//! A SQLite file that is there and empty is somebody's: its records may have been lost, and nothing tells it from a new one
//! once it is filled. So none is ever begun in place: a new file appears under its name with its first page in it.

use std::io;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection};

use super::error::StoreError;
use crate::files;

/// Refuses a file that is there and empty. It is not opened: SQLite would take its log away.
pub(super) fn refuse(path: &Path) -> Result<(), StoreError> {
    let is_empty = std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == 0);
    if is_empty {
        return Err(StoreError::Unusable(format!(
            "the file {} is there and empty: its records may be lost. Restore a backup with `touchline restore`; if it never \
             held any, delete the file and start again",
            path.display()
        )));
    }
    Ok(())
}

/// Begins a new file that only its owner can read, unless there is something of that name. Where that cannot be done, SQLite
/// says why when it opens it.
pub(super) async fn begin(path: &Path) {
    if path.symlink_metadata().is_ok() {
        return;
    }
    if begin_aside(path).await.is_err()
        && let Err(error) = files::create_private_if_missing(path)
    {
        tracing::debug!(kind = %error.kind(), "the database file cannot be created; SQLite says why");
    }
}

/// Of several programs that begin the same file, one is first, and the others find its file.
async fn begin_aside(path: &Path) -> io::Result<()> {
    let folder = files::folder_of(path);
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(".new-");
    // Closed at once: whoever closes a file of SQLite's gives up the locks that this program has on it.
    let aside = tempfile::Builder::new().prefix(&prefix).tempfile_in(folder)?.into_temp_path();
    let options = SqliteConnectOptions::new().filename(&aside).journal_mode(SqliteJournalMode::Wal);
    let connection = options.disable_statement_logging().connect().await.map_err(io::Error::other)?;
    connection.close().await.map_err(io::Error::other)?;
    match aside.persist_noclobber(path) {
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(|error| error.error),
    }
}
