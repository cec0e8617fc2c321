//! Upkeep: periodic housekeeping of a long-running installation.

pub mod equal_returns;
pub mod restore;
pub mod retention;
pub mod returns;
pub mod sign_ins;
pub mod time;
pub mod undone;

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::access;
use crate::domain::Clock;
use crate::domain::returned::PauseRules;
use crate::settle::Rules;
use crate::store::{Store, StoreError, in_time};
use crate::upkeep::retention::Retention;

/// How often upkeep runs.
const INTERVAL: Duration = Duration::from_secs(5);
/// How often what was noted while requests were answered is written down.
const FLUSH_EVERY: Duration = Duration::from_secs(60);

/// Runs until shut down, and leaves no note unwritten.
pub async fn run(
    store: Store,
    clock: std::sync::Arc<dyn Clock>,
    access: access::Parts,
    keep: Retention,
    pause: PauseRules,
    rules: std::sync::Arc<Rules>,
    stop: CancellationToken,
) {
    let mut flushed: Option<Instant> = None;
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => break,
        }
        if let Err(error) = in_time(tidy(&store, clock.as_ref())).await {
            store.note(&error);
            tracing::warn!(%error, "upkeep failed; trying again");
        }
        if let Err(error) = in_time(undone::finish(&store, clock.as_ref())).await {
            store.note(&error);
            tracing::warn!(%error, "withdrawn messages could not be cancelled; trying again");
        }
        if let Err(error) = in_time(retention::remove_old(&store, clock.as_ref(), keep)).await {
            store.note(&error);
            tracing::warn!(%error, "expired records could not be removed; trying again");
        }
        if let Err(error) = in_time(Box::pin(watch_returns(&store, clock.as_ref(), &pause, &rules))).await {
            store.note(&error);
            tracing::warn!(%error, "what came back could not be looked at; trying again");
        }
        if flushed.is_none_or(|at| at.elapsed() >= FLUSH_EVERY) && flush(&access).await {
            flushed = Some(Instant::now());
        }
    }
    flush(&access).await;
}

async fn watch_returns(store: &Store, clock: &dyn Clock, pause: &PauseRules, rules: &Rules) -> Result<(), StoreError> {
    returns::lift_expired(store, clock).await?;
    returns::go_on(store, clock, rules).await?;
    returns::pause_broadcasts(store, clock, pause).await?;
    equal_returns::stop_accounts(store, clock, rules).await.map(drop)
}

/// Writes down who used tokens and sessions and which log-ins were refused. Whether it could be done.
async fn flush(access: &access::Parts) -> bool {
    let flushed = in_time(access::flush(access)).await;
    if let Err(error) = &flushed {
        tracing::warn!(%error, "uses of tokens and sessions could not be written down; trying again");
    }
    flushed.is_ok()
}

/// One round: marks the broadcasts whose last message has settled, and shows the depth of the queue and the number of
/// callbacks that cannot be read to the metrics. Reads before it writes.
///
/// # Errors
/// The database cannot be used.
pub async fn tidy(store: &Store, clock: &dyn Clock) -> Result<(), StoreError> {
    let now = clock.now();
    let mut tx = store.read().await?;
    let depth = tx.queue_depth().await?;
    let oldest = tx.queue_oldest_ready().await?;
    let unfinished = tx.broadcasts_unfinished().await?;
    let unreadable = tx.callbacks_unreadable().await?;
    drop(tx);
    #[allow(clippy::cast_precision_loss, reason = "a gauge")]
    metrics::gauge!("touchline_queue_depth").set(depth as f64);
    metrics::gauge!("touchline_queue_oldest_ready_seconds")
        .set(oldest.map_or(0.0, |since| now.since(since).as_secs_f64()));
    #[allow(clippy::cast_precision_loss, reason = "a gauge")]
    metrics::gauge!("touchline_inbox_unreadable")
        .set(unreadable.iter().map(|account| account.callbacks).sum::<i64>() as f64);
    if unfinished {
        let mut tx = store.write().await?;
        tx.broadcasts_finish(now).await?;
        tx.commit().await?;
    }
    Ok(())
}
