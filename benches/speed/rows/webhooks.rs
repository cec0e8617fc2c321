//! Callbacks taken in: signed reports about faxes in progress, each durable before it is answered. They are
//! applied at the same time, which is part of the measurement.

use std::time::{Duration, Instant};

use anyhow::ensure;
use ring::hmac;
use serde_json::json;
use touchline::sandbox::fax::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

use crate::support::arguments::Run;
use crate::support::client::{request, send_all};
use crate::support::crowd::{self, Crowd, Stage};
use crate::support::database::Database;
use crate::support::desk::Desk;
use crate::support::house::{Account, FAX_ACCOUNT, House, Setup, WEBHOOK_SECRET};
use crate::support::report::Figure;
use crate::support::spread::{milliseconds, quantile, rate};
use crate::support::within;

/// Connections of the provider.
const CONNECTIONS: usize = 64;
const TARGET_PER_SECOND: f64 = 3000.0;
/// How long all of them may take to be applied.
const APPLIED_MAX: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(50);

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let faxes: u64 = run.size(20_000, 200);
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(Vec::new()) };
    let mut desk = database.desk().await?;
    let crowd = Crowd { fax: true, ..Crowd::with_mailboxes(faxes) };
    crowd::know(&mut desk, &crowd).await?;
    crowd::faxes_on_record(&mut desk, &crowd, FAX_ACCOUNT, Stage::Accepted).await?;
    desk.settle().await?;
    // Nobody listens there: the callbacks tell everything.
    let account = Account { address: ([127, 0, 0, 1], 9).into(), at_once: 4, rate_per_minute: None };
    let house = House::new(&database, &Setup { fax: Some(account), ..Setup::default() })?;
    let daemon = house.start().await?;

    let started = Instant::now();
    let load = send_all(daemon.address, CONNECTIONS, (1..=faxes).map(callback).collect(), 200).await?;
    let kept = desk.number("SELECT COUNT(*) FROM inbox").await?;
    ensure!(kept == i64::try_from(faxes)?, "{kept} of {faxes} callbacks are kept");
    within(APPLIED_MAX, "every callback is applied", all_applied(&mut desk, faxes)).await?;
    let applied = started.elapsed();
    daemon.stop().await?;
    drop(desk);
    database.remove().await;
    Ok(vec![told(run, faxes, rate(load.times.len(), load.took), &milliseconds(&load.times), applied)])
}

/// The fax line's word that a fax arrived, signed as it signs.
fn callback(number: u64) -> Vec<u8> {
    let now = chrono::Utc::now();
    let body = json!({
        "id": format!("evt_{number}"),
        "event": "fax.delivered",
        "fax": {
            "id": format!("fx_{number}"),
            "reference": crowd::record_id(number).to_string(),
            "status": "delivered",
            "pages": 1,
            "pages_confirmed": 1,
            "fault": null,
        },
        "at_ms": now.timestamp_millis(),
    })
    .to_string();
    let seconds = now.timestamp().to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, WEBHOOK_SECRET.as_bytes());
    let signature = hex::encode(hmac::sign(&key, format!("{seconds}.{body}").as_bytes()));
    let headers = [
        (TIMESTAMP_HEADER, seconds.as_str()),
        (SIGNATURE_HEADER, signature.as_str()),
        ("content-type", "application/json"),
    ];
    request("POST", &format!("/hooks/{FAX_ACCOUNT}"), &headers, body.as_bytes())
}

async fn all_applied(desk: &mut Desk, faxes: u64) -> anyhow::Result<()> {
    while desk.messages("delivered").await? < i64::try_from(faxes)? {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

fn told(run: &Run, faxes: u64, per_second: f64, times: &[f64], applied: Duration) -> Figure {
    let applied_per_second = faxes as f64 / applied.as_secs_f64();
    Figure::new(
        "webhooks",
        run,
        format!("callbacks taken in, {faxes} signed reports over {CONNECTIONS} connections"),
        "at least 3,000/s accepted durably",
    )
    .came_to(
        run,
        format!(
            "{per_second:.0}/s; p50 {:.1} ms, p99 {:.1} ms; all applied after {:.1} s ({applied_per_second:.0}/s)",
            quantile(times, 0.5),
            quantile(times, 0.99),
            applied.as_secs_f64()
        ),
        per_second >= TARGET_PER_SECOND,
    )
    .explained(
        "as it comes; each callback about another fax that the line has accepted; one round.",
        "POST /hooks/{account} over kept connections until the last answer: signature, age, one durable transaction or \
         a share of one. Meanwhile what is kept is applied to attempt, message, touch and queue.",
        "TLS. The clients share the two cores with the daemon.",
    )
    .value("per_second", per_second)
    .value("applied_per_second", applied_per_second)
    .value("p99_ms", quantile(times, 0.99))
}
