//! Access: who may use the installation. Operators log in with a password and get a session; programs present a bearer
//! token that allows what its scopes say. Only hashes of secrets are kept. Every change, and every view of a letter
//! that identifies a patient, is recorded in the audit trail. How a secret is sent (cookie, header) is up to `web`.

mod clients;
mod configured;
mod devices;
mod operators;
mod passwords;
mod reads;
mod seen;
mod sessions;
mod throttle;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SecureRandom;

use crate::domain::Clock;
use crate::domain::number::is_invisible;
use crate::store::{Store, StoreError};

pub use configured::note_provider_added;
pub use devices::{Device, Devices};
pub use operators::{
    LOGINS_WITHIN, Verified, add_operator, disable_other, has_operators, last_logins, operator, operators,
    remove_operator, remove_other, set_disabled, set_password, verify_operator,
};
pub use passwords::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
pub use reads::{note_document_view, note_export, note_preview};
pub use seen::{Seen, flush};
pub use sessions::{OpenedSession, SESSION_IDLE, SESSION_LASTS, Session, close_session, find_session, open_session};
pub use throttle::{Attempt, Throttle};
pub use tokens::{Scope, Token, create_token, find_token, revoke_tokens, tokens};

/// Bytes of every secret generated here; 256 bits cannot be guessed.
const SECRET_OCTETS: usize = 32;
/// Names that the records use for somebody who is no operator and no program.
const RESERVED: [&str; 5] = [seen::UNKNOWN, "recipient", "system", "touchline", "cli"];
/// Longest name of an operator or a token, in characters.
pub const NAME_CHARS_MAX: usize = 100;

/// What granting and checking access needs.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// A session that was not used for so long has ended.
    pub session_idle: Duration,
    /// What is noted in memory until [`flush`] writes it down.
    pub seen: Arc<Seen>,
}

impl Parts {
    /// Parts of their own, with what the settings say by default.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, session_idle: SESSION_IDLE, seen: Arc::default() }
    }

    /// Notes a log-in that was refused because there were too many, for the audit trail.
    pub fn note_lockout(&self, attempt: &Attempt<'_>) {
        self.seen.note_lockout(attempt, self.clock.now());
    }
}

/// Why access could not be granted, checked or revoked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A name or scope that is not accepted, or an act that is not allowed: why.
    #[error("{0}")]
    Invalid(String),
    /// The name is another operator's: which, and what to do.
    #[error("{0}")]
    Taken(String),
    /// A password that is not accepted: why. It is not repeated.
    #[error("{0}")]
    Password(String),
    /// There is no such operator or token: what was looked for, in words.
    #[error("{0}")]
    NotFound(String),
    /// The machine had no randomness or no memory.
    #[error("this machine could not compute or check a secret")]
    Machine,
    /// The database cannot do it now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A new secret, 43 characters of the URL-safe alphabet (RFC 4648 §5).
fn new_secret() -> Result<String, AccessError> {
    let mut octets = [0; SECRET_OCTETS];
    ring::rand::SystemRandom::new().fill(&mut octets).map_err(|_| AccessError::Machine)?;
    Ok(URL_SAFE_NO_PAD.encode(octets))
}

/// What is stored of a secret: SHA-256, hex. A secret of 256 random bits needs no slower hash.
fn hash_of(secret: &str) -> String {
    hex::encode(ring::digest::digest(&ring::digest::SHA256, secret.as_bytes()))
}

/// A name for a new token or operator: one line of 1 to 100 characters that can all be seen, and none that the records
/// use for somebody else.
fn check_name(name: &str) -> Result<(), AccessError> {
    let refuse = |words: &str| Err(AccessError::Invalid(words.to_owned()));
    if !is_name(name) {
        return refuse("the name must be one line of 1 to 100 characters");
    }
    if !reads_as_it_is(name) {
        return refuse("write the name without invisible characters, and without space around it");
    }
    if is_reserved(name) {
        return refuse("the records use this name for somebody else: choose another");
    }
    Ok(())
}

/// Whether it can be the name of an operator or token at all, however it was written.
fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(char::is_control)
}

/// Whether the records use a name for somebody who is no operator and no program.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// Whether a name is what it looks like: two names that look alike must not be two people.
#[must_use]
pub fn reads_as_it_is(name: &str) -> bool {
    name.trim() == name && !name.contains(|c: char| c.is_control() || is_invisible(c))
}
