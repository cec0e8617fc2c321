//! Submissions that were withdrawn by a program that ended before it had cancelled all their messages. The gate lets none of
//! those through; here they are cancelled, so that they do not wait until they are due.

use std::time::Duration;

use crate::domain::{Actor, Clock};
use crate::settle::{self, Origin};
use crate::store::{Store, StoreError};

/// How far back to look. What is older was cancelled long ago, here or at the gate.
const LOOK_BACK: Duration = Duration::from_secs(7 * 24 * 3600);

/// Cancels what is left of withdrawn submissions, at most one portion of each. Returns how many messages. Reads before it
/// writes.
///
/// # Errors
/// The database cannot be used.
pub async fn finish(store: &Store, clock: &dyn Clock) -> Result<usize, StoreError> {
    let now = clock.now();
    let left = store.read().await?.submissions_undone_left(now.before(LOOK_BACK)).await?;
    let mut messages = 0;
    for (submission, who) in left {
        let origin = Origin::person(&who.unwrap_or(Actor::System));
        let mut tx = store.write().await?;
        messages += settle::withdraw_some(&mut tx, submission, &origin, now).await?;
        tx.commit().await?;
    }
    Ok(messages)
}
