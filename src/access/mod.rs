//! Who may come in: programs by bearer token, operators by password and session. Only hashes of secrets are kept.

mod password;
mod session;
mod throttle;
mod token;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SecureRandom;

use crate::store::StoreError;

pub use password::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, create_operator, hash_password, verify_password};
pub use session::{Operator, SESSION_COOKIE, close_session, open_session};
pub use throttle::Throttle;
pub use token::{Bearer, Scope, create_token};

/// Octets of every secret made here; 256 bits cannot be guessed.
const SECRET_OCTETS: usize = 32;

/// Why access could not be given or checked.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A name or password that is not taken: why.
    #[error("{0}")]
    Invalid(String),
    /// The machine gave no randomness or no memory.
    #[error("this machine could not do the arithmetic of secrets")]
    Machine,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A new secret, 43 characters of the URL-safe alphabet (RFC 4648 §5).
fn new_secret() -> Result<String, AccessError> {
    let mut octets = [0; SECRET_OCTETS];
    ring::rand::SystemRandom::new().fill(&mut octets).map_err(|_| AccessError::Machine)?;
    Ok(URL_SAFE_NO_PAD.encode(octets))
}

/// What is kept of a secret: SHA-256, hex. A secret of 256 random bits needs no slower hash.
fn hash_of(secret: &str) -> String {
    hex::encode(ring::digest::digest(&ring::digest::SHA256, secret.as_bytes()))
}

/// A name for a token or an operator: one line of 1 to 100 characters.
fn check_name(name: &str) -> Result<(), AccessError> {
    let fits = !name.trim().is_empty() && name.chars().count() <= 100 && !name.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(AccessError::Invalid("the name must be one line of 1 to 100 characters".to_owned())) }
}
