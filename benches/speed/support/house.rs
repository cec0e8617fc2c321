//! An installation under test: a configuration in its own folder, over one database, run by the real program.

use std::fmt::Write;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::process::Command;
use touchline::domain::practice::Practice;

use super::daemon::Daemon;
use super::database::Database;
use super::far_side::FAX_KEY;

/// The demo's practice; everything after it is the bench's own.
const DEMO: &str = include_str!("../../../config/demo.toml");
/// What signs the fax line's callbacks.
pub const WEBHOOK_SECRET: &str = "a secret of the bench";
/// The account that carries faxes.
pub const FAX_ACCOUNT: &str = "fax";

/// Mail is signed as a practice would have it signed.
const DKIM: &str = "dkim_domain = \"lakeside-psychiatry.example\"\ndkim_ed25519_selector = \"bench\"\n\
                    dkim_ed25519_key = { file = \"dkim.pem\" }\n";

/// The build of Touchline that is measured, if not the one that was built with the bench.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Measures another build of Touchline from now on.
pub fn measure_instead(program: PathBuf) {
    PROGRAM.get_or_init(|| program);
}

/// A far side as an account of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    /// Where it is.
    pub address: SocketAddr,
    /// Calls, or connections, at once.
    pub at_once: usize,
    /// Calls in a minute, if limited.
    pub rate_per_minute: Option<u32>,
}

/// What of the configuration differs from row to row. Everything else is as Touchline comes.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// The relay.
    pub mail: Option<Account>,
    /// The fax line.
    pub fax: Option<Account>,
    /// Hand-overs under way at once, if not the default.
    pub slots: Option<usize>,
}

impl Setup {
    /// Only mail.
    pub fn mail(address: SocketAddr, at_once: usize) -> Self {
        let account = Account { address, at_once, rate_per_minute: None };
        Self { mail: Some(account), ..Self::default() }
    }

    fn configuration(&self) -> String {
        let mut text = DEMO.split("[store]").next().unwrap_or_default().to_owned();
        text.push_str("[log]\nlevel = \"warn\"\n\n");
        let _ = writeln!(text, "[sending]\nstatus_poll_seconds = 3600\nundo_one_seconds = 0\nundo_list_seconds = 0");
        let _ = writeln!(text, "office_hours = \"always\"");
        if let Some(slots) = self.slots {
            let _ = writeln!(text, "slots = {slots}");
        }
        if let Some(account) = self.mail {
            let (host, port, at_once) = (account.address.ip(), account.address.port(), account.at_once);
            let _ = write!(
                text,
                "\n[providers.mail]\nkind = \"smtp\"\nhost = \"{host}\"\nport = {port}\ntls = \"off\"\n\
                 concurrency = {at_once}\nconnections_max = {at_once}\n"
            );
            write_rate(&mut text, account);
            text.push_str(DKIM);
        }
        if let Some(account) = self.fax {
            let _ = write!(
                text,
                "\n[providers.{FAX_ACCOUNT}]\nkind = \"sandbox\"\nbase_url = \"http://{}\"\nconcurrency = {}\n\
                 api_key = {{ env = \"SPEED_FAX_KEY\" }}\nwebhook_secret = {{ env = \"SPEED_WEBHOOK_SECRET\" }}\n",
                account.address, account.at_once
            );
            write_rate(&mut text, account);
        }
        text
    }
}

/// The practice whose letters are sent, as the configuration has it.
pub fn practice() -> anyhow::Result<Practice> {
    #[derive(Deserialize)]
    struct File {
        practice: Practice,
    }
    Ok(toml::from_str::<File>(DEMO).context("the demo's practice")?.practice)
}

/// A key of this run's own, in PEM.
fn dkim_key() -> anyhow::Result<String> {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| anyhow::anyhow!("no randomness"))?;
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64.encode(der.as_ref())))
}

fn write_rate(text: &mut String, account: Account) {
    if let Some(rate) = account.rate_per_minute {
        let _ = writeln!(text, "rate_per_minute = {rate}");
    }
}

/// The installation.
pub struct House {
    folder: TempDir,
    url: String,
}

impl House {
    /// Furnishes one.
    pub fn new(database: &Database, setup: &Setup) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("touchline-house").tempdir()?;
        std::fs::write(folder.path().join("touchline.toml"), setup.configuration())?;
        let key = folder.path().join("dkim.pem");
        std::fs::write(&key, dkim_key()?)?;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { folder, url: database.url.clone() })
    }

    /// The program in this house.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let own = || PathBuf::from(env!("CARGO_BIN_EXE_touchline"));
        let mut command = Command::new(PROGRAM.get().cloned().unwrap_or_else(own));
        command
            .current_dir(self.folder.path())
            .args(arguments)
            .env("TOUCHLINE_STORE__URL", &self.url)
            .env("SPEED_FAX_KEY", FAX_KEY)
            .env("SPEED_WEBHOOK_SECRET", WEBHOOK_SECRET)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs the program to its end and answers what it printed.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let done = self.command(arguments).output().await.context("the program runs")?;
        let errors = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "{arguments:?}: {}", errors.chars().take(500).collect::<String>());
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// Starts the daemon and waits until it says where it listens.
    pub async fn start(&self) -> anyhow::Result<Daemon> {
        Daemon::start(self.command(&["serve", "--listen", "127.0.0.1:0"]), &self.folder.path().join("log")).await
    }

    /// A token for the API.
    pub async fn token(&self) -> anyhow::Result<String> {
        let made = self.run(&["token", "create", "speed", "--scopes", "send"]).await?;
        let is_token = |word: &&str| word.starts_with("tl_");
        made.split_whitespace().find(is_token).map(str::to_owned).context("a token")
    }
}
