//! Bearer tokens (RFC 6750) for programs.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::{AccessError, check_name, hash_of, new_secret};
use crate::app::Gateway;
use crate::domain::Timestamp;
use crate::domain::channel::words;
use crate::store::records::access::TokenRow;
use crate::store::{Store, StoreError};
use crate::web::WebState;
use crate::web::problem::{Kind, Problem};

/// What every token begins with, so that a leaked one is recognised.
const PREFIX: &str = "tl_";
/// The prefix and 43 characters.
const TOKEN_CHARS: usize = 46;
/// How exactly the last use of a token is known; finer would cost a write for every request.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);

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

/// Makes a token. This answer is the only time that it is seen; its hash is kept.
///
/// # Errors
/// [`AccessError::Invalid`] for a name that is not one line of 1 to 100 characters, or no scope.
pub async fn create_token(gateway: &Gateway, name: &str, scopes: &[Scope]) -> Result<String, AccessError> {
    check_name(name)?;
    if scopes.is_empty() {
        return Err(AccessError::Invalid("say what the token allows: send, read, operate".to_owned()));
    }
    let secret = format!("{PREFIX}{}", new_secret()?);
    let words: Vec<&str> = Scope::ALL.iter().filter(|scope| scopes.contains(scope)).map(|s| s.as_str()).collect();
    let words = words.join(",");
    let now = gateway.clock.now();
    let mut tx = gateway.store.write().await?;
    tx.token_insert(name, &hash_of(&secret), &words, now).await?;
    tx.audit("command line", "create_token", Some(name), Some(&words), now).await?;
    tx.commit().await?;
    Ok(secret)
}

/// A program that showed a live token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// Whom the token was made for.
    pub name: String,
    scopes: Vec<Scope>,
}

impl Bearer {
    /// Whether the token allows it.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// That the token allows it.
    ///
    /// # Errors
    /// 403, naming the scope.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.may(scope) {
            return Ok(());
        }
        let challenge = match scope {
            Scope::Send => "Bearer realm=\"touchline\", error=\"insufficient_scope\", scope=\"send\"",
            Scope::Read => "Bearer realm=\"touchline\", error=\"insufficient_scope\", scope=\"read\"",
            Scope::Operate => "Bearer realm=\"touchline\", error=\"insufficient_scope\", scope=\"operate\"",
        };
        let detail = format!("this token does not have the scope `{scope}`");
        Err(Problem::new(Kind::Forbidden, detail).with("scope", scope.as_str()).challenge(challenge))
    }

    /// The name under which what it does is written down.
    #[must_use]
    pub fn who(&self) -> String {
        format!("api:{}", self.name)
    }
}

impl FromRequestParts<WebState> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let Some(shown) = parts.headers.get(header::AUTHORIZATION) else {
            let detail = "send a token: Authorization: Bearer tl_…";
            return Err(Problem::new(Kind::Unauthorized, detail).challenge("Bearer realm=\"touchline\""));
        };
        let secret = shown.to_str().ok().and_then(secret_in).ok_or_else(unknown)?;
        let now = state.gateway.clock.now();
        let mut tx = state.gateway.store.read().await?;
        let token = tx.token_by_hash(&hash_of(secret)).await?.ok_or_else(unknown)?;
        drop(tx);
        note_use(&state.gateway.store, &token, now).await;
        let scopes = token.scopes.split(',').filter_map(|word| word.parse().ok()).collect();
        Ok(Self { name: token.name, scopes })
    }
}

/// The token in an `Authorization` header, if it looks like one of ours.
fn secret_in(header: &str) -> Option<&str> {
    let (scheme, secret) = header.split_once(' ')?;
    let secret = secret.trim();
    let ours = scheme.eq_ignore_ascii_case("bearer") && secret.len() == TOKEN_CHARS && secret.starts_with(PREFIX);
    ours.then_some(secret)
}

fn unknown() -> Problem {
    Problem::new(Kind::Unauthorized, "this token is not known, or was revoked")
        .challenge("Bearer realm=\"touchline\", error=\"invalid_token\"")
}

/// Notes the use now and then. A request never fails for want of this note.
async fn note_use(store: &Store, token: &TokenRow, now: Timestamp) {
    if token.used_ms.is_some_and(|used| now.since(used) < USE_NOTED_EVERY) {
        return;
    }
    let noted: Result<(), StoreError> = async {
        let mut tx = store.write().await?;
        tx.token_used(token.id, now).await?;
        tx.commit().await
    }
    .await;
    if let Err(error) = noted {
        tracing::warn!(%error, "the use of a token could not be noted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_our_token_is_looked_up() {
        let secret = format!("{PREFIX}{}", "a".repeat(43));
        assert_eq!(secret_in(&format!("Bearer {secret}")), Some(secret.as_str()));
        assert_eq!(secret_in(&format!("bearer  {secret}")), Some(secret.as_str()));
        for wrong in ["", "Bearer", "Bearer x", &format!("Basic {secret}"), &format!("Bearer {secret}a"), &secret] {
            assert_eq!(secret_in(wrong), None, "{wrong}");
        }
    }
}
