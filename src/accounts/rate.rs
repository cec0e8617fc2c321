//! The cell-rate rule that keeps hand-overs and questions within what a provider takes.

use std::time::Duration;

use crate::domain::Timestamp;

/// The interval between two events at that many a minute.
pub(crate) fn interval(per_minute: u32) -> Duration {
    Duration::from_millis(60_000 / u64::from(per_minute.clamp(1, 60_000)))
}

/// The cell-rate rule itself (GCRA, ITU-T I.371): one interval further, if that is not beyond the burst, which is a tenth
/// of a minute's worth.
///
/// # Errors
/// How long to wait.
pub(crate) fn next_arrival(per_minute: u32, arrival: Timestamp, now: Timestamp) -> Result<Timestamp, Duration> {
    let burst = interval(per_minute) * (per_minute / 10).max(1);
    let next = arrival.max(now).after(interval(per_minute));
    if next > now.after(burst) { Err(next.since(now.after(burst))) } else { Ok(next) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_window_holds_more_starts_than_its_share_and_the_burst(
            rate in 1u32..2000, gaps in prop::collection::vec(0i64..20_000, 1..80),
        ) {
            let (interval, burst) = (60_000 / i64::from(rate), i64::from((rate / 10).max(1)));
            let (mut now, mut arrival, mut starts) = (Timestamp(1_000_000), Timestamp(0), Vec::new());
            for gap in gaps {
                now = Timestamp(now.0 + gap);
                if let Ok(next) = next_arrival(rate, arrival, now) {
                    arrival = next;
                    starts.push(now.0);
                }
            }
            for (first, from) in starts.iter().enumerate() {
                for (count, to) in (1_i64..).zip(&starts[first..]) {
                    prop_assert!(count <= (to - from) / interval + burst, "{count} within {} ms", to - from);
                }
            }
        }

        #[test]
        fn the_wait_it_names_is_exactly_long_enough(rate in 1u32..2000, ahead in 0i64..600_000) {
            let now = Timestamp(1_000_000);
            let arrival = Timestamp(now.0 + ahead);
            if let Err(wait) = next_arrival(rate, arrival, now) {
                prop_assert!(next_arrival(rate, arrival, now.after(wait)).is_ok());
                prop_assert!(next_arrival(rate, arrival, now.after(wait).before(Duration::from_millis(1))).is_err());
            }
        }

        #[test]
        fn an_idle_account_has_its_burst_and_no_more(rate in 1u32..2000, idle in 0i64..10_000_000) {
            let now = Timestamp(20_000_000);
            let mut arrival = Timestamp(now.0 - idle);
            let mut count = 0_u32;
            while let Ok(next) = next_arrival(rate, arrival, now) {
                arrival = next;
                count += 1;
            }
            prop_assert_eq!(count, (rate / 10).max(1));
        }
    }
}
