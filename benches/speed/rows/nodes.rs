//! Several nodes over one database: a broadcast through a relay that takes its time for each letter, by one, two and three
//! daemons. PostgreSQL only: a SQLite file has one node.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::support::arguments::{Engine, Run};
use crate::support::crowd::{self, Crowd};
use crate::support::database::Database;
use crate::support::far_side::{FarSide, Kind};
use crate::support::house::{House, Setup};
use crate::support::letter::send_to_all;
use crate::support::report::Figure;
use crate::support::spread::{Spread, rate};

/// Connections of each node to the relay.
const CONNECTIONS: usize = 8;
/// How long the relay takes for each letter.
const RELAY_TAKES: Duration = Duration::from_millis(20);
const NODES_MAX: usize = 3;
const ROUND_MAX: Duration = Duration::from_secs(300);
/// How much of another node's rate is promised while the database is not the limit.
const SHARE: f64 = 0.75;

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    if run.engine == Engine::Sqlite {
        println!("not on SQLite: a file has one node");
        return Ok(Vec::new());
    }
    let letters = run.size(6_000, 60);
    let relay = FarSide::start(Kind::Mail, RELAY_TAKES, None).await?;
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); NODES_MAX];
    for _ in 0..run.rounds {
        for (place, rates) in rates.iter_mut().enumerate() {
            let Some(rate) = broadcast(run, &relay, letters, place + 1).await? else { return Ok(Vec::new()) };
            rates.push(rate);
        }
    }
    let rates: Vec<Spread> = rates.iter().map(|rates| Spread::of(rates)).collect();
    Ok(vec![told(run, letters, &rates)])
}

/// Letters per second by so many nodes.
async fn broadcast(run: &Run, relay: &FarSide, letters: usize, nodes: usize) -> anyhow::Result<Option<f64>> {
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(None) };
    let mut desk = database.desk().await?;
    crowd::know(&mut desk, &Crowd { mailbox: "slow", ..Crowd::with_mailboxes(letters as u64) }).await?;
    let house = House::new(&database, &Setup::mail(relay.address, CONNECTIONS))?;
    house.run(&send_to_all("email")).await?;
    desk.settle().await?;
    let mut daemons = Vec::new();
    let started = Instant::now();
    for _ in 0..nodes {
        daemons.push(house.start().await?);
    }
    desk.until_all_recorded(ROUND_MAX).await?;
    let took = started.elapsed();
    let accepted = desk.messages("accepted").await?;
    ensure!(accepted == i64::try_from(letters)?, "{accepted} of {letters} letters were accepted");
    for daemon in daemons {
        daemon.stop().await?;
    }
    drop(desk);
    database.remove().await;
    Ok(Some(rate(letters, took)))
}

fn told(run: &Run, letters: usize, rates: &[Spread]) -> Figure {
    let one = rates.first().map_or(0.0, |rate| rate.median);
    let words: Vec<String> =
        rates.iter().enumerate().map(|(place, rate)| format!("{} of them {rate}", place + 1)).collect();
    let rises = rates.iter().enumerate().all(|(place, rate)| rate.median >= one * (1.0 + SHARE * place as f64));
    let most = 1.0 / RELAY_TAKES.as_secs_f64() * CONNECTIONS as f64;
    Figure::new(
        "nodes",
        run,
        format!("email broadcast, {letters} letters, by one, two and three nodes on one database"),
        "each further node adds at least three quarters of the first one's rate",
    )
    .came_to(run, format!("letters/s: {}", words.join("; ")), rises)
    .explained(
        format!(
            "concurrency = {CONNECTIONS} for each node; the relay takes {} ms for each letter, so that one node can hand \
             over at most {most:.0}/s; {} rounds in turns.",
            RELAY_TAKES.as_millis(),
            run.rounds
        ),
        "from the start of the first daemon until the outcome of the last letter is committed.",
        "TLS; nodes on machines of their own: these share two cores with each other, the relay and the database.",
    )
    .value("one_per_second", one)
    .value("most_per_second", rates.last().map_or(0.0, |rate| rate.median))
}
