//! A fax in Telnyx' words: in answers, in errors, and in signed callbacks.

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::digest;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::super::super::hooks::{Delivery, Message};
use super::super::super::notice::Notice;
use super::super::super::record::{Fax, FaxStatus};
use super::super::super::trouble::Trouble;
use crate::domain::{Fault, FaxNumber, Timestamp};

/// A fax as the published schema has it, which knows no count of pages, and why it failed.
pub fn object(fax: &Fax) -> Value {
    let mut object = json!({
        "record_type": "fax", "id": fax.id, "direction": "outbound", "to": fax.to_text(),
        "from": fax.from.as_ref().map_or("", FaxNumber::as_str), "status": status(fax), "store_media": false,
        "created_at": time(fax.received_ms), "updated_at": time(fax.ended_ms.unwrap_or(fax.received_ms)),
    });
    for name in ["connection_id", "quality", "media_name", "client_state", "webhook_url"] {
        if let Some(text) = fax.said.get(name) {
            object[name] = json!(text);
        }
    }
    if !fax.said.contains_key("client_state") && !fax.reference.is_empty() {
        // Accepted before the line restarted.
        object["client_state"] = json!(BASE64.encode(&fax.reference));
    }
    if let Some(reason) = reason(fax) {
        object["failure_reason"] = json!(reason);
    }
    object
}

fn time(at: Timestamp) -> String {
    at.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

fn status(fax: &Fax) -> &'static str {
    match fax.status {
        FaxStatus::Queued => "queued",
        FaxStatus::Dialing => "sending",
        FaxStatus::Delivered => "delivered",
        FaxStatus::Failed | FaxStatus::Cancelled => "failed",
    }
}

/// The provider's word for a fault. Where its list has none, a word that is not in it.
fn reason(fax: &Fax) -> Option<&'static str> {
    Some(match fax.fault? {
        Fault::Busy => "user_busy",
        Fault::NoAnswer => "receiver_no_answer",
        Fault::LineError | Fault::PartialSend => "receiver_call_dropped",
        Fault::NegotiationError => "receiver_communication_error",
        Fault::NotAFax => "fax_initial_communication_timeout",
        Fault::InvalidNumber => "receiver_unallocated_number",
        Fault::RejectedByRemote => "receiver_decline",
        Fault::Blocked => "destination_not_in_countries_whitelist",
        Fault::DocumentError => "media_processing_exception",
        Fault::AccountError => "no_outbound_profile",
        Fault::RateLimited => "outbound_profile_channel_limit_exceeded",
        Fault::ProviderError => "service_unavailable",
        Fault::Cancelled => "sender_canceled",
        _ => "a_reason_that_nobody_documented",
    })
}

/// What is wrong, in the error envelope of the API.
pub fn words_for(trouble: Trouble) -> Response {
    let (status, code, title) = match trouble {
        Trouble::Key => (401, "10009", "Authentication failed"),
        Trouble::Refused(Fault::AccountError) => (403, "10010", "Authorization failed"),
        Trouble::Field { fault: Some(Fault::InvalidNumber), .. } | Trouble::Refused(Fault::InvalidNumber) => {
            (422, "10016", "Phone number must be in +E.164 format")
        }
        Trouble::NoSuchFax | Trouble::NoSuchPlace | Trouble::NoDocument => (404, "10005", "Resource not found"),
        Trouble::SlowDown(_) => (429, "10011", "Too many requests"),
        Trouble::Broken(status) => (status, "10007", "Unexpected error"),
        Trouble::Unreadable => (400, "10015", "Bad Request"),
        Trouble::TooLate | Trouble::NotEnded => (422, "10015", "Bad Request"),
        other => (other.status(), "10015", "Bad Request"),
    };
    let mut error = json!({ "code": code, "title": title, "detail": trouble.words() });
    let field = match trouble {
        Trouble::Field { name, .. } => name,
        Trouble::Refused(Fault::InvalidNumber) => "to",
        Trouble::Refused(Fault::DocumentError) => "contents",
        _ => "",
    };
    if !field.is_empty() {
        error["source"] = json!({ "pointer": format!("/{field}") });
    }
    trouble.answer(status, "application/json", json!({ "errors": [error] }).to_string())
}

/// A callback, signed over the time, a bar and the body.
pub fn message(notice: &Notice, delivery: &Delivery<'_>) -> Message {
    let body = json!({
        "data": {
            "record_type": "event", "id": notice.id, "event_type": notice.stage, "occurred_at": time(notice.at),
            "payload": payload(notice),
        },
        "meta": { "attempt": delivery.attempt, "delivered_to": delivery.url },
    });
    let body = body.to_string().into_bytes();
    let mut headers = vec![("content-type", "application/json".to_owned())];
    if let Some(pair) = delivery.secret.and_then(key_pair) {
        let seconds = delivery.seconds.to_string();
        let signature = pair.sign(&[seconds.as_bytes(), b"|", &body].concat());
        headers.push(("telnyx-signature-ed25519", BASE64.encode(signature.as_ref())));
        headers.push(("telnyx-timestamp", seconds));
    }
    Message { headers, body }
}

fn payload(notice: &Notice) -> Value {
    let fax = &notice.fax;
    let mut payload = json!({
        "fax_id": fax.id, "direction": "outbound", "to": fax.to_text(), "user_id": "00000000-0000-4000-8000-000000000000",
        "from": fax.from.as_ref().map_or("", FaxNumber::as_str),
        "connection_id": fax.said.get("connection_id").map_or("", String::as_str),
        "status": match notice.stage {
            "fax.queued" => "queued",
            "fax.media.processed" => "media.processed",
            _ => status(fax),
        },
    });
    for name in ["client_state", "media_name"] {
        if let Some(text) = fax.said.get(name) {
            payload[name] = json!(text);
        }
    }
    if let Some(reason) = reason(fax) {
        payload["failure_reason"] = json!(reason);
    }
    if let Some(pages) = fax.pages_confirmed.filter(|pages| *pages > 0) {
        payload["page_count"] = json!(pages);
        payload["call_duration_secs"] = json!(pages * 25);
    }
    payload
}

fn key_pair(secret: &[u8]) -> Option<Ed25519KeyPair> {
    let seed = digest::digest(&digest::SHA256, secret);
    Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).ok()
}

/// The public key (base64) for the secret that signs callbacks.
#[must_use]
pub fn public_key(secret: &str) -> String {
    key_pair(secret.as_bytes()).map(|pair| BASE64.encode(pair.public_key().as_ref())).unwrap_or_default()
}
