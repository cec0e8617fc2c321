//! PostgreSQL's own load generator: one row written and committed at a time by as many clients, in a table of its own in
//! the same server. It checks nothing, reads nothing and writes one row where a letter is several.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::desk::Desk;
use crate::support::{postgres, require, within};

/// The table, in a database of its own.
const TABLE: &str = "CREATE TABLE written (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, client integer NOT NULL, \
                     words text NOT NULL)";
/// The transaction: one insert, which commits by itself.
const SCRIPT: &str = "INSERT INTO written (client, words) VALUES (:client_id, 'three weekday morning places');\n";
const SCRIPT_FILE: &str = "script.sql";
/// How its logs are called; one for each thread.
const LOG: &str = "log";
/// Where an entry of the log has how long the transaction took, in microseconds (pgbench's manual, "Per-Transaction
/// Logging"): client, number of the transaction, time.
const TIME_FIELD: usize = 2;
/// How long one round may take.
const ROUND_MAX: Duration = Duration::from_secs(300);

/// The load generator, and where it writes.
pub struct Pgbench {
    program: PathBuf,
    clients: u64,
    threads: usize,
    url: String,
    folder: TempDir,
    /// Milliseconds of every transaction so far.
    times: Vec<f64>,
}

impl Pgbench {
    /// Makes its table. `None`, said aloud, where this machine has no server or no pgbench.
    pub async fn prepare(clients: usize) -> anyhow::Result<Option<Self>> {
        let Some(program) = find() else {
            require::skip("pgbench (beside postgres)");
            return Ok(None);
        };
        let Some(url) = postgres::fresh_database().await else { return Ok(None) };
        Desk::open(&url).await?.run(TABLE).await?;
        let folder = tempfile::Builder::new().prefix("touchline-pgbench").tempdir()?;
        std::fs::write(folder.path().join(SCRIPT_FILE), SCRIPT)?;
        let threads = std::thread::available_parallelism()?.get().min(clients);
        Ok(Some(Self { program, clients: clients as u64, threads, url, folder, times: Vec::new() }))
    }

    /// One round of about so many transactions, the same number for each client: transactions per second, the time to
    /// connect not counted.
    pub async fn once(&mut self, transactions: u64) -> anyhow::Result<f64> {
        let each = transactions.div_ceil(self.clients);
        let mut command = Command::new(&self.program);
        command.args(["--no-vacuum", "--protocol=prepared", "--log"]);
        command.arg(format!("--log-prefix={LOG}")).arg(format!("--file={SCRIPT_FILE}"));
        command.args([("client", self.clients), ("jobs", self.threads as u64), ("transactions", each)].map(option));
        command.arg(&self.url).current_dir(self.folder.path()).stdin(Stdio::null()).kill_on_drop(true);
        let done = within(ROUND_MAX, "pgbench ends", async { Ok(command.output().await?) }).await.context("pgbench")?;
        let (said, errors) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        ensure!(done.status.success(), "pgbench: {}", errors.chars().take(500).collect::<String>());
        let times = take_logs(self.folder.path())?;
        let made = times.len() as u64;
        ensure!(made == each * self.clients, "{made} transactions in the log instead of {}", each * self.clients);
        self.times.extend(times);
        rate_in(&said).with_context(|| format!("a rate in what pgbench said: {said}"))
    }

    /// Milliseconds of every transaction so far.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Removes its table.
    pub async fn remove(self) {
        postgres::drop_database(&self.url).await;
    }
}

fn option((name, value): (&str, u64)) -> String {
    format!("--{name}={value}")
}

/// Beside the server's program, wherever a link to it leads; what is on the PATH may be another version's.
fn find() -> Option<PathBuf> {
    let server = require::program(&["postgres"])?.canonicalize().ok()?;
    let beside = server.with_file_name("pgbench");
    if beside.is_file() { Some(beside) } else { require::program(&["pgbench"]) }
}

/// The last rate that it tells is the one without the time to connect.
fn rate_in(said: &str) -> Option<f64> {
    let mut rates = said.lines().rev().filter_map(|line| line.strip_prefix("tps = "));
    rates.next()?.split_whitespace().next()?.parse().ok()
}

/// Reads the logs of all threads, in milliseconds, and removes them.
fn take_logs(folder: &Path) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(LOG)) {
            for line in std::fs::read_to_string(&path)?.lines() {
                let field = line.split(' ').nth(TIME_FIELD).and_then(|text| text.parse::<f64>().ok());
                times.push(field.with_context(|| format!("a time in `{line}`"))? / 1e3);
            }
            std::fs::remove_file(path)?;
        }
    }
    Ok(times)
}
