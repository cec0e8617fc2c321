//! Standard Webhooks 1.0.0: id, time and raw body under HMAC-SHA256 (`v1`) or Ed25519 (`v1a`). Svix, which Resend and others
//! use, names the headers `svix-…`. The standard says nothing of the words; those in use are read.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::Value;

use super::MailEvents;
use super::told::{ECHO, Happened, Told, echoed, in_message_id, time, word};
use super::verdict::Saying;
use crate::domain::Timestamp;
use crate::domain::event::DeliveryEvent;
use crate::domain::fault::{About, Fault};
use crate::domain::returned::ReturnClass;
use crate::provider::kit::callback::in_time;
use crate::provider::{Rejection, WebhookAuthenticity, WebhookParts};

/// Most signatures looked at: there are two while a key is changed.
const SIGNATURES_MAX: usize = 8;
/// Most recipients that one event may name.
const RECIPIENTS_MAX: usize = 50;

/// The key of one endpoint.
pub(super) enum Key {
    /// `whsec_…`
    Shared(hmac::Key),
    /// `whpk_…`
    Public(Vec<u8>),
}

impl Key {
    /// Reads `whsec_` or `whpk_` and base64; bare base64 is a shared key. `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(public) = text.strip_prefix("whpk_") {
            return BASE64.decode(public).ok().filter(|key| key.len() == 32).map(Self::Public);
        }
        let shared = BASE64.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
        (shared.len() >= 16).then(|| Self::Shared(hmac::Key::new(hmac::HMAC_SHA256, &shared)))
    }

    /// Whether one of the signatures listed is of this content.
    fn fits(&self, signed: &[u8], listed: &str) -> bool {
        listed.split_whitespace().take(SIGNATURES_MAX).any(|item| {
            let Some((version, signature)) = item.split_once(',') else { return false };
            let Ok(signature) = BASE64.decode(signature) else { return false };
            match (self, version) {
                (Self::Shared(key), "v1") => hmac::verify(key, signed, &signature).is_ok(),
                (Self::Public(key), "v1a") => UnparsedPublicKey::new(&ED25519, key).verify(signed, &signature).is_ok(),
                _ => false,
            }
        })
    }

    /// Checks signature, then age.
    ///
    /// # Errors
    /// `Forged` if anything about the signature is missing or wrong, `Stale` if only the time does not fit.
    pub fn verify(&self, parts: &WebhookParts, now: Timestamp, tolerance: Duration) -> Result<(), Rejection> {
        let prefix = if parts.header("webhook-id").is_some() { "webhook" } else { "svix" };
        let header = |name: &str| parts.header(&format!("{prefix}-{name}")).ok_or(Rejection::Forged);
        let (id, timestamp, signatures) = (header("id")?, header("timestamp")?, header("signature")?);
        let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", &parts.body].concat();
        if !self.fits(&signed, signatures) {
            return Err(Rejection::Forged);
        }
        in_time(timestamp, now, tolerance)
    }
}

/// Any sender that keeps to the standard.
pub(super) struct StandardWebhooks {
    pub key: Key,
    pub tolerance: Duration,
}

impl MailEvents for StandardWebhooks {
    fn authenticity(&self) -> WebhookAuthenticity {
        WebhookAuthenticity::SignedWithTime
    }

    fn verify(&self, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        self.key.verify(parts, now, self.tolerance)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let event: Value = serde_json::from_slice(&parts.body).ok()?;
        let name = event["type"].as_str()?;
        let data = &event["data"];
        let Some(happened) = of_name(name, data) else { return Some(Vec::new()) };
        let facts = recipients(data).into_iter().map(|recipient| {
            let first = |names: &[&str]| names.iter().find_map(|name| word(&data[*name]));
            let told = Told {
                recipient,
                status: first(&["status_code", "enhanced_code", "status"]),
                diagnostic: first(&["diagnostic", "reason", "response", "error", "description", "message"])
                    .or_else(|| word(&data["bounce"]["message"]))
                    .unwrap_or_default(),
                attempt: attempt(data),
                reference: first(&["email_id", "message_id", "id"]),
                at: time(&event["timestamp"]).or_else(|| time(&event["created_at"])),
                ..Told::new(happened, "standard_webhooks", name)
            };
            told.event()
        });
        Some(facts.collect())
    }
}

/// Whom an event names; one nameless recipient if it names none.
pub(super) fn recipients(data: &Value) -> Vec<Option<String>> {
    let named = ["to", "recipient", "email", "address"].iter().map(|name| &data[*name]).find(|value| !value.is_null());
    let named: Vec<_> = match named {
        Some(Value::Array(list)) => list.iter().take(RECIPIENTS_MAX).filter_map(word).map(Some).collect(),
        Some(one) => word(one).map(Some).into_iter().collect(),
        None => Vec::new(),
    };
    if named.is_empty() { vec![None] } else { named }
}

/// Our reference, wherever senders repeat it.
pub(super) fn attempt(data: &Value) -> Option<crate::domain::id::AttemptId> {
    let named =
        ["tags", "metadata", "variables", "custom", "headers"].iter().find_map(|name| echoed(&data[*name][ECHO]));
    let listed = || {
        let tags = data["tags"].as_array()?;
        tags.iter().find(|tag| tag["name"] == ECHO).and_then(|tag| echoed(&tag["value"]))
    };
    named.or_else(listed).or_else(|| echoed(&data[ECHO])).or_else(|| in_message_id(&data["message_id"]))
}

/// What the last part of a type means, such as `bounced` in `email.bounced`.
fn of_name(name: &str, data: &Value) -> Option<Happened> {
    let last = name.rsplit(['.', ':', '/']).next().unwrap_or(name).to_lowercase().replace('-', "_");
    Some(match last.as_str() {
        "delivered" | "delivery" => Happened::Delivered,
        "delayed" | "delivery_delayed" | "deferred" | "deferral" => Happened::Delayed,
        "complained" | "complaint" | "spam_complaint" | "spam_report" | "spamreport" => Happened::Complained,
        "unsubscribed" | "unsubscribe" | "opted_out" | "opt_out" => Happened::OptedOut,
        "auto_reply" | "auto_replied" | "autoreply" | "out_of_office" => Happened::AutoReplied,
        "hard_bounce" | "hard_bounced" => Happened::Bounced(Saying::Hard),
        "soft_bounce" | "soft_bounced" => Happened::Bounced(Saying::Soft(Fault::Deferred)),
        "suppressed" => Happened::Bounced(Saying::Listed),
        "bounce" | "bounced" | "failed" | "dropped" => Happened::Bounced(of_bounce(data)),
        "rejected" => Happened::Bounced(Saying::Is(Fault::PolicyRefusal, About::Letter, ReturnClass::Ours)),
        _ => return None,
    })
}

fn of_bounce(data: &Value) -> Saying {
    let kinds = [&data["bounce_type"], &data["bounce"]["type"], &data["bounceType"], &data["severity"]];
    let kind = kinds.into_iter().find_map(Value::as_str).unwrap_or_default().to_lowercase();
    match kind.as_str() {
        "hard" | "permanent" => Saying::Hard,
        "soft" | "transient" | "temporary" => Saying::Soft(Fault::Deferred),
        "undetermined" => Saying::Soft(Fault::Unknown),
        "block" | "blocked" => Saying::Soft(Fault::PolicyRefusal),
        _ => Saying::Open,
    }
}
