//! `touchline restore`: puts a copy made by `touchline backup` in place of the database, and makes sure that nothing that
//! may have gone out since the backup goes out by itself.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use serde_json::json;

use super::console::{Console, count};
use super::exit::CliError;
use crate::config::Config;
use crate::domain::Actor;
use crate::domain::{Clock, SystemClock, Timestamp};
use crate::store::Store;
use crate::store::engine::backup::{BackupFile, Contents};
use crate::store::engine::db::sqlite_file;
use crate::store::engine::peers::Company;
use crate::upkeep::restore::{self, Parked};

/// What to say when the database is PostgreSQL.
const POSTGRES: &str = "the records are in PostgreSQL: put them back with pg_restore or from a base backup while no \
    daemon runs, then run `touchline restore --only-hold` before the first start";

/// What to put back.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file made by `touchline backup`
    #[arg(value_name = "FILE", required_unless_present = "only_hold", conflicts_with = "only_hold")]
    file: Option<PathBuf>,
    /// Replace the existing database; its file is kept beside it
    #[arg(long, conflicts_with = "only_hold")]
    replace: bool,
    /// The records were restored by other means, such as pg_restore: only hold what may have gone out since
    #[arg(long)]
    only_hold: bool,
}

/// Restores, or only holds.
///
/// # Errors
/// Refused while a daemon has the database open, or if there is one and `--replace` is not given; the file is not a
/// valid Touchline backup.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let config = console.settings()?;
    match args.file {
        Some(file) => put_back(console, &config, &file, args.replace).await,
        None => only_hold(console, &config).await,
    }
}

async fn put_back(console: &Console, config: &Config, file: &Path, replace: bool) -> Result<(), CliError> {
    let url = config.store.url.expose_secret();
    let target = sqlite_file(url).ok_or_else(|| CliError::refused(POSTGRES))?;
    if !file.exists() {
        return Err(CliError::not_found(format!("there is no file {}", file.display())));
    }
    if target.exists() && !replace {
        let words = format!("the database {} already exists: --replace moves it aside", target.display());
        return Err(CliError::refused(words));
    }
    let now = SystemClock.now();
    let backup = BackupFile::at(file);
    let contents = backup.inspect().await?;
    Company::of(url).refuse().await?;
    let staged = backup.stage(target).await?;
    let parked = park(&staged.url(), &console.who, now).await?;
    let kept = staged.take_its_place(now).await?;
    let kept = kept.map(|path| path.display().to_string());
    let object = json!({
        "database": target.display().to_string(),
        "contents": contents,
        "parked": parked,
        "replaced": kept,
    });
    console.answer(&object, || {
        let mut text = format!("{} is in place. {}\n", target.display(), forgotten(&contents, config));
        if let Some(kept) = kept {
            text.push_str(&format!("The previous database is kept as {kept}.\n"));
        }
        text + &told(&parked)
    })
}

async fn only_hold(console: &Console, config: &Config) -> Result<(), CliError> {
    let url = config.store.url.expose_secret();
    if let Some(file) = sqlite_file(url).filter(|file| !file.exists()) {
        return Err(CliError::not_found(format!("there is no database {}", file.display())));
    }
    Company::of(url).refuse().await?;
    let parked = park(url, &console.who, SystemClock.now()).await?;
    console.answer(&json!({ "parked": parked }), || told(&parked))
}

/// Migrates the records to this version's schema and holds what had not ended.
async fn park(url: &str, who: &Actor, now: Timestamp) -> Result<Parked, CliError> {
    let store = Store::open(url, 2).await?;
    let parked = async {
        store.migrate().await?;
        restore::park(&store, who, now).await
    }
    .await;
    store.close().await;
    Ok(parked?)
}

fn forgotten(contents: &Contents, config: &Config) -> String {
    let since = contents.latest_ms.map(|at| at.in_zone(config.practice.time_zone));
    let since = since.map_or_else(|| "nothing".to_owned(), |at| format!("what happened up to {at}"));
    format!("It knows {since}; submissions, calls, refusals and bases recorded later are not in it.")
}

fn told(parked: &Parked) -> String {
    let mut lines = vec![format!(
        "{} held (restored): check which have gone out since, then `touchline release` or `touchline cancel`.",
        count(parked.held, "waiting message")
    )];
    if parked.in_flight > 0 {
        let many = count(usize::try_from(parked.in_flight).unwrap_or(0), "message");
        lines.push(format!("{many} may be with a provider: they are looked up, and not sent again automatically."));
    }
    if !parked.campaigns.is_empty() {
        let names = parked.campaigns.join(", ");
        lines.push(format!("Paused, since they were due and may have run: {names} (`touchline campaign resume`)."));
    }
    lines.join("\n")
}
