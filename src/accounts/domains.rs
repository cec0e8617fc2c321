//! What an account may hand over to one mail domain, over all nodes: so many letters a minute, and so many at once.

use std::time::Duration;

use super::rate::{self, behind, interval};
use super::{Accounts, ConfiguredAccount};
use crate::domain::Timestamp;
use crate::domain::provider_state::DomainTurn;

/// How long a hand-over is assumed to take, where it must be guessed when the next one may begin.
const CALL_ASSUMED: Duration = Duration::from_secs(1);
/// How long a letter that somebody waits for is put off where as many as may be are under way.
const URGENT_WAIT: Duration = Duration::from_secs(1);

/// A letter that is about to go to a mail domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arriving {
    /// How many letters of the account to the domain are under way.
    pub under_way: u32,
    /// Whether it was given a moment of its own before.
    pub has_a_turn: bool,
    /// Whether it goes ahead of those that were given one, because somebody waits for it.
    pub is_urgent: bool,
}

/// Whether it may go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtDomain {
    /// It may.
    Now,
    /// The rate for the domain is used up until then.
    TooFast(Timestamp),
    /// As many as may be are under way; it asks again then.
    Full(Timestamp),
}

impl ConfiguredAccount {
    /// Whether anything limits what it hands over to one mail domain.
    #[must_use]
    pub const fn limits_domains(&self) -> bool {
        self.rate_per_domain.is_some() || self.concurrency_per_domain.is_some()
    }

    /// A letter's turn at one mail domain, and the state afterward. Who must wait is given a moment of its own, so that a backlog
    /// does not come back all at once. How long hand-overs take is not known beforehand: a letter that finds no room again when
    /// its moment has come is given another, behind the others.
    #[must_use]
    pub fn turn_at_domain(&self, turn: DomainTurn, letter: Arriving, now: Timestamp) -> (DomainTurn, AtDomain) {
        if let Some(most) = self.concurrency_per_domain.filter(|most| letter.under_way >= *most) {
            return self.wait_at_domain(most, turn, letter, now);
        }
        let goes_ahead = letter.has_a_turn || letter.is_urgent;
        let (after, until) = match self.rate_per_domain {
            Some(rate) => rate::turn(rate, turn, goes_ahead, now),
            // The row says when it was last of use.
            None => (DomainTurn { arrival_ms: turn.arrival_ms.max(now), ..turn }, None),
        };
        (after, until.map_or(AtDomain::Now, AtDomain::TooFast))
    }

    fn wait_at_domain(&self, most: u32, turn: DomainTurn, letter: Arriving, now: Timestamp) -> (DomainTurn, AtDomain) {
        if letter.is_urgent {
            return (turn, AtDomain::Full(now.after(URGENT_WAIT)));
        }
        let apart = (CALL_ASSUMED / most.max(1)).max(self.rate_per_domain.map(interval).unwrap_or_default());
        let (after, until) = behind(apart, turn, now);
        (after, AtDomain::Full(until))
    }
}

impl Accounts {
    /// The names of the accounts that limit what they hand over to one mail domain.
    pub fn limiting_domains(&self) -> impl Iterator<Item = &str> {
        self.iter().filter(|(_, account)| account.limits_domains()).map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::stub;

    const NOW: Timestamp = Timestamp(1_795_000_000_000);
    const LETTER: Arriving = Arriving { under_way: 0, has_a_turn: false, is_urgent: false };

    fn account(rate_per_domain: Option<u32>, concurrency_per_domain: Option<u32>) -> ConfiguredAccount {
        ConfiguredAccount { rate_per_domain, concurrency_per_domain, ..stub::account("mail", 4) }
    }

    #[test]
    fn only_as_many_go_at_once_as_may_and_each_that_waits_has_a_moment_of_its_own() {
        let account = account(None, Some(2));
        let full = Arriving { under_way: 2, ..LETTER };
        let mut turn = DomainTurn::default();
        for under_way in 0..2 {
            let (after, may) = account.turn_at_domain(turn, Arriving { under_way, ..LETTER }, NOW);
            assert_eq!(may, AtDomain::Now);
            turn = after;
        }
        assert_eq!(turn.arrival_ms, NOW, "the row is of use");
        let mut moments = Vec::new();
        for has_a_turn in [false, false, true] {
            let (after, may) = account.turn_at_domain(turn, Arriving { has_a_turn, ..full }, NOW);
            let AtDomain::Full(until) = may else { panic!("{may:?}") };
            moments.push(until.since(NOW).as_millis());
            turn = after;
        }
        assert_eq!(moments, [500, 1000, 1500], "one behind the other, and nobody goes twice");
        let (after, may) = account.turn_at_domain(turn, Arriving { is_urgent: true, ..full }, NOW);
        assert_eq!((after, may), (turn, AtDomain::Full(NOW.after(URGENT_WAIT))), "somebody waits for it");
        let (_, may) = account.turn_at_domain(turn, LETTER, NOW);
        assert_eq!(may, AtDomain::Now, "where there is room, nobody waits for a moment that was given away");
    }

    #[test]
    fn the_rate_counts_beside_and_an_account_without_limits_asks_for_no_row() {
        let both = account(Some(6), Some(8));
        let (turn, may) = both.turn_at_domain(DomainTurn::default(), LETTER, NOW);
        assert_eq!(may, AtDomain::Now);
        let (_, may) = both.turn_at_domain(turn, Arriving { under_way: 1, ..LETTER }, NOW);
        assert_eq!(may, AtDomain::TooFast(NOW.after(Duration::from_secs(10))));
        let (_, may) = both.turn_at_domain(turn, Arriving { under_way: 8, ..LETTER }, NOW);
        assert_eq!(may, AtDomain::Full(NOW.after(Duration::from_secs(10))), "no sooner than the rate allows");
        assert!(both.limits_domains() && account(None, Some(1)).limits_domains());
        assert!(!account(None, None).limits_domains());
    }
}
