//! A single letter while a large broadcast drains through a far side that takes its time: it must not wait its turn
//! behind the broadcast. Measured against the same letters without a broadcast, sent by the same daemon just before it.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use ring::digest::{SHA256, digest};
use serde_json::Value;

use crate::support::arguments::Run;
use crate::support::client::{Client, request};
use crate::support::crowd::{self, Crowd};
use crate::support::daemon::Daemon;
use crate::support::database::Database;
use crate::support::desk::Desk;
use crate::support::far_side::{FarSide, Kind};
use crate::support::house::{House, Setup};
use crate::support::letter::submission;
use crate::support::report::Figure;
use crate::support::spread::quantile;
use crate::support::within;

/// Connections to the relay, as Touchline comes.
const CONNECTIONS: usize = 4;
/// How long the relay takes to answer each letter of the broadcast.
pub(super) const RELAY_TAKES: Duration = Duration::from_millis(300);
/// The wait between two single letters; together they need a fraction of what the relay can take.
const BETWEEN: Duration = Duration::from_millis(150);
/// Letters of the broadcast that are through before the first single letter.
const UNDER_WAY: i64 = 20;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How much longer than without a broadcast is promised.
const LONGER_MAX_MS: f64 = 150.0;

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let (broadcast, singles): (u64, u64) = (run.size(50_000, 100), run.size(200, 5));
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(Vec::new()) };
    let folder = tempfile::tempdir()?;
    let journal = folder.path().join("mail.jsonl");
    let relay = FarSide::start(Kind::Mail, RELAY_TAKES, Some(&journal)).await?;
    let mut desk = database.desk().await?;
    crowd::know(&mut desk, &Crowd { mailbox: "slow", ..Crowd::with_mailboxes(broadcast) }).await?;
    let others =
        Crowd { first: broadcast + 1, last: broadcast + 2 * singles, kind: "therapist", mailbox: "ana", fax: false };
    crowd::know(&mut desk, &others).await?;
    let before = Crowd { last: broadcast + singles, ..others };
    let beside = Crowd { first: broadcast + singles + 1, ..others };
    desk.settle().await?;
    let house = House::new(&database, &Setup::mail(relay.address, CONNECTIONS))?;
    let token = house.token().await?;
    let daemon = house.start().await?;

    let alone = one_by_one(&daemon, &token, &before, &journal).await?;
    submit(&daemon, &token, "type:primary_care").await?;
    within(PATIENCE, "the broadcast is under way", under_way(&mut desk, i64::try_from(singles)? + UNDER_WAY)).await?;
    let times = one_by_one(&daemon, &token, &beside, &journal).await?;
    let left = desk.messages("queued").await?;
    ensure!(run.miniature || left > 0, "the broadcast was through before the single letters were");
    daemon.stop().await?;
    drop(desk);
    database.remove().await;
    Ok(vec![told(run, broadcast, &times, &alone, left)])
}

/// A letter to each of them, with a wait between. Milliseconds from each request to its line in the relay's journal.
pub(super) async fn one_by_one(
    daemon: &Daemon,
    token: &str,
    crowd: &Crowd,
    journal: &Path,
) -> anyhow::Result<Vec<f64>> {
    let mut sent = HashMap::new();
    for number in crowd.first..=crowd.last {
        sent.insert(hash_of(&crowd::mailbox(crowd, number)), Desk::now_ms());
        submit(daemon, token, &crowd::referrer_id(number).to_string()).await?;
        tokio::time::sleep(BETWEEN).await;
    }
    within(PATIENCE, "every single letter arrives", arrived(journal, &sent)).await
}

/// Submits a letter to these recipients, due at once.
pub(super) async fn submit(daemon: &Daemon, token: &str, to: &str) -> anyhow::Result<()> {
    let body = submission(to, &["email"], None).to_string();
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let request = request("POST", "/api/v1/messages", &headers, body.as_bytes());
    let answer = Client::connect(daemon.address).await?.send(&request).await?;
    ensure!(answer.status == 202, "answered {}", answer.status);
    Ok(())
}

async fn under_way(desk: &mut Desk, accepted: i64) -> anyhow::Result<()> {
    while desk.messages("accepted").await? < accepted {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// As the relay's journal names a mailbox.
fn hash_of(mailbox: &str) -> String {
    hex::encode(digest(&SHA256, mailbox.as_bytes()))
}

/// Milliseconds from each request to its line in the relay's journal.
async fn arrived(journal: &Path, sent: &HashMap<String, i64>) -> anyhow::Result<Vec<f64>> {
    loop {
        let text = std::fs::read_to_string(journal)?;
        let times = text.lines().filter_map(|line| {
            let entry: Value = serde_json::from_str(line).ok()?;
            let sent_ms = sent.get(entry["to_hash"].as_str()?)?;
            let took_ms = entry["at_ms"].as_i64()? - sent_ms;
            i32::try_from(took_ms).ok().map(f64::from)
        });
        let times: Vec<f64> = times.collect();
        ensure!(times.len() <= sent.len(), "a single letter arrived twice");
        if times.len() == sent.len() {
            return Ok(times);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn told(run: &Run, broadcast: u64, times: &[f64], alone: &[f64], left: i64) -> Figure {
    let [p50, p95, p99, longest] = [0.5, 0.95, 0.99, 1.0].map(|share| quantile(times, share));
    let [p50_alone, p95_alone, p99_alone] = [0.5, 0.95, 0.99].map(|share| quantile(alone, share));
    let longer = p95 - p95_alone;
    let hours = f64::from(u32::try_from(broadcast).unwrap_or(u32::MAX)) * RELAY_TAKES.as_secs_f64() / 3600.0;
    let hours = hours / CONNECTIONS as f64;
    Figure::new(
        "one-off",
        run,
        format!("{} single letters while a broadcast of {broadcast} drains: request to hand-over", times.len()),
        "p95 within 150 ms of that without a broadcast",
    )
    .came_to(
        run,
        format!(
            "p50 {p50:.0} ms, p95 {p95:.0} ms, p99 {p99:.0} ms, longest {longest:.0} ms; without a broadcast p50 \
             {p50_alone:.0} ms, p95 {p95_alone:.0} ms, p99 {p99_alone:.0} ms: p95 {longer:+.0} ms"
        ),
        longer <= LONGER_MAX_MS,
    )
    .explained(
        format!(
            "as it comes ({CONNECTIONS} connections); the relay answers each letter of the broadcast after {} ms, so \
             that the broadcast would take {hours:.1} hours, and the single ones at once; one single letter every {} ms, \
             first as many without a broadcast; {left} letters were still queued at the end.",
            RELAY_TAKES.as_millis(),
            BETWEEN.as_millis()
        ),
        "from just before the request to the API is sent until the relay notes in its journal that it has the whole \
         letter, by the same clock: token, checks, commit, claim, render, gate, a free connection, SMTP.",
        "TLS. The relay is the sandbox's mail catcher, in a process of its own.",
    )
    .value("p50_ms", p50)
    .value("p95_ms", p95)
    .value("p99_ms", p99)
    .value("p95_ms_alone", p95_alone)
    .value("p95_ms_longer", longer)
}
