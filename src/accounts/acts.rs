//! What a person does about an account: pause it, resume it, send a test page through it. Each act is recorded in
//! the audit trail.

use crate::domain::Actor;
use crate::domain::AuditAct;
use crate::domain::Timestamp;
use crate::domain::id::AttemptId;
use crate::store::{Store, StoreError};

/// Pauses an account on all nodes: nothing is handed over to it until someone resumes it. `reason` is shown to
/// operators.
///
/// # Errors
/// Database errors; then nothing was changed.
pub async fn pause(store: &Store, name: &str, reason: &str, who: &Actor, now: Timestamp) -> Result<(), StoreError> {
    set_pause(store, name, Some(reason), who, now).await
}

/// Ends the pause of an account.
///
/// # Errors
/// Database errors; then nothing was changed.
pub async fn resume(store: &Store, name: &str, who: &Actor, now: Timestamp) -> Result<(), StoreError> {
    set_pause(store, name, None, who, now).await
}

/// Ends the pause of an account whose relay refused several recipients in a row with the same words, because a person has
/// found that it was right: the same refusal of the same recipients counts from now on. Without it, the next refusal with
/// those words pauses the account again.
///
/// # Errors
/// Database errors; then nothing was changed.
pub async fn resume_and_let_refusals_stand(
    store: &Store,
    name: &str,
    who: &Actor,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    tx.refusals_lock(name, now).await?;
    let refusals = tx.refusals_stand(name, now).await?;
    tx.provider_ensure(name, now).await?;
    tx.provider_pause(name, None, now).await?;
    let detail = format!("{refusals} refusals stand");
    tx.audit(who, AuditAct::ResumeProvider, Some(name), Some(&detail), now).await?;
    tx.commit().await
}

async fn set_pause(
    store: &Store,
    name: &str,
    reason: Option<&str>,
    who: &Actor,
    now: Timestamp,
) -> Result<(), StoreError> {
    let act = if reason.is_some() { AuditAct::PauseProvider } else { AuditAct::ResumeProvider };
    let mut tx = store.write().await?;
    tx.provider_ensure(name, now).await?;
    tx.provider_pause(name, reason, now).await?;
    tx.audit(who, act, Some(name), reason, now).await?;
    tx.commit().await
}

/// Records that a test page is about to be sent by a description (its file name), outside any message. To be committed
/// before the call is made: no provider is called without a record of it.
///
/// # Errors
/// Database errors; then the call must not be made.
pub async fn record_trial(
    store: &Store,
    description: &str,
    attempt: AttemptId,
    who: &Actor,
    now: Timestamp,
) -> Result<(), StoreError> {
    let detail = format!("test page {attempt}");
    let mut tx = store.write().await?;
    tx.audit(who, AuditAct::TryProvider, Some(description), Some(&detail), now).await?;
    tx.commit().await
}
