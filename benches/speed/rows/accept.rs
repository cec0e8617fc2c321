//! A broadcast accepted over the API: every recipient's letter checked, policy asked, messages and queue entries
//! durable when the answer comes.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::support::arguments::Run;
use crate::support::client::{Client, request};
use crate::support::crowd::{self, Crowd};
use crate::support::daemon::Daemon;
use crate::support::database::Database;
use crate::support::house::{House, Setup};
use crate::support::letter::submission;
use crate::support::report::Figure;
use crate::support::spread::Spread;

/// The part of the list that the small broadcast goes to.
const SMALL: &str = "therapist";
const SMALL_MAX_SECONDS: f64 = 2.0;
const LARGE_MAX_SECONDS: f64 = 15.0;
const MIB: f64 = 1024.0 * 1024.0;
const MEASURES: &str = "one POST /api/v1/messages from the first octet sent to the last of the answer, which names \
                        every message: audience, check of every letter's variables, policy, one durable transaction.";
const LEAVES_OUT: &str = "TLS, sending (the letters are due hours later).";

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let (small, large) = (run.size(10_000, 50), run.size(100_000, 300));
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(Vec::new()) };
    let mut desk = database.desk().await?;
    let everybody = Crowd::with_mailboxes(large);
    crowd::know(&mut desk, &Crowd { last: small, kind: SMALL, ..everybody }).await?;
    crowd::know(&mut desk, &Crowd { first: small + 1, ..everybody }).await?;
    desk.settle().await?;
    // Nobody listens there, and nothing is due for hours.
    let house = House::new(&database, &Setup::mail(([127, 0, 0, 1], 9).into(), 4))?;
    let token = house.token().await?;
    let daemon = house.start().await?;

    let mut times = Vec::new();
    for _ in 0..run.rounds {
        times.push(accept(&daemon, &token, &format!("type:{SMALL}")).await?.as_secs_f64());
    }
    let before = daemon.memory()?;
    let took = accept(&daemon, &token, "all").await?.as_secs_f64();
    let after = daemon.memory()?;
    let (expected, queued) =
        (u64::from(run.rounds) * small + large, desk.number("SELECT COUNT(*) FROM queue_entry").await?);
    ensure!(queued == i64::try_from(expected)?, "{queued} of {expected} messages are queued");
    daemon.stop().await?;
    drop(desk);
    database.remove().await;

    let times = Spread::of(&times);
    let settings = format!("as it comes; {} rounds of the small one, one of the large one.", run.rounds);
    let (before_mib, peak_mib) = (before.peak as f64 / MIB, after.peak as f64 / MIB);
    let small = Figure::new("accept", run, format!("broadcast of {small} accepted, checked, queued"), "under 2 s")
        .came_to(run, format!("{times} s"), times.median < SMALL_MAX_SECONDS)
        .explained(&settings, MEASURES, LEAVES_OUT)
        .value("seconds", times.median);
    let large = Figure::new(
        "accept",
        run,
        format!("broadcast of {large} accepted, checked, queued"),
        "under 15 s, memory bounded",
    )
    .came_to(
        run,
        format!("{took:.2} s; most memory {peak_mib:.0} MiB ({before_mib:.0} MiB before)"),
        took < LARGE_MAX_SECONDS,
    )
    .explained(settings, MEASURES, LEAVES_OUT)
    .value("seconds", took)
    .value("peak_mib", peak_mib);
    Ok(vec![small, large])
}

async fn accept(daemon: &Daemon, token: &str, to: &str) -> anyhow::Result<Duration> {
    let at = (chrono::Utc::now() + Duration::from_secs(6 * 3600)).to_rfc3339();
    let body = submission(to, &["email"], Some(&at)).to_string();
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let mut client = Client::connect(daemon.address).await?;
    let started = Instant::now();
    let answer = client.send(&request("POST", "/api/v1/messages", &headers, body.as_bytes())).await?;
    let took = started.elapsed();
    ensure!(answer.status == 202, "answered {}", answer.status);
    Ok(took)
}
