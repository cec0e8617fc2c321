//! What a person may record about referrers and their addresses: edits, refusals, bases, touches made by hand.

use super::{IntakeError, Parts};
use crate::domain::basis::Basis;
use crate::domain::id::{ReferrerId, SuppressionId, TouchId};
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::domain::suppression::{Scope, Suppression};
use crate::domain::touch::{Disposition, Touch, TouchKind};
use crate::domain::{Address, MessageStatus, Timestamp};
use crate::policy::Reason;
use crate::settle::{self, Told};
use crate::store::Tx;

/// A refusal as it comes in.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The address.
    pub address: Address,
    /// How far it goes.
    pub scope: Scope,
    /// Why, such as `opt_out`.
    pub reason: String,
    /// By which path: `operator`, `web`, `one_click`.
    pub source: String,
    /// What proves it.
    pub evidence: Option<String>,
    /// Who recorded it.
    pub who: String,
}

/// Records a refusal: from its commit on, nothing of that scope is handed over to the address. What waits for it is
/// ended, and an opt-out ends the relationship that allowed faxing (`compliance.md` R2.9, R2.11). Returns how many
/// waiting messages it ended.
///
/// # Errors
/// As every store function.
pub async fn suppress(parts: &Parts, refusal: &Refusal) -> Result<usize, IntakeError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let ended = suppress_in(&mut tx, refusal, now).await?;
    tx.commit().await?;
    Ok(ended)
}

async fn suppress_in(tx: &mut Tx, refusal: &Refusal, now: Timestamp) -> Result<usize, IntakeError> {
    let address = &refusal.address;
    tx.addresses_ensure(&[(address.channel(), address.key())], now).await?;
    tx.addresses_lock(&[address.key()]).await?;
    let fresh = tx
        .suppression_insert(&Suppression {
            id: SuppressionId::new(),
            channel: address.channel(),
            address: address.key(),
            scope: refusal.scope,
            reason: refusal.reason.clone(),
            source: refusal.source.clone(),
            evidence: refusal.evidence.clone(),
            who: refusal.who.clone(),
            created_ms: now,
            lifted_ms: None,
            lifted_by: None,
            lifted_reason: None,
        })
        .await?;
    if let Address::Fax(number) = address {
        tx.basis_end_all(number, &refusal.reason, now).await?;
    }
    if fresh {
        tx.audit(&refusal.who, "suppress", Some(&address.masked()), Some(refusal.scope.as_str()), now).await?;
    }
    let mut ended = 0;
    let messages = tx.messages_unsettled_to(address).await?;
    tx.touches_lock(&messages.iter().map(|message| message.touch_id).collect::<Vec<_>>()).await?;
    for mut message in messages {
        ended += usize::from(end_if_covered(tx, &mut message, refusal, now).await?);
    }
    Ok(ended)
}

/// Ends a waiting message that the refusal covers. One that is with a provider already runs its course.
async fn end_if_covered(
    tx: &mut Tx,
    message: &mut Message,
    refusal: &Refusal,
    now: Timestamp,
) -> Result<bool, IntakeError> {
    let waiting = matches!(message.status, MessageStatus::Queued | MessageStatus::Held);
    if !waiting || !refusal.scope.covers(message.purpose) || !tx.attempts_open(&[message.id]).await?.is_empty() {
        return Ok(false);
    }
    let told = Told::by_operator(&refusal.who);
    settle::end_message(tx, message, MessageStatus::Suppressed, Reason::OptedOut.as_str(), &told, now).await?;
    Ok(true)
}

/// Ends a refusal, with the reason why it may end.
///
/// # Errors
/// [`IntakeError::NotFound`] if it does not stand.
pub async fn lift(parts: &Parts, id: SuppressionId, who: &str, reason: &str) -> Result<(), IntakeError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    if !tx.suppression_lift(id, who, reason, now).await? {
        return Err(IntakeError::NotFound(format!("there is no standing suppression {id}")));
    }
    tx.audit(who, "lift_suppression", Some(&id.to_string()), Some(reason), now).await?;
    tx.commit().await?;
    Ok(())
}

/// Records a basis for faxing advertisements to a number.
///
/// # Errors
/// As every store function.
pub async fn add_basis(parts: &Parts, basis: &Basis) -> Result<(), IntakeError> {
    let mut tx = parts.store.write().await?;
    tx.basis_insert(basis).await?;
    tx.audit(&basis.by_whom, "add_basis", Some(&basis.fax.masked()), Some(basis.kind.as_str()), basis.created_ms)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Changes a referrer. A changed address has everything to prove anew; the old one keeps its record.
///
/// # Errors
/// [`IntakeError::NotFound`] if the referrer is gone, [`IntakeError::Invalid`] if another one has the same NPI.
pub async fn edit(
    parts: &Parts,
    id: ReferrerId,
    who: &str,
    change: impl FnOnce(&mut Referrer),
) -> Result<Referrer, IntakeError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let mut referrer =
        tx.referrer(id).await?.ok_or_else(|| IntakeError::NotFound(format!("there is no referrer {id}")))?;
    change(&mut referrer);
    referrer.updated_ms = now;
    tx.referrer_put(&referrer).await.map_err(npi_taken)?;
    tx.audit(who, "edit_referrer", Some(&id.to_string()), None, now).await?;
    tx.commit().await?;
    Ok(referrer)
}

pub(super) fn npi_taken(error: crate::store::StoreError) -> IntakeError {
    match error {
        crate::store::StoreError::Conflict(_) => IntakeError::Invalid("another referrer has the same NPI".to_owned()),
        other => IntakeError::Store(other),
    }
}

/// Logs a touch that a person made: a call, a visit, a meeting, a lunch-and-learn; or a referral that came in.
///
/// # Errors
/// [`IntakeError::NotFound`] if the referrer is gone, [`IntakeError::Invalid`] for a letter, which only sending makes.
pub async fn log_touch(
    parts: &Parts,
    referrer: ReferrerId,
    kind: TouchKind,
    title: &str,
    at: Option<Timestamp>,
    who: &str,
) -> Result<TouchId, IntakeError> {
    if kind == TouchKind::Letter {
        return Err(IntakeError::Invalid("a letter becomes a touch by being sent".to_owned()));
    }
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    tx.referrer(referrer).await?.ok_or_else(|| IntakeError::NotFound(format!("there is no referrer {referrer}")))?;
    let occurred = at.unwrap_or(now);
    let touch = Touch {
        id: TouchId::new(),
        referrer_id: referrer,
        submission_id: None,
        broadcast_id: None,
        kind,
        letter: None,
        title: title.chars().take(200).collect(),
        category: None,
        disposition: Disposition::Delivered,
        occurred_ms: occurred,
        delivered_ms: Some(occurred),
        actor: who.to_owned(),
        notes: None,
    };
    tx.touches_insert(std::slice::from_ref(&touch)).await?;
    tx.audit(who, "log_touch", Some(&referrer.to_string()), Some(kind.as_str()), now).await?;
    tx.commit().await?;
    Ok(touch.id)
}
