//! An idle daemon must cost nothing.

use std::time::Duration;

use anyhow::ensure;

use crate::support::arguments::Run;
use crate::support::database::Database;
use crate::support::house::{Account, House, Setup};
use crate::support::report::Figure;

/// How long the daemon is left alone before it is watched.
const SETTLES: Duration = Duration::from_secs(10);
/// How long it is watched.
const WATCHED: Duration = Duration::from_secs(60);
/// Ticks of a hundredth of a second in a minute that still count as nothing: a tenth of a percent of one core.
const TICKS_MAX: u64 = 6;

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(Vec::new()) };
    let mut desk = database.desk().await?;
    // Nobody listens there, and nobody is called.
    let nobody = Account { address: ([127, 0, 0, 1], 9).into(), at_once: 4, rate_per_minute: None };
    let house = House::new(&database, &Setup { mail: Some(nobody), fax: Some(nobody), slots: None })?;
    let daemon = house.start().await?;
    tokio::time::sleep(run.size(SETTLES, Duration::from_millis(500))).await;
    desk.settle().await?;

    let watched = run.size(WATCHED, Duration::from_secs(1));
    let (before, files_before) = (daemon.effort()?, database.octets(&mut desk).await?);
    tokio::time::sleep(watched).await;
    let (after, files_after) = (daemon.effort()?, database.octets(&mut desk).await?);
    ensure!(daemon.get("/readyz").await?.status == 200, "the daemon is not ready");
    let memory = daemon.memory()?;
    daemon.stop().await?;
    drop(desk);
    database.remove().await;

    let spent = Spent {
        ticks: after.ticks - before.ticks,
        on_cpu: after.on_cpu.saturating_sub(before.on_cpu),
        switches: after.switches.saturating_sub(before.switches),
        grown: files_after.0.saturating_sub(files_before.0) + files_after.1.saturating_sub(files_before.1),
        resident: memory.resident,
    };
    Ok(vec![told(run, watched, &spent)])
}

/// What doing nothing took.
struct Spent {
    ticks: u64,
    on_cpu: Duration,
    switches: u64,
    grown: u64,
    resident: u64,
}

fn told(run: &Run, watched: Duration, spent: &Spent) -> Figure {
    let (ticks, grown) = (spent.ticks, spent.grown);
    let seconds = watched.as_secs_f64();
    let percent = spent.on_cpu.as_secs_f64() / seconds * 100.0;
    let (on_cpu_ms, per_second) = (spent.on_cpu.as_secs_f64() * 1e3, spent.switches as f64 / seconds);
    let resident_mb = spent.resident as f64 / 1e6;
    Figure::new("idle", run, "nothing to do, for a minute", "no measurable processor time, no growing files")
        .came_to(
            run,
            format!(
                "{ticks} ticks ({on_cpu_ms:.1} ms on a processor, {percent:.3} % of one core), {per_second:.1} context \
                 switches/s, files grew by {grown} octets; {resident_mb:.1} MB resident"
            ),
            ticks <= TICKS_MAX && grown == 0,
        )
        .explained(
            format!(
                "as it comes, an empty database, both channels configured; watched for {seconds} s; up to {TICKS_MAX} \
                 ticks of 10 ms count as nothing."
            ),
            "utime + stime, schedstat and context switches of the daemon; sizes of the database and its write-ahead \
             log.",
            "what the PostgreSQL server does by itself.",
        )
        .value("ticks", ticks as f64)
        .value("on_cpu_ms", on_cpu_ms)
        .value("switches_per_second", per_second)
        .value("resident_mb", resident_mb)
}
