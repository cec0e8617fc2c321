//! Callbacks: what the line tells its customer, signed, and told again with growing waits if the customer does not
//! answer 2xx. They are as unreliable as real ones where the number says so.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::magic::Notify;
use super::record::{Fax, FaxStatus};
use crate::domain::{Clock, Fault, Timestamp};

/// Header with the signature: HMAC-SHA256 in hex over `{timestamp}.{raw body}`.
pub const SIGNATURE_HEADER: &str = "x-sandbox-signature";
/// Header with the time of the signature in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "x-sandbox-timestamp";
/// How long one callback may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// The most callbacks under way at one time.
const CONCURRENT_MAX: usize = 16;
/// Each wait is this many times the one before.
const WAIT_GROWTH: u32 = 3;

/// One callback, ready to be signed.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    body: Vec<u8>,
    forged: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    id: String,
    event: &'static str,
    fax: Told<'a>,
    at_ms: i64,
}

#[derive(Serialize)]
struct Told<'a> {
    id: &'a str,
    reference: &'a str,
    status: FaxStatus,
    pages: u32,
    pages_confirmed: Option<u32>,
    fault: Option<Fault>,
}

impl Notice {
    /// Tells how the fax stands at that moment.
    pub(super) fn of(fax: &Fax, now: Timestamp) -> Self {
        let event = match fax.status {
            FaxStatus::Delivered => "fax.delivered",
            FaxStatus::Failed | FaxStatus::Cancelled => "fax.failed",
            FaxStatus::Queued | FaxStatus::Dialing => "fax.dialing",
        };
        let told = Told {
            id: &fax.id,
            reference: &fax.reference,
            status: fax.status,
            pages: fax.pages,
            pages_confirmed: fax.pages_confirmed,
            fault: fax.fault,
        };
        let id = format!("evt_{}", uuid::Uuid::now_v7().simple());
        let body = serde_json::to_vec(&Body { id, event, fax: told, at_ms: now.0 });
        let body = body.expect("words, numbers and strings always make JSON");
        Self { body, forged: false }
    }

    /// A lie: somebody without the secret says that the fax failed.
    fn forgery(fax: &Fax, now: Timestamp) -> Self {
        let mut lie = fax.clone();
        lie.end(FaxStatus::Failed, Some(Fault::LineError), 0, now);
        Self { forged: true, ..Self::of(&lie, now) }
    }
}

/// What is told when the call begins, in the manner of the number.
pub(super) fn told_at_dialing(notify: Notify, dialing: &Notice) -> Vec<Notice> {
    match notify {
        Notify::InOrder | Notify::Twice | Notify::ForgedFirst => vec![dialing.clone()],
        Notify::Never | Notify::Reversed => Vec::new(),
    }
}

/// What is told when it has ended.
pub(super) fn told_at_end(notify: Notify, dialing: &Notice, ended: &Fax, now: Timestamp) -> Vec<Notice> {
    let last = Notice::of(ended, now);
    match notify {
        Notify::InOrder => vec![last],
        Notify::Never => Vec::new(),
        Notify::Twice => vec![last.clone(), last],
        Notify::ForgedFirst => vec![Notice::forgery(ended, now), last],
        Notify::Reversed => vec![last, dialing.clone()],
    }
}

/// Where callbacks go when the fax itself names no place, and the secret with which all are signed.
#[derive(Debug, Default)]
pub(super) struct Target {
    pub(super) url: Option<String>,
    pub(super) secret: Option<SecretString>,
}

/// How often, and after what first wait, a callback is told again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) tries_max: u32,
    pub(super) first_wait: Duration,
}

/// The sender of callbacks.
#[derive(Debug)]
pub(super) struct Hooks {
    http: reqwest::Client,
    target: RwLock<Target>,
    patience: Patience,
    permits: Semaphore,
    clock: Arc<dyn Clock>,
}

impl Hooks {
    pub(super) fn new(http: reqwest::Client, target: Target, patience: Patience, clock: Arc<dyn Clock>) -> Self {
        Self { http, target: RwLock::new(target), patience, permits: Semaphore::new(CONCURRENT_MAX), clock }
    }

    pub(super) fn aim(&self, url: String, secret: SecretString) {
        let mut target = self.target.write().unwrap_or_else(PoisonError::into_inner);
        *target = Target { url: Some(url), secret: Some(secret) };
    }

    /// Tells one notice, again and again within the patience, until it is answered 2xx. A forgery is told once.
    pub(super) async fn tell(&self, notice: &Notice, callback_url: Option<&str>, stop: &CancellationToken) {
        let tries_max = if notice.forged { 1 } else { self.patience.tries_max };
        let mut wait = self.patience.first_wait;
        for tried in 1..=tries_max {
            if self.tell_once(notice, callback_url).await || tried == tries_max {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return,
            }
            wait = wait.saturating_mul(WAIT_GROWTH);
        }
    }

    /// Whether nothing more is to be done about the notice.
    async fn tell_once(&self, notice: &Notice, callback_url: Option<&str>) -> bool {
        let Some(request) = self.request(notice, callback_url) else { return true };
        let Ok(_permit) = self.permits.acquire().await else { return true };
        matches!(request.send().await, Ok(answer) if answer.status().is_success())
    }

    fn request(&self, notice: &Notice, callback_url: Option<&str>) -> Option<reqwest::RequestBuilder> {
        let target = self.target.read().unwrap_or_else(PoisonError::into_inner);
        let url = callback_url.or(target.url.as_deref())?;
        let request = self
            .http
            .post(url)
            .timeout(ANSWER_TIMEOUT)
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(notice.body.clone());
        let Some(secret) = &target.secret else { return Some(request) };
        let seconds = self.clock.now().0.div_euclid(1_000);
        let secret =
            if notice.forged { b"nobody told the forger".as_slice() } else { secret.expose_secret().as_bytes() };
        let signature = sign(secret, seconds, &notice.body);
        Some(request.header(TIMESTAMP_HEADER, seconds).header(SIGNATURE_HEADER, signature))
    }
}

/// HMAC-SHA256 in hex over `{seconds}.{body}`.
fn sign(secret: &[u8], seconds: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    context.update(seconds.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    hex::encode(context.sign())
}
