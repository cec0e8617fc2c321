//! Which copies providers are asked to delete once a letter has ended.

use std::time::Duration;

use super::Rules;
use super::case::Case;
use crate::domain::Timestamp;
use crate::domain::attempt::{Attempt, AttemptStatus};
use crate::store::records::purges::Purge;

/// How long a provider keeps its copy after the end: its last callbacks are on their way.
const KEPT: Duration = Duration::from_secs(60);

/// The copies of a letter that has ended, to be deleted by the accounts that do so by themselves.
pub(super) fn of_ended(case: &Case, rules: &Rules, now: Timestamp) -> Vec<Purge> {
    if !case.message.status.is_terminal() {
        return Vec::new();
    }
    let does = |attempt: &Attempt| {
        rules.capabilities.get(&attempt.provider).is_some_and(|can| can.purge)
            && rules.purging.get(&attempt.provider).is_some_and(|purging| purging.covers(case.message.phi))
    };
    copies(&case.attempts, does, now.after(KEPT))
}

/// The copies that providers have of hand-overs that have ended, at the accounts that can delete, to be deleted then.
#[must_use]
pub fn copies(attempts: &[Attempt], can: impl Fn(&Attempt) -> bool, due: Timestamp) -> Vec<Purge> {
    let has_ended = |one: &&Attempt| matches!(one.status, AttemptStatus::Delivered | AttemptStatus::Failed);
    let ended = attempts.iter().filter(has_ended).filter(|one| one.provider_reference.is_some() && can(one));
    let purge = |attempt: &Attempt| Purge {
        attempt_id: attempt.id,
        message_id: attempt.message_id,
        provider: attempt.provider.clone(),
        due_ms: due,
        tries: 0,
        given_up_ms: None,
    };
    ended.map(purge).collect()
}
