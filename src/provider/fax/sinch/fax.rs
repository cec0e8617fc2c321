//! A fax as Sinch describes it: the same object in answers, in listings and in callbacks. Its samples differ in types:
//! numbers and truths come as text too, and one fax as an object, a list or a listing.

use serde_json::Value;

use super::Sinch;
use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::{Billed, Fact, Report};
use crate::domain::id::AttemptId;
use crate::provider::kit::phaxio_codes::Cause;
use crate::provider::kit::reading::{count, delivered, failed_after, progress, reference, text, time, words};

/// The label that carries our attempt.
pub const LABEL: &str = "touchline";

/// What we read of a fax. It holds a number, so it does not print itself.
pub struct Fax {
    pub id: ProviderReference,
    pub status: String,
    pub to: Option<String>,
    /// `None` if the fax carries no label at all.
    pub labels: Option<Value>,
    pub pages: Option<u32>,
    pub pages_confirmed: Option<u32>,
    pub price: Option<Billed>,
    pub cause: Cause,
    pub created_ms: Option<Timestamp>,
    pub completed_ms: Option<Timestamp>,
    pub is_inbound: bool,
}

impl Fax {
    /// Reads a fax object; only the id must be there.
    pub fn read(value: &Value) -> Option<Self> {
        let at = |key: &str| text(value, key).as_deref().and_then(time);
        let price = &value["price"];
        Some(Self {
            id: reference(&value["id"])?,
            status: text(value, "status").unwrap_or_default(),
            to: text(value, "to").or_else(|| value["to"][0].as_str().map(str::to_owned)),
            labels: Some(value["labels"].clone())
                .filter(|labels| labels.as_object().is_some_and(|map| !map.is_empty())),
            pages: count(&value["numberOfPages"]),
            pages_confirmed: count(&value["pagesSentSuccessfully"]),
            price: words(&price["amount"]).and_then(|amount| Billed::new(&amount, price["currencyCode"].as_str()?)),
            cause: Cause {
                kind: text(value, "errorType"),
                number: count(&value["errorCode"]),
                message: text(value, "errorMessage"),
            },
            created_ms: at("createTime"),
            completed_ms: at("completedTime"),
            is_inbound: text(value, "direction").as_deref() == Some("INBOUND"),
        })
    }

    /// The first fax of an answer.
    pub fn first(body: &Value) -> Option<Self> {
        let listed = if body["faxes"].is_array() { &body["faxes"] } else { body };
        Self::read(if listed.is_array() { &listed[0] } else { listed })
    }

    /// Our attempt, if the fax carries one.
    pub fn attempt(&self) -> Option<AttemptId> {
        self.labels.as_ref()?[LABEL].as_str()?.parse().ok()
    }
}

impl Sinch {
    pub(super) fn report(&self, fax: &Fax) -> Report {
        Report { billed: fax.price.clone(), ..Report::new(fax.id.clone(), self.fact(fax)) }
    }

    /// What the fax's status says. Only `COMPLETED` and `FAILURE` are final; anything unknown is progress.
    pub(super) fn fact(&self, fax: &Fax) -> Fact {
        match fax.status.as_str() {
            // A fax of which nothing else is told arrived whole.
            "COMPLETED" => delivered(fax.pages_confirmed.or(fax.pages), fax.pages),
            "FAILURE" => self.failed(fax),
            _ => progress(&fax.status),
        }
    }

    /// Why it failed. Pages that arrived before make it a partial send.
    fn failed(&self, fax: &Fax) -> Fact {
        let failure = fax.cause.cleaned(|words| self.client.clean(words)).failure();
        match fax.pages_confirmed {
            None => Fact::Failed(failure),
            confirmed => failed_after(failure, confirmed),
        }
    }
}
