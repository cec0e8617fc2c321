//! A restart with a full queue, after the daemon was killed in the middle of its work.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::support::arguments::Run;
use crate::support::crowd::{self, Crowd};
use crate::support::database::Database;
use crate::support::far_side::FarSide;
use crate::support::house::{Account, House, Setup};
use crate::support::letter::send_to_all;
use crate::support::report::Figure;
use crate::support::spread::Spread;
use crate::support::within;

/// Slow enough that the queue stays full.
const RATE_PER_MINUTE: u32 = 600;
/// How long it works before it is killed.
const WORKS: Duration = Duration::from_secs(1);
/// How long a start may take before it counts as none.
const READY_MAX: Duration = Duration::from_secs(60);
const TARGET_SECONDS: f64 = 2.0;

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let queued: u64 = run.size(100_000, 200);
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(Vec::new()) };
    let Some(sink) = FarSide::sink().await? else { return Ok(Vec::new()) };
    let mut desk = database.desk().await?;
    crowd::know(&mut desk, &Crowd::with_mailboxes(queued)).await?;
    let relay = Account { address: sink.address, at_once: 4, rate_per_minute: Some(RATE_PER_MINUTE) };
    let house = House::new(&database, &Setup { mail: Some(relay), ..Setup::default() })?;
    house.run(&send_to_all("email")).await?;
    desk.settle().await?;

    let mut times = Vec::new();
    for _ in 0..=run.rounds {
        times.push(start_and_kill(&house).await?);
    }
    let left = desk.messages("queued").await?;
    ensure!(left > 0, "nothing was queued any more");
    drop(desk);
    database.remove().await;

    let times = Spread::of(&times);
    let figure = Figure::new("restart", run, format!("restart with {queued} queued, until ready"), "under 2 s")
        .came_to(run, format!("{times} s"), times.max < TARGET_SECONDS)
        .explained(
            format!(
                "a relay limited to {RATE_PER_MINUTE} letters a minute; {} starts, each ended by SIGKILL after {} s of \
                 work; {left} letters were still queued at the end.",
                run.rounds + 1,
                WORKS.as_secs()
            ),
            "from the start of the process until /readyz answers 200: configuration, letters, fonts, schema, recovery \
             of the database.",
            "a cold file cache; recovery of the PostgreSQL server itself, which goes on running.",
        )
        .value("seconds", times.median)
        .value("seconds_max", times.max);
    Ok(vec![figure])
}

/// Seconds from the start of the process until it is ready.
async fn start_and_kill(house: &House) -> anyhow::Result<f64> {
    let started = Instant::now();
    let daemon = house.start().await?;
    within(READY_MAX, "the daemon is ready", async {
        while daemon.get("/readyz").await?.status != 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    })
    .await?;
    let took = started.elapsed().as_secs_f64();
    tokio::time::sleep(WORKS).await;
    daemon.kill().await?;
    Ok(took)
}
