//! How a call proves whose it is.

use handlebars::Context;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};

use super::description::{Auth, AuthKind, Text};
use super::fill::Filler;
use super::hosts::Hosts;
use crate::domain::fault::Failure;
use crate::http::Answer;
use crate::http::oauth::{Grant, Tokens};
use crate::provider::{Account, SettingsError};

/// Credentials, filled in.
pub enum Credentials {
    /// None, or in the body.
    None,
    /// RFC 7617.
    Basic(SecretString, SecretString),
    /// RFC 6750.
    Bearer(SecretString),
    /// A header of its own.
    Header(String, SecretString),
    /// RFC 6749 §4.4.
    Oauth(Box<Tokens>),
}

impl Credentials {
    /// The account's credentials. Nothing is fetched yet.
    ///
    /// # Errors
    /// Something is missing or cannot be filled in.
    pub fn of(
        auth: &Auth,
        filler: &Filler,
        values: &Context,
        hosts: &Hosts,
        account: &Account,
        http: &reqwest::Client,
    ) -> Result<Self, SettingsError> {
        let fill = |text: &Option<Text>| -> Result<SecretString, SettingsError> {
            let Some(text) = text else { return Ok(SecretString::default()) };
            let filled = filler.plain(text.get_ref(), values);
            filled.map(SecretString::from).map_err(|_| account.refuse("description", "its [auth] cannot be filled in"))
        };
        Ok(match auth.kind {
            AuthKind::None => Self::None,
            AuthKind::Basic => Self::Basic(fill(&auth.user)?, fill(&auth.password)?),
            AuthKind::Bearer => Self::Bearer(fill(&auth.token)?),
            AuthKind::Header => {
                let name = auth.name.as_ref().map_or_else(|| "authorization".to_owned(), |name| name.get_ref().clone());
                Self::Header(name, fill(&auth.value)?)
            }
            AuthKind::Oauth2 => {
                let (id, secret) = (fill(&auth.client_id)?, fill(&auth.client_secret)?);
                let mut form = vec![("grant_type", SecretString::from("client_credentials"))];
                for (name, text) in [("scope", &auth.scope), ("audience", &auth.audience)] {
                    let value = fill(text)?;
                    if !value.expose_secret().is_empty() {
                        form.push((name, value));
                    }
                }
                let basic = if auth.client_in_form {
                    form.extend([("client_id", id), ("client_secret", secret)]);
                    None
                } else {
                    Some((id.expose_secret().to_owned(), secret))
                };
                let url = auth.token_url.as_ref().map_or("", |url| url.get_ref());
                let url =
                    hosts.admit(url).map_err(|why| account.refuse("description", &format!("token_url: {why}")))?;
                let grant = Grant { form, basic };
                Self::Oauth(Box::new(Tokens::new(http.clone(), url, grant, account.timeout, account.clock.clone())))
            }
        })
    }

    /// The request with the credentials, and the token that it carries, should it not be taken.
    ///
    /// # Errors
    /// There is no token; nothing was sent.
    pub async fn sign(&self, request: RequestBuilder) -> Result<(RequestBuilder, Option<SecretString>), Failure> {
        Ok(match self {
            Self::None => (request, None),
            Self::Basic(user, password) => {
                (request.basic_auth(user.expose_secret(), Some(password.expose_secret())), None)
            }
            Self::Bearer(token) => (request.bearer_auth(token.expose_secret()), None),
            Self::Header(name, value) => (request.header(name, sensitive(value.expose_secret())?), None),
            Self::Oauth(tokens) => {
                let token = tokens.bearer().await?;
                (request.bearer_auth(token.expose_secret()), Some(token))
            }
        })
    }

    /// Learns from an answer to a call that showed the token; true if the token had ended before its time.
    pub async fn has_ended(&self, token: &SecretString, answer: &Answer) -> bool {
        match self {
            Self::Oauth(tokens) => tokens.has_ended(token, answer).await,
            _ => false,
        }
    }
}

/// A header's value, if the text can be one; it is not printed.
///
/// # Errors
/// It holds a control character.
pub fn sensitive(text: &str) -> Result<reqwest::header::HeaderValue, Failure> {
    let value = reqwest::header::HeaderValue::from_str(text);
    let mut value = value.map_err(|_| {
        Failure::new(crate::domain::fault::Fault::AccountError)
            .text("a value cannot stand in a header: it holds a control character")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
