//! Callbacks: `telnyx-signature-ed25519` (base64, 64 bytes) over `telnyx-timestamp`, a vertical bar, and the raw body.
//! They come in any order and more than once.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::Value;

use super::fax::Fax;
use super::{PUBLIC_KEY_BYTES, Telnyx};
use crate::domain::Timestamp;
use crate::domain::event::{DeliveryEvent, Fact};
use crate::provider::kit::callback::in_time;
use crate::provider::kit::reading::{event, text, time};
use crate::provider::{Rejection, WebhookParts};

/// How far a callback's time may be from ours, either way; the tolerance of Telnyx' own libraries.
const TOLERANCE: Duration = Duration::from_secs(300);
/// Longest name of an event that is one of theirs.
const EVENT_TYPE_CHARS_MAX: usize = 60;

/// Checks signature, then age. Without a public key nothing can be believed.
///
/// # Errors
/// `Forged` if anything about the signature is missing or wrong, `Stale` if only the time does not fit.
pub fn verify(
    public_key: Option<&[u8; PUBLIC_KEY_BYTES]>,
    parts: &WebhookParts,
    now: Timestamp,
) -> Result<(), Rejection> {
    let public_key = public_key.ok_or(Rejection::Forged)?;
    let timestamp = parts.header("telnyx-timestamp").ok_or(Rejection::Forged)?;
    let signature = parts.header("telnyx-signature-ed25519").ok_or(Rejection::Forged)?;
    let signature = BASE64.decode(signature.trim()).map_err(|_| Rejection::Forged)?;
    let signed = [timestamp.as_bytes(), b"|", &parts.body].concat();
    UnparsedPublicKey::new(&ED25519, public_key).verify(&signed, &signature).map_err(|_| Rejection::Forged)?;
    in_time(timestamp, now, TOLERANCE)
}

impl Telnyx {
    /// Reads a verified callback. Events that are not about an outbound fax give an empty list; `None` means that the
    /// body is not one of their envelopes. Some of their samples lack the outer `data`: both forms are read.
    pub(super) fn events(&self, body: &[u8]) -> Option<Vec<DeliveryEvent>> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let envelope = if body["data"].is_object() { &body["data"] } else { &body };
        let event_type = text(envelope, "event_type").filter(|name| name.len() <= EVENT_TYPE_CHARS_MAX)?;
        let Some(stage) = event_type.strip_prefix("fax.") else { return Some(Vec::new()) };
        let fax = Fax::read(&envelope["payload"])?;
        if fax.is_inbound() {
            return Some(Vec::new());
        }
        let fact = match stage {
            "delivered" => Fact::Delivered { pages: fax.pages },
            "failed" => self.failed(&fax),
            _ => Fact::Progress { stage: stage.to_owned() },
        };
        // The key is not the event's own id: the same fact told anew must have the same key.
        let key = format!("{}:{event_type}", fax.id.0);
        let occurred_ms = text(envelope, "occurred_at").as_deref().and_then(time);
        Some(vec![DeliveryEvent { attempt: fax.attempt(), dedupe: key, occurred_ms, ..event(fax.id, stage, fact) }])
    }
}
