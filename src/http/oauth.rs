//! Bearer tokens of an OAuth 2.0 client: those of one account that are fetched when needed, kept in memory until shortly
//! before they end and shared by all its calls ([`Tokens`]), and the steps of which other ways of signing in are made:
//! [`exchange`] asks a token endpoint, [`device`] and [`code`] let a person sign in, [`assertion`] lets a service account.

pub mod assertion;
pub mod code;
pub mod device;
pub mod exchange;

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use url::Url;

use self::exchange::Endpoint;
use super::Answer;
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Clock, Outcome, Timestamp};

/// A token is not used in the last part of its lifetime: the clocks may differ, and a call takes time.
const MARGIN: Duration = Duration::from_secs(60);

/// What is presented to get a token (RFC 6749 §4.4, RFC 7523 §2.1).
pub struct Grant {
    /// The fields of the request, `grant_type` among them.
    pub form: Vec<(&'static str, SecretString)>,
    /// Client id and secret for HTTP Basic, where they are not among the fields.
    pub basic: Option<(String, SecretString)>,
}

/// The tokens of one account.
pub struct Tokens {
    endpoint: Endpoint,
    grant: Grant,
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    token: SecretString,
    until: Timestamp,
    /// Whether an answer has shown that it is accepted.
    served: bool,
}

impl Tokens {
    /// Tokens from that address. Nothing is fetched yet.
    pub fn new(http: reqwest::Client, url: Url, grant: Grant, timeout: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { endpoint: Endpoint::new(http, url, timeout), grant, clock, kept: Mutex::new(None) }
    }

    /// A token that stays valid for a while. One caller fetches, the others wait for it.
    ///
    /// # Errors
    /// `account_error` if the credentials are refused; otherwise why there is none now. Nothing was sent in any case.
    pub async fn bearer(&self) -> Result<SecretString, Failure> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        if let Some(good) = kept.as_ref().filter(|kept| kept.until > now) {
            return Ok(good.token.clone());
        }
        let fresh = self.fetch(now).await?;
        let token = fresh.token.clone();
        *kept = Some(fresh);
        Ok(token)
    }

    /// Learns from an answer to a call that used the token: one that was refused (401) is forgotten, so that the next
    /// call fetches another. True if it was accepted before: then it has expired, and says nothing against the account.
    pub async fn has_ended(&self, token: &SecretString, answer: &Answer) -> bool {
        let mut kept = self.kept.lock().await;
        let Some(own) = kept.as_mut().filter(|kept| kept.token.expose_secret() == token.expose_secret()) else {
            return answer.status == 401;
        };
        own.served |= answer.status != 401;
        let ended = answer.status == 401 && own.served;
        if answer.status == 401 {
            *kept = None;
        }
        ended
    }

    async fn fetch(&self, now: Timestamp) -> Result<Kept, Failure> {
        let fields: Vec<(&str, &str)> =
            self.grant.form.iter().map(|(name, value)| (*name, value.expose_secret())).collect();
        let basic = self.grant.basic.as_ref().map(|(id, secret)| (id.as_str(), secret));
        let issued = self.endpoint.ask(&fields, basic).await.map_err(|denied| denied.failure)?;
        Ok(Kept { token: issued.access, until: now.after(issued.life.saturating_sub(MARGIN)), served: false })
    }
}

/// The failure of a call with an expired token: it was not acted on, and the next try has a new token.
pub fn ended() -> Failure {
    Failure::new(Fault::ProviderError).code("401").text("the access token expired early")
}

/// What it means for a hand-over that there was no token: wrong credentials are a refusal, the rest passes; nothing was
/// sent either way.
pub fn outcome(failure: Failure) -> Outcome {
    if failure.fault == Fault::AccountError { Outcome::Refused(failure) } else { Outcome::NotSent(failure) }
}
