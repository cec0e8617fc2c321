//! A fax as SignalWire describes it: members in lower case in answers, in camel case in callbacks.

use serde_json::Value;

use super::{SignalWire, without_links};
use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::{Billed, DeliveryEvent, Fact, Report};
use crate::domain::fault::Fault;
use crate::provider::WebhookParts;
use crate::provider::kit::fields::Fields;
use crate::provider::kit::reading;
use crate::provider::kit::reading::{count, event, reference, text, time, words};

/// What we read of a fax. It holds a number, so it does not print itself.
pub struct Fax {
    pub id: ProviderReference,
    pub status: String,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub pages: Option<u32>,
    pub to: Value,
    pub direction: Option<String>,
    pub created_ms: Option<Timestamp>,
    pub billed: Option<Billed>,
}

impl Fax {
    /// Reads a fax object of an answer.
    pub fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: reference(&value["sid"])?,
            status: text(value, "status").unwrap_or_default(),
            error_code: words(&value["error_code"]),
            error_message: text(value, "error_message"),
            pages: count(&value["num_pages"]),
            to: value["to"].clone(),
            direction: text(value, "direction"),
            created_ms: text(value, "date_created").as_deref().and_then(moment),
            billed: billed(value),
        })
    }

    /// Reads the fields of a callback.
    fn of_callback(fields: &Fields) -> Option<Self> {
        let field = |name: &str| fields.get(&[name]).map(str::to_owned);
        Some(Self {
            id: reference(&Value::from(field("FaxSid")?))?,
            status: field("FaxStatus").unwrap_or_default(),
            error_code: field("ErrorCode"),
            error_message: field("ErrorMessage"),
            pages: fields.count(&["NumPages"]),
            to: Value::Null,
            direction: field("Direction"),
            created_ms: None,
            billed: None,
        })
    }

    pub fn is_inbound(&self) -> bool {
        let receiving = matches!(self.status.as_str(), "receiving" | "received");
        receiving || self.direction.as_deref() == Some("inbound")
    }
}

/// ISO 8601 by the specification; the rest of this API writes RFC 2822.
fn moment(text: &str) -> Option<Timestamp> {
    let mail = || chrono::DateTime::parse_from_rfc2822(text).ok().and_then(|time| Timestamp::written(time.to_utc()));
    time(text).or_else(mail)
}

/// `price` is negative for what is charged: `-0.005`, and `price_unit` its currency.
fn billed(value: &Value) -> Option<Billed> {
    let price = words(&value["price"])?;
    Billed::new(price.strip_prefix('-')?, value["price_unit"].as_str()?)
}

/// The words of the fax engine (spandsp, as FreeSWITCH lists them) and of the call before it; the first that fits counts.
const REASONS: &[(&str, Fault)] = &[
    ("busy", Fault::Busy),
    ("no answer", Fault::NoAnswer),
    ("not answered", Fault::NoAnswer),
    ("unallocated", Fault::InvalidNumber),
    ("invalid number", Fault::InvalidNumber),
    ("timed out waiting for initial communication", Fault::NotAFax),
    ("timed out waiting for the first message", Fault::NotAFax),
    ("far end is not", Fault::NotAFax),
    ("rejected", Fault::RejectedByRemote),
    ("call dropped", Fault::LineError),
    ("ttl", Fault::Expired),
    ("ced tone", Fault::NegotiationError),
    ("failed to train", Fault::NegotiationError),
    ("operator intervention", Fault::NegotiationError),
    ("far end cannot receive at", Fault::NegotiationError),
    ("unexpected message", Fault::NegotiationError),
    ("bad response", Fault::NegotiationError),
    ("ecm response", Fault::NegotiationError),
    ("dcn", Fault::NegotiationError),
    ("hdlc carrier", Fault::NegotiationError),
    ("no response after sending a page", Fault::NegotiationError),
    ("disconnected after permitted retries", Fault::NegotiationError),
    ("expired", Fault::NegotiationError),
    ("carrier lost", Fault::NegotiationError),
    ("download", Fault::DocumentError),
    ("pdf", Fault::DocumentError),
    ("tiff", Fault::DocumentError),
];

fn fault_of(code: Option<&str>, message: &str) -> Fault {
    if code == Some("4001") {
        return Fault::AccountError;
    }
    let message = message.to_ascii_lowercase();
    REASONS.iter().find(|(words, _)| message.contains(words)).map_or(Fault::Unknown, |(_, fault)| *fault)
}

impl SignalWire {
    pub(super) fn report(&self, fax: &Fax, reference: ProviderReference) -> Report {
        Report { reference, fact: self.fact(fax), billed: fax.billed.clone() }
    }

    /// What the status says: delivered, no-answer, busy, failed and canceled are final; queued, processing, sending and
    /// anything unknown are progress.
    pub(super) fn fact(&self, fax: &Fax) -> Fact {
        let fault = match fax.status.as_str() {
            "delivered" => return Fact::Delivered { pages: fax.pages },
            "busy" => Fault::Busy,
            "no-answer" => Fault::NoAnswer,
            "canceled" => Fault::Cancelled,
            "failed" => fault_of(fax.error_code.as_deref(), fax.error_message.as_deref().unwrap_or_default()),
            stage => return reading::progress(stage),
        };
        let code = fax.error_code.as_deref().unwrap_or(&fax.status);
        let words = fax.error_message.as_deref().map(without_links);
        reading::failed_with(self.client.failed(fault, Some(code), words.as_deref()), fax.pages)
    }

    /// Reads a callback that came to the right address; our attempt is in its query.
    pub(super) fn events(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let fields = Fields::of(parts);
        let fax = Fax::of_callback(&fields)?;
        if fax.is_inbound() {
            return Some(Vec::new());
        }
        let attempt = fields.get(&["attempt"]).and_then(|attempt| attempt.parse().ok());
        let fact = self.fact(&fax);
        Some(vec![DeliveryEvent { attempt, ..event(fax.id, &fax.status, fact) }])
    }
}
