//! Authentication: how a call proves which account it is for.

use reqwest::RequestBuilder;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::domain::fault::{Failure, Fault};
use crate::http::Answer;
use crate::http::oauth::{Grant, Tokens};
use crate::provider::Account;

/// The part of an account's time limit that fetching a token may take; the rest is for the call itself.
pub const TOKEN_PART: u32 = 4;

/// The credentials of one account, as HTTP carries them.
pub enum Auth {
    /// None, or they are in the body.
    None,
    /// User and password (RFC 7617).
    Basic(String, SecretString),
    /// A token that never changes (RFC 6750).
    Bearer(SecretString),
    /// A provider-specific header: its name and its whole value.
    Header(String, SecretString),
    /// Tokens that are fetched (RFC 6749).
    Tokens(Box<Tokens>),
}

impl Auth {
    /// Tokens from that address. Nothing is fetched yet.
    pub fn tokens(account: &Account, http: reqwest::Client, url: Url, grant: Grant) -> Self {
        let timeout = account.timeout / TOKEN_PART;
        Self::Tokens(Box::new(Tokens::new(http, url, grant, timeout, account.clock.clone())))
    }

    /// The request with the credentials, and the token that it carries, in case it is rejected.
    ///
    /// # Errors
    /// There is no token, or a value cannot be in a header. Nothing was sent.
    pub async fn sign(&self, request: RequestBuilder) -> Result<(RequestBuilder, Option<SecretString>), Failure> {
        Ok(match self {
            Self::None => (request, None),
            Self::Basic(user, password) => (request.basic_auth(user, Some(password.expose_secret())), None),
            Self::Bearer(token) => (request.bearer_auth(token.expose_secret()), None),
            Self::Header(name, value) => (request.header(name, sensitive(value.expose_secret())?), None),
            Self::Tokens(tokens) => {
                let token = tokens.bearer().await?;
                (request.bearer_auth(token.expose_secret()), Some(token))
            }
        })
    }

    /// Learns from an answer to a call that used the token; true if the token had expired before its time.
    pub async fn has_ended(&self, token: &SecretString, answer: &Answer) -> bool {
        match self {
            Self::Tokens(tokens) => tokens.has_ended(token, answer).await,
            _ => false,
        }
    }
}

/// A header's value, if the text can be one; its value is never printed.
///
/// # Errors
/// It holds a control character.
pub fn sensitive(text: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        Failure::new(Fault::AccountError).text("a value cannot be in a header: it holds a control character")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
