//! A broadcast by fax: each letter typeset for its recipient, handed to the sandbox's fax line over HTTP, and recorded.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::support::arguments::Run;
use crate::support::crowd::{self, Crowd};
use crate::support::database::Database;
use crate::support::far_side::{FarSide, Kind};
use crate::support::house::{Account, House, Setup};
use crate::support::letter::send_to_all;
use crate::support::report::Figure;
use crate::support::spread::{Spread, rate};

/// Calls to the line at once.
const AT_ONCE: usize = 64;
/// Hand-overs under way at once.
const SLOTS: usize = 128;
/// How long one round may take.
const ROUND_MAX: Duration = Duration::from_secs(300);
/// Longer than a round: what becomes of the faxes is another matter.
const CALL_TAKES: Duration = Duration::from_secs(600);
const TARGET_PER_SECOND: f64 = 200.0;

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let letters = run.size(2_000, 20);
    let (mut rates, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..run.rounds {
        let Some((rate, cpu_ms)) = broadcast(run, letters).await? else { return Ok(Vec::new()) };
        rates.push(rate);
        cpu.push(cpu_ms);
    }
    let (rates, cpu) = (Spread::of(&rates), Spread::of(&cpu));
    let figure = Figure::new(
        "fax",
        run,
        format!("fax broadcast, {letters} one-page letters, rendered, handed over, recorded"),
        "at least 200/s",
    )
    .came_to(
        run,
        format!("{rates} letters/s; the daemon spent {:.2} ms of processor on each letter", cpu.median),
        rates.median >= TARGET_PER_SECOND,
    )
    .explained(
        format!("slots = {SLOTS}, concurrency = {AT_ONCE}; every letter to another number; {} rounds.", run.rounds),
        "from the moment the daemon listens, with everything queued, until the outcome of the last hand-over is \
         committed: claim, typesetting to PDF, lint of the fax bitmap, gate, multipart upload over HTTP, record.",
        "TLS, the calls themselves and their reports (they last longer than the round). The line shares the two cores \
         with the daemon.",
    )
    .value("letters_per_second", rates.median)
    .value("cpu_ms_per_letter", cpu.median);
    Ok(vec![figure])
}

/// One round: letters per second, and milliseconds of processor that the daemon spent on each.
async fn broadcast(run: &Run, letters: usize) -> anyhow::Result<Option<(f64, f64)>> {
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(None) };
    let line = FarSide::start(Kind::Fax, CALL_TAKES, None).await?;
    let mut desk = database.desk().await?;
    crowd::know(&mut desk, &Crowd { fax: true, ..Crowd::with_mailboxes(letters as u64) }).await?;
    let account = Account { address: line.address, at_once: AT_ONCE, rate_per_minute: None };
    let setup = Setup { fax: Some(account), slots: Some(SLOTS), ..Setup::default() };
    let house = House::new(&database, &setup)?;
    house.run(&send_to_all("fax")).await?;
    desk.settle().await?;

    let daemon = house.start().await?;
    let (started, cpu) = (Instant::now(), daemon.cpu_seconds()?);
    desk.until_all_recorded(ROUND_MAX).await?;
    let (took, cpu) = (started.elapsed(), daemon.cpu_seconds()? - cpu);
    let accepted = desk.messages("accepted").await?;
    ensure!(accepted == i64::try_from(letters)?, "{accepted} of {letters} letters were accepted");
    daemon.stop().await?;
    drop(desk);
    database.remove().await;
    Ok(Some((rate(letters, took), cpu * 1e3 / letters as f64)))
}
