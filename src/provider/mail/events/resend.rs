//! Resend: Standard Webhooks by Svix, with words of its own (Resend: "Event Types"). A bounce has the words of SES, through
//! which Resend sends.

use std::time::Duration;

use serde_json::Value;

use super::MailEvents;
use super::ses::saying;
use super::standard_webhooks::{Key, attempt, recipients};
use super::told::{Happened, Told, time, word};
use super::verdict::Saying;
use crate::domain::Timestamp;
use crate::domain::event::DeliveryEvent;
use crate::domain::fault::{About, Fault};
use crate::domain::returned::ReturnClass;
use crate::provider::{Rejection, WebhookAuthenticity, WebhookParts};

/// One endpoint.
pub(super) struct Resend {
    pub key: Key,
    pub tolerance: Duration,
}

impl MailEvents for Resend {
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
        let (happened, said, diagnostic) = match name {
            "email.delivered" => (Happened::Delivered, name.to_owned(), None),
            "email.delivery_delayed" => (Happened::Delayed, name.to_owned(), None),
            "email.complained" => (Happened::Complained, name.to_owned(), None),
            "email.bounced" => of_bounce(name, &data["bounce"]),
            "email.suppressed" => of_suppression(name, &data["suppressed"]),
            "email.failed" => {
                let reason = word(&data["failed"]["reason"]).unwrap_or_default();
                (Happened::Bounced(of_failure(&reason)), format!("{name}/{reason}"), Some(reason))
            }
            _ => return Some(Vec::new()),
        };
        let facts = recipients(data).into_iter().map(|recipient| {
            let told = Told {
                recipient,
                diagnostic: diagnostic.clone().unwrap_or_default(),
                attempt: attempt(data),
                reference: word(&data["email_id"]),
                at: time(&event["created_at"]),
                ..Told::new(happened, "resend", &said)
            };
            told.event()
        });
        Some(facts.collect())
    }
}

fn of_bounce(name: &str, bounce: &Value) -> (Happened, String, Option<String>) {
    let (kind, subtype) = (bounce["type"].as_str().unwrap_or_default(), bounce["subType"].as_str().unwrap_or_default());
    let servers = bounce["diagnosticCode"].as_array().and_then(|list| word(list.first()?));
    let text = servers.or_else(|| word(&bounce["diagnosticCode"])).or_else(|| word(&bounce["message"]));
    let said = format!("{name}/{kind}/{subtype}");
    (Happened::Bounced(saying(kind, subtype)), said.trim_end_matches('/').to_owned(), text)
}

/// It stands on Resend's own list.
fn of_suppression(name: &str, suppressed: &Value) -> (Happened, String, Option<String>) {
    let kind = suppressed["type"].as_str().unwrap_or_default();
    let saying = if kind.to_lowercase().contains("complain") {
        Saying::Is(Fault::Complaint, About::Recipient, ReturnClass::Hard)
    } else {
        Saying::Listed
    };
    (Happened::Bounced(saying), format!("{name}/{kind}").trim_end_matches('/').to_owned(), word(&suppressed["message"]))
}

/// Resend did not send it: its quota, its key, its domain, or an address that it does not take.
fn of_failure(reason: &str) -> Saying {
    let has = |part: &str| reason.to_lowercase().contains(part);
    if has("quota") || has("limit") {
        Saying::Is(Fault::QuotaReached, About::Speed, ReturnClass::Ours)
    } else if has("recipient") || has("invalid_to") || has("address") {
        Saying::Is(Fault::Unknown, About::Recipient, ReturnClass::Soft)
    } else {
        Saying::Is(Fault::AccountError, About::Account, ReturnClass::Ours)
    }
}
