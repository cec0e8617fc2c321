//! Start-time fair queueing (Goyal, Vin, Cheng 1996): each entry's rank is where its turn begins in virtual time.

use crate::domain::Lane;

/// Virtual time that one unit of cost takes at weight 1.
const UNIT: i64 = 1_000_000;

/// The turns of one flow.
#[derive(Debug)]
pub struct Turns {
    last: i64,
}

impl Turns {
    /// Goes on where the flow left off, or at the present virtual time if it was idle.
    pub const fn new(last: i64, virtual_now: i64) -> Self {
        Self { last: if last > virtual_now { last } else { virtual_now } }
    }

    /// The rank of the next entry, `max(virtual_now, last) + cost / weight`.
    pub const fn next(&mut self, cost: i64, lane: Lane) -> i64 {
        let cost = if cost < 1 { 1 } else { cost };
        self.last = self.last.saturating_add(UNIT.saturating_mul(cost) / lane.weight());
        self.last
    }

    /// The last rank given.
    pub const fn last(&self) -> i64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_one_off_goes_before_nearly_all_of_a_broadcast_that_came_first() {
        let mut broadcast = Turns::new(0, 0);
        let ranks: Vec<i64> = (0..1000).map(|_| broadcast.next(1, Lane::Broadcast)).collect();
        let letter = Turns::new(0, ranks[9]).next(1, Lane::OneOff);
        assert!(ranks.iter().filter(|rank| **rank < letter).count() <= 11);
    }

    #[test]
    fn two_backlogged_flows_of_equal_weight_take_turns() {
        let (mut a, mut b) = (Turns::new(0, 0), Turns::new(0, 0));
        let mut order: Vec<(i64, char)> =
            (0..100).flat_map(|_| [(a.next(1, Lane::Broadcast), 'a'), (b.next(1, Lane::Broadcast), 'b')]).collect();
        order.sort_unstable();
        let difference = order.iter().take(99).fold(0_i32, |sum, (_, flow)| sum + if *flow == 'a' { 1 } else { -1 });
        assert!(difference.abs() <= 1);
    }

    fn lane() -> impl Strategy<Value = Lane> {
        prop::sample::select(Lane::ALL)
    }

    /// All entries of two flows in the order of their turns: (rank, flow, cost).
    fn merged(costs: [&[i64]; 2], lane: Lane) -> Vec<(i64, usize, i64)> {
        let mut order = Vec::new();
        for (flow, costs) in costs.into_iter().enumerate() {
            let mut turns = Turns::new(0, 0);
            order.extend(costs.iter().map(|cost| (turns.next(*cost, lane), flow, *cost)));
        }
        order.sort_unstable();
        order
    }

    proptest! {
        #[test]
        fn turns_of_a_flow_only_go_forward_whatever_they_cost(
            last in 0..i64::MAX, now in 0..i64::MAX, costs in prop::collection::vec(any::<i64>(), 1..20), lane in lane(),
        ) {
            let mut turns = Turns::new(last, now);
            let mut before = last.max(now);
            for cost in costs {
                let rank = turns.next(cost, lane);
                prop_assert!(rank > before || rank == i64::MAX);
                prop_assert_eq!(turns.last(), rank);
                before = rank;
            }
        }

        #[test]
        fn a_flow_that_was_idle_has_saved_nothing_up(last in 0i64..1_000_000, idle in 1i64..1_000_000_000, lane in lane()) {
            let now = last + idle;
            prop_assert_eq!(Turns::new(last, now).next(1, lane), Turns::new(0, now).next(1, lane));
        }

        #[test]
        fn while_both_wait_two_flows_are_served_alike_within_one_letter_of_each(
            a in prop::collection::vec(1i64..6, 30..60), b in prop::collection::vec(1i64..6, 30..60), lane in lane(),
        ) {
            let (mut served, mut left) = ([0_i64; 2], [a.len(), b.len()]);
            for (_, flow, cost) in merged([&a, &b], lane) {
                served[flow] += cost;
                left[flow] -= 1;
                if left[0] > 0 && left[1] > 0 {
                    prop_assert!((served[0] - served[1]).abs() <= 6, "{served:?}");
                }
            }
        }

        #[test]
        fn a_single_letter_waits_for_no_more_than_its_share_of_a_backlog(backlog in 1usize..2000, turn in any::<prop::sample::Index>()) {
            let mut broadcast = Turns::new(0, 0);
            let ranks: Vec<i64> = (0..backlog).map(|_| broadcast.next(1, Lane::Broadcast)).collect();
            let now = ranks[turn.index(backlog)];
            for lane in [Lane::OneOff, Lane::Treatment] {
                let letter = Turns::new(0, now).next(1, lane);
                prop_assert!(ranks.iter().filter(|rank| **rank > now && **rank < letter).count() <= 1);
            }
        }
    }
}
