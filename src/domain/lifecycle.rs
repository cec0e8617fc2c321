//! How states follow one another: pure functions, the same whatever order the facts come in.
//!
//! ```text
//! attempt:  calling -> accepted | refused | not_sent | in_doubt
//!           in_doubt -> accepted | not_sent | delivered | failed        accepted -> delivered | failed
//! message:  held <-> queued -> accepted -> delivered | failed
//!           queued -> suppressed | cancelled | expired;  calling -> in_doubt -> accepted | queued | failed | expired
//! ```

use super::attempt::{AttemptStatus, Outcome};
use super::channel::Channel;
use super::event::Fact;

/// The attempt's status after the provider's answer to the call itself.
#[must_use]
pub const fn answered(outcome: &Outcome) -> AttemptStatus {
    match outcome {
        Outcome::Accepted { .. } => AttemptStatus::Accepted,
        Outcome::Refused(_) => AttemptStatus::Refused,
        Outcome::NotSent(_) => AttemptStatus::NotSent,
        Outcome::Unknown(_) => AttemptStatus::InDoubt,
    }
}

/// How much a status outweighs another when facts disagree or come out of order. A fold that keeps the heavier of two
/// is commutative, associative and idempotent, which is what makes late, doubled and reordered events harmless.
///
/// For a fax a confirmation of pages outweighs a failure; for mail a bounce outweighs an acceptance that had been
/// presumed delivered.
const fn weight(channel: Channel, status: AttemptStatus) -> u8 {
    match (status, channel) {
        (AttemptStatus::Calling, _) => 0,
        (AttemptStatus::InDoubt, _) => 1,
        (AttemptStatus::NotSent, _) => 2,
        (AttemptStatus::Refused, _) => 3,
        (AttemptStatus::Accepted, _) => 4,
        (AttemptStatus::Failed, Channel::Fax) | (AttemptStatus::Delivered, Channel::Email) => 5,
        (AttemptStatus::Delivered, Channel::Fax) | (AttemptStatus::Failed, Channel::Email) => 6,
    }
}

/// The status that a fact argues for.
const fn claimed(fact: &Fact) -> AttemptStatus {
    match fact {
        Fact::Progress { .. } => AttemptStatus::Accepted,
        Fact::Delivered { .. } => AttemptStatus::Delivered,
        Fact::Failed(_) => AttemptStatus::Failed,
    }
}

/// The attempt's status after a fact from outside: the heavier of what stands and what is claimed.
#[must_use]
pub const fn after_fact(channel: Channel, standing: AttemptStatus, fact: &Fact) -> AttemptStatus {
    heavier(channel, standing, claimed(fact))
}

/// The attempt's status after the answer to its call, which may arrive after a webhook about the same call.
#[must_use]
pub const fn after_answer(channel: Channel, standing: AttemptStatus, outcome: &Outcome) -> AttemptStatus {
    heavier(channel, standing, answered(outcome))
}

const fn heavier(channel: Channel, a: AttemptStatus, b: AttemptStatus) -> AttemptStatus {
    if weight(channel, b) > weight(channel, a) { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::{Failure, Fault};
    use proptest::prelude::*;

    fn fact() -> impl Strategy<Value = Fact> {
        prop_oneof![
            Just(Fact::Progress { stage: "sending".into() }),
            Just(Fact::Delivered { pages: Some(1) }),
            Just(Fact::Failed(Failure::new(Fault::Busy))),
        ]
    }

    fn fold(channel: Channel, facts: &[Fact]) -> AttemptStatus {
        facts.iter().fold(AttemptStatus::Calling, |standing, fact| after_fact(channel, standing, fact))
    }

    proptest! {
        #[test]
        fn any_order_and_any_repetition_of_facts_ends_the_same(
            facts in prop::collection::vec(fact(), 1..6),
            order in prop::collection::vec(0usize..6, 0..12),
            fax in any::<bool>(),
        ) {
            let channel = if fax { Channel::Fax } else { Channel::Email };
            let mut shuffled: Vec<Fact> = order.iter().map(|i| facts[i % facts.len()].clone()).collect();
            shuffled.extend(facts.iter().rev().cloned());
            prop_assert_eq!(fold(channel, &facts), fold(channel, &shuffled));
        }
    }

    #[test]
    fn a_late_bounce_corrects_a_presumed_delivery_and_a_late_failure_does_not_undo_confirmed_pages() {
        let failed = Fact::Failed(Failure::new(Fault::MailboxUnknown));
        assert_eq!(after_fact(Channel::Email, AttemptStatus::Delivered, &failed), AttemptStatus::Failed);
        assert_eq!(after_fact(Channel::Fax, AttemptStatus::Delivered, &failed), AttemptStatus::Delivered);
    }
}
