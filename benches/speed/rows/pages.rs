//! The dashboard's pages over a large practice's records: how long the server takes for each.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::support::arguments::Run;
use crate::support::client::{Client, request};
use crate::support::crowd::{self, Crowd, Stage};
use crate::support::daemon::Daemon;
use crate::support::database::Database;
use crate::support::far_side::{FarSide, Kind};
use crate::support::house::{Account, FAX_ACCOUNT, House, Setup};
use crate::support::report::Figure;
use crate::support::spread::{milliseconds, quantile};

/// How often each page is asked for.
const LOOKS: usize = 40;
/// What is promised of each page.
const MAX_MS: f64 = 200.0;
const NAME: &str = "bench";
const PASSWORD: &str = "a long password of the bench";

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let (referrers, messages): (u64, u64) = (run.size(10_000, 50), run.size(100_000, 60));
    let looks = run.size(LOOKS, 2);
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(Vec::new()) };
    let mut desk = database.desk().await?;
    let crowd = Crowd::with_mailboxes(messages);
    // Who was written to and is gone counts among the records, not among the referrers.
    crowd::know(&mut desk, &crowd).await?;
    crowd::faxes_on_record(&mut desk, &crowd, FAX_ACCOUNT, Stage::Delivered).await?;
    crowd::events(&mut desk, &crowd, 3).await?;
    desk.run(&spoilt(referrers)).await?;
    desk.settle().await?;
    let line = FarSide::start(Kind::Fax, Duration::from_secs(2), None).await?;
    let account = Account { address: line.address, at_once: 4, rate_per_minute: None };
    let house = House::new(&database, &Setup { fax: Some(account), ..Setup::default() })?;
    house.admit(NAME, PASSWORD).await?;
    let daemon = house.start().await?;
    let cookie = log_in(&daemon).await?;

    let (one, letter) = (crowd::referrer_id(7), crowd::record_id(7));
    let pages = [
        "/".to_owned(),
        "/failures".to_owned(),
        "/messages".to_owned(),
        "/messages?status=failed".to_owned(),
        format!("/messages/{letter}"),
        "/referrers".to_owned(),
        "/referrers?q=number99".to_owned(),
        format!("/referrers/{one}"),
        "/referrers/addresses".to_owned(),
        "/campaigns".to_owned(),
        "/suppressions".to_owned(),
        "/audit".to_owned(),
    ];
    let mut slowest: Vec<(f64, String)> = Vec::new();
    for page in pages {
        let times = look(&daemon, &cookie, &page, looks).await?;
        slowest.push((quantile(&times, 0.95), page.replace(&one.to_string(), "ID").replace(&letter.to_string(), "ID")));
    }
    daemon.stop().await?;
    drop(desk);
    database.remove().await;
    slowest.sort_by(|one, other| other.0.total_cmp(&one.0));
    Ok(vec![told(run, referrers, messages, looks, &slowest)])
}

/// One letter in fifty failed; only so many referrers are still there.
fn spoilt(referrers: u64) -> String {
    format!(
        "UPDATE message SET status = 'failed', reason = 'no_answer'
            WHERE address LIKE '%07' OR address LIKE '%57';
        UPDATE referrer SET removed_ms = created_ms WHERE CAST(SUBSTR(last_name, 7) AS INTEGER) > {referrers}"
    )
}

async fn log_in(daemon: &Daemon) -> anyhow::Result<String> {
    let body = format!("name={NAME}&password={}", PASSWORD.replace(' ', "+"));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer =
        Client::connect(daemon.address).await?.send(&request("POST", "/login", &headers, body.as_bytes())).await?;
    ensure!(answer.status == 303, "the login answered {}", answer.status);
    answer.cookie.context("a session")
}

/// Milliseconds of each look at a page.
async fn look(daemon: &Daemon, cookie: &str, page: &str, looks: usize) -> anyhow::Result<Vec<f64>> {
    let mut client = Client::connect(daemon.address).await?;
    let request = request("GET", page, &[("cookie", cookie)], b"");
    let mut times = Vec::with_capacity(looks);
    for _ in 0..looks {
        let started = Instant::now();
        let answer = client.send(&request).await?;
        times.push(started.elapsed());
        ensure!(answer.status == 200, "{page} answered {}", answer.status);
    }
    Ok(milliseconds(&times))
}

fn told(run: &Run, referrers: u64, messages: u64, looks: usize, slowest: &[(f64, String)]) -> Figure {
    let most = slowest.first().map_or(0.0, |(time, _)| *time);
    let words: Vec<String> = slowest.iter().take(4).map(|(time, page)| format!("{page} {time:.0} ms")).collect();
    Figure::new(
        "pages",
        run,
        format!("{} pages of the dashboard over {messages} messages and {referrers} referrers", slowest.len()),
        "p95 of each under 200 ms",
    )
    .came_to(run, format!("p95 of the slowest: {}", words.join(", ")), most < MAX_MS)
    .explained(
        format!("each page {looks} times in a row over one connection; one letter in fifty failed."),
        "GET of a page by a person who is logged in, from the first octet sent to the last received.",
        "TLS, the browser, pictures of fax pages.",
    )
    .value("slowest_p95_ms", most)
}
