//! One time for all nodes: this machine's clock is periodically compared with the database's, whose time counts. A
//! lease, a rate or a wait then means the same on every node, whatever a machine's own clock says.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::domain::SharedClock;
use crate::store::{Store, StoreError, in_time};

/// How often the clocks are compared.
const INTERVAL: Duration = Duration::from_secs(10);
/// An answer that took longer is too imprecise. Half of this bounds the error.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(1);
/// A machine whose clock is further off than this needs attention.
const WARN_MS: u64 = 2_000;

/// Corrects the clock by the database's; leaves it as it is if the database is a file on this machine, or if the answer
/// took too long.
///
/// # Errors
/// The database cannot be used.
pub async fn agree(store: &Store, clock: &SharedClock) -> Result<(), StoreError> {
    let mut tx = store.read().await?;
    let (before, asked) = (clock.machine_now(), Instant::now());
    let Some(server) = tx.server_time().await? else { return Ok(()) };
    let round_trip = asked.elapsed();
    if round_trip > ROUND_TRIP_MAX {
        return Ok(());
    }
    let seen = server.0.saturating_sub(before.after(round_trip / 2).0);
    correct(clock, seen, i64::try_from(round_trip.as_millis()).unwrap_or(i64::MAX));
    Ok(())
}

/// Applies a difference larger than the measurement's own uncertainty, so that time does not jitter.
fn correct(clock: &SharedClock, seen_ms: i64, uncertain_ms: i64) {
    let known = clock.ahead_ms();
    if seen_ms.abs_diff(known) <= uncertain_ms.unsigned_abs() + 5 {
        return;
    }
    if seen_ms.abs_diff(known) > WARN_MS {
        let seconds = seen_ms / 1_000;
        tracing::warn!(seconds, "the database's clock differs from this machine's; the database's is used");
    }
    clock.set_ahead_ms(seen_ms);
}

/// Keeps the clock corrected until shut down.
pub async fn keep(store: Store, clock: Arc<SharedClock>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = in_time(agree(&store, &clock)).await {
            tracing::debug!(%error, "the database's clock could not be read; trying again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Clock, SystemClock};

    #[test]
    fn a_difference_that_the_measurement_cannot_tell_from_none_changes_nothing() {
        let clock = SharedClock::new(Arc::new(SystemClock));
        correct(&clock, 12, 10);
        assert_eq!(clock.ahead_ms(), 0);
        correct(&clock, -300_000, 10);
        assert_eq!(clock.ahead_ms(), -300_000);
        correct(&clock, -300_014, 10);
        assert_eq!(clock.ahead_ms(), -300_000, "time does not tremble");
        assert!(clock.now() < clock.machine_now());
    }
}
