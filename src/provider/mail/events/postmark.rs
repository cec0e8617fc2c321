//! Postmark: nothing is signed; a callback carries user and password, or a header that was set for it (Postmark: "Webhooks
//! overview"). A body is one event.

use serde_json::Value;

use super::MailEvents;
use super::secret::Shared;
use super::told::{ECHO, Happened, Told, echoed, time, word};
use super::verdict::Saying;
use crate::domain::Timestamp;
use crate::domain::event::DeliveryEvent;
use crate::domain::fault::{About, Fault};
use crate::domain::id::AttemptId;
use crate::domain::returned::ReturnClass;
use crate::provider::{Rejection, WebhookAuthenticity, WebhookParts};

/// One server's webhooks.
pub(super) struct Postmark(pub Shared);

impl MailEvents for Postmark {
    fn authenticity(&self) -> WebhookAuthenticity {
        WebhookAuthenticity::SharedSecret
    }

    fn verify(&self, parts: &WebhookParts, _now: Timestamp) -> Result<(), Rejection> {
        self.0.verify(parts)
    }

    fn secret_header(&self) -> Option<&str> {
        Some(self.0.header())
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let event: Value = serde_json::from_slice(&parts.body).ok()?;
        Some(told(&event)?.map(Told::event).into_iter().collect())
    }

    fn echo(&self, attempt: AttemptId) -> Option<(&'static str, String)> {
        Some(("X-PM-Metadata-touchline_attempt", attempt.to_string()))
    }
}

fn told(event: &Value) -> Option<Option<Told>> {
    let record = event["RecordType"].as_str()?;
    let (happened, said, at) = match record {
        "Delivery" => (Happened::Delivered, record.to_owned(), &event["DeliveredAt"]),
        "SpamComplaint" => (Happened::Complained, record.to_owned(), &event["BouncedAt"]),
        "Bounce" => {
            let kind = kind_of(event);
            let Some(happened) = of_kind(kind) else { return Some(None) };
            (happened, format!("{record}/{kind}"), &event["BouncedAt"])
        }
        "SubscriptionChange" => {
            let reason = event["SuppressionReason"].as_str().unwrap_or_default();
            // Of a bounce and a complaint there is an event of its own; what the sender entered is nobody's wish.
            let is_theirs = event["Origin"].as_str().is_none_or(|origin| origin == "Recipient");
            if event["SuppressSending"] != true || reason != "ManualSuppression" || !is_theirs {
                return Some(None);
            }
            (Happened::OptedOut, format!("{record}/true/{reason}"), &event["ChangedAt"])
        }
        _ => return Some(None),
    };
    Some(Some(Told {
        recipient: word(&event["Email"]).or_else(|| word(&event["Recipient"])),
        diagnostic: word(&event["Details"]).or_else(|| word(&event["Description"])).unwrap_or_default(),
        id: word(&event["ID"]),
        attempt: echoed(&event["Metadata"][ECHO]),
        reference: word(&event["MessageID"]),
        at: time(at),
        ..Told::new(happened, "postmark", &said)
    }))
}

/// The word for a bounce; by its number where there is only that.
fn kind_of(event: &Value) -> &str {
    const BY_NUMBER: &[(u64, &str)] = &[
        (1, "HardBounce"),
        (2, "Transient"),
        (16, "Unsubscribe"),
        (32, "Subscribe"),
        (64, "AutoResponder"),
        (128, "AddressChange"),
        (256, "DnsError"),
        (512, "SpamNotification"),
        (1024, "OpenRelayTest"),
        (2048, "Unknown"),
        (4096, "SoftBounce"),
        (8192, "VirusNotification"),
        (16384, "ChallengeVerification"),
        (100_000, "BadEmailAddress"),
        (100_001, "SpamComplaint"),
        (100_002, "ManuallyDeactivated"),
        (100_003, "Unconfirmed"),
        (100_006, "Blocked"),
        (100_007, "SMTPApiError"),
        (100_008, "InboundError"),
        (100_009, "DMARCPolicy"),
        (100_010, "TemplateRenderingFailed"),
    ];
    event["Type"].as_str().filter(|kind| !kind.is_empty()).unwrap_or_else(|| {
        let number = event["TypeCode"].as_u64();
        BY_NUMBER.iter().find(|(code, _)| Some(*code) == number).map_or("", |(_, kind)| kind)
    })
}

/// What a bounce is (Postmark: "Bounce API", bounce types); none is no fact.
fn of_kind(kind: &str) -> Option<Happened> {
    let ours = |fault, about| Saying::Is(fault, about, ReturnClass::Ours);
    let saying = match kind {
        "Transient" => return Some(Happened::Delayed),
        "Unsubscribe" => return Some(Happened::OptedOut),
        "SpamComplaint" => return Some(Happened::Complained),
        "AutoResponder" | "AddressChange" | "ChallengeVerification" => return Some(Happened::AutoReplied),
        "HardBounce" => Saying::Hard,
        "BadEmailAddress" => Saying::Dead,
        "SoftBounce" | "DnsError" => Saying::Soft(Fault::Deferred),
        "Unknown" => Saying::Soft(Fault::Unknown),
        "Blocked" => Saying::Soft(Fault::PolicyRefusal),
        "ManuallyDeactivated" => Saying::Listed,
        "SpamNotification" | "VirusNotification" => ours(Fault::PolicyRefusal, About::Letter),
        "DMARCPolicy" => ours(Fault::PolicyRefusal, About::Account),
        "Unconfirmed" | "SMTPApiError" => ours(Fault::AccountError, About::Account),
        "TemplateRenderingFailed" => ours(Fault::DocumentError, About::Letter),
        _ => return None,
    };
    Some(Happened::Bounced(saying))
}
