//! SendGrid: ECDSA on P-256 with SHA-256 over the time and the raw body (Twilio: "Event Webhook Security Features"). A body
//! is a list of events, each with its own id.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::Value;

use super::told::{ECHO, Happened, Told, echoed, in_message_id, time, word};
use super::verdict::Saying;
use super::{EVENTS_MAX, MailEvents};
use crate::domain::Timestamp;
use crate::domain::event::DeliveryEvent;
use crate::domain::fault::{About, Fault};
use crate::domain::id::AttemptId;
use crate::domain::returned::ReturnClass;
use crate::provider::kit::callback::in_time;
use crate::provider::{Rejection, WebhookAuthenticity, WebhookParts};

const SIGNATURE: &str = "x-twilio-email-event-webhook-signature";
const TIMESTAMP: &str = "x-twilio-email-event-webhook-timestamp";
/// What stands before the point in a `SubjectPublicKeyInfo` of P-256 (RFC 5480).
const PREFIX_OF_P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// One account's event webhook.
pub(super) struct SendGrid {
    key: Vec<u8>,
    tolerance: Duration,
}

impl SendGrid {
    /// With the verification key as SendGrid shows it; `None` if it is not one.
    pub fn new(key: &str, tolerance: Duration) -> Option<Self> {
        let info = BASE64.decode(key.trim()).ok()?;
        let point = info.strip_prefix(PREFIX_OF_P256).filter(|point| point.len() == 65)?;
        Some(Self { key: point.to_vec(), tolerance })
    }
}

impl MailEvents for SendGrid {
    fn authenticity(&self) -> WebhookAuthenticity {
        WebhookAuthenticity::SignedWithTime
    }

    fn verify(&self, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        let timestamp = parts.header(TIMESTAMP).ok_or(Rejection::Forged)?;
        let signature = parts.header(SIGNATURE).ok_or(Rejection::Forged)?;
        let signature = BASE64.decode(signature.trim()).map_err(|_| Rejection::Forged)?;
        let signed = [timestamp.as_bytes(), &parts.body].concat();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.key);
        key.verify(&signed, &signature).map_err(|_| Rejection::Forged)?;
        in_time(timestamp, now, self.tolerance)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let events = match serde_json::from_slice(&parts.body).ok()? {
            Value::Array(events) if events.len() <= EVENTS_MAX => events,
            one @ Value::Object(_) => vec![one],
            _ => return None,
        };
        let mut facts = Vec::new();
        for event in &events {
            facts.extend(told(event)?.map(Told::event));
        }
        Some(facts)
    }

    fn echo(&self, attempt: AttemptId) -> Option<(&'static str, String)> {
        Some(("X-SMTPAPI", serde_json::json!({ "unique_args": { ECHO: attempt.to_string() } }).to_string()))
    }
}

/// What one event says, if it is a fact; `None` if it is no event.
fn told(event: &Value) -> Option<Option<Told>> {
    let name = event["event"].as_str()?;
    let kind = event["type"].as_str().unwrap_or_default();
    let classification = event["bounce_classification"].as_str().unwrap_or_default();
    let reason = word(&event["reason"]).or_else(|| word(&event["response"])).unwrap_or_default();
    let (happened, said) = match name {
        "delivered" => (Happened::Delivered, name.to_owned()),
        "deferred" => (Happened::Delayed, name.to_owned()),
        "bounce" | "blocked" => {
            let is_block = name == "blocked" || kind == "blocked";
            let saying = of_bounce(is_block, classification);
            (Happened::Bounced(saying), format!("{name}/{kind}/{classification}").trim_matches('/').to_owned())
        }
        "dropped" => (of_drop(&reason), format!("{name}/{reason}")),
        "spamreport" => (Happened::Complained, name.to_owned()),
        "unsubscribe" | "group_unsubscribe" => (Happened::OptedOut, name.to_owned()),
        _ => return Some(None),
    };
    let letter = word(&event["sg_message_id"]);
    Some(Some(Told {
        recipient: word(&event["email"]),
        status: word(&event["status"]),
        diagnostic: reason,
        id: word(&event["sg_event_id"]),
        attempt: echoed(&event[ECHO]).or_else(|| in_message_id(&event["smtp-id"])),
        // What stands before the first dot is what the relay answered with.
        reference: letter.and_then(|id| id.split('.').next().map(str::to_owned)),
        at: time(&event["timestamp"]),
        ..Told::new(happened, "sendgrid", &said)
    }))
}

/// A refusal by the recipient's server (Twilio: "Bounce and Block Classifications"). A block is never held against the address:
/// SendGrid itself goes on sending to it.
fn of_bounce(is_block: bool, classification: &str) -> Saying {
    match classification {
        "Content" => Saying::Is(Fault::PolicyRefusal, About::Letter, ReturnClass::Ours),
        "Reputation" => Saying::Is(Fault::PolicyRefusal, About::Path, ReturnClass::Ours),
        "Frequency/Volume" | "Frequency or Volume Too High" => {
            Saying::Is(Fault::RateLimited, About::Speed, ReturnClass::Ours)
        }
        _ if is_block => Saying::Soft(Fault::PolicyRefusal),
        "Technical" | "Technical Failure" => Saying::Soft(Fault::Deferred),
        "Mailbox Unavailable" => Saying::Open,
        _ => Saying::Hard,
    }
}

/// What SendGrid did not try, by its reason (Twilio: "Event Webhook Reference", dropped).
fn of_drop(reason: &str) -> Happened {
    let is = |start: &str| reason.get(..start.len()).is_some_and(|given| given.eq_ignore_ascii_case(start));
    Happened::Bounced(if is("Bounced Address") {
        Saying::Listed
    } else if is("Unsubscribed Address") {
        Saying::Unwilling
    } else if is("Spam Reporting Address") {
        Saying::Is(Fault::Complaint, About::Recipient, ReturnClass::Hard)
    } else if is("Spam Content") {
        Saying::Is(Fault::PolicyRefusal, About::Letter, ReturnClass::Ours)
    } else if is("Recipient List over Package Quota") {
        Saying::Is(Fault::QuotaReached, About::Speed, ReturnClass::Ours)
    } else if is("Invalid SMTPAPI header") {
        Saying::Is(Fault::ProtocolError, About::Account, ReturnClass::Ours)
    } else if is("Invalid") {
        // Its list of invalid addresses.
        Saying::Listed
    } else {
        Saying::Soft(Fault::Unknown)
    })
}
