//! How states follow one another: pure functions, with the same result in whatever order the facts come.
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

/// How much a status outweighs another when facts disagree or arrive out of order. A fold that keeps the heavier of two
/// is commutative, associative and idempotent, which is what makes late, repeated and reordered events harmless.
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

/// The status that a fact indicates.
const fn claimed(fact: &Fact) -> AttemptStatus {
    match fact {
        Fact::Progress { .. } => AttemptStatus::Accepted,
        Fact::Delivered { .. } => AttemptStatus::Delivered,
        Fact::Failed(_) => AttemptStatus::Failed,
    }
}

/// The attempt's status after a fact from outside: the heavier of the current and the indicated status.
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
    use crate::domain::attempt::ProviderReference;
    use crate::domain::fault::{Failure, Fault};
    use proptest::prelude::*;

    fn fact() -> impl Strategy<Value = Fact> {
        prop_oneof![
            Just(Fact::Progress { stage: "sending".into() }),
            Just(Fact::Delivered { pages: Some(1) }),
            Just(Fact::Failed(Failure::new(Fault::Busy))),
        ]
    }

    fn outcome() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            Just(Outcome::Accepted { reference: ProviderReference("fx_1".into()) }),
            Just(Outcome::Refused(Failure::new(Fault::Blocked))),
            Just(Outcome::NotSent(Failure::new(Fault::ProviderError))),
            Just(Outcome::Unknown(Failure::new(Fault::ProviderError))),
        ]
    }

    /// What may be learned about one call: facts, and its answer.
    fn news() -> impl Strategy<Value = Result<Fact, Outcome>> {
        prop_oneof![3 => fact().prop_map(Ok), 1 => outcome().prop_map(Err)]
    }

    fn fold(channel: Channel, news: &[Result<Fact, Outcome>]) -> AttemptStatus {
        news.iter().fold(AttemptStatus::Calling, |standing, news| match news {
            Ok(fact) => after_fact(channel, standing, fact),
            Err(outcome) => after_answer(channel, standing, outcome),
        })
    }

    fn channel(fax: bool) -> Channel {
        if fax { Channel::Fax } else { Channel::Email }
    }

    proptest! {
        #[test]
        fn any_order_and_any_repetition_of_facts_and_answers_ends_the_same(
            news in prop::collection::vec(news(), 1..8),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..16),
            fax in any::<bool>(),
        ) {
            let mut shuffled: Vec<Result<Fact, Outcome>> =
                order.iter().map(|place| place.get(&news).clone()).collect();
            shuffled.extend(news.iter().rev().cloned());
            prop_assert_eq!(fold(channel(fax), &news), fold(channel(fax), &shuffled));
        }

        #[test]
        fn once_it_is_known_how_a_call_ended_no_answer_and_no_progress_changes_that(
            news in prop::collection::vec(news(), 0..8),
            ended in prop_oneof![Just(Fact::Delivered { pages: None }), Just(Fact::Failed(Failure::new(Fault::Busy)))],
            late in outcome(),
            fax in any::<bool>(),
        ) {
            let known = after_fact(channel(fax), fold(channel(fax), &news), &ended);
            prop_assert!(!known.is_open());
            prop_assert_eq!(after_answer(channel(fax), known, &late), known);
            prop_assert_eq!(after_fact(channel(fax), known, &Fact::Progress { stage: "late".into() }), known);
        }
    }

    #[test]
    fn the_heavier_of_two_does_not_depend_on_which_came_first() {
        for channel in Channel::ALL.iter().copied() {
            for a in AttemptStatus::ALL.iter().copied() {
                assert_eq!(heavier(channel, a, a), a);
                assert_eq!(heavier(channel, AttemptStatus::Calling, a), a, "anything outweighs not knowing");
                for b in AttemptStatus::ALL.iter().copied() {
                    assert_eq!(heavier(channel, a, b), heavier(channel, b, a), "{a} and {b}");
                    for c in AttemptStatus::ALL.iter().copied() {
                        let (ab, bc) = (heavier(channel, a, b), heavier(channel, b, c));
                        assert_eq!(heavier(channel, ab, c), heavier(channel, a, bc), "{a}, {b} and {c}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_late_bounce_corrects_a_presumed_delivery_and_a_late_failure_does_not_undo_confirmed_pages() {
        let failed = Fact::Failed(Failure::new(Fault::MailboxUnknown));
        assert_eq!(after_fact(Channel::Email, AttemptStatus::Delivered, &failed), AttemptStatus::Failed);
        assert_eq!(after_fact(Channel::Fax, AttemptStatus::Delivered, &failed), AttemptStatus::Delivered);
    }
}
