//! A fax as Telnyx describes it: the same object in answers and, with other names for the id, in callbacks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::Telnyx;
use super::faults;
use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::Fact;
use crate::domain::id::AttemptId;
use crate::provider::kit::reading::{count, failed_with, progress, reference, text, time};

/// What we read of a fax. Only the id must be there; everything else is optional in the published schema. It holds a
/// number, so it does not print itself.
pub struct Fax {
    pub id: ProviderReference,
    pub status: String,
    pub failure_reason: Option<String>,
    /// Further words about a failure; not in the published schema, seen in answers.
    pub internal_reason: Option<String>,
    pub pages: Option<u32>,
    pub client_state: Option<String>,
    pub to: Option<String>,
    pub direction: Option<String>,
    pub created_ms: Option<Timestamp>,
}

impl Fax {
    /// Reads a fax object or the payload of a callback.
    pub fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: reference(&value["fax_id"]).or_else(|| reference(&value["id"]))?,
            status: text(value, "status").unwrap_or_default(),
            failure_reason: text(value, "failure_reason"),
            internal_reason: text(value, "internal_failure_reason"),
            pages: count(&value["page_count"]),
            client_state: text(value, "client_state"),
            to: text(value, "to"),
            direction: text(value, "direction"),
            created_ms: text(value, "created_at").as_deref().and_then(time),
        })
    }

    /// Our attempt, if the fax carries one.
    pub fn attempt(&self) -> Option<AttemptId> {
        let bytes = BASE64.decode(self.client_state.as_deref()?).ok()?;
        std::str::from_utf8(&bytes).ok()?.parse().ok()
    }

    pub fn is_inbound(&self) -> bool {
        self.direction.as_deref() == Some("inbound")
    }
}

/// `client_state` for an attempt: base64, as the schema demands.
pub fn client_state(attempt: AttemptId) -> String {
    BASE64.encode(attempt.to_string())
}

impl Telnyx {
    /// What the fax's status says. Only `delivered` and `failed` are final; anything unknown is progress.
    pub(super) fn fact(&self, fax: &Fax) -> Fact {
        match fax.status.as_str() {
            "delivered" => Fact::Delivered { pages: fax.pages },
            "failed" => self.failed(fax),
            stage => progress(stage),
        }
    }

    /// Why a fax failed. Pages that arrived before a failure make it a partial send, which is never repeated as a
    /// whole; where the reason itself excludes a transmission, a page count can only be that of the document.
    pub(super) fn failed(&self, fax: &Fax) -> Fact {
        let reason = fax.failure_reason.as_deref().unwrap_or_default();
        let failure = self.client.failed(faults::of_reason(reason), Some(reason), fax.internal_reason.as_deref());
        failed_with(failure, fax.pages)
    }
}
