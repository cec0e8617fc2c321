//! The far side, in separate processes, so that the daemon's memory and time are measured alone: the sandbox's fax
//! line and mail catcher, served by this program started a second time, and Postfix's `smtp-sink`. Each ends when
//! the bench closes its standard input or exits.

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;
use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use touchline::sandbox::fax::{FaxLine, FaxLineOptions};
use touchline::sandbox::mail::{MailCatcher, Options};

use super::arguments::Arguments;
use super::{require, within};

/// The key of the fax line.
pub const FAX_KEY: &str = "a key of the bench";
/// How long a far side may take to come up.
const START_MAX: Duration = Duration::from_secs(30);
/// Connections that wait to be taken by the sink.
const SINK_BACKLOG: &str = "1000";

/// What is at the far side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The sandbox's fax line; its calls take the time given.
    Fax,
    /// The sandbox's mail catcher; mailboxes that begin with `slow` are answered after the time given.
    Mail,
    /// Postfix's `smtp-sink`.
    Sink,
}

/// A far side that runs. When it goes out of scope its standard input closes, and it ends in order.
pub struct FarSide {
    /// Where it listens.
    pub address: SocketAddr,
    _process: Child,
}

impl FarSide {
    /// Starts one.
    pub async fn start(kind: Kind, takes: Duration, journal: Option<&Path>) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let name = kind.to_possible_value().context("every kind has a name")?;
        command.args(["--far-side", name.get_name(), "--takes-ms", &takes.as_millis().to_string()]);
        if let Some(journal) = journal {
            command.arg("--journal").arg(journal);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("the far side starts")?;
        let mut lines = BufReader::new(process.stdout.take().context("a pipe")?).lines();
        let line = within(START_MAX, "the far side tells its address", async { Ok(lines.next_line().await?) }).await?;
        let address = line.context("the far side ended at once")?.parse().context("the far side's address")?;
        Ok(Self { address, _process: process })
    }

    /// Starts `smtp-sink`. `None`, said aloud, where this machine has none.
    pub async fn sink() -> anyhow::Result<Option<Self>> {
        if require::program(&["smtp-sink"]).is_none() {
            require::skip("smtp-sink (Debian's package postfix)");
            return Ok(None);
        }
        Self::start(Kind::Sink, Duration::ZERO, None).await.map(Some)
    }
}

/// Serves as a far side until standard input ends.
pub async fn serve(kind: Kind, arguments: &Arguments) -> anyhow::Result<()> {
    let takes = Duration::from_millis(arguments.takes_ms);
    match kind {
        Kind::Fax => {
            let mut options = FaxLineOptions::new(SecretString::from(FAX_KEY));
            options.call_takes = takes;
            options.journal.clone_from(&arguments.journal);
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            let _line = FaxLine::start(listener, options)?;
            tell_and_wait(address).await
        }
        Kind::Mail => {
            let options = Options { slow_answer: takes, journal: arguments.journal.clone(), ..Options::default() };
            let catcher = MailCatcher::start(TcpListener::bind("127.0.0.1:0").await?, options)?;
            tell_and_wait(catcher.address()).await
        }
        Kind::Sink => serve_sink().await,
    }
}

async fn serve_sink() -> anyhow::Result<()> {
    let program = require::program(&["smtp-sink"]).context("smtp-sink is missing")?;
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let mut command = Command::new(program);
    if std::fs::metadata("/proc/self")?.uid() == 0 {
        command.args(["-u", "nobody"]);
    }
    command.arg(address.to_string()).arg(SINK_BACKLOG).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    let _sink = command.spawn()?;
    within(START_MAX, "smtp-sink listens", async {
        while TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    })
    .await?;
    tell_and_wait(address).await
}

async fn tell_and_wait(address: SocketAddr) -> anyhow::Result<()> {
    println!("{address}");
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    Ok(())
}
