//! A fax as Documo describes it: the same object in answers, in the history and in callbacks.

use serde_json::Value;

use super::Documo;
use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::{DeliveryEvent, Fact};
use crate::domain::fault::{Failure, Fault};
use crate::provider::WebhookParts;
use crate::provider::kit::reading;
use crate::provider::kit::reading::{count, event, reference, text, time, words};

/// What we read of a fax. It holds a number, so it does not print itself.
pub struct Fax {
    pub id: ProviderReference,
    pub status: String,
    pub result_code: Option<String>,
    pub words: Option<String>,
    pub pages: Option<u32>,
    pub pages_complete: Option<u32>,
    pub number: Value,
    pub subject: Option<String>,
    pub direction: Option<String>,
    pub created_ms: Option<Timestamp>,
    pub resolved_ms: Option<Timestamp>,
}

impl Fax {
    pub fn read(value: &Value) -> Option<Self> {
        let code = |key: &str| words(&value[key]).filter(|code| code != "0");
        let when = |key: &str| text(value, key).as_deref().and_then(time);
        Some(Self {
            id: reference(&value["messageId"])?,
            status: text(value, "status").unwrap_or_default(),
            result_code: code("resultCode").or_else(|| code("errorCode")),
            words: text(value, "resultInfo").or_else(|| text(value, "errorInfo")),
            pages: count(&value["pagesCount"]),
            pages_complete: count(&value["pagesComplete"]),
            number: value["faxNumber"].clone(),
            subject: text(value, "subject"),
            direction: text(value, "direction").or_else(|| text(value, "classificationLabel")),
            created_ms: when("createdAt"),
            resolved_ms: when("resolvedDate"),
        })
    }

    pub fn is_inbound(&self) -> bool {
        self.direction.as_deref() == Some("inbound")
    }
}

/// `resultCode` of a failed fax. These four are known, at second hand; anything else keeps its code.
fn fault_of(code: &str) -> Fault {
    match code {
        "5100" => Fault::Blocked,
        "5200" => Fault::DocumentError,
        "6000" => Fault::LineError,
        "6100" => Fault::Busy,
        _ => Fault::Unknown,
    }
}

impl Documo {
    /// What the status says: success, failed and cancelled are final; processing, transmitting, scheduled and anything
    /// unknown are progress.
    pub(super) fn fact(&self, fax: &Fax) -> Fact {
        match fax.status.as_str() {
            "success" => reading::delivered(fax.pages_complete, fax.pages),
            "failed" => reading::failed_after(self.failed(fax), fax.pages_complete),
            "cancelled" => reading::failed_after(Failure::new(Fault::Cancelled).code("cancelled"), fax.pages_complete),
            stage => reading::progress(stage),
        }
    }

    fn failed(&self, fax: &Fax) -> Failure {
        let fault = fax.result_code.as_deref().map_or(Fault::Unknown, fault_of);
        self.client.failed(fault, fax.result_code.as_deref(), fax.words.as_deref())
    }

    /// Reads a callback that came to the right address. The event's name is a header; callbacks that are not about an
    /// outbound fax give an empty list.
    pub(super) fn events(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let body: Value = serde_json::from_slice(&parts.body).ok()?;
        let fax = Fax::read(&body);
        let outbound = parts.header("x-webhook-event").is_none_or(|event| event.contains("outbound"));
        if !outbound || fax.as_ref().is_some_and(Fax::is_inbound) {
            return Some(Vec::new());
        }
        let fax = fax?;
        let attempt = fax.subject.as_deref().and_then(|subject| subject.parse().ok());
        let fact = self.fact(&fax);
        Some(vec![DeliveryEvent { attempt, occurred_ms: fax.resolved_ms, ..event(fax.id, &fax.status, fact) }])
    }
}
