//! Operators: the people who may log in to the dashboard.

use super::passwords::{hash_password, verify_password};
use super::{AccessError, Parts, check_name};
use crate::domain::id::OperatorId;
use crate::domain::{Actor, AuditAct};
use crate::store::StoreError;

/// Stores an operator, or a new password for one. `who` is recorded in the audit trail.
///
/// # Errors
/// [`AccessError::Invalid`] for a name that is not one line of 1 to 100 characters, or a password shorter than
/// [`super::PASSWORD_CHARS_MIN`] or longer than [`super::PASSWORD_CHARS_MAX`].
pub async fn create_operator(parts: &Parts, name: &str, password: &str, who: &Actor) -> Result<(), AccessError> {
    check_name(name)?;
    let hash = hash_password(password.to_owned()).await?;
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    tx.operator_put(name, &hash, now).await?;
    tx.audit(who, AuditAct::SetOperator, Some(name), None, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether anyone can log in at all.
///
/// # Errors
/// The database cannot be used.
pub async fn has_operators(parts: &Parts) -> Result<bool, StoreError> {
    Ok(parts.store.read().await?.operator_count().await? > 0)
}

/// The operator of that name, if the password is theirs. Costs one Argon2 computation whatever the answer, so that
/// timing does not reveal names.
///
/// # Errors
/// [`AccessError::Machine`] if it could not be computed.
pub async fn verify_operator(parts: &Parts, name: &str, password: &str) -> Result<Option<OperatorId>, AccessError> {
    let mut tx = parts.store.read().await?;
    let operator = tx.operator_named(name).await?;
    drop(tx);
    let kept = operator.as_ref().map(|operator| operator.password_hash.clone());
    let fits = verify_password(kept, password).await?;
    Ok(operator.filter(|_| fits).map(|operator| operator.id))
}
