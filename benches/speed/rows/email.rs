//! A broadcast by email: from a full queue to the recorded outcome of every letter, against the rate at which Postfix's
//! own load generator fills the same sink, in turns.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::process::Command;

use crate::support::arguments::{Engine, Run};
use crate::support::crowd::{self, Crowd};
use crate::support::database::Database;
use crate::support::far_side::FarSide;
use crate::support::house::{House, Setup};
use crate::support::letter::{Sample, send_to_all};
use crate::support::report::Figure;
use crate::support::spread::{Spread, rate};
use crate::support::{require, statements, within};

/// Connections to the sink, ours and the peer's.
const CONNECTIONS: usize = 16;
/// Hand-overs under way at once.
const SLOTS: usize = 256;
/// How long one round may take.
const ROUND_MAX: Duration = Duration::from_secs(300);

/// The share of the peer's rate that is promised, and the words for it. PostgreSQL's server takes its share of the same
/// cores, and each statement is a round trip to it.
const fn promised(engine: Engine) -> (f64, &'static str) {
    match engine {
        Engine::Sqlite => (0.5, "at least 50 % of smtp-source's rate to the same sink"),
        Engine::Postgres => (0.4, "at least 40 % of smtp-source's rate to the same sink"),
    }
}

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let letters = run.size(10_000, 40);
    let Some(source) = require::program(&["smtp-source"]) else {
        require::skip("smtp-source (Debian's package postfix)");
        return Ok(Vec::new());
    };
    let Some(sink) = FarSide::sink().await? else { return Ok(Vec::new()) };
    let sample = Sample::take().await?;
    let peer = Peer { source, sink: sink.address, letters, octets: sample.octets };
    let (mut ours, mut cpu, mut plain, mut kept) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..run.rounds {
        let Some((rate, cpu_us)) = broadcast(run, sink.address, letters).await? else { return Ok(Vec::new()) };
        ours.push(rate);
        cpu.push(cpu_us);
        plain.push(peer.send(false).await?);
        kept.push(peer.send(true).await?);
    }
    Ok(vec![told(run, letters, sample, [&ours, &cpu, &plain, &kept].map(|values| Spread::of(values)))])
}

/// One round of ours: letters per second, and microseconds of processor that the daemon spent on each.
async fn broadcast(run: &Run, sink: SocketAddr, letters: usize) -> anyhow::Result<Option<(f64, f64)>> {
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(None) };
    let mut desk = database.desk().await?;
    crowd::know(&mut desk, &Crowd::with_mailboxes(letters as u64)).await?;
    let setup = Setup { slots: Some(SLOTS), ..Setup::mail(sink, CONNECTIONS) };
    let house = House::new(&database, &setup)?;
    house.run(&send_to_all("email")).await?;
    desk.settle().await?;
    statements::begin(&mut desk).await?;

    let daemon = house.start().await?;
    let (started, cpu) = (Instant::now(), daemon.cpu_seconds()?);
    desk.until_all_recorded(ROUND_MAX).await?;
    let (took, cpu) = (started.elapsed(), daemon.cpu_seconds()? - cpu);
    let accepted = desk.messages("accepted").await?;
    ensure!(accepted == i64::try_from(letters)?, "{accepted} of {letters} letters were accepted");
    statements::print(&mut desk, letters).await?;
    daemon.stop().await?;
    drop(desk);
    database.remove().await;
    Ok(Some((rate(letters, took), cpu * 1e6 / letters as f64)))
}

/// Postfix's load generator.
struct Peer {
    source: std::path::PathBuf,
    sink: SocketAddr,
    letters: usize,
    octets: usize,
}

impl Peer {
    /// One round of the peer's: letters per second, over a connection for each letter, which is its default, or over
    /// connections that are kept, as ours are.
    async fn send(&self, keep: bool) -> anyhow::Result<f64> {
        let mut command = Command::new(&self.source);
        let (sessions, letters, octets) = (CONNECTIONS.to_string(), self.letters.to_string(), self.octets.to_string());
        command.args(["-s", &sessions, "-m", &letters, "-l", &octets]);
        command.args(["-f", "office@lakeside-psychiatry.example", "-t", "ana@office.example"]);
        if keep {
            command.arg("-d");
        }
        command.arg(self.sink.to_string()).stdin(Stdio::null()).kill_on_drop(true);
        let started = Instant::now();
        let ended = within(ROUND_MAX, "smtp-source ends", async { Ok(command.status().await?) })
            .await
            .context("smtp-source")?;
        ensure!(ended.success(), "smtp-source: {ended}");
        Ok(rate(self.letters, started.elapsed()))
    }
}

fn told(run: &Run, letters: usize, sample: Sample, [ours, cpu, plain, kept]: [Spread; 4]) -> Figure {
    let (share, (promised, target)) = (ours.median / plain.median, promised(run.engine));
    let (percent, percent_kept) = (share * 100.0, ours.median / kept.median * 100.0);
    let (octets, signed) = (sample.octets, if sample.signed { "signed with DKIM" } else { "not signed" });
    Figure::new("email", run, format!("email broadcast, {letters} letters, queue to recorded outcome"), target)
    .came_to(
        run,
        format!(
            "{ours} letters/s; smtp-source {plain}/s: {percent:.0} %; smtp-source with kept connections (-d) \
             {kept}/s: {percent_kept:.0} %; the daemon spent {:.0} µs of processor on each letter",
            cpu.median
        ),
        share >= promised,
    )
    .explained(
        format!(
            "slots = {SLOTS}, concurrency = connections_max = {CONNECTIONS}; smtp-source -s {CONNECTIONS} -l {octets}; \
             {} rounds in turns; letters of {octets} octets as sent, all different, {signed}.",
            run.rounds
        ),
        "from the moment the daemon listens, with everything queued, until the outcome of the last letter is \
         committed: claim, render, gate, SMTP, record.",
        "acceptance of the broadcast, TLS, a relay that thinks. The sink and the database share the two cores with \
         us; smtp-source renders nothing, signs nothing and keeps no record.",
    )
    .value("letters_per_second", ours.median)
    .value("letters_per_second_min", ours.min)
    .value("letters_per_second_max", ours.max)
    .value("smtp_source_per_second", plain.median)
    .value("smtp_source_kept_per_second", kept.median)
    .value("share", share)
    .value("cpu_us_per_letter", cpu.median)
    .value("octets", f64::from(u32::try_from(octets).unwrap_or(u32::MAX)))
}
