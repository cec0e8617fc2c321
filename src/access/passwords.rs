//! Operators' passwords: Argon2id (RFC 9106) with the parameters of the OWASP password storage cheat sheet (19 MiB,
//! two passes), computed where they block nothing else.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use super::AccessError;

/// Shortest password accepted.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password accepted.
pub const PASSWORD_CHARS_MAX: usize = 256;

/// Verified against when the name is unknown, so that the answer takes as long as for a known one. No password matches.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The PHC string to store for a password.
///
/// # Errors
/// [`AccessError::Password`] for one that is too short or too long.
pub(super) async fn hash_password(password: String) -> Result<String, AccessError> {
    let length = password.chars().count();
    if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&length) {
        return Err(AccessError::Password(format!(
            "a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters"
        )));
    }
    tokio::task::spawn_blocking(move || {
        let hash: PasswordHash =
            Argon2::default().hash_password(password.as_bytes()).map_err(|_| AccessError::Machine)?;
        Ok(hash.to_string())
    })
    .await
    .map_err(|_| AccessError::Machine)?
}

/// Whether the password matches the stored PHC string. `None` (no such name) takes as long and never matches.
///
/// # Errors
/// [`AccessError::Machine`] if it could not be computed.
pub(super) async fn verify_password(kept: Option<String>, password: &str) -> Result<bool, AccessError> {
    if password.chars().count() > PASSWORD_CHARS_MAX {
        return Ok(false);
    }
    let password = password.to_owned();
    tokio::task::spawn_blocking(move || {
        let known = kept.is_some();
        let Ok(hash) = PasswordHash::new(kept.as_deref().unwrap_or(NOBODY)) else { return false };
        Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && known
    })
    .await
    .map_err(|_| AccessError::Machine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let kept = hash_password("correct horse battery".to_owned()).await.expect("a hash");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify_password(Some(kept.clone()), "correct horse battery").await.expect("computed"));
        assert!(!verify_password(Some(kept), "correct horse batterz").await.expect("computed"));
        assert!(!verify_password(None, "correct horse battery").await.expect("computed"));
        assert!(hash_password("too short".to_owned()).await.is_err());
    }

    #[test]
    fn the_hash_of_nobody_costs_the_same_arithmetic() {
        let nobody = PasswordHash::new(NOBODY).expect("a PHC string");
        let answer = Argon2::default().verify_password(b"anything", &nobody);
        assert!(matches!(answer, Err(password_hash::Error::PasswordInvalid)), "{answer:?}");
    }
}
