//! A fax as RingCentral describes it: a message of the extension's mailbox, the same object in every answer.

use serde_json::Value;

use super::faults;
use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::Fact;
use crate::domain::fault::{Failure, Fault};
use crate::provider::kit::numbers;
use crate::provider::kit::reading::{count, progress, reference, text, time};

/// What we read of a fax. Only the id must be there. It holds a number, so it does not print itself.
pub struct Fax {
    pub id: ProviderReference,
    pub created_ms: Option<Timestamp>,
    status: String,
    error: Option<String>,
    pages: Option<u32>,
    direction: Option<String>,
    recipients: Vec<Value>,
}

impl Fax {
    /// Reads a message.
    pub fn read(value: &Value) -> Option<Self> {
        let id = reference(&value["id"])?;
        let recipients = match &value["to"] {
            Value::Array(all) => all.clone(),
            Value::Object(_) => vec![value["to"].clone()],
            _ => Vec::new(),
        };
        let first = recipients.first().unwrap_or(&Value::Null);
        // There is one recipient; the message's own status is that of all recipients together.
        let status = text(first, "messageStatus").or_else(|| text(value, "messageStatus")).unwrap_or_default();
        Some(Self {
            id,
            created_ms: text(value, "creationTime").as_deref().and_then(time),
            status,
            error: text(first, "faxErrorCode").or_else(|| text(value, "faxErrorCode")),
            // 0 until the fax is drawn, and in recordings of some that ended.
            pages: count(&value["faxPageCount"]).filter(|pages| *pages > 0),
            direction: text(value, "direction"),
            recipients,
        })
    }

    /// Whether it was sent, by us or another, to that number.
    pub fn went_to(&self, number: &str) -> bool {
        self.direction.as_deref() != Some("Inbound")
            && self.recipients.iter().any(|recipient| numbers::is_same(&recipient["phoneNumber"], number))
    }

    /// What its status says. `Sent` is the end of a fax that went well; anything unknown is progress.
    pub fn fact(&self) -> Fact {
        match self.status.as_str() {
            "Sent" | "Delivered" => Fact::Delivered { pages: self.pages },
            "SendingFailed" | "DeliveryFailed" => Fact::Failed(self.failed()),
            other => progress(other),
        }
    }

    /// Why it failed. The page count is that of the fax, so it tells of arrived pages only where some did arrive.
    fn failed(&self) -> Failure {
        let Some(error) = self.error.as_deref() else { return Failure::new(Fault::Unknown).code(&self.status) };
        let failure = Failure::new(faults::of_fax_error(error)).code(error);
        if failure.fault == Fault::PartialSend { failure.pages(self.pages) } else { failure }
    }
}
