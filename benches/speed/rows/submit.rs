//! Single letters over the API: sixteen programs at once, each letter durable before it is answered. Measured in turns with
//! what the database does without us: on PostgreSQL pgbench, on SQLite the same rows written again.

mod pgbench;
mod same_rows;

use std::time::Duration;

use anyhow::ensure;

use pgbench::Pgbench;
use same_rows::{SameRows, Written};

use crate::support::arguments::{Engine, Run};
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
/// The share of the reference's rate that is promised.
const SHARE: f64 = 0.5;
/// How many times as long as pgbench's the slowest of a hundred may take.
const P99_TIMES_MAX: f64 = 2.0;

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let letters: u64 = run.size(10_000, 100);
    let (warm_up, rounds) = (run.size(WARM_UP, 10), u64::from(run.rounds));
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(Vec::new()) };
    let mut desk = database.desk().await?;
    let total = warm_up + letters * rounds;
    let crowd = Crowd::with_mailboxes(total);
    crowd::know(&mut desk, &crowd).await?;
    desk.settle().await?;
    let Some(mut reference) = Reference::prepare(run, &database, &crowd).await? else { return Ok(Vec::new()) };
    // Nobody listens there, and nothing is due for hours.
    let house = House::new(&database, &Setup::mail(([127, 0, 0, 1], 9).into(), 4))?;
    let token = house.token().await?;
    let daemon = house.start().await?;

    send_all(daemon.address, CLIENTS, requests(&token, 1..=warm_up), 202).await?;
    reference.begin().await?;
    let (mut rates, mut times, mut cpu) = (Vec::new(), Vec::new(), 0.0);
    for round in 0..rounds {
        let (first, cpu_before) = (warm_up + round * letters, daemon.cpu_seconds()?);
        let load = send_all(daemon.address, CLIENTS, requests(&token, first + 1..=first + letters), 202).await?;
        rates.push(rate(load.times.len(), load.took));
        times.extend(milliseconds(&load.times));
        cpu += daemon.cpu_seconds()? - cpu_before;
        reference.once(letters).await?;
    }
    let queued = desk.number("SELECT COUNT(*) FROM queue_entry").await?;
    ensure!(queued == i64::try_from(total)?, "{queued} of {total} letters are queued");
    daemon.stop().await?;
    drop(desk);
    database.remove().await;
    let ours = Ours { rates: Spread::of(&rates), times, cpu_us: cpu * 1e6 / (letters * rounds) as f64 };
    Ok(vec![told(run, letters, &ours, &reference.end().await)])
}

/// What the database does without us.
enum Reference {
    Pgbench { program: Pgbench, rates: Vec<f64> },
    SameRows { writer: SameRows, rounds: Vec<Written> },
}

/// What that came to.
struct Compared {
    rates: Spread,
    p99_ms: Option<f64>,
    words: String,
    setting: String,
    left_out: &'static str,
}

impl Reference {
    /// `None`, said aloud, where this machine lacks it.
    async fn prepare(run: &Run, database: &Database, crowd: &Crowd) -> anyhow::Result<Option<Self>> {
        Ok(match run.engine {
            Engine::Postgres => {
                Pgbench::prepare(CLIENTS).await?.map(|program| Self::Pgbench { program, rates: Vec::new() })
            }
            Engine::Sqlite => {
                let writer = SameRows::prepare(database, crowd).await?;
                Some(Self::SameRows { writer, rounds: Vec::new() })
            }
        })
    }

    /// What there is so far is of the warm-up.
    async fn begin(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Pgbench { .. } => Ok(()),
            Self::SameRows { writer, .. } => writer.pass_over().await,
        }
    }

    /// A round, after one of ours.
    async fn once(&mut self, letters: u64) -> anyhow::Result<()> {
        match self {
            Self::Pgbench { program, rates } => rates.push(program.once(letters).await?),
            Self::SameRows { writer, rounds } => rounds.push(writer.once().await?),
        }
        Ok(())
    }

    async fn end(self) -> Compared {
        match self {
            Self::Pgbench { program, rates } => {
                let (rates, p99) = (Spread::of(&rates), quantile(program.times(), 0.99));
                program.remove().await;
                Compared {
                    rates,
                    p99_ms: Some(p99),
                    words: format!("pgbench {rates}/s, p99 {p99:.1} ms"),
                    setting: format!("pgbench -c {CLIENTS} -M prepared, one insert and its commit at a time"),
                    left_out: "pgbench writes one row where a letter is several, and checks nothing",
                }
            }
            Self::SameRows { writer, rounds } => {
                writer.remove().await;
                let median = |of: fn(&Written) -> f64| Spread::of(&rounds.iter().map(of).collect::<Vec<f64>>());
                let (rates, batch) = (median(|round| round.per_second), median(|round| round.batch).median);
                let rows = median(|round| round.rows_each).median;
                Compared {
                    rates,
                    p99_ms: None,
                    words: format!("the same rows written without us {rates}/s"),
                    setting: format!(
                        "the same rows: {rows:.1} for each letter, in transactions of {batch:.1} letters, as many as \
                         ours had on average"
                    ),
                    left_out: "the same rows are copied out of memory over one connection, and nothing is checked",
                }
            }
        }
    }
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

/// What our rounds came to.
struct Ours {
    rates: Spread,
    times: Vec<f64>,
    cpu_us: f64,
}

fn told(run: &Run, letters: u64, ours: &Ours, reference: &Compared) -> Figure {
    let [p50, p99, longest] = [0.5, 0.99, 1.0].map(|share| quantile(&ours.times, share));
    let share = ours.rates.median / reference.rates.median;
    let longer = reference.p99_ms.map(|reference_ms| p99 / reference_ms);
    let target = match reference.p99_ms {
        Some(_) => "at least half of pgbench's rate, p99 within twice its p99",
        None => "at least half of the rate of the same rows without us",
    };
    let times = longer.map(|times| format!(", p99 {times:.1} times as long")).unwrap_or_default();
    let figure = Figure::new(
        "submit",
        run,
        format!("single submissions over the API, {CLIENTS} clients at once, {letters} letters"),
        target,
    )
    .came_to(
        run,
        format!(
            "{}/s; p50 {p50:.1} ms, p99 {p99:.1} ms, longest {longest:.1} ms; {}: {:.0} %{times}; the daemon spent {:.0} \
             µs of processor on each",
            ours.rates,
            reference.words,
            share * 100.0,
            ours.cpu_us
        ),
        share >= SHARE && longer.is_none_or(|times| times <= P99_TIMES_MAX),
    )
    .explained(
        format!(
            "as it comes; every letter to another referrer with an idempotency key of its own; {}; {} rounds in turns.",
            reference.setting, run.rounds
        ),
        "POST /api/v1/messages from the first octet sent to the last received, over kept connections: token, checks, \
         rendering check, policy, one durable transaction or a share of one.",
        &format!(
            "TLS, sending (the letters are due hours later). The clients share the two cores with the daemon; {}.",
            reference.left_out
        ),
    )
    .value("per_second", ours.rates.median)
    .value("reference_per_second", reference.rates.median)
    .value("share", share)
    .value("p50_ms", p50)
    .value("p99_ms", p99)
    .value("cpu_us_each", ours.cpu_us);
    match reference.p99_ms {
        Some(reference_ms) => figure.value("reference_p99_ms", reference_ms),
        None => figure,
    }
}
