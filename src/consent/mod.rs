//! Consent: suppressions of addresses, and the recorded permission or relationship that allows an advertisement to be
//! faxed to a number (47 U.S.C. § 227(b)(1)(C)). Once a suppression is committed, nothing it covers is handed over.

pub mod facts;

use std::collections::HashSet;
use std::sync::Arc;

use crate::domain::basis::{Basis, BasisKind};
use crate::domain::id::{BasisId, MessageId, ReferrerId, ReturnId, SuppressionId};
use crate::domain::message::Message;
use crate::domain::suppression::{Scope, Suppression, SuppressionReason, SuppressionSource};
use crate::domain::{Actor, Address, AuditAct, Clock, MessageStatus, Timestamp};
use crate::policy::suppressed_because;
use crate::settle::{self, Origin};
use crate::store::{Store, StoreError, Tx};

/// What recording consent needs.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Why a suppression or a basis could not be recorded. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    /// There is no such suppression or basis in force.
    #[error("{0}")]
    NotFound(String),
    /// The database cannot do it now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A suppression as received.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The address.
    pub address: Address,
    /// What it covers.
    pub scope: Scope,
    /// Why.
    pub reason: SuppressionReason,
    /// How it was received.
    pub source: SuppressionSource,
    /// Evidence.
    pub evidence: Option<String>,
    /// Who recorded it.
    pub who: Actor,
    /// The return that it follows from.
    pub because: Option<ReturnId>,
    /// When it ends by itself, where its reason only passes.
    pub expires_ms: Option<Timestamp>,
}

/// Records a suppression: once it is committed, nothing of that scope is handed over to the address. Messages waiting
/// to go there are stopped, and an opt-out ends the relationship that allowed faxing (`compliance.md` R2.9, R2.11).
/// Returns how many waiting messages it stopped.
///
/// # Errors
/// The database cannot be used.
pub async fn suppress(parts: &Parts, refusal: &Refusal) -> Result<usize, ConsentError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let ended = suppress_in(&mut tx, refusal, now).await?;
    tx.commit().await?;
    Ok(ended)
}

/// The same as [`suppress`] within a transaction that does more, such as an import. Takes the address's lock; whoever
/// suppresses several addresses in one transaction locks them all first, in one call.
///
/// # Errors
/// The database cannot be used.
pub(crate) async fn suppress_in(tx: &mut Tx, refusal: &Refusal, now: Timestamp) -> Result<usize, StoreError> {
    let address = &refusal.address;
    tx.addresses_ensure(&[address.key()], now).await?;
    tx.addresses_lock(&[address.key()]).await?;
    let is_own = refusal.source != SuppressionSource::Merge;
    replace_weaker(tx, refusal, now).await?;
    let fresh = tx
        .suppression_insert(&Suppression {
            id: SuppressionId::new(),
            channel: address.channel(),
            address: address.key(),
            scope: refusal.scope,
            reason: refusal.reason,
            source: refusal.source,
            evidence: refusal.evidence.clone(),
            who: refusal.who.clone(),
            created_ms: now,
            lifted_ms: None,
            lifted_by: None,
            lifted_reason: None,
            return_id: refusal.because,
            expires_ms: refusal.expires_ms,
        })
        .await?;
    // A refusal at another address does not end the basis for faxing this number.
    if let Address::Fax(number) = address
        && is_own
    {
        tx.basis_end_all(number, refusal.reason.as_str(), now).await?;
    }
    if fresh {
        tx.audit(&refusal.who, AuditAct::Suppress, Some(&address.masked()), Some(refusal.scope.as_str()), now).await?;
    }
    let messages = tx.messages_unsettled_to(address).await?;
    tx.touches_lock(&messages.iter().map(|message| message.touch_id).collect::<Vec<_>>()).await?;
    let mut covered = covered(tx, messages, refusal).await?;
    let origin = Origin::person(&refusal.who);
    settle::end(tx, &mut covered, MessageStatus::Suppressed, suppressed_because(refusal.reason).into(), &origin, now)
        .await?;
    Ok(covered.len())
}

/// Ends what the refusal takes the place of: what a merge brought to the address, which would end with the merge, and what only came
/// back or lasts for a while, which would end without regard to the refusal.
async fn replace_weaker(tx: &mut Tx, refusal: &Refusal, now: Timestamp) -> Result<(), StoreError> {
    let new = strength(refusal.source, refusal.reason, refusal.expires_ms);
    for known in tx.suppressions_of(&refusal.address).await? {
        if known.scope == refusal.scope && strength(known.source, known.reason, known.expires_ms) < new {
            lift_in(tx, known.id, &refusal.who, "another one takes its place", now).await?;
        }
    }
    Ok(())
}

/// How well a suppression stands: one for a while, one because letters came back, one from a merge, a complaint, somebody's will.
fn strength(source: SuppressionSource, reason: SuppressionReason, expires: Option<Timestamp>) -> u8 {
    match (source, reason) {
        (_, SuppressionReason::Bounced) if expires.is_some() => 0,
        (_, SuppressionReason::Bounced) => 1,
        (SuppressionSource::Merge, _) => 2,
        (_, SuppressionReason::Complaint) => 3,
        _ => 4,
    }
}

/// The waiting messages that the suppression covers. One that is already with a provider runs its course.
async fn covered(tx: &mut Tx, messages: Vec<Message>, refusal: &Refusal) -> Result<Vec<Message>, StoreError> {
    let ids: Vec<MessageId> = messages.iter().map(|message| message.id).collect();
    let open: HashSet<MessageId> = tx.attempts_open(&ids).await?.into_iter().map(|one| one.message_id).collect();
    let waits = |message: &Message| matches!(message.status, MessageStatus::Queued | MessageStatus::Held);
    let is_covered =
        |message: &Message| waits(message) && refusal.scope.covers(message.purpose) && !open.contains(&message.id);
    Ok(messages.into_iter().filter(is_covered).collect())
}

/// Lifts a suppression, with the reason why it may be lifted.
///
/// # Errors
/// [`ConsentError::NotFound`] if it is not in effect.
pub async fn lift(parts: &Parts, id: SuppressionId, who: &Actor, reason: &str) -> Result<(), ConsentError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    if !lift_in(&mut tx, id, who, reason, now).await? {
        return Err(ConsentError::NotFound(format!("no suppression {id} is in effect")));
    }
    tx.commit().await?;
    Ok(())
}

/// The same as [`lift`] within a transaction that does more. False: it is not in effect, and nothing was changed.
///
/// # Errors
/// The database cannot be used.
pub(crate) async fn lift_in(
    tx: &mut Tx,
    id: SuppressionId,
    who: &Actor,
    reason: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !tx.suppression_lift(id, who, reason, now).await? {
        return Ok(false);
    }
    tx.audit(who, AuditAct::LiftSuppression, Some(&id.to_string()), Some(reason), now).await?;
    Ok(true)
}

/// Records a basis for faxing advertisements to a number.
///
/// # Errors
/// The database cannot be used.
pub async fn add_basis(parts: &Parts, basis: &Basis, who: &Actor) -> Result<(), ConsentError> {
    let tx = parts.store.write().await?;
    Ok(record(tx, basis, who).await?)
}

async fn record(mut tx: Tx, basis: &Basis, who: &Actor) -> Result<(), StoreError> {
    tx.basis_insert(basis).await?;
    tx.audit(who, AuditAct::AddBasis, Some(&basis.fax.masked()), Some(basis.kind.as_str()), basis.created_ms).await?;
    tx.commit().await
}

/// What became of a permission that somebody gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// It is recorded.
    Recorded,
    /// A permission for the number is in effect already: nothing was changed.
    OnRecord,
    /// An opt-out of the number is in effect, which a permission does not end: nothing was changed.
    OptedOut,
}

/// Records a permission for faxing advertisements to a number, unless one is in effect already or an opt-out is.
///
/// # Errors
/// The database cannot be used.
pub async fn add_permission(parts: &Parts, basis: &Basis, who: &Actor) -> Result<Permission, ConsentError> {
    let address = Address::Fax(basis.fax.clone());
    let key = address.key();
    let mut tx = parts.store.write().await?;
    tx.addresses_ensure(std::slice::from_ref(&key), basis.created_ms).await?;
    tx.addresses_lock(std::slice::from_ref(&key)).await?;
    // Either scope covers advertisements.
    if !tx.suppressions_of(&address).await?.is_empty() {
        return Ok(Permission::OptedOut);
    }
    if tx.basis_among(&[key]).await?.iter().any(|known| known.kind == BasisKind::Permission) {
        return Ok(Permission::OnRecord);
    }
    record(tx, basis, who).await?;
    Ok(Permission::Recorded)
}

/// Ends a basis, as after a withdrawal or a mistake: once committed, it allows no advertisement. `referrer` is the one
/// on whose page it was shown: only bases of their own fax numbers can be ended there.
///
/// # Errors
/// [`ConsentError::NotFound`] if it is no longer in effect, or is none of this referrer's.
pub async fn end_basis(
    parts: &Parts,
    basis: BasisId,
    referrer: ReferrerId,
    who: &Actor,
    reason: &str,
) -> Result<(), ConsentError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    if !bases_of(&mut tx, referrer).await?.contains(&basis) || !tx.basis_end(basis, reason, now).await? {
        return Err(ConsentError::NotFound(format!("there is no basis {basis} in force")));
    }
    tx.audit(who, AuditAct::EndBasis, Some(&referrer.to_string()), Some(reason), now).await?;
    tx.commit().await?;
    Ok(())
}

/// The bases of a referrer's fax numbers: that of the person and those of the places where they work.
async fn bases_of(tx: &mut Tx, referrer: ReferrerId) -> Result<Vec<BasisId>, StoreError> {
    let own = tx.referrer(referrer).await?.and_then(|referrer| referrer.fax);
    let others = tx.locations_of(&[referrer]).await?.into_iter().filter_map(|location| location.fax);
    let mut bases = Vec::new();
    for number in own.into_iter().chain(others) {
        bases.extend(tx.basis_of(&number).await?.into_iter().map(|basis| basis.id));
    }
    Ok(bases)
}
