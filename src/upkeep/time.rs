//! One time for all nodes: this machine's clock is periodically compared with the database's, whose time counts. A
//! lease, a rate or a wait then means the same on every node, whatever a machine's own clock says.
//!
//! Where the database is a file there is no other clock, only a timer that nobody can set. When the machine's clock falls
//! behind it, somebody set the clock back: without correction nothing would be due, and no lease would end, until it is that
//! late again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::domain::{SharedClock, Timestamp};
use crate::store::engine::dialect::Dialect;
use crate::store::{Store, StoreError, in_time};

/// How often the clocks are compared.
const INTERVAL: Duration = Duration::from_secs(10);
/// An answer that took longer is too imprecise. Half of this bounds the error.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(1);
/// How often the clock is compared with the timer where the database has no clock of its own.
const PACE_INTERVAL: Duration = Duration::from_secs(2);
/// How far behind the newest record a clock may be when a program starts.
const BEHIND_MAX: Duration = Duration::from_secs(60);
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

/// Keeps the clock corrected until shut down. What is done to the clock from now on is noticed, however late this begins
/// to run.
pub fn keep(
    store: Store,
    clock: Arc<SharedClock>,
    stop: CancellationToken,
) -> impl Future<Output = ()> + Send + 'static {
    let pace = Pace { clock: clock.machine_now(), timer: Instant::now() };
    async move {
        match store.dialect() {
            Dialect::Sqlite => keep_pace(pace, &clock, &stop).await,
            Dialect::Postgres => keep_agreed(&store, &clock, &stop).await,
        }
    }
}

async fn keep_agreed(store: &Store, clock: &SharedClock, stop: &CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = in_time(agree(store, clock)).await {
            tracing::debug!(%error, "the database's clock could not be read; trying again");
        }
    }
}

/// Compares the clock with the timer until shut down. The database is not asked.
async fn keep_pace(mut pace: Pace, clock: &SharedClock, stop: &CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(PACE_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        follow(clock, pace.drift_ms(clock.machine_now(), Instant::now()));
    }
}

/// Where the clock and the timer stood when they were last compared.
struct Pace {
    clock: Timestamp,
    timer: Instant,
}

impl Pace {
    /// How far the clock went beyond the time that passed since; negative if it fell behind.
    fn drift_ms(&mut self, clock: Timestamp, timer: Instant) -> i64 {
        let passed = i64::try_from(timer.saturating_duration_since(self.timer).as_millis()).unwrap_or(i64::MAX);
        let drift = clock.0.saturating_sub(self.clock.0).saturating_sub(passed);
        *self = Self { clock, timer };
        drift
    }
}

/// Makes up for a clock that was set back, and takes that back when it is set right again. A clock that is set forward
/// otherwise, as after a night asleep, counts as it is; small steps are how clocks are kept right.
fn follow(clock: &SharedClock, drift_ms: i64) {
    if drift_ms.unsigned_abs() <= WARN_MS {
        return;
    }
    let made_up = if drift_ms < 0 { drift_ms.saturating_neg() } else { -drift_ms.min(clock.set_back_ms()) };
    if made_up == 0 {
        return;
    }
    clock.make_up(made_up);
    let seconds = clock.set_back_ms() / 1_000;
    if drift_ms < 0 {
        tracing::error!(
            seconds,
            "this machine's clock was set back; sending goes on by the earlier time until the next start: set the clock right"
        );
    } else {
        tracing::info!(seconds, "this machine's clock was set forward again");
    }
    #[allow(clippy::cast_precision_loss, reason = "a gauge")]
    metrics::gauge!("touchline_clock_set_back_seconds").set(seconds as f64);
}

/// By how much this clock is behind the newest that was recorded, if that is too much to be chance: then it was set back
/// while no program ran, and what is due waits until it is that late again.
///
/// # Errors
/// The database cannot be used.
pub async fn behind(store: &Store, now: Timestamp) -> Result<Option<Duration>, StoreError> {
    let latest = store.read().await?.event_latest().await?;
    Ok(latest.map(|latest| latest.since(now)).filter(|behind| *behind > BEHIND_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering};

    use crate::domain::{Clock, SystemClock};

    /// A machine's clock that somebody sets.
    #[derive(Debug)]
    struct Settable(AtomicI64);

    impl Clock for Settable {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn a_clock_that_is_set_back_goes_on_and_one_that_is_set_right_is_followed() {
        let machine = Arc::new(Settable(AtomicI64::new(1_000_000_000)));
        let clock = SharedClock::new(machine.clone());
        let start = Instant::now();
        let mut pace = Pace { clock: clock.machine_now(), timer: start };
        let mut passed = 0;
        // What the machine's clock does within two seconds, and how far the shared one then is.
        for (step_ms, shared_ms) in [
            (2_000, 2_000),
            // Kept right by a second: no cause to do anything.
            (1_000, 3_000),
            (2_000 - 3_600_000, 5_000),
            (2_000, 7_000),
            // Set right again.
            (2_000 + 3_600_000, 9_000),
            // A night asleep.
            (28_800_000, 28_809_000),
        ] {
            passed += 2;
            machine.0.fetch_add(step_ms, Ordering::Relaxed);
            follow(&clock, pace.drift_ms(clock.machine_now(), start + Duration::from_secs(passed)));
            assert_eq!(clock.now().0 - 1_000_000_000, shared_ms, "after {passed} s");
        }
        assert_eq!((clock.ahead_ms(), clock.set_back_ms()), (0, 0));
    }

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
