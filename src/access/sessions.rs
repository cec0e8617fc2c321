//! Operator sessions: a random secret, stored as a hash, and a key that every form must send back.

use std::time::Duration;

use subtle::ConstantTimeEq;

use super::{AccessError, Parts, hash_of, new_secret};
use crate::domain::Actor;
use crate::domain::AuditAct;
use crate::domain::id::OperatorId;
use crate::store::StoreError;

/// How long a session lasts, counted from the login.
pub const SESSION_LASTS: Duration = Duration::from_secs(12 * 3600);

/// A live session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Login name of the operator.
    pub operator: String,
    /// What every form of this session sends back.
    pub form_key: String,
}

impl Session {
    /// Whether a form came from a page of this session, not from another site.
    #[must_use]
    pub fn is_form_key(&self, shown: &str) -> bool {
        self.form_key.as_bytes().ct_eq(shown.as_bytes()).into()
    }
}

/// The secret of a new session, which is not stored. Does not print it.
pub struct OpenedSession {
    /// What the browser presents from now on.
    pub secret: String,
}

/// Opens a session for an operator whose password was verified. Expired sessions are deleted.
///
/// # Errors
/// [`AccessError::Machine`] without randomness.
pub async fn open_session(parts: &Parts, operator: OperatorId, name: &str) -> Result<OpenedSession, AccessError> {
    let (secret, form_key) = (new_secret()?, new_secret()?);
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    tx.session_end("", now).await?;
    tx.session_insert(&hash_of(&secret), operator, &form_key, now.after(SESSION_LASTS)).await?;
    tx.audit(&Actor::operator(name), AuditAct::Login, None, None, now).await?;
    tx.commit().await?;
    Ok(OpenedSession { secret })
}

/// The live session with that secret.
///
/// # Errors
/// The database cannot be used.
pub async fn find_session(parts: &Parts, secret: &str) -> Result<Option<Session>, StoreError> {
    let mut tx = parts.store.read().await?;
    let found = tx.session(&hash_of(secret), parts.clock.now()).await?;
    Ok(found.map(|(operator, form_key)| Session { operator, form_key }))
}

/// Ends the session with that secret; `name` is its operator.
///
/// # Errors
/// The database cannot be used.
pub async fn close_session(parts: &Parts, secret: &str, name: &str) -> Result<(), StoreError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    tx.session_end(&hash_of(secret), now).await?;
    tx.audit(&Actor::operator(name), AuditAct::Logout, None, None, now).await?;
    tx.commit().await
}
