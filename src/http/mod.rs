//! The HTTP client that all providers share, and the one translation from transport errors to outcomes.

pub mod dns;
pub mod oauth;

use std::time::Duration;

use crate::domain::Outcome;
use crate::domain::fault::{Failure, Fault};

/// Longest answer read from a provider; anything longer is not an answer to our request.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The longest wait that `x-ratelimit-reset` can mean: a day.
const RESET_SECONDS_MAX: u64 = 86_400;

/// A client with bounded connects, no redirects (a redirect would replay a document to another host), and no proxy
/// from the environment by accident.
///
/// # Errors
/// Only if the platform's trust store cannot be loaded.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    builder().build()
}

/// What every client is built from: ten seconds to connect, two minutes for a call that sets no limit itself.
pub fn builder() -> reqwest::ClientBuilder {
    // The first caller installs it; without one, rustls panics at the first TLS use.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(120))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_idle_timeout(Duration::from_secs(60))
        .tcp_nodelay(true)
        .user_agent(concat!("touchline/", env!("CARGO_PKG_VERSION")))
}

/// A provider's answer, read to its end within [`ANSWER_BYTES_MAX`].
#[derive(Debug)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// `Retry-After` in seconds, where given as a number (RFC 9110 §10.2.3); after a 429 without it `x-ratelimit-reset`,
    /// where that is a wait.
    pub retry_after_seconds: Option<u64>,
    /// `Location`, for providers that answer a creation with it.
    pub location: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; `None` if it is not.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// What an answer's status says about a call that can take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// 2xx: it was acted on, if the body can be read.
    Done,
    /// A definite refusal: a client error other than 408, or a redirect that asks for the same request elsewhere.
    No,
    /// It may have been acted on.
    Open,
}

impl Answer {
    /// What the status says about a call that can take effect (RFC 9110 §15).
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self.status {
            200..=299 => Verdict::Done,
            408 => Verdict::Open,
            301 | 302 | 307 | 308 | 400..=499 => Verdict::No,
            _ => Verdict::Open,
        }
    }

    /// The fault that the status alone indicates; [`Fault::Unknown`] where the body must say: the other client
    /// errors, such as 400, 404, 409 and 422.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self.status {
            301 | 302 | 307 | 308 | 401..=403 => Fault::AccountError,
            408 | 500..=599 => Fault::ProviderError,
            413 | 415 => Fault::DocumentError,
            429 => Fault::RateLimited,
            400..=499 => Fault::Unknown,
            _ => Fault::ProtocolError,
        }
    }

    /// A failure of that fault with the status as its code, and the wait if the provider gave one.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::new(self.fault()).code(self.status.to_string()).retry_after(self.retry_after_seconds)
    }
}

/// What went wrong between us and the provider, and whether the request can have taken effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// No connection was made: certainly nothing happened there.
    NotConnected(Failure),
    /// There were no credentials to send it with: certainly nothing happened there.
    NotSigned(Failure),
    /// The request was or may have been written: anything may have happened.
    AfterWrite(Failure),
}

impl Trouble {
    /// As the outcome of a `submit`.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        match self {
            Self::NotConnected(failure) => Outcome::NotSent(failure),
            Self::NotSigned(failure) => oauth::outcome(failure),
            Self::AfterWrite(failure) => Outcome::Unknown(failure),
        }
    }

    /// As the outcome of a `submit` of which this call was a step before the one that dials.
    #[must_use]
    pub fn outcome_before_dialing(self) -> Outcome {
        match self {
            Self::NotConnected(failure) | Self::AfterWrite(failure) => Outcome::NotSent(failure),
            Self::NotSigned(failure) => oauth::outcome(failure),
        }
    }

    /// The failure alone, for calls that change nothing.
    #[must_use]
    pub fn failure(self) -> Failure {
        match self {
            Self::NotConnected(failure) | Self::NotSigned(failure) | Self::AfterWrite(failure) => failure,
        }
    }
}

/// `base` with `path` appended, each part escaped (RFC 3986 §3.3).
#[must_use]
pub fn endpoint(base: &url::Url, path: &[&str]) -> url::Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

/// Makes a call that changes nothing or can be repeated without harm, and hands back whatever was answered.
///
/// # Errors
/// There was no complete answer.
pub async fn ask(request: reqwest::RequestBuilder, timeout: Duration) -> Result<Answer, Failure> {
    call(request, timeout).await.map_err(Trouble::failure)
}

/// Sends one request and reads the answer.
///
/// # Errors
/// Says whether the request can have taken effect. No text of the error holds the URL.
pub async fn call(request: reqwest::RequestBuilder, timeout: Duration) -> Result<Answer, Trouble> {
    let mut response = request.timeout(timeout).send().await.map_err(|error| trouble(&error))?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let status = response.status().as_u16();
    let seconds = |name: &str| header(name).and_then(|text| text.trim().parse::<u64>().ok());
    // A window's end as seconds to wait; what is longer than a day is a time of day, as others write it there.
    let reset = || seconds("x-ratelimit-reset").filter(|wait| status == 429 && *wait <= RESET_SECONDS_MAX);
    let retry_after_seconds = seconds("retry-after").or_else(reset);
    let location = header("location");
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_BYTES_MAX => body.extend_from_slice(&chunk),
            Ok(Some(_)) => {
                return Err(Trouble::AfterWrite(Failure::new(Fault::ProtocolError).text("the answer is too long")));
            }
            Ok(None) => return Ok(Answer { status, retry_after_seconds, location, body }),
            Err(error) => return Err(after_write(&error)),
        }
    }
}

fn trouble(error: &reqwest::Error) -> Trouble {
    if error.is_builder() {
        return Trouble::NotConnected(
            Failure::new(Fault::AccountError).text("the provider's base_url or settings do not make a valid request"),
        );
    }
    if error.is_connect() {
        return Trouble::NotConnected(Failure::new(Fault::ProviderError).text("no connection to the provider"));
    }
    after_write(error)
}

fn after_write(error: &reqwest::Error) -> Trouble {
    let text =
        if error.is_timeout() { "no answer in time" } else { "the connection broke before the answer was complete" };
    Trouble::AfterWrite(Failure::new(Fault::ProviderError).text(text))
}
