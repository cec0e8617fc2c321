//! How requests are authorised: with a token that the key buys, or, for trials, with the key itself.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Auth, Settings};
use crate::domain::Outcome;
use crate::domain::fault::Failure;
use crate::http;
use crate::http::Answer;
use crate::http::oauth;
use crate::http::oauth::{Grant, Tokens};
use crate::provider::{Account, SettingsError};

/// The account's client and its right to use it.
pub struct Access {
    http: reqwest::Client,
    right: Right,
    /// Of one call to the API. With tokens it is half of the account's, for fetching one comes first.
    timeout: Duration,
}

enum Right {
    Token(Box<Tokens>),
    Key { id: String, secret: SecretString },
}

impl Access {
    /// As the settings have it. Nothing is called yet.
    ///
    /// # Errors
    /// `auth_url` is no address.
    pub fn of(account: &Account, settings: &Settings, secret: &SecretString) -> Result<Self, SettingsError> {
        let (http, id) = (account.http.clone(), settings.key_id.trim().to_owned());
        if settings.auth == Auth::Basic {
            let right = Right::Key { id, secret: secret.clone() };
            return Ok(Self { http, right, timeout: account.timeout });
        }
        let url = account.base_url(settings.auth_url.as_deref(), "https://auth.sinch.com/oauth2/token");
        let url = url.map_err(|_| account.refuse("auth_url", "must be an http(s) address without user and query"))?;
        let grant = Grant {
            form: vec![("grant_type", SecretString::from("client_credentials"))],
            basic: Some((id, secret.clone())),
        };
        let timeout = account.timeout / 2;
        let tokens = Tokens::new(http.clone(), url, grant, timeout, account.clock.clone());
        Ok(Self { http, right: Right::Token(Box::new(tokens)), timeout })
    }

    /// Makes a call that can take effect, once. Without a token none is made.
    pub async fn act(
        &self,
        method: Method,
        url: Url,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder,
        read: impl FnOnce(&Answer) -> Outcome,
    ) -> Outcome {
        let (request, token) = match self.request(method, url).await {
            Ok(ready) => ready,
            Err(failure) => return oauth::outcome(failure),
        };
        match http::call(fill(request), self.timeout).await {
            Ok(answer) => {
                if self.has_ended(token, &answer).await {
                    return Outcome::NotSent(oauth::ended());
                }
                read(&answer)
            }
            Err(trouble) => trouble.outcome(),
        }
    }

    /// Makes a call that changes nothing or can be repeated without harm, and hands back whatever was answered.
    ///
    /// # Errors
    /// There was no token, or no whole answer.
    pub async fn ask(&self, method: Method, url: Url) -> Result<Answer, Failure> {
        let (request, token) = self.request(method, url).await?;
        let answer = http::ask(request, self.timeout).await?;
        if self.has_ended(token, &answer).await { Err(oauth::ended()) } else { Ok(answer) }
    }

    async fn request(&self, method: Method, url: Url) -> Result<(RequestBuilder, Option<SecretString>), Failure> {
        let request = self.http.request(method, url).header("accept", "application/json");
        match &self.right {
            Right::Key { id, secret } => Ok((request.basic_auth(id, Some(secret.expose_secret())), None)),
            Right::Token(tokens) => {
                let token = tokens.bearer().await?;
                Ok((request.bearer_auth(token.expose_secret()), Some(token)))
            }
        }
    }

    async fn has_ended(&self, token: Option<SecretString>, answer: &Answer) -> bool {
        match (&self.right, token) {
            (Right::Token(tokens), Some(token)) => tokens.has_ended(&token, answer).await,
            _ => false,
        }
    }
}
