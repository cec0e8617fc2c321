//! Bearer tokens (RFC 6750) in the `Authorization` header.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::WebState;
use super::problem::{Kind, Problem};
use crate::access::{self, Scope, Token};
use crate::domain::Actor;

/// A program that showed a live token. As an extractor it refuses everybody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer(Token);

impl Bearer {
    /// Whether the token allows it.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.0.scopes.contains(&scope)
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

    /// Under whom its acts are recorded.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::token(&self.0.name)
    }
}

/// Before anything of a body is read: that the token is known, where a request may change something.
pub(super) async fn known(State(state): State<WebState>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    match Bearer::from_request_parts(&mut parts, &state).await {
        Ok(bearer) => {
            parts.extensions.insert(bearer);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => problem.into_response(),
    }
}

impl FromRequestParts<WebState> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let Some(shown) = parts.headers.get(header::AUTHORIZATION) else {
            let detail = "send a token: Authorization: Bearer tl_…";
            return Err(Problem::new(Kind::Unauthorized, detail).challenge("Bearer realm=\"touchline\""));
        };
        let secret = shown.to_str().ok().and_then(secret_in).ok_or_else(unknown)?;
        access::find_token(&state.gateway.access(), secret).await?.map(Self).ok_or_else(unknown)
    }
}

/// The secret in an `Authorization` header of the scheme `Bearer`.
fn secret_in(header: &str) -> Option<&str> {
    let (scheme, secret) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(secret.trim())
}

fn unknown() -> Problem {
    Problem::new(Kind::Unauthorized, "this token is unknown or has been revoked")
        .challenge("Bearer realm=\"touchline\", error=\"invalid_token\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_stands_behind_the_scheme_bearer() {
        assert_eq!(secret_in("Bearer tl_x"), Some("tl_x"));
        assert_eq!(secret_in("bearer  tl_x "), Some("tl_x"));
        for wrong in ["", "Bearer", "Basic tl_x", "tl_x"] {
            assert_eq!(secret_in(wrong), None, "{wrong}");
        }
    }
}
