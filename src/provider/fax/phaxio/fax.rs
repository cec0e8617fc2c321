//! A fax as Phaxio describes it: the same object in answers, in listings and in callbacks.

use serde_json::Value;

use super::Phaxio;
use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::{Billed, Fact, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::AttemptId;
use crate::provider::kit::phaxio_codes::Cause;
use crate::provider::kit::reading::{count, progress, reference, text, time, words};

/// The tag that carries our attempt.
pub const TAG: &str = "touchline";

/// What we read of a fax. It holds a number, so it does not print itself.
pub struct Fax {
    pub id: ProviderReference,
    pub status: String,
    /// The finer word of its one recipient, such as `ringing`.
    pub recipient_status: Option<String>,
    pub to: Option<String>,
    /// `None` if the object has no tags at all, which says nothing; all that Phaxio publishes have.
    pub tags: Option<Value>,
    pub pages: Option<u32>,
    pub cost: Option<Billed>,
    pub cause: Cause,
    pub created_ms: Option<Timestamp>,
    pub completed_ms: Option<Timestamp>,
    pub is_inbound: bool,
}

impl Fax {
    /// Reads a fax object; only the id must be there.
    pub fn read(value: &Value) -> Option<Self> {
        let recipient = &value["recipients"][0];
        let own = cause(recipient);
        Some(Self {
            id: reference(&value["id"])?,
            status: text(value, "status").unwrap_or_default(),
            recipient_status: text(recipient, "status"),
            to: text(recipient, "phone_number"),
            tags: Some(value["tags"].clone()).filter(|tags| tags.is_object() || tags.is_array()),
            pages: count(&value["num_pages"]),
            cost: words(&value["cost"]).and_then(|cents| Billed::new(&cents, "cents")),
            cause: if own.is_told() { own } else { cause(value) },
            created_ms: text(value, "created_at").as_deref().and_then(time),
            completed_ms: text(value, "completed_at").as_deref().and_then(time),
            is_inbound: text(value, "direction").as_deref() == Some("received"),
        })
    }

    /// Our attempt, if the fax carries one.
    pub fn attempt(&self) -> Option<AttemptId> {
        self.tags.as_ref()?[TAG].as_str()?.parse().ok()
    }

    /// Whether nothing more will happen to it.
    pub fn is_final(&self) -> bool {
        matches!(self.status.as_str(), "success" | "failure" | "partialsuccess")
    }

    /// The stage in Phaxio's own word, the recipient's where it is told.
    pub fn stage(&self) -> &str {
        self.recipient_status.as_deref().unwrap_or(&self.status)
    }

    /// What it costs. Before its end the sum may change.
    pub fn billed(&self) -> Option<Billed> {
        self.cost.clone().filter(|_| self.is_final())
    }
}

fn cause(value: &Value) -> Cause {
    Cause { kind: text(value, "error_type"), number: count(&value["error_id"]), message: text(value, "error_message") }
}

impl Phaxio {
    pub(super) fn report(&self, fax: &Fax) -> Report {
        Report { billed: fax.billed(), ..Report::new(fax.id.clone(), self.fact(fax)) }
    }

    /// What the fax's status says. Anything unknown is progress.
    pub(super) fn fact(&self, fax: &Fax) -> Fact {
        match fax.status.as_str() {
            // For one recipient, all pages of the fax.
            "success" => Fact::Delivered { pages: fax.pages.filter(|pages| *pages > 0) },
            "failure" => Fact::Failed(self.failed(fax)),
            // Some of it arrived, and Phaxio does not say how much.
            "partialsuccess" => {
                let failure = Failure { fault: Fault::PartialSend, pages_confirmed: None, ..self.failed(fax) };
                let told = failure.raw_code.is_some();
                Fact::Failed(if told { failure } else { failure.code("partialsuccess") })
            }
            _ => progress(fax.stage()),
        }
    }

    /// Why it failed, in Phaxio's words.
    fn failed(&self, fax: &Fax) -> Failure {
        fax.cause.cleaned(|words| self.client.clean(words)).failure()
    }
}
