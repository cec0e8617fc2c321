//! API tokens for programs: 256 random bits behind a prefix that identifies them, with scopes.

use super::{AccessError, Parts, check_name, hash_of, new_secret};
use crate::domain::Actor;
use crate::domain::AuditAct;
use crate::domain::words::words;
use crate::store::StoreError;
use crate::store::records::access::TokenRow;

/// What every token begins with, so that a leaked one is recognized.
const PREFIX: &str = "tl_";
/// The prefix and 43 characters.
const TOKEN_CHARS: usize = 46;

words! {
    /// What a token allows. None includes another.
    Scope {
        /// Submit letters.
        Send = "send",
        /// See messages, touches, failures and metrics; addresses masked.
        Read = "read",
        /// Retry, hold, release and cancel messages; see addresses whole.
        Operate = "operate",
    }
}

/// A live token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Who it was created for.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
}

/// Creates a token. It is shown only in this answer; its hash is stored. `who` is recorded in the audit trail.
///
/// # Errors
/// [`AccessError::Invalid`] for a name that is reserved or not one line of 1 to 100 visible characters, or no scope.
pub async fn create_token(parts: &Parts, name: &str, scopes: &[Scope], who: &Actor) -> Result<String, AccessError> {
    check_name(name)?;
    if scopes.is_empty() {
        return Err(AccessError::Invalid("say what the token allows: send, read, operate".to_owned()));
    }
    let secret = format!("{PREFIX}{}", new_secret()?);
    let words: Vec<&str> = Scope::ALL.iter().filter(|scope| scopes.contains(scope)).map(|s| s.as_str()).collect();
    let words = words.join(",");
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    tx.token_insert(name, &hash_of(&secret), &words, now).await?;
    tx.audit(who, AuditAct::CreateToken, Some(name), Some(&words), now).await?;
    tx.commit().await?;
    Ok(secret)
}

/// Every token ever created, oldest first, including revoked ones.
///
/// # Errors
/// The database cannot be used.
pub async fn tokens(parts: &Parts) -> Result<Vec<TokenRow>, StoreError> {
    parts.store.read().await?.tokens().await
}

/// Revokes all live tokens of a name. Returns how many, which is never 0.
///
/// # Errors
/// [`AccessError::NotFound`] if no live token has that name.
pub async fn revoke_tokens(parts: &Parts, name: &str, who: &Actor) -> Result<u64, AccessError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let ended = tx.token_revoke(name, now).await?;
    if ended == 0 {
        let words = format!("there is no live token `{name}`; `touchline token list` shows them all");
        return Err(AccessError::NotFound(words));
    }
    tx.audit(who, AuditAct::RevokeToken, Some(name), None, now).await?;
    tx.commit().await?;
    Ok(ended)
}

/// The live token with that secret. Its use is noted in memory, so that a request costs no write.
///
/// # Errors
/// The database cannot be used.
pub async fn find_token(parts: &Parts, secret: &str) -> Result<Option<Token>, StoreError> {
    if !looks_like_ours(secret) {
        return Ok(None);
    }
    let Some(row) = parts.store.read().await?.token_by_hash(&hash_of(secret)).await? else { return Ok(None) };
    parts.seen.note_token(row.id, parts.clock.now());
    let scopes = row.scopes.split(',').filter_map(|word| word.parse().ok()).collect();
    Ok(Some(Token { name: row.name, scopes }))
}

fn looks_like_ours(secret: &str) -> bool {
    secret.len() == TOKEN_CHARS && secret.starts_with(PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_our_token_is_looked_up() {
        let secret = format!("{PREFIX}{}", "a".repeat(43));
        assert!(looks_like_ours(&secret));
        for wrong in ["", "x", &format!("{secret}a"), &secret.replace("tl_", "xx_")] {
            assert!(!looks_like_ours(wrong), "{wrong}");
        }
    }
}
