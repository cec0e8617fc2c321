//! A broadcast by fax: each letter typeset for its recipient, handed to the sandbox's fax line over HTTP, and recorded.
//! Measured in turns with typesetting alone, which is what no gateway can do without.

mod typesetting;

use std::time::{Duration, Instant};

use anyhow::ensure;

use typesetting::Typesetting;

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
/// The share of the rate of typesetting alone that is promised.
const SHARE: f64 = 0.8;

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let letters = run.size(2_000, 20);
    let typesetting = Typesetting::prepare(&crowd_of(letters)).await?;
    let (mut rates, mut cpu, mut alone, mut cpu_alone) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..run.rounds {
        let Some((rate, cpu_ms)) = broadcast(run, letters).await? else { return Ok(Vec::new()) };
        rates.push(rate);
        cpu.push(cpu_ms);
        let (rate, cpu_ms) = typesetting.once().await?;
        alone.push(rate);
        cpu_alone.push(cpu_ms);
    }
    let threads = typesetting.threads();
    Ok(vec![told(run, letters, threads, [&rates, &cpu, &alone, &cpu_alone].map(|values| Spread::of(values)))])
}

/// Everybody has a fax number.
const fn crowd_of(letters: usize) -> Crowd {
    Crowd { fax: true, ..Crowd::with_mailboxes(letters as u64) }
}

/// One round: letters per second, and milliseconds of processor that the daemon spent on each.
async fn broadcast(run: &Run, letters: usize) -> anyhow::Result<Option<(f64, f64)>> {
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(None) };
    let line = FarSide::start(Kind::Fax, CALL_TAKES, None).await?;
    let mut desk = database.desk().await?;
    crowd::know(&mut desk, &crowd_of(letters)).await?;
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

fn told(run: &Run, letters: usize, threads: usize, [rates, cpu, alone, cpu_alone]: [Spread; 4]) -> Figure {
    let share = rates.median / alone.median;
    Figure::new(
        "fax",
        run,
        format!("fax broadcast, {letters} one-page letters, rendered, handed over, recorded"),
        "0.8 or more of typesetting alone",
    )
    .came_to(
        run,
        format!(
            "{rates} letters/s; typesetting alone {alone}/s: {share:.2} of it; the daemon spent {:.2} ms of processor on \
             each letter, typesetting alone {:.2} ms",
            cpu.median, cpu_alone.median
        ),
        share >= SHARE,
    )
    .explained(
        format!(
            "slots = {SLOTS}, concurrency = {AT_ONCE}; every letter to another number; typesetting alone on {threads} \
             threads; {} rounds in turns.",
            run.rounds
        ),
        "from the moment the daemon listens, with everything queued, until the outcome of the last hand-over is \
         committed: claim, typesetting to PDF, lint of the pages, gate, multipart upload over HTTP, record. Typesetting \
         alone is the same letters set, linted and packed by the same code in the bench's own process, without database, \
         network or daemon.",
        "TLS, the calls themselves and their reports (they last longer than the round). The line shares the two cores \
         with the daemon; typesetting alone has them for itself.",
    )
    .value("letters_per_second", rates.median)
    .value("typesetting_per_second", alone.median)
    .value("share", share)
    .value("cpu_ms_per_letter", cpu.median)
    .value("typesetting_cpu_ms_per_letter", cpu_alone.median)
}
