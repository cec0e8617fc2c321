//! `touchline backup`: a complete copy of the SQLite database while the daemon runs.

use std::path::PathBuf;

use secrecy::ExposeSecret;
use serde_json::json;

use super::console::{Console, count};
use super::exit::CliError;
use crate::config::Config;
use crate::store::Store;
use crate::store::engine::db::sqlite_file;

/// What to say when the database is PostgreSQL.
const POSTGRES: &str = "the records are in PostgreSQL, which has its own backup programs: \
    `pg_dump --format=custom --file=FILE \"$URL\"` with the URL of store.url, or a base backup with archived logs \
    (pg_basebackup) for a restore to the minute. After such a restore run `touchline restore --only-hold`";

/// Where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to write; an existing one is never overwritten
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Copies the database, checks the copy, and reports what it contains.
///
/// # Errors
/// PostgreSQL, or an existing file (refused); a database or disk that cannot be used.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let config = console.settings()?;
    let store = open(&config).await?;
    let bar = console.progress(None, "copying");
    let copied = store.backup(&args.file).await;
    bar.finish_and_clear();
    store.close().await;
    let contents = copied?;
    let file = args.file.display().to_string();
    console.answer(&json!({ "file": file, "checked": true, "contents": contents }), || {
        let latest = contents.latest_ms.map(|at| at.in_zone(config.practice.time_zone));
        let latest = latest.map_or_else(String::new, |at| format!(", up to {at}"));
        let messages = count(usize::try_from(contents.messages).unwrap_or(0), "message");
        format!("{file} is a complete, verified copy: {messages}{latest}, {} bytes.", contents.octets)
    })
}

/// The database as it is: neither created nor migrated just to copy it.
async fn open(config: &Config) -> Result<Store, CliError> {
    let url = config.store.url.expose_secret();
    let Some(file) = sqlite_file(url) else { return Err(CliError::refused(POSTGRES)) };
    if !file.exists() {
        return Err(CliError::not_found(format!("there is no database {} yet", file.display())));
    }
    Ok(Store::open(url, config.store.connections_max).await?)
}
