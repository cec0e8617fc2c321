//! Mailgun: HMAC-SHA256 over time and a token, both in the body (Mailgun: "Securing Webhooks"). The signature does not cover
//! what happened, so that a token is good for one body only: the inbox keeps it for all nodes.

use std::time::Duration;

use ring::digest::{SHA256, digest};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::MailEvents;
use super::told::{ECHO, Happened, Told, echoed, in_message_id, time, word};
use super::verdict::Saying;
use crate::domain::Timestamp;
use crate::domain::event::DeliveryEvent;
use crate::domain::fault::{About, Fault};
use crate::domain::id::AttemptId;
use crate::domain::returned::ReturnClass;
use crate::provider::kit::callback::in_time;
use crate::provider::kit::reading;
use crate::provider::{Rejection, WebhookAuthenticity, WebhookParts};

/// Longest token that is one of theirs (they have 50 characters).
const TOKEN_CHARS_MAX: usize = 100;
/// Hexadecimal digits of a token's digest that are kept: 128 bits.
const DIGEST_DIGITS: usize = 32;

/// One domain's webhooks.
pub(super) struct Mailgun {
    key: hmac::Key,
    tolerance: Duration,
}

impl Mailgun {
    /// With the HTTP webhook signing key.
    pub fn new(key: &SecretString, tolerance: Duration) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
        Self { key, tolerance }
    }
}

impl MailEvents for Mailgun {
    fn authenticity(&self) -> WebhookAuthenticity {
        WebhookAuthenticity::Signed
    }

    fn verify(&self, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        let body: Value = serde_json::from_slice(&parts.body).map_err(|_| Rejection::Forged)?;
        let given = |name: &str| reading::words(&body["signature"][name]).ok_or(Rejection::Forged);
        let (timestamp, token, signature) = (given("timestamp")?, given("token")?, given("signature")?);
        let signature = hex::decode(signature).map_err(|_| Rejection::Forged)?;
        let signed = format!("{timestamp}{token}");
        hmac::verify(&self.key, signed.as_bytes(), &signature).map_err(|_| Rejection::Forged)?;
        if token.len() > TOKEN_CHARS_MAX {
            return Err(Rejection::Forged);
        }
        in_time(&timestamp, now, self.tolerance)
    }

    fn used_once(&self, parts: &WebhookParts) -> Option<String> {
        let body: Value = serde_json::from_slice(&parts.body).ok()?;
        let given = |name: &str| reading::words(&body["signature"][name]);
        // The time is part of it: the signature covers the two together, wherever one ends and the other begins.
        let signed = format!("{}{}", given("timestamp")?, given("token")?);
        let mut digits = hex::encode(digest(&SHA256, format!("mailgun\n{signed}").as_bytes()));
        digits.truncate(DIGEST_DIGITS);
        Some(digits)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let body: Value = serde_json::from_slice(&parts.body).ok()?;
        Some(told(&body["event-data"])?.map(Told::event).into_iter().collect())
    }

    fn echo(&self, attempt: AttemptId) -> Option<(&'static str, String)> {
        Some(("X-Mailgun-Variables", serde_json::json!({ ECHO: attempt.to_string() }).to_string()))
    }
}

fn told(event: &Value) -> Option<Option<Told>> {
    let name = event["event"].as_str()?;
    let severity = event["severity"].as_str().unwrap_or_default();
    let reason = event["reason"].as_str().unwrap_or_default();
    let (happened, said) = match name {
        "delivered" => (Happened::Delivered, name.to_owned()),
        "failed" if severity == "temporary" => (Happened::Delayed, format!("{name}/{severity}/{reason}")),
        "failed" => (Happened::Bounced(of_reason(reason)), format!("{name}/{severity}/{reason}")),
        "rejected" => {
            let saying = Saying::Is(Fault::PolicyRefusal, About::Letter, ReturnClass::Ours);
            (Happened::Bounced(saying), name.to_owned())
        }
        "complained" => (Happened::Complained, name.to_owned()),
        "unsubscribed" => (Happened::OptedOut, name.to_owned()),
        _ => return Some(None),
    };
    let status = &event["delivery-status"];
    Some(Some(Told {
        recipient: word(&event["recipient"]),
        status: word(&status["enhanced-code"]),
        diagnostic: diagnostic(event),
        id: word(&event["id"]),
        attempt: echoed(&event["user-variables"][ECHO])
            .or_else(|| in_message_id(&event["message"]["headers"]["message-id"])),
        at: time(&event["timestamp"]),
        ..Told::new(happened, "mailgun", said.trim_end_matches('/'))
    }))
}

/// The server's reply with its code; what stands in `code` above 599 is Mailgun's own (605: it did not try).
fn diagnostic(event: &Value) -> String {
    let status = &event["delivery-status"];
    let text = word(&status["message"]).or_else(|| word(&status["description"]));
    let text = text.or_else(|| word(&event["reject"]["reason"])).unwrap_or_default();
    match status["code"].as_u64() {
        Some(code @ 200..=599) if !text.starts_with(&code.to_string()) => format!("{code} {text}").trim().to_owned(),
        _ => text,
    }
}

/// Why it failed for good (Mailgun: "Event Structure", failed).
fn of_reason(reason: &str) -> Saying {
    match reason {
        "bounce" => Saying::Hard,
        "suppress-bounce" => Saying::Listed,
        "suppress-unsubscribe" => Saying::Unwilling,
        "suppress-complaint" => Saying::Is(Fault::Complaint, About::Recipient, ReturnClass::Hard),
        "old" => Saying::Soft(Fault::Expired),
        "espblock" | "greylisted" => Saying::Soft(Fault::PolicyRefusal),
        _ => Saying::Open,
    }
}
