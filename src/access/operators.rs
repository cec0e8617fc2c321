//! Operators: the people who may log in to the dashboard. What changes who may log in, or how, ends the sessions of that
//! operator in the same transaction.

use std::collections::BTreeMap;
use std::time::Duration;

use super::passwords::{hash_password, verify_password};
use super::{AccessError, Attempt, Parts, check_name, is_name};
use crate::domain::id::OperatorId;
use crate::domain::{Actor, AuditAct, Timestamp};
use crate::store::records::operators::OperatorRow;
use crate::store::{StoreError, Tx};

/// How far back log-ins are looked for.
pub const LOGINS_WITHIN: Duration = Duration::from_secs(30 * 24 * 3600);

/// An operator whose password was right a moment ago. [`super::open_session`] makes sure that nothing changed since.
pub struct Verified {
    pub(super) id: OperatorId,
    pub(super) name: String,
    pub(super) password_hash: String,
}

impl Verified {
    /// Login name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Stores a new operator. `who` is recorded in the audit trail, here and below.
///
/// # Errors
/// [`AccessError::Taken`] for a name that is another operator's, [`AccessError::Invalid`] for one that is reserved or not one
/// line of 1 to 100 visible characters, [`AccessError::Password`] for a password shorter than
/// [`super::PASSWORD_CHARS_MIN`] or longer than [`super::PASSWORD_CHARS_MAX`].
pub async fn add_operator(parts: &Parts, name: &str, password: &str, who: &Actor) -> Result<(), AccessError> {
    check_name(name)?;
    let hash = hash_password(password.to_owned()).await?;
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    if !tx.operator_insert(name, &hash, now).await? {
        let words =
            format!("there is an operator `{name}` already; `touchline operator password` sets another password");
        return Err(AccessError::Taken(words));
    }
    tx.audit(who, AuditAct::SetOperator, Some(name), None, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Stores another password for an operator. Returns how many sessions ended with it.
///
/// # Errors
/// [`AccessError::NotFound`] if there is no such operator, [`AccessError::Password`] for a password that is too short or too
/// long.
pub async fn set_password(parts: &Parts, name: &str, password: &str, who: &Actor) -> Result<u64, AccessError> {
    find(&mut parts.store.read().await?, name).await?;
    let hash = hash_password(password.to_owned()).await?;
    let mut tx = parts.store.write().await?;
    let operator = find(&mut tx, name).await?;
    tx.operator_password(operator.id, &hash).await?;
    end(parts, tx, &operator, AuditAct::SetPassword, who).await
}

/// Says whether an operator may not log in any more, or may again. Returns how many sessions ended. Nothing is changed
/// and nothing recorded if it is so already.
///
/// # Errors
/// [`AccessError::NotFound`] if there is no such operator.
pub async fn set_disabled(parts: &Parts, name: &str, disabled: bool, who: &Actor) -> Result<u64, AccessError> {
    let mut tx = parts.store.write().await?;
    let operator = find(&mut tx, name).await?;
    change(parts, tx, &operator, disabled, who).await
}

/// Disables an operator as [`set_disabled`] does, at the request of `me`, an operator who is logged in. The operator who asks
/// can still log in afterward, so there is always at least one who can.
///
/// # Errors
/// [`AccessError::Invalid`] if it is `me`, or if `me` may not log in any more; [`AccessError::NotFound`] if there is no such
/// operator.
pub async fn disable_other(parts: &Parts, id: OperatorId, me: &str) -> Result<u64, AccessError> {
    let mut tx = parts.store.write().await?;
    let operator = other(&mut tx, id, me).await?;
    change(parts, tx, &operator, true, &Actor::operator(me)).await
}

async fn change(
    parts: &Parts,
    mut tx: Tx,
    operator: &OperatorRow,
    disabled: bool,
    who: &Actor,
) -> Result<u64, AccessError> {
    if operator.disabled_ms.is_some() == disabled {
        return Ok(0);
    }
    tx.operator_disabled(operator.id, disabled.then(|| parts.clock.now())).await?;
    let act = if disabled { AuditAct::DisableOperator } else { AuditAct::EnableOperator };
    end(parts, tx, operator, act, who).await
}

/// Removes an operator; what they did stays in the records under their name. Returns how many sessions ended.
///
/// # Errors
/// [`AccessError::NotFound`] if there is no such operator.
pub async fn remove_operator(parts: &Parts, name: &str, who: &Actor) -> Result<u64, AccessError> {
    let mut tx = parts.store.write().await?;
    let operator = find(&mut tx, name).await?;
    remove(parts, tx, &operator, who).await
}

/// Removes an operator as [`remove_operator`] does, at the request of `me`, an operator who is logged in.
///
/// # Errors
/// As [`disable_other`].
pub async fn remove_other(parts: &Parts, id: OperatorId, me: &str) -> Result<u64, AccessError> {
    let mut tx = parts.store.write().await?;
    let operator = other(&mut tx, id, me).await?;
    remove(parts, tx, &operator, &Actor::operator(me)).await
}

async fn remove(parts: &Parts, mut tx: Tx, operator: &OperatorRow, who: &Actor) -> Result<u64, AccessError> {
    let ended = tx.sessions_end_of(operator.id).await?;
    tx.operator_remove(operator.id).await?;
    tx.audit(who, AuditAct::RemoveOperator, Some(&operator.name), None, parts.clock.now()).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Every operator, by name.
///
/// # Errors
/// The database cannot be used.
pub async fn operators(parts: &Parts) -> Result<Vec<OperatorRow>, StoreError> {
    parts.store.read().await?.operators().await
}

/// The operator with that id.
///
/// # Errors
/// [`AccessError::NotFound`] if there is none.
pub async fn operator(parts: &Parts, id: OperatorId) -> Result<OperatorRow, AccessError> {
    with_id(&mut parts.store.read().await?, id).await
}

/// When operators logged in last, by name, as far as that was within [`LOGINS_WITHIN`].
///
/// # Errors
/// The database cannot be used.
pub async fn last_logins(parts: &Parts) -> Result<BTreeMap<String, Timestamp>, StoreError> {
    let since = parts.clock.now().before(LOGINS_WITHIN);
    let found = parts.store.read().await?.audit_last(AuditAct::Login, since).await?;
    Ok(found.into_iter().map(|(who, at)| (who.name().to_owned(), at)).collect())
}

/// Whether anyone can log in at all.
///
/// # Errors
/// The database cannot be used.
pub async fn has_operators(parts: &Parts) -> Result<bool, StoreError> {
    Ok(parts.store.read().await?.operator_count().await? > 0)
}

/// The operator of that name, if the password is theirs and they may log in. Costs one Argon2 computation whatever the
/// answer, so that timing does not reveal names. A refusal is noted for the audit trail.
///
/// # Errors
/// [`AccessError::Machine`] if it could not be computed.
pub async fn verify_operator(
    parts: &Parts,
    attempt: &Attempt<'_>,
    password: &str,
) -> Result<Option<Verified>, AccessError> {
    let operator =
        if is_name(attempt.name) { parts.store.read().await?.operator_named(attempt.name).await? } else { None };
    let kept = operator.as_ref().map(|operator| operator.password_hash.clone());
    let fits = verify_password(kept, password).await?;
    let known = operator.is_some();
    let Some(operator) = operator.filter(|operator| fits && operator.disabled_ms.is_none()) else {
        parts.seen.note_failure(attempt, known, parts.clock.now());
        return Ok(None);
    };
    Ok(Some(Verified { id: operator.id, name: operator.name, password_hash: operator.password_hash }))
}

async fn find(tx: &mut Tx, name: &str) -> Result<OperatorRow, AccessError> {
    let found = tx.operator_named(name).await?;
    found.ok_or_else(|| {
        AccessError::NotFound(format!("there is no operator `{name}`; `touchline operator list` shows them all"))
    })
}

async fn with_id(tx: &mut Tx, id: OperatorId) -> Result<OperatorRow, AccessError> {
    let found = tx.operators().await?.into_iter().find(|operator| operator.id == id);
    found.ok_or_else(|| AccessError::NotFound("there is no such operator".to_owned()))
}

/// Another operator than `me`, who may log in and stays so until the end of the transaction.
async fn other(tx: &mut Tx, id: OperatorId, me: &str) -> Result<OperatorRow, AccessError> {
    let operator = with_id(tx, id).await?;
    if operator.name == me {
        let words = "you cannot disable or remove yourself: another operator can";
        return Err(AccessError::Invalid(words.to_owned()));
    }
    let own = match tx.operator_named(me).await? {
        Some(own) => tx.operator_unchanging(own.id).await?,
        None => None,
    };
    if own.is_none_or(|own| own.disabled_ms.is_some()) {
        return Err(AccessError::Invalid("you may not log in any more: nothing was changed".to_owned()));
    }
    Ok(operator)
}

/// Ends the sessions of an operator who was just changed, and records the change.
async fn end(
    parts: &Parts,
    mut tx: Tx,
    operator: &OperatorRow,
    act: AuditAct,
    who: &Actor,
) -> Result<u64, AccessError> {
    let ended = tx.sessions_end_of(operator.id).await?;
    tx.audit(who, act, Some(&operator.name), None, parts.clock.now()).await?;
    tx.commit().await?;
    Ok(ended)
}
