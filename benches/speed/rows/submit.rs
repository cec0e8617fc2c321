//! Single letters over the API: sixteen programs at once, each letter durable before it is answered.

use std::time::Duration;

use anyhow::ensure;

use crate::support::arguments::Run;
use crate::support::client::{request, send_all};
use crate::support::crowd::{self, Crowd};
use crate::support::database::Database;
use crate::support::house::{House, Setup};
use crate::support::letter::submission;
use crate::support::report::Figure;
use crate::support::spread::{Spread, milliseconds, quantile, rate};

/// Programs at once.
const CLIENTS: usize = 16;
/// Letters sent before anything is measured.
const WARM_UP: u64 = 200;
const TARGET_PER_SECOND: f64 = 1000.0;
const TARGET_P99_MS: f64 = 50.0;

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let letters: u64 = run.size(10_000, 100);
    let (warm_up, rounds) = (run.size(WARM_UP, 10), u64::from(run.rounds));
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(Vec::new()) };
    let mut desk = database.desk().await?;
    let total = warm_up + letters * rounds;
    crowd::know(&mut desk, &Crowd::with_mailboxes(total)).await?;
    desk.settle().await?;
    // Nobody listens there, and nothing is due for hours.
    let house = House::new(&database, &Setup::mail(([127, 0, 0, 1], 9).into(), 4))?;
    let token = house.token().await?;
    let daemon = house.start().await?;

    send_all(daemon.address, CLIENTS, requests(&token, 1..=warm_up), 202).await?;
    let (mut rates, mut times, cpu) = (Vec::new(), Vec::new(), daemon.cpu_seconds()?);
    for round in 0..rounds {
        let first = warm_up + round * letters;
        let load = send_all(daemon.address, CLIENTS, requests(&token, first + 1..=first + letters), 202).await?;
        rates.push(rate(load.times.len(), load.took));
        times.extend(milliseconds(&load.times));
    }
    let cpu_us = (daemon.cpu_seconds()? - cpu) * 1e6 / (letters * rounds) as f64;
    let queued = desk.number("SELECT COUNT(*) FROM queue_entry").await?;
    ensure!(queued == i64::try_from(total)?, "{queued} of {total} letters are queued");
    daemon.stop().await?;
    drop(desk);
    database.remove().await;
    Ok(vec![told(run, letters, &Spread::of(&rates), &times, cpu_us)])
}

/// A letter to each of these referrers, to go out in some hours.
fn requests(token: &str, referrers: std::ops::RangeInclusive<u64>) -> Vec<Vec<u8>> {
    let at = (chrono::Utc::now() + Duration::from_secs(6 * 3600)).to_rfc3339();
    let authorization = format!("Bearer {token}");
    referrers
        .map(|number| {
            let body = submission(&crowd::referrer_id(number).to_string(), &["email"], Some(&at)).to_string();
            let key = format!("speed-{number}");
            let headers = [
                ("authorization", authorization.as_str()),
                ("content-type", "application/json"),
                ("idempotency-key", key.as_str()),
            ];
            request("POST", "/api/v1/messages", &headers, body.as_bytes())
        })
        .collect()
}

fn told(run: &Run, letters: u64, rates: &Spread, times: &[f64], cpu_us: f64) -> Figure {
    let (p50, p99) = (quantile(times, 0.5), quantile(times, 0.99));
    Figure::new(
        "submit",
        run,
        format!("single submissions over the API, {CLIENTS} clients at once, {letters} letters"),
        "at least 1,000/s, p99 under 50 ms",
    )
    .came_to(
        run,
        format!(
            "{rates}/s; p50 {p50:.1} ms, p99 {p99:.1} ms, longest {:.1} ms; the daemon spent {cpu_us:.0} µs of processor \
             on each",
            quantile(times, 1.0)
        ),
        rates.median >= TARGET_PER_SECOND && p99 < TARGET_P99_MS,
    )
    .explained(
        format!(
            "as it comes; every letter to another referrer with an idempotency key of its own; {} rounds.",
            run.rounds
        ),
        "POST /api/v1/messages from the first octet sent to the last received, over kept connections: token, checks, \
         rendering check, policy, one durable transaction or a share of one.",
        "TLS, sending (the letters are due hours later). The clients share the two cores with the daemon.",
    )
    .value("per_second", rates.median)
    .value("p50_ms", p50)
    .value("p99_ms", p99)
    .value("cpu_us_each", cpu_us)
}
