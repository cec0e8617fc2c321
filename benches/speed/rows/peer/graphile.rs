//! The peer: a program in Node (`benches/speed/peer`), which is installed into a temporary folder from the registry of npm
//! when it is to be measured, and runs once for each round over a database of its own in the bench's server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use touchline::domain::referrer::{Referrer, ReferrerType};
use touchline::domain::{Clock, EmailAddress, SystemClock};
use touchline::render::Job;

use crate::support::desk::Desk;
use crate::support::letter::{LETTER, renderer, variables};
use crate::support::{postgres, require, within};

const PACKAGE: &str = include_str!("../../peer/package.json");
const PROGRAM: &str = include_str!("../../peer/index.mjs");
/// How long its packages may take to come.
const INSTALL_MAX: Duration = Duration::from_secs(180);
/// Words that stand for the recipient while our own letter is made into the peer's template.
const PLACEHOLDERS: [(&str, &str); 3] =
    [("Firstnamehere", "{{first_name}}"), ("Lastnamehere", "{{last_name}}"), ("Officehere", "{{organization}}")];

/// The installed peer.
pub struct Graphile {
    /// What it consists of.
    pub versions: String,
    node: PathBuf,
    folder: TempDir,
    sink: SocketAddr,
    letters: usize,
    connections: usize,
}

impl Graphile {
    /// Installs it. `None`, said aloud, where this machine has no Node.
    pub async fn install(sink: SocketAddr, letters: usize, connections: usize) -> anyhow::Result<Option<Self>> {
        let [Some(node), Some(npm)] = ["node", "npm"].map(|name| require::program(&[name])) else {
            require::skip("Node with npm");
            return Ok(None);
        };
        let folder = tempfile::Builder::new().prefix("touchline-peer").tempdir()?;
        std::fs::write(folder.path().join("package.json"), PACKAGE)?;
        std::fs::write(folder.path().join("index.mjs"), PROGRAM)?;
        std::fs::write(folder.path().join("letter.json"), template()?.to_string())?;
        let mut command = Command::new(npm);
        command.args([
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-package-lock",
            "--loglevel=error",
        ]);
        run(&mut command, folder.path(), INSTALL_MAX).await.context("npm install")?;
        let node_version = run(Command::new(&node).arg("--version"), folder.path(), INSTALL_MAX).await?;
        let versions = format!("Node {}, {}", text(&node_version.stdout).trim().trim_start_matches('v'), packages()?);
        Ok(Some(Self { versions, node, folder, sink, letters, connections }))
    }

    /// One round: letters per second. `None`, said aloud, where this machine has no PostgreSQL server.
    pub async fn once(&self, limit: Duration) -> anyhow::Result<Option<f64>> {
        let Some(url) = postgres::fresh_database().await else { return Ok(None) };
        let mut command = Command::new(&self.node);
        command.arg("index.mjs").arg(&url).args([self.sink.ip().to_string(), self.sink.port().to_string()]);
        command.args([self.letters, self.connections].map(|number| number.to_string()));
        let done = run(&mut command, self.folder.path(), limit).await.context("the peer")?;
        let said = text(&done.stdout);
        let seconds: f64 = said.trim().parse().with_context(|| format!("seconds in `{said}`"))?;
        let mut desk = Desk::open(&url).await?;
        let recorded = desk.number("SELECT COUNT(*) FROM event WHERE kind = 'accepted'").await?;
        ensure!(recorded == i64::try_from(self.letters)?, "{recorded} of {} outcomes were recorded", self.letters);
        drop(desk);
        postgres::drop_database(&url).await;
        Ok(Some(self.letters as f64 / seconds))
    }
}

/// Runs a program in the folder to its end, which must be a good one.
async fn run(command: &mut Command, folder: &Path, limit: Duration) -> anyhow::Result<Output> {
    command.current_dir(folder).env("NODE_ENV", "production").stdin(Stdio::null()).kill_on_drop(true);
    let done = within(limit, "it ends", async { Ok(command.output().await?) }).await?;
    ensure!(done.status.success(), "{}: {}", done.status, text(&done.stderr).chars().take(500).collect::<String>());
    Ok(done)
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// Its packages with their versions.
fn packages() -> anyhow::Result<String> {
    let package: Value = serde_json::from_str(PACKAGE)?;
    let packages = package["dependencies"].as_object().context("dependencies")?;
    let named = packages.iter().map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or_default()));
    Ok(named.collect::<Vec<String>>().join(", "))
}

/// The letter that all rows send, with the recipient left open: the same text and HTML as ours, in a mail about as long.
fn template() -> anyhow::Result<Value> {
    let [first, last, office] = PLACEHOLDERS.map(|(word, _)| Some(word.to_owned()));
    let now = SystemClock.now();
    let referrer = Referrer {
        first_name: first,
        last_name: last,
        credentials: Some("MD".to_owned()),
        organization: office,
        email: EmailAddress::parse("ana@office.example").ok(),
        ..Referrer::new(ReferrerType::PrimaryCare, now)
    };
    let renderer = renderer()?;
    let unsubscribe = format!("{}/o/{}", "https://lakeside-psychiatry.example", "x".repeat(60));
    let job = Job {
        letter: LETTER,
        referrer: &referrer,
        variables: &variables(),
        now,
        reference: "0000000A",
        unsubscribe: Some(&unsubscribe),
        automatic: true,
    };
    let (mail, _) = renderer.mail(&job)?;
    let open = |text: &str| PLACEHOLDERS.iter().fold(text.to_owned(), |text, (word, name)| text.replace(word, name));
    let open_html = open(&mail.html);
    ensure!(open_html != mail.html, "the letter does not name its recipient");
    let from = format!("{} <{}>", mail.from_name, mail.from.as_str());
    Ok(json!({ "from": from, "subject": open(&mail.subject), "text": open(&mail.text), "html": open_html }))
}
