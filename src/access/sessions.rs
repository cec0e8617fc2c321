//! Operator sessions: a random secret, stored as a hash, and a key that every form must send back. A session ends some
//! hours after the login, earlier when it is not used, and with any change of who its operator is.

use std::time::Duration;

use subtle::ConstantTimeEq;

use super::{AccessError, Parts, Verified, hash_of, new_secret};
use crate::domain::Actor;
use crate::domain::AuditAct;
use crate::store::StoreError;

/// How long a session lasts, counted from the login.
pub const SESSION_LASTS: Duration = Duration::from_secs(12 * 3600);
/// How long a session lasts without being used, unless a setting says otherwise.
pub const SESSION_IDLE: Duration = Duration::from_secs(30 * 60);

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

/// Opens a session for an operator whose password was verified. Expired sessions are deleted. `None` if the operator got
/// another password, was disabled or was removed since.
///
/// # Errors
/// [`AccessError::Machine`] without randomness.
pub async fn open_session(parts: &Parts, operator: &Verified) -> Result<Option<OpenedSession>, AccessError> {
    let (secret, form_key) = (new_secret()?, new_secret()?);
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let still = tx.operator_unchanging(operator.id).await?;
    let still = still.filter(|row| row.password_hash == operator.password_hash && row.disabled_ms.is_none());
    if still.is_none() {
        return Ok(None);
    }
    tx.session_end("", now).await?;
    tx.session_insert(&hash_of(&secret), operator.id, &form_key, now, now.after(SESSION_LASTS)).await?;
    tx.audit(&Actor::operator(&operator.name), AuditAct::Login, None, None, now).await?;
    tx.commit().await?;
    Ok(Some(OpenedSession { secret }))
}

/// The live session with that secret. Its use is noted in memory, so that looking costs no write.
///
/// # Errors
/// The database cannot be used.
pub async fn find_session(parts: &Parts, secret: &str) -> Result<Option<Session>, StoreError> {
    let (hash, now) = (hash_of(secret), parts.clock.now());
    let Some(row) = parts.store.read().await?.session(&hash, now).await? else { return Ok(None) };
    let seen = parts.seen.session(&hash).map_or(row.seen_ms, |seen| seen.max(row.seen_ms));
    if now.since(seen) >= parts.session_idle {
        return Ok(None);
    }
    parts.seen.note_session(hash, now);
    Ok(Some(Session { operator: row.name, form_key: row.form_key }))
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
