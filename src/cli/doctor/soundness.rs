//! Whether the database keeps what it is given, and whether the queue moves.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::{Findings, State};
use crate::cli::console::count;
use crate::config::Config;
use crate::domain::{Clock, SystemClock, Timestamp};
use crate::store::engine::soundness::{Late, Room, Soundness};
use crate::store::views::inbox::Unreadable;
use crate::store::{Store, StoreError};
use crate::upkeep;

/// With less space than this, or than the database takes, a backup or a busy day may fill the disk.
const ROOM_COMFORTABLE: u64 = 512 << 20;
/// A running daemon reclaims an expired lease within seconds.
const LEASE_GRACE: Duration = Duration::from_secs(60);
/// What is due goes out sooner than this, unless rate limits or pauses delay it.
const DUE_GRACE: Duration = Duration::from_secs(600);

/// Checks both.
pub(super) async fn check(config: &Config, findings: &mut Findings) {
    let now = SystemClock.now();
    let looked = async {
        let store = Store::open(config.store.url.expose_secret(), config.store.connections_max).await?;
        let found = store.soundness().await?;
        let mut tx = store.read().await?;
        let leases = tx.queue_leases_past(now.before(LEASE_GRACE)).await?;
        let due = tx.queue_due_past(now.before(DUE_GRACE)).await?;
        let unreadable = tx.callbacks_unreadable().await?;
        drop(tx);
        let behind = upkeep::time::behind(&store, now).await?;
        store.close().await;
        Ok::<_, StoreError>((found, leases, due, unreadable, behind))
    };
    match looked.await {
        Ok((found, leases, due, unreadable, behind)) => {
            tell_clock(behind, findings);
            tell_soundness(&found, findings);
            tell_queue(config, leases, due, findings);
            tell_callbacks(config, &unreadable, findings);
        }
        Err(error) => findings.add("records", State::Fail, error.to_string()),
    }
}

fn tell_soundness(found: &Soundness, findings: &mut Findings) {
    if found.damage.is_empty() {
        let words = format!("{}, schema {}, no damage found", found.engine, found.schema);
        findings.add("records", State::Ok, words);
    } else {
        let words = format!(
            "damaged: {}. Stop `touchline serve`, then restore the newest backup: `touchline restore FILE --replace` (the damaged \
             file is kept beside it)",
            found.damage.join("; ")
        );
        findings.add("records", State::Fail, words);
    }
    if found.risks.is_empty() {
        findings.add("durability", State::Ok, "every commit is on disk before it counts");
    } else {
        findings.add("durability", State::Warn, found.risks.join("\n"));
    }
    if let Some(Room { used, free: Some(free) }) = found.room {
        let words = format!("{} free, the records take {}", megabytes(free), megabytes(used));
        let state = match free {
            free if free < Room::LEAST => State::Fail,
            free if free < ROOM_COMFORTABLE.max(used) => State::Warn,
            _ => State::Ok,
        };
        findings.add("disk", state, words);
    }
}

fn tell_clock(behind: Option<Duration>, findings: &mut Findings) {
    match behind {
        None => findings.add("clock", State::Ok, "not behind what was recorded"),
        Some(behind) => {
            let words = format!(
                "this machine's clock is {} seconds behind the newest record: what is due waits that long. Set it right, \
                 then restart `touchline serve`",
                behind.as_secs()
            );
            findings.add("clock", State::Warn, words);
        }
    }
}

fn tell_queue(config: &Config, leases: Late, due: Late, findings: &mut Findings) {
    let many = |late: Late| count(usize::try_from(late.entries).unwrap_or(0), "entry").replace("entrys", "entries");
    let since = |at: Option<Timestamp>| at.unwrap_or_default().in_zone(config.practice.time_zone);
    let mut words = Vec::new();
    if due.entries > 0 {
        words.push(format!(
            "{} due since {}: is `touchline serve` running, is an account paused?",
            many(due),
            since(due.since)
        ));
    }
    if leases.entries > 0 {
        words.push(format!(
            "{} held by a worker that has been gone since {}: is `touchline serve` running?",
            many(leases),
            since(leases.since)
        ));
    }
    if words.is_empty() {
        findings.add("queue", State::Ok, "nothing is late");
    } else {
        findings.add("queue", State::Warn, words.join("\n"));
    }
}

fn tell_callbacks(config: &Config, unreadable: &[Unreadable], findings: &mut Findings) {
    if unreadable.is_empty() {
        return findings.add("callbacks", State::Ok, "every callback could be read");
    }
    let words = unreadable.iter().map(|Unreadable { provider, callbacks, oldest_ms }| {
        let many = count(usize::try_from(*callbacks).unwrap_or(0), "callback");
        let since = oldest_ms.in_zone(config.practice.time_zone);
        format!(
            "{many} of {provider} could not be read since {since}: they are kept. After an upgrade: touchline inbox replay \
             --unreadable --provider {provider}"
        )
    });
    findings.add("callbacks", State::Warn, words.collect::<Vec<_>>().join("\n"));
}

fn megabytes(octets: u64) -> String {
    format!("{} MB", octets >> 20)
}
