//! Claims with a long history behind them: what a claim costs must not depend on what was sent in earlier years.

use std::time::{Duration, Instant};

use anyhow::ensure;
use touchline::domain::{Clock, SystemClock};
use touchline::queue::{Lanes, Queue};
use touchline::store::Store;

use crate::support::arguments::Run;
use crate::support::crowd::{self, Crowd, Stage};
use crate::support::database::Database;
use crate::support::desk::Desk;
use crate::support::house::FAX_ACCOUNT;
use crate::support::report::Figure;
use crate::support::spread::{Spread, milliseconds};

/// Entries of one claim.
const CLAIMED: usize = 64;
/// Events of each message of the history.
const EVENTS_EACH: u64 = 10;
/// How much longer a claim may take.
const TOLERANCE: f64 = 1.2;
/// A lease that outlasts the row.
const LEASE: Duration = Duration::from_secs(3600);

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let (messages, claims): (u64, usize) = (run.size(1_000_000, 500), run.size(300, 5));
    let Some(empty) = Database::fresh(run.engine).await? else { return Ok(Vec::new()) };
    let Some(full) = Database::fresh(run.engine).await? else { return Ok(Vec::new()) };
    let mut desk = full.desk().await?;
    let crowd = Crowd { fax: true, ..Crowd::with_mailboxes(messages) };
    crowd::know(&mut desk, &Crowd { fax: false, ..crowd }).await?;
    crowd::faxes_on_record(&mut desk, &crowd, FAX_ACCOUNT, Stage::Delivered).await?;
    crowd::events(&mut desk, &crowd, EVENTS_EACH).await?;
    let events = desk.number("SELECT COUNT(*) FROM event").await?;
    ensure!(events == i64::try_from(messages * EVENTS_EACH)?, "{events} events");
    let (octets, _) = full.octets(&mut desk).await?;

    let (mut without, mut with) = (Claims::prepare(&empty, claims).await?, Claims::prepare(&full, claims).await?);
    for _ in 0..claims {
        without.once().await?;
        with.once().await?;
    }
    let (without, with) = (without.end().await, with.end().await);
    drop(desk);
    empty.remove().await;
    full.remove().await;

    let share = with.median / without.median;
    let figure = Figure::new(
        "history",
        run,
        format!("claim of {CLAIMED} with {messages} finished messages and {events} events in history"),
        "within 20 % of an empty history",
    )
    .came_to(
        run,
        format!("{with} ms; with an empty history {without} ms: {:+.0} %", (share - 1.0) * 100.0),
        share <= TOLERANCE,
    )
    .explained(
        format!(
            "{claims} claims from each of the two databases, in turns; the large one has {} MB.",
            octets / 1_000_000
        ),
        "Queue::claim, which is what every node calls: look, reap, promote, take, commit.",
        "contention with other nodes or writers; loading what the entries are about.",
    )
    .value("with_ms", with.median)
    .value("without_ms", without.median);
    Ok(vec![figure])
}

/// Claims from one database, and how long they took.
struct Claims {
    store: Store,
    queue: Queue,
    times: Vec<Duration>,
}

impl Claims {
    /// Fills the queue with twice what will be claimed.
    async fn prepare(database: &Database, claims: usize) -> anyhow::Result<Self> {
        let mut desk = database.desk().await?;
        let entries = Crowd::with_mailboxes((CLAIMED * claims * 2) as u64);
        crowd::queue(&mut desk, &entries, "submit", "ready", Desk::now_ms()).await?;
        desk.settle().await?;
        let store = database.store().await?;
        let queue = Queue::new(store.clone(), "speed".to_owned(), LEASE);
        Ok(Self { store, queue, times: Vec::with_capacity(claims) })
    }

    async fn once(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        let claimed = self.queue.claim("submit", Lanes::All, CLAIMED, SystemClock.now()).await?;
        self.times.push(started.elapsed());
        ensure!(claimed.len() == CLAIMED, "{} entries instead of {CLAIMED}", claimed.len());
        Ok(())
    }

    /// Milliseconds of each claim.
    async fn end(self) -> Spread {
        self.store.close().await;
        Spread::of(&milliseconds(&self.times))
    }
}
