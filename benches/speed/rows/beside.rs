//! A broadcast by email beside one by fax whose API takes every call and answers none: what hangs must not slow what does
//! not. Measured in turns with the same broadcast alone.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::arguments::Run;
use crate::support::crowd::{self, Crowd};
use crate::support::database::Database;
use crate::support::far_side::FarSide;
use crate::support::house::{Account, House, Setup};
use crate::support::letter::send_to;
use crate::support::report::Figure;
use crate::support::spread::{Spread, rate};
use crate::support::within;

/// Connections to the sink.
const CONNECTIONS: usize = 16;
/// Calls to the fax API at once, as Touchline comes.
const CALLS: usize = 4;
/// Faxes that wait.
const FAXES: u64 = 500;
/// How long one round may take.
const ROUND_MAX: Duration = Duration::from_secs(300);
/// How often the records are looked at.
const LOOK: Duration = Duration::from_millis(10);
/// The share of its speed alone that is promised.
const SHARE: f64 = 0.9;

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let letters: u64 = run.size(5_000, 40);
    let Some(sink) = FarSide::sink().await? else { return Ok(Vec::new()) };
    let silent = Silent::start().await?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..run.rounds {
        for (rates, fax) in [(&mut alone, None), (&mut beside, Some(silent.address))] {
            let Some(rate) = broadcast(run, sink.address, fax, letters).await? else { return Ok(Vec::new()) };
            rates.push(rate);
        }
    }
    Ok(vec![told(run, letters, &Spread::of(&alone), &Spread::of(&beside))])
}

/// One round: letters per second by mail.
async fn broadcast(run: &Run, sink: SocketAddr, fax: Option<SocketAddr>, letters: u64) -> anyhow::Result<Option<f64>> {
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(None) };
    let mut desk = database.desk().await?;
    crowd::know(&mut desk, &Crowd::with_mailboxes(letters)).await?;
    let others = Crowd { first: letters + 1, last: letters + FAXES, kind: "therapist", mailbox: "ana", fax: true };
    crowd::know(&mut desk, &others).await?;
    let account = |address| Account { address, at_once: CALLS, rate_per_minute: None };
    let house = House::new(&database, &Setup { fax: fax.map(account), ..Setup::mail(sink, CONNECTIONS) })?;
    if fax.is_some() {
        house.run(&send_to("type:therapist", "fax")).await?;
    }
    house.run(&send_to("type:primary_care", "email")).await?;
    desk.settle().await?;

    let daemon = house.start().await?;
    let (started, wanted) = (Instant::now(), i64::try_from(letters)?);
    within(ROUND_MAX, "every mail is out", async {
        while desk.messages("accepted").await? < wanted {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    })
    .await?;
    let took = started.elapsed();
    // Calls that hang are waited for as long as the account allows.
    daemon.kill().await?;
    drop(desk);
    database.remove().await;
    Ok(Some(rate(usize::try_from(letters)?, took)))
}

/// A fax API that answers nothing.
struct Silent {
    address: SocketAddr,
    _listening: JoinHandle<()>,
}

impl Silent {
    async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let listening = tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                kept.push(stream);
            }
        });
        Ok(Self { address, _listening: listening })
    }
}

fn told(run: &Run, letters: u64, alone: &Spread, beside: &Spread) -> Figure {
    let share = beside.median / alone.median;
    Figure::new(
        "beside",
        run,
        format!("email broadcast of {letters} beside {FAXES} faxes to an API that never answers"),
        "at least 90 % of its speed alone",
    )
    .came_to(run, format!("{beside} letters/s; alone {alone}/s: {:.0} %", share * 100.0), share >= SHARE)
    .explained(
        format!("as it comes; concurrency = connections_max = {CONNECTIONS} for mail, {CALLS} for faxes; {} rounds in turns.", run.rounds),
        "from the moment the daemon listens, with everything queued, until the last mail is accepted.",
        "the first moments of an API that stops answering while many calls are under way, and one that is only slow.",
    )
    .value("letters_per_second", beside.median)
    .value("letters_per_second_alone", alone.median)
    .value("share", share)
}
