//! What comes back, over time: suppressions for a while end, the texts of answers are deleted, and a broadcast of which too much comes
//! back pauses itself.

use crate::consent;
use crate::domain::returned::PauseRules;
use crate::domain::{Actor, AddressKey, AuditAct, Clock, MessageStatus, PolicyReason, Rule, Timestamp};
use crate::settle::{self, Origin, Rules};
use crate::store::{Store, StoreError};

/// Suppressions that end in one round at most.
const PORTION: i64 = 200;

/// Ends the suppressions whose time is over, a portion at a time. Returns how many. Reads before it writes.
///
/// # Errors
/// The database cannot be used.
pub async fn lift_expired(store: &Store, clock: &dyn Clock) -> Result<usize, StoreError> {
    let now = clock.now();
    let expired = store.read().await?.suppressions_expired(now, PORTION).await?;
    if expired.is_empty() {
        return Ok(0);
    }
    let mut tx = store.write().await?;
    let mut lifted = 0;
    for id in expired {
        lifted +=
            usize::from(consent::lift_in(&mut tx, id, &Actor::Rule(Rule::Expiry), "its time is over", now).await?);
    }
    tx.commit().await?;
    Ok(lifted)
}

/// Deletes the texts of answers that were received before a moment, a portion at a time; that somebody answered stays on record. Reads
/// before it writes.
///
/// # Errors
/// The database cannot be used.
pub async fn forget_replies(store: &Store, before: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    if !store.read().await?.replies_have_older(before).await? {
        return Ok(());
    }
    let mut tx = store.write().await?;
    let forgotten = tx.replies_forget(before, PORTION, now).await?;
    tx.commit().await?;
    tracing::info!(forgotten, "expired texts of answers were deleted");
    Ok(())
}

/// Queues what is held of broadcasts that a person has let go on, a portion at a time. Returns how many messages. Reads before it writes.
///
/// # Errors
/// The database cannot be used.
pub async fn go_on(store: &Store, clock: &dyn Clock, rules: &Rules) -> Result<usize, StoreError> {
    let now = clock.now();
    let held = store.read().await?.messages_held_though_resumed(PORTION).await?;
    if held.is_empty() {
        return Ok(0);
    }
    let mut tx = store.write().await?;
    // Addresses before messages, as everywhere.
    let keys: Vec<AddressKey> = tx.messages(&held, false).await?.iter().map(|message| message.address.key()).collect();
    tx.addresses_lock(&keys).await?;
    let mut messages = tx.messages(&held, true).await?;
    messages.retain(|message| {
        message.status == MessageStatus::Held && message.reason == Some(PolicyReason::BroadcastPaused.into())
    });
    tx.touches_lock(&messages.iter().map(|message| message.touch_id).collect::<Vec<_>>()).await?;
    let origin = Origin::rule(Rule::TooManyReturns);
    for message in &mut messages {
        settle::go_on(&mut tx, message, now.after(rules.give_up), &rules.domains, &origin, now).await?;
    }
    tx.commit().await?;
    Ok(messages.len())
}

/// Pauses the broadcasts of which too much came back; the gate holds the rest of their letters. Returns how many. Reads before
/// it writes.
///
/// # Errors
/// The database cannot be used.
pub async fn pause_broadcasts(store: &Store, clock: &dyn Clock, rules: &PauseRules) -> Result<usize, StoreError> {
    let now = clock.now();
    let mut verdicts = Vec::new();
    let mut tx = store.read().await?;
    for id in tx.broadcasts_watched().await? {
        let back = tx.broadcast_came_back(id).await?;
        verdicts.extend(rules.verdict(back.handed_over, back.bounced, back.ours, back.complained).map(|why| (id, why)));
    }
    drop(tx);
    let mut paused = 0;
    for (id, why) in verdicts {
        let mut tx = store.write().await?;
        if tx.broadcast_pause(id, &why, now).await? {
            let rule = Actor::Rule(Rule::TooManyReturns);
            tx.audit(&rule, AuditAct::PauseBroadcast, Some(&id.to_string()), Some(&why), now).await?;
            tx.commit().await?;
            tracing::warn!(broadcast = %id, why, "a broadcast pauses itself");
            paused += 1;
        }
    }
    Ok(paused)
}
