//! Retention: records past their retention period are removed, a portion at a time, so that nothing waits for it.

use std::time::Duration;

use crate::domain::{Clock, Timestamp};
use crate::store::{Store, StoreError};
use crate::upkeep::returns;

/// Callbacks removed in one round at most: with a round every five seconds, some eight million a day.
const PORTION: i64 = 500;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Callbacks of providers and mails that came back, in days.
    pub callback_days: u32,
    /// The sealed texts of people's answers, in days.
    pub reply_days: u32,
}

/// Forgets expired mails that came back; what was read in them stays.
async fn forget_mails(store: &Store, before: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    if !store.read().await?.arrivals_have_older(before).await? {
        return Ok(());
    }
    let mut tx = store.write().await?;
    let forgotten = tx.arrivals_forget(before, PORTION, now).await?;
    tx.commit().await?;
    tracing::info!(forgotten, "expired mails and first lines of answers were removed");
    Ok(())
}

/// Forgets at which mail domains an account had a turn long ago.
async fn forget_turns(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let before = now.before(DAY);
    if store.read().await?.domain_turns_old(before).await? == 0 {
        return Ok(());
    }
    let mut tx = store.write().await?;
    tx.domain_turns_forget(before).await?;
    tx.commit().await
}

/// Removes a portion of the expired callbacks; returns how many. One that waits to be applied stays.
///
/// # Errors
/// The database cannot be used.
pub async fn remove_old(store: &Store, clock: &dyn Clock, retention: Retention) -> Result<usize, StoreError> {
    let now = clock.now();
    let before = now.before(DAY * retention.callback_days);
    forget_mails(store, before, now).await?;
    returns::forget_replies(store, now.before(DAY * retention.reply_days), now).await?;
    forget_turns(store, now).await?;
    if !store.read().await?.inbox_has_older(before).await? {
        return Ok(0);
    }
    let mut tx = store.write().await?;
    let removed = tx.inbox_remove_old(before, PORTION, now).await?;
    tx.commit().await?;
    if removed > 0 {
        tracing::info!(removed, "expired callbacks were removed");
    }
    Ok(removed)
}
