//! Callbacks: `Notifyre-Signature: t=<Unix seconds>,v=<hex>`, where v is HMAC-SHA256 over t, a full stop and the raw body.

use std::time::Duration;

use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::Notifyre;
use super::fax::Fax;
use crate::domain::Timestamp;
use crate::domain::event::DeliveryEvent;
use crate::provider::kit::callback::in_time;
use crate::provider::kit::reading::{event, text};
use crate::provider::{Rejection, WebhookParts};

/// The header, as others' libraries have it; Notifyre's own take its value from the caller.
const HEADER: &str = "notifyre-signature";
/// How far a callback's time may be from ours; the tolerance of Notifyre's own libraries, which allow it for the past.
const TOLERANCE: Duration = Duration::from_secs(300);
/// Longest value of the header that is looked at.
const HEADER_CHARS_MAX: usize = 300;

/// Checks signature, then age. Without a secret nothing can be believed.
///
/// # Errors
/// `Forged` if anything about the signature is missing or wrong, `Stale` if only the time does not fit.
pub fn verify(secret: Option<&SecretString>, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
    let secret = secret.ok_or(Rejection::Forged)?;
    let header = parts.header(HEADER).filter(|value| value.len() <= HEADER_CHARS_MAX).ok_or(Rejection::Forged)?;
    let member = |name: &str| {
        header
            .split(',')
            .find_map(|part| part.trim().split_once('=').filter(|(key, _)| *key == name))
            .map(|(_, v)| v.trim())
    };
    let (time, signature) = member("t").zip(member("v")).ok_or(Rejection::Forged)?;
    let signature = hex::decode(signature).map_err(|_| Rejection::Forged)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    let signed = [time.as_bytes(), b".", &parts.body].concat();
    hmac::verify(&key, &signed, &signature).map_err(|_| Rejection::Forged)?;
    in_time(time, now, TOLERANCE)
}

impl Notifyre {
    /// Reads a verified callback. Events that are not about a sent fax give an empty list; `None` means that the body is
    /// not one of their envelopes.
    pub(super) fn events(&self, body: &[u8]) -> Option<Vec<DeliveryEvent>> {
        let body: Value = serde_json::from_slice(body).ok()?;
        if text(&body, "Event")? != "fax_sent" {
            return Some(Vec::new());
        }
        let fax = Fax::read(&body["Payload"])?;
        let seconds = body["Timestamp"].as_i64().map(|seconds| Timestamp(seconds.saturating_mul(1000)));
        let (attempt, fact, occurred_ms) = (fax.attempt(), self.fact(&fax), fax.modified_ms.or(seconds));
        Some(vec![DeliveryEvent { attempt, occurred_ms, ..event(fax.id, &fax.status, fact) }])
    }
}
