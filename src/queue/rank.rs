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
}
