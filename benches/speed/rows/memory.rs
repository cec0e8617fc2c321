//! Memory while a full queue drains steadily: of the daemon alone, the far sides are other processes.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::support::arguments::{Engine, Run};
use crate::support::crowd::{self, Crowd};
use crate::support::daemon::{Daemon, Memory};
use crate::support::database::Database;
use crate::support::desk::Desk;
use crate::support::far_side::{FarSide, Kind};
use crate::support::house::{Account, House, Setup};
use crate::support::letter::send_to_all;
use crate::support::report::Figure;

/// Connections and calls at once.
const AT_ONCE: usize = 16;
/// Hand-overs under way at once.
const SLOTS: usize = 128;
/// How long it is watched.
const WATCHED: Duration = Duration::from_secs(30);
/// How often.
const LOOK: Duration = Duration::from_millis(100);
/// How long a call of the fax line takes: it keeps a bounded number of unfinished faxes.
const CALL_TAKES: Duration = Duration::from_secs(2);
const MB: f64 = 1e6;
const MAIL_MAX_MB: f64 = 57.0;
const FAX_MAX_MB: f64 = 110.0;
/// On PostgreSQL the database's caches are the server's.
const FAX_ON_POSTGRES_MAX_MB: f64 = 100.0;

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let Some(sink) = FarSide::sink().await? else { return Ok(Vec::new()) };
    let relay = Account { address: sink.address, at_once: AT_ONCE, rate_per_minute: None };
    let by_mail = Setup { mail: Some(relay), slots: Some(SLOTS), ..Setup::default() };
    let messages: u64 = run.size(100_000, 100);
    let mut figures = Vec::new();

    let crowd = Crowd::with_mailboxes(messages);
    if let Some(seen) = drain(run, &[crowd], &by_mail, "email").await? {
        figures.push(told(run, messages, &seen, "email only", MAIL_MAX_MB));
    }

    let line = FarSide::start(Kind::Fax, CALL_TAKES, None).await?;
    let account = Account { address: line.address, at_once: AT_ONCE, rate_per_minute: None };
    let faxed = (messages / 2).min(crowd::FAXES_MAX);
    let both = Crowd { fax: true, last: faxed, ..crowd };
    let only_mailed = Crowd { first: faxed + 1, last: messages - faxed, ..crowd };
    let setup = Setup { fax: Some(account), ..by_mail };
    if let Some(seen) = drain(run, &[both, only_mailed], &setup, "fax,email").await? {
        let max_mb = if run.engine == Engine::Postgres { FAX_ON_POSTGRES_MAX_MB } else { FAX_MAX_MB };
        figures.push(told(run, messages, &seen, "with fax rendering", max_mb));
    }
    Ok(figures)
}

/// What was seen while the queue drained.
struct Seen {
    at_start: Memory,
    at_end: Memory,
    handed_over: i64,
    watched: Duration,
}

async fn drain(run: &Run, crowds: &[Crowd], setup: &Setup, via: &str) -> anyhow::Result<Option<Seen>> {
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(None) };
    let mut desk = database.desk().await?;
    for crowd in crowds.iter().filter(|crowd| crowd.first <= crowd.last) {
        crowd::know(&mut desk, crowd).await?;
    }
    let house = House::new(&database, setup)?;
    house.run(&send_to_all(via)).await?;
    desk.settle().await?;
    let daemon = house.start().await?;
    let seen = watch(run, &daemon, &mut desk).await?;
    daemon.stop().await?;
    drop(desk);
    database.remove().await;
    Ok(Some(seen))
}

/// Watches until time is up or the queue is empty.
async fn watch(run: &Run, daemon: &Daemon, desk: &mut Desk) -> anyhow::Result<Seen> {
    let started = Instant::now();
    let at_start = daemon.memory()?;
    let watched_max = run.size(WATCHED, Duration::from_secs(20));
    while started.elapsed() < watched_max && desk.messages("queued").await? > 0 {
        tokio::time::sleep(LOOK).await;
    }
    let (at_end, watched) = (daemon.memory()?, started.elapsed());
    let handed_over = desk.messages("accepted").await?;
    ensure!(handed_over > 0, "nothing was handed over");
    Ok(Seen { at_start, at_end, handed_over, watched })
}

fn told(run: &Run, messages: u64, seen: &Seen, how: &str, max_mb: f64) -> Figure {
    let (peak, target) = (seen.at_end.peak as f64 / MB, format!("under {max_mb:.0} MB"));
    Figure::new("memory", run, format!("resident memory, {messages} queued, steady drain, {how}"), &target)
        .came_to(
            run,
            format!(
                "most {peak:.1} MB; {:.1} MB at the start, {:.1} MB after {:.0} s and {} letters",
                seen.at_start.resident as f64 / MB,
                seen.at_end.resident as f64 / MB,
                seen.watched.as_secs_f64(),
                seen.handed_over
            ),
            peak < max_mb,
        )
        .explained(
            format!(
                "slots = {SLOTS}, concurrency = {AT_ONCE}; watched for {} s or until the queue was empty.",
                WATCHED.as_secs()
            ),
            "VmHWM of the daemon (in 10^6 octets), which starts with the queue full: the most that was ever resident, \
             program text and fonts included.",
            "acceptance of the broadcast, which another process did; the far sides; the PostgreSQL server.",
        )
        .value("peak_mb", peak)
        .value("end_mb", seen.at_end.resident as f64 / MB)
        .value("letters", seen.handed_over as f64)
}
