//! A broadcast to a million: accepted in bounded memory, and single letters are still in time while it waits behind a relay
//! that takes its time.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::one_off::{RELAY_TAKES, one_by_one, submit};
use crate::support::arguments::Run;
use crate::support::crowd::{self, Crowd};
use crate::support::database::Database;
use crate::support::far_side::{FarSide, Kind};
use crate::support::house::{House, Setup};
use crate::support::report::Figure;
use crate::support::spread::quantile;
use crate::support::within;

/// Connections to the relay, as Touchline comes.
const CONNECTIONS: usize = 4;
/// How long acceptance may take at most.
const PATIENCE: Duration = Duration::from_secs(900);
/// How long a single letter may take, p95.
const SINGLE_MAX_MS: f64 = 1000.0;
/// Memory that is promised; the list itself is never held.
const PEAK_MAX_MB: f64 = 256.0;
const MB: f64 = 1e6;

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let (recipients, singles): (u64, u64) = (run.size(1_000_000, 300), run.size(100, 3));
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(Vec::new()) };
    let folder = tempfile::tempdir()?;
    let journal = folder.path().join("mail.jsonl");
    let relay = FarSide::start(Kind::Mail, RELAY_TAKES, Some(&journal)).await?;
    let mut desk = database.desk().await?;
    crowd::know(&mut desk, &Crowd { mailbox: "slow", ..Crowd::with_mailboxes(recipients) }).await?;
    let others = Crowd {
        first: recipients + 1,
        last: recipients + singles,
        kind: "therapist",
        ..Crowd::with_mailboxes(recipients)
    };
    crowd::know(&mut desk, &others).await?;
    desk.settle().await?;
    let house = House::new(&database, &Setup::mail(relay.address, CONNECTIONS))?;
    let token = house.token().await?;
    let daemon = house.start().await?;

    let started = Instant::now();
    submit(&daemon, &token, "type:primary_care").await?;
    let wanted = i64::try_from(recipients)?;
    within(PATIENCE, "every message is queued", async {
        while desk.number("SELECT COUNT(*) FROM message").await? < wanted {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        Ok(())
    })
    .await?;
    let accepted = started.elapsed().as_secs_f64();
    let times = one_by_one(&daemon, &token, &others, &journal).await?;
    let peak_mb = daemon.memory()?.peak as f64 / MB;
    let left = desk.messages("queued").await?;
    ensure!(run.miniature || left > wanted / 2, "only {left} letters were still queued");
    daemon.stop().await?;
    drop(desk);
    database.remove().await;

    let p95 = quantile(&times, 0.95);
    let figure = Figure::new(
        "million",
        run,
        format!("broadcast to {recipients}: accepted, and {singles} single letters beside it"),
        "most memory under 256 MB, single letters p95 under 1 s",
    )
    .came_to(
        run,
        format!(
            "queued after {accepted:.0} s ({:.0}/s); most memory {peak_mb:.0} MB; single letters p50 {:.0} ms, p95 {p95:.0} ms",
            recipients as f64 / accepted,
            quantile(&times, 0.5)
        ),
        peak_mb < PEAK_MAX_MB && p95 < SINGLE_MAX_MS,
    )
    .explained(
        format!(
            "as it comes ({CONNECTIONS} connections); the relay takes {} ms for each letter of the broadcast; {left} letters \
             were still queued at the end; once.",
            RELAY_TAKES.as_millis()
        ),
        "from the request to the API until the last message is in the queue, already sending; then single letters as in the \
         row one-off.",
        "TLS, and sending the whole broadcast, which through such a relay takes a day.",
    )
    .value("seconds", accepted)
    .value("peak_mb", peak_mb)
    .value("p95_ms", p95);
    Ok(vec![figure])
}
