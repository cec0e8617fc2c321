//! A broadcast by email from its submission to the last recorded outcome, against what a program in Node would use for it:
//! graphile-worker, nodemailer and Handlebars over the same PostgreSQL server, to the same sink, in turns.

mod graphile;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;

use graphile::Graphile;

use crate::support::arguments::{Engine, Run};
use crate::support::client::{Client, request};
use crate::support::crowd::{self, Crowd};
use crate::support::database::Database;
use crate::support::far_side::FarSide;
use crate::support::house::{House, Setup};
use crate::support::letter::submission;
use crate::support::report::Figure;
use crate::support::spread::{Spread, rate};
use crate::support::{statements, within};

/// Connections to the sink, ours and the peer's.
const CONNECTIONS: usize = 16;
/// Hand-overs under way at once, as in the row of the broadcast by email.
const SLOTS: usize = 256;
/// How long one round may take.
const ROUND_MAX: Duration = Duration::from_secs(300);
/// How often the records are looked at.
const LOOK: Duration = Duration::from_millis(10);
/// How many times the peer's rate is promised.
const TIMES: f64 = 3.0;

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    if run.engine == Engine::Sqlite {
        println!("not on SQLite: the peer keeps its queue in PostgreSQL");
        return Ok(Vec::new());
    }
    let letters = run.size(5_000, 40);
    let Some(sink) = FarSide::sink().await? else { return Ok(Vec::new()) };
    let peer = if run.miniature {
        println!("in miniature without the peer, whose packages would have to be fetched");
        None
    } else {
        let Some(peer) = Graphile::install(sink.address, letters, CONNECTIONS).await? else { return Ok(Vec::new()) };
        Some(peer)
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..run.rounds {
        let Some(rate) = broadcast(run, sink.address, letters).await? else { return Ok(Vec::new()) };
        ours.push(rate);
        if let Some(peer) = &peer {
            let Some(rate) = peer.once(ROUND_MAX).await? else { return Ok(Vec::new()) };
            theirs.push(rate);
        }
    }
    Ok(vec![told(run, letters, &Spread::of(&ours), &Spread::of(&theirs), peer.as_ref())])
}

/// One round of ours: letters per second.
async fn broadcast(run: &Run, sink: SocketAddr, letters: usize) -> anyhow::Result<Option<f64>> {
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(None) };
    let mut desk = database.desk().await?;
    crowd::know(&mut desk, &Crowd::with_mailboxes(letters as u64)).await?;
    desk.settle().await?;
    statements::begin(&mut desk).await?;
    let house = House::new(&database, &Setup { slots: Some(SLOTS), ..Setup::mail(sink, CONNECTIONS) })?;
    let authorization = format!("Bearer {}", house.token().await?);
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let body = submission("all", &["email"], None).to_string();
    let request = request("POST", "/api/v1/messages", &headers, body.as_bytes());
    let daemon = house.start().await?;
    let mut client = Client::connect(daemon.address).await?;

    let (started, wanted) = (Instant::now(), i64::try_from(letters)?);
    let answer = client.send(&request).await?;
    ensure!(answer.status == 202, "answered {}", answer.status);
    within(ROUND_MAX, "every outcome is recorded", async {
        while desk.messages("accepted").await? < wanted {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    })
    .await?;
    let took = started.elapsed();
    statements::print(&mut desk, letters).await?;
    daemon.stop().await?;
    drop(desk);
    database.remove().await;
    Ok(Some(rate(letters, took)))
}

fn told(run: &Run, letters: usize, ours: &Spread, theirs: &Spread, peer: Option<&Graphile>) -> Figure {
    let times = if peer.is_some() { ours.median / theirs.median } else { 0.0 };
    let (figure, versions) = match peer {
        Some(peer) => (format!("{ours} letters/s; in Node {theirs}/s: {times:.1} times"), peer.versions.as_str()),
        None => (format!("{ours} letters/s; the peer was not measured"), "no peer"),
    };
    Figure::new(
        "peer",
        run,
        format!("email broadcast, {letters} letters, submission to recorded outcome"),
        "3 times or more the rate of graphile-worker, nodemailer and Handlebars",
    )
    .came_to(run, figure, times >= TIMES)
    .explained(
        format!(
            "slots = {SLOTS}, concurrency = connections_max = {CONNECTIONS}; {versions}; {} rounds in turns.",
            run.rounds
        ),
        "from just before the submission of the broadcast is sent to a running program until the outcome of the last \
         letter is committed: ours by one request to the API, the peer's by one transaction; then claim, render, SMTP, \
         record. The peer writes five rows of record for each mail, besides its queue's own.",
        "TLS, a relay that thinks, several processes of Node. The peer checks no policy, signs nothing and keeps no copy \
         of the letter. The sink and the database share the two cores with either.",
    )
    .value("letters_per_second", ours.median)
    .value("peer_per_second", theirs.median)
    .value("times", times)
}
