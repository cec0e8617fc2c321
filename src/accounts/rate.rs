//! The cell-rate rule that keeps hand-overs and questions within what a provider takes.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::provider_state::DomainTurn;

/// The furthest moment that is given to who must wait; it asks again then.
const PROMISED_MAX: Duration = Duration::from_secs(6 * 3600);

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

/// A turn at that many a minute: the state afterward, and until when to wait if there is none. Who must wait is given a moment of
/// its own behind those of the others; `goes_ahead`: it does not stand behind them.
pub(crate) fn turn(
    per_minute: u32,
    turn: DomainTurn,
    goes_ahead: bool,
    now: Timestamp,
) -> (DomainTurn, Option<Timestamp>) {
    let next = next_arrival(per_minute, turn.arrival_ms, now);
    let others_wait = turn.promised_ms > now && !goes_ahead;
    match next {
        Ok(arrival_ms) if !others_wait => (DomainTurn { arrival_ms, ..turn }, None),
        Err(wait) if goes_ahead => (turn, Some(now.after(wait))),
        next => {
            let free = now.after(next.err().unwrap_or_default());
            let until = turn.promised_ms.after(interval(per_minute)).max(free).min(now.after(PROMISED_MAX));
            (DomainTurn { promised_ms: until, ..turn }, Some(until))
        }
    }
}

/// The next moment behind those that were given away, so far apart; who is given it asks again then.
pub(crate) fn behind(apart: Duration, turn: DomainTurn, now: Timestamp) -> (DomainTurn, Timestamp) {
    let until = turn.promised_ms.max(now).after(apart).min(now.after(PROMISED_MAX));
    (DomainTurn { promised_ms: until, ..turn }, until)
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

        /// A backlog at one domain: each letter comes back once, when its turn is, whatever else arrives meanwhile.
        #[test]
        fn who_must_wait_has_a_turn_when_it_comes_back(rate in 1u32..120, letters in 1usize..60, later in 0usize..20) {
            let start = Timestamp(1_000_000);
            let (mut state, mut due) = (DomainTurn::default(), Vec::new());
            for _ in 0..letters {
                let (after, until) = turn(rate, state, false, start);
                state = after;
                due.extend(until);
            }
            prop_assert_eq!(due.len(), letters.saturating_sub(usize::try_from(rate / 10).unwrap_or(0).max(1)));
            prop_assert!(due.windows(2).all(|pair| pair[1].since(pair[0]) >= interval(rate)));
            for (number, at) in due.iter().enumerate() {
                if number < later {
                    let (after, until) = turn(rate, state, false, at.before(Duration::from_millis(1)));
                    state = after;
                    prop_assert!(until.is_some_and(|until| until > *due.last().expect("one")), "behind those that wait");
                }
                let (after, until) = turn(rate, state, true, *at);
                state = after;
                prop_assert_eq!(until, None, "letter {}", number);
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
