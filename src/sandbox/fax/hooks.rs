//! Callbacks: what the line reports to its customer in the guise's words, signed, and retried with growing waits if the
//! customer does not answer 2xx.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::guise::Guise;
use super::notice::{Notice, Truth};
use super::told::{Callback, Told};
use crate::domain::Clock;

/// How long one callback may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// The most callbacks under way at the same time.
const CONCURRENT_MAX: usize = 16;
/// Each wait is this many times the one before.
const WAIT_GROWTH: u32 = 3;
/// What a forger signs with.
const FORGERS_SECRET: &[u8] = b"nobody told the forger";
/// How old a stale callback's signature is.
const STALE_SECONDS: i64 = 86_400;

/// Where callbacks go when the fax itself names no URL, and the secret with which all are signed.
#[derive(Debug, Default)]
pub(super) struct Target {
    pub(super) url: Option<String>,
    pub(super) secret: Option<SecretString>,
}

/// How often, and after what first wait, a callback is retried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) tries_max: u32,
    pub(super) first_wait: Duration,
}

/// What a guise needs to put a notice into words.
#[derive(Debug)]
pub(super) struct Delivery<'a> {
    /// Its URL.
    pub(super) url: &'a str,
    /// What signs it, if anything does: the account's secret, or a forger's.
    pub(super) secret: Option<&'a [u8]>,
    /// The time of the signature, in seconds since 1970.
    pub(super) seconds: i64,
    /// Which try it is, from 1.
    pub(super) attempt: u32,
}

/// A callback as sent over the wire.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// The sender of callbacks.
#[derive(Debug)]
pub(super) struct Hooks {
    pub(super) http: reqwest::Client,
    pub(super) guise: Guise,
    pub(super) target: RwLock<Target>,
    pub(super) patience: Patience,
    permits: Semaphore,
    clock: Arc<dyn Clock>,
    told: Told,
}

impl Hooks {
    pub(super) fn new(
        http: reqwest::Client,
        guise: Guise,
        target: Target,
        patience: Patience,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let permits = Semaphore::new(CONCURRENT_MAX);
        Self { http, guise, target: RwLock::new(target), patience, permits, clock, told: Told::default() }
    }

    pub(super) fn aim(&self, url: String, secret: SecretString) {
        let mut target = self.target.write().unwrap_or_else(PoisonError::into_inner);
        *target = Target { url: Some(url), secret: Some(secret) };
    }

    /// What was reported about a fax.
    pub(super) fn told(&self, id: &str) -> Vec<Callback> {
        self.told.of(id)
    }

    /// Sends one notice, retrying within the limits until it is answered 2xx. Neither a forgery nor a replay is
    /// retried.
    pub(super) async fn tell(&self, notice: &Notice, callback_url: Option<&str>, stop: &CancellationToken) {
        let tries_max = if notice.truth == Truth::Authentic { self.patience.tries_max } else { 1 };
        let mut wait = self.patience.first_wait;
        for attempt in 1..=tries_max {
            if self.tell_once(notice, callback_url, attempt).await || attempt == tries_max {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return,
            }
            wait = wait.saturating_mul(WAIT_GROWTH);
        }
    }

    /// Whether the notice needs nothing more.
    async fn tell_once(&self, notice: &Notice, callback_url: Option<&str>, attempt: u32) -> bool {
        let Some(request) = self.request(notice, callback_url, attempt) else { return true };
        let Ok(_permit) = self.permits.acquire().await else { return true };
        let at = self.clock.now();
        let answer = request.send().await.ok().map(|answer| answer.status());
        self.told.note(notice, at, answer.map(|status| status.as_u16()));
        answer.is_some_and(|status| status.is_success())
    }

    fn request(&self, notice: &Notice, callback_url: Option<&str>, attempt: u32) -> Option<reqwest::RequestBuilder> {
        let target = self.target.read().unwrap_or_else(PoisonError::into_inner);
        let url = callback_url.or(target.url.as_deref())?;
        let is_forged = notice.truth == Truth::Forged;
        let url = if is_forged { self.guise.forgers_url(url) } else { url.to_owned() };
        let secret = target.secret.as_ref().map(|secret| secret.expose_secret().as_bytes());
        let secret = if is_forged { secret.map(|_| FORGERS_SECRET) } else { secret };
        let age = if notice.truth == Truth::Stale { STALE_SECONDS } else { 0 };
        let seconds = self.clock.now().0.div_euclid(1_000) - age;
        let message = self.guise.message(notice, &Delivery { url: &url, secret, seconds, attempt });
        let request = self.http.post(&url).timeout(ANSWER_TIMEOUT).body(message.body);
        Some(message.headers.into_iter().fold(request, |request, (name, value)| request.header(name, value)))
    }
}
