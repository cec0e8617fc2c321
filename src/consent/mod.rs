//! Consent: standing refusals of addresses, and the recorded permission or relationship that lets an advertisement be
//! faxed to a number (47 U.S.C. § 227(b)(1)(C)). From the commit of a refusal on, nothing it covers is handed over.

use std::sync::Arc;

use crate::domain::basis::Basis;
use crate::domain::id::SuppressionId;
use crate::domain::message::Message;
use crate::domain::suppression::{Scope, Suppression};
use crate::domain::{Address, Clock, MessageStatus, Timestamp};
use crate::policy::Reason;
use crate::settle::{self, Told};
use crate::store::{Store, StoreError, Tx};

/// What recording consent needs.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Why a refusal or a basis could not be recorded. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    /// There is no such suppression in force.
    #[error("{0}")]
    NotFound(String),
    /// The database cannot do it now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

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
pub async fn suppress(parts: &Parts, refusal: &Refusal) -> Result<usize, ConsentError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let ended = suppress_in(&mut tx, refusal, now).await?;
    tx.commit().await?;
    Ok(ended)
}

async fn suppress_in(tx: &mut Tx, refusal: &Refusal, now: Timestamp) -> Result<usize, ConsentError> {
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
) -> Result<bool, ConsentError> {
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
/// [`ConsentError::NotFound`] if it does not stand.
pub async fn lift(parts: &Parts, id: SuppressionId, who: &str, reason: &str) -> Result<(), ConsentError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    if !tx.suppression_lift(id, who, reason, now).await? {
        return Err(ConsentError::NotFound(format!("there is no standing suppression {id}")));
    }
    tx.audit(who, "lift_suppression", Some(&id.to_string()), Some(reason), now).await?;
    tx.commit().await?;
    Ok(())
}

/// Records a basis for faxing advertisements to a number.
///
/// # Errors
/// As every store function.
pub async fn add_basis(parts: &Parts, basis: &Basis) -> Result<(), ConsentError> {
    let mut tx = parts.store.write().await?;
    tx.basis_insert(basis).await?;
    tx.audit(&basis.by_whom, "add_basis", Some(&basis.fax.masked()), Some(basis.kind.as_str()), basis.created_ms)
        .await?;
    tx.commit().await?;
    Ok(())
}
