//! Bearer tokens of an OAuth 2.0 client (RFC 6749 §4.4, RFC 7523 §2.1): fetched when needed, kept until shortly before
//! they end, and shared by all calls of an account.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::Answer;
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Clock, Outcome, Timestamp};
use crate::http;

/// A token is not used in the last part of its lifetime: the clocks may differ, and a call takes time.
const MARGIN: Duration = Duration::from_secs(60);
/// Lifetime of a token whose answer gives none (RFC 6749 §5.1 only recommends it).
const LIFE_UNTOLD: Duration = Duration::from_secs(300);
/// Longest lifetime accepted.
const LIFE_MAX: Duration = Duration::from_secs(24 * 3600);

/// What is presented to get a token.
pub struct Grant {
    /// The fields of the request, `grant_type` among them.
    pub form: Vec<(&'static str, SecretString)>,
    /// Client id and secret for HTTP Basic, where they are not among the fields.
    pub basic: Option<(String, SecretString)>,
}

/// The tokens of one account.
pub struct Tokens {
    http: reqwest::Client,
    url: Url,
    grant: Grant,
    timeout: Duration,
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
        Self { http, url, grant, timeout, clock, kept: Mutex::new(None) }
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
        let mut request = self.http.request(Method::POST, self.url.clone()).header("accept", "application/json");
        if let Some((id, secret)) = &self.grant.basic {
            request = request.basic_auth(id, Some(secret.expose_secret()));
        }
        let answer = http::ask(request.form(&fields), self.timeout).await?;
        read(&answer, now)
    }
}

fn read(answer: &Answer, now: Timestamp) -> Result<Kept, Failure> {
    let body = answer.json().unwrap_or_default();
    if !answer.is_success() {
        // RFC 6749 §5.2: wrong credentials are a 400 or 401 with a word of a fixed list. Their free text may repeat ours.
        let failure = answer.failure();
        let fault = if failure.fault == Fault::Unknown { Fault::AccountError } else { failure.fault };
        let is_plain = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let word = body["error"].as_str().filter(is_plain);
        return Err(Failure { fault, ..failure }.text(word.unwrap_or("no token was returned")));
    }
    let token = body["access_token"].as_str().filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Failure::new(Fault::ProtocolError).text("the answer contains no token"))?;
    Ok(Kept { token: SecretString::from(token), until: now.after(life(&body).saturating_sub(MARGIN)), served: false })
}

fn life(body: &Value) -> Duration {
    let told = &body["expires_in"];
    // Some servers give the number as text.
    let seconds = told.as_u64().or_else(|| told.as_str()?.trim().parse().ok());
    seconds.map_or(LIFE_UNTOLD, Duration::from_secs).min(LIFE_MAX)
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
