//! The HTTP side of an account: one address, its credentials, its time limit, and one interpretation of answers. An
//! adapter adds only what is specific: paths and fields, and the provider's wording ([`Dialect`]).

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::auth::{Auth, TOKEN_PART};
use super::dialect::Dialect;
use super::reading::{json, unreadable};
use crate::domain::Outcome;
use crate::domain::attempt::ProviderReference;
use crate::domain::fault::{Failure, Fault};
use crate::http;
use crate::http::{Answer, Trouble, Verdict, oauth};
use crate::provider::Account;

/// Makes the calls of one account. It holds secrets, so it never prints itself.
pub struct Client {
    http: reqwest::Client,
    base: Url,
    auth: Auth,
    dialect: &'static Dialect,
    secrets: Vec<SecretString>,
    timeout: Duration,
    calls_per_fax: u32,
}

impl Client {
    /// A client for paths below `base`. All of the account's secrets are removed from whatever the provider says.
    pub fn new(account: &Account, base: Url, auth: Auth, dialect: &'static Dialect) -> Self {
        let trimmed = account.secrets.values().map(|secret| secret.expose_secret().trim());
        let secrets = trimmed.filter(|secret| !secret.is_empty()).map(SecretString::from).collect();
        let fetching = if matches!(auth, Auth::Tokens(_)) { account.timeout / TOKEN_PART } else { Duration::ZERO };
        let timeout = account.timeout.saturating_sub(fetching);
        Self { http: account.http.clone(), base, auth, dialect, secrets, timeout, calls_per_fax: 1 }
    }

    /// The same, with another HTTP client.
    pub fn over(self, http: reqwest::Client) -> Self {
        Self { http, ..self }
    }

    /// The same, where handing a fax over takes several calls: each gets a share of the time, so that together they
    /// keep to the account's limit.
    pub fn with_calls_per_fax(self, calls: u32) -> Self {
        Self { calls_per_fax: calls.max(1), ..self }
    }

    /// The longest that a question may take.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The longest that each call of a hand-over may take.
    pub fn share(&self) -> Duration {
        self.timeout / self.calls_per_fax
    }

    /// The base URL.
    pub const fn base(&self) -> &Url {
        &self.base
    }

    /// A request to that address. It is signed when it is sent.
    pub fn request_to(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// A request for JSON; `path` is appended to the base, each part escaped.
    pub fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.request_to(method, http::endpoint(&self.base, path)).header("accept", "application/json")
    }

    /// A GET.
    pub fn get(&self, path: &[&str]) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// A POST.
    pub fn post(&self, path: &[&str]) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// A POST without a body, which must say so: otherwise a gateway may answer 411 (RFC 9110 §8.6).
    pub fn post_empty(&self, path: &[&str]) -> RequestBuilder {
        self.post(path).header("content-length", "0")
    }

    /// A request with the account's credentials, and the token that it carries, if any.
    ///
    /// # Errors
    /// There is no token, or the credentials cannot be in a header. Nothing was sent.
    pub async fn signed(&self, request: RequestBuilder) -> Result<(RequestBuilder, Option<SecretString>), Failure> {
        self.auth.sign(request).await
    }

    /// Signs a request, sends it once and reads the answer.
    ///
    /// # Errors
    /// Says whether the request can have taken effect.
    pub async fn call(&self, request: RequestBuilder, within: Duration) -> Result<Answer, Trouble> {
        let (request, token) = self.signed(request).await.map_err(Trouble::NotSigned)?;
        let answer = http::call(request, within).await?;
        match token {
            // It was not acted on, and the next try has another token.
            Some(token) if self.auth.has_ended(&token, &answer).await => Err(Trouble::NotConnected(oauth::ended())),
            _ => Ok(self.with_own_status(answer)),
        }
    }

    fn with_own_status(&self, answer: Answer) -> Answer {
        let own = self.dialect.status.filter(|_| answer.is_success()).and_then(|status| status(&answer.json()?));
        match own {
            Some(status) => Answer { status, ..answer },
            None => answer,
        }
    }

    /// Whether a success's body says that it was not one.
    fn is_denied(&self, answer: &Answer) -> bool {
        self.dialect.denies.is_some_and(|denies| answer.json().is_some_and(|body| denies(&body)))
    }

    /// Makes the call that can take effect, once, and returns the outcome; `created` reads the fax's id from a success.
    /// If there is no request, returns why.
    pub async fn act(
        &self,
        request: Result<RequestBuilder, Outcome>,
        created: impl FnOnce(&Answer, &Value) -> Option<ProviderReference> + Send,
    ) -> Outcome {
        let request = match request {
            Ok(request) => request,
            Err(outcome) => return outcome,
        };
        match self.call(request, self.share()).await {
            Ok(answer) => self.outcome(&answer, created),
            Err(trouble) => trouble.outcome(),
        }
    }

    /// What the answer to the call that can take effect means. An id counts first, then what a success says against
    /// itself. A refusal because of an error inside the provider is not definite: it may have acted first.
    fn outcome(&self, answer: &Answer, created: impl FnOnce(&Answer, &Value) -> Option<ProviderReference>) -> Outcome {
        match answer.verdict() {
            Verdict::Done => {
                let body = answer.json().unwrap_or_default();
                match created(answer, &body) {
                    Some(reference) => Outcome::Accepted { reference },
                    None if self.is_denied(answer) => Outcome::Refused(self.failure(answer)),
                    None => {
                        let failure = unreadable("accepted, but the answer holds no id");
                        Outcome::Unknown(failure.code(answer.status.to_string()))
                    }
                }
            }
            Verdict::No => match self.refusal(answer) {
                failure if failure.fault == Fault::ProviderError => Outcome::Unknown(failure),
                failure => Outcome::Refused(failure),
            },
            Verdict::Open => Outcome::Unknown(self.failure(answer)),
        }
    }

    /// Makes a call that comes before the one that dials; the JSON of its success, null if it is not JSON.
    ///
    /// # Errors
    /// What its failure means: a definite refusal stays one, the rest may pass. Nothing was dialed in any case.
    pub async fn prepare(&self, request: RequestBuilder, within: Duration) -> Result<Value, Outcome> {
        let answer = self.call(request, within).await.map_err(Trouble::outcome_before_dialing)?;
        self.prepared(&answer)
    }

    /// The same for an answer already received.
    ///
    /// # Errors
    /// Those of that method.
    pub fn prepared(&self, answer: &Answer) -> Result<Value, Outcome> {
        match answer.verdict() {
            Verdict::Done => Ok(answer.json().unwrap_or_default()),
            Verdict::No => Err(Outcome::Refused(self.refusal(answer))),
            Verdict::Open => Err(Outcome::NotSent(self.failure(answer))),
        }
    }

    /// Makes a call that changes nothing or can be repeated without harm, and returns whatever was answered.
    ///
    /// # Errors
    /// There was no complete answer.
    pub async fn answer(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        self.call(request, self.timeout).await.map_err(Trouble::failure)
    }

    /// The same: the JSON of a success.
    ///
    /// # Errors
    /// There was no success, or it is not JSON.
    pub async fn ask(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let answer = self.answer(request).await?;
        self.body(&answer)
    }

    /// The JSON of a success; anything else is a failure.
    ///
    /// # Errors
    /// It is not a success, by its status or its body, or not JSON.
    pub fn body(&self, answer: &Answer) -> Result<Value, Failure> {
        self.done(answer)?;
        json(answer)
    }

    /// Whether it is a success, whatever its body; anything else is a failure.
    ///
    /// # Errors
    /// It is not a success, by its status or its body.
    pub fn done(&self, answer: &Answer) -> Result<(), Failure> {
        if answer.is_success() && !self.is_denied(answer) { Ok(()) } else { Err(self.failure(answer)) }
    }

    /// Deletes; what is already gone (404) counts as deleted.
    ///
    /// # Errors
    /// The request failed or was refused.
    pub async fn delete(&self, path: &[&str]) -> Result<(), Failure> {
        self.delete_by(self.request(Method::DELETE, path)).await
    }

    /// The same with a given request.
    ///
    /// # Errors
    /// Those of that method.
    pub async fn delete_by(&self, request: RequestBuilder) -> Result<(), Failure> {
        let answer = self.answer(request).await?;
        if answer.status == 404 { Ok(()) } else { self.done(&answer) }
    }

    /// A definite refusal of a call that creates. Its path exists at the provider, so a 404 that names nothing else
    /// means that the address or the account in it is wrong.
    fn refusal(&self, answer: &Answer) -> Failure {
        let failure = self.failure(answer);
        let is_ours = answer.status == 404 && failure.fault == Fault::Unknown;
        if is_ours { Failure { fault: Fault::AccountError, ..failure } } else { failure }
    }

    /// An answer that is not a success, as a failure: the status where it is clear, else what the body says.
    pub fn failure(&self, answer: &Answer) -> Failure {
        let body = answer.json().unwrap_or_default();
        let said = (self.dialect.complaint)(answer, &body);
        let of_status = if answer.is_success() { Fault::Unknown } else { answer.fault() };
        let of_body = said.fault.filter(|_| of_status == Fault::Unknown);
        let fault = said.certain.or(of_body).unwrap_or(of_status);
        let wait = answer.retry_after_seconds.or(said.wait_seconds.filter(|_| fault == Fault::RateLimited));
        let text = if matches!(answer.status, 300..=399) { Some(REDIRECTED.to_owned()) } else { said.text };
        let code = said.code.unwrap_or_else(|| answer.status.to_string());
        self.failed(fault, Some(&code), text.as_deref()).retry_after(wait)
    }

    /// A failure in the provider's words, without the account's secrets; empty words are none.
    pub fn failed(&self, fault: Fault, code: Option<&str>, text: Option<&str>) -> Failure {
        let cleaned = |words: Option<&str>| words.filter(|words| !words.is_empty()).map(|words| self.clean(words));
        let failure = cleaned(code).into_iter().fold(Failure::new(fault), Failure::code);
        cleaned(text).into_iter().fold(failure, Failure::text)
    }

    /// Their words without our secrets, should they repeat them.
    pub fn clean(&self, words: &str) -> String {
        without(words, &self.secrets)
    }

    /// What is taken out of their words.
    pub fn secrets(&self) -> &[SecretString] {
        &self.secrets
    }
}

/// Words without these secrets.
pub fn without(words: &str, secrets: &[SecretString]) -> String {
    let secrets = secrets.iter().map(ExposeSecret::expose_secret).filter(|secret| !secret.is_empty());
    secrets.fold(words.to_owned(), |words, secret| words.replace(secret, "…"))
}

/// What a redirect means: none is followed, for it would send the document to another host.
pub const REDIRECTED: &str = "the provider redirects elsewhere: base_url is wrong";
