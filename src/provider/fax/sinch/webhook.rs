//! Callbacks, not signed by anything: JSON as we ask for, or the form that Sinch sends unless asked, in which the fax is
//! JSON text. Both bring the document along, which is not read.

use serde_json::Value;

use super::Sinch;
use super::fax::Fax;
use crate::domain::event::DeliveryEvent;
use crate::provider::WebhookParts;
use crate::provider::kit::form_body::FormBody;
use crate::provider::kit::reading::{event, text, time};

/// What we read of a callback.
struct Callback {
    event: String,
    occurred: Option<String>,
    fax: Value,
}

impl Callback {
    fn read(parts: &WebhookParts) -> Option<Self> {
        match FormBody::read(parts) {
            Some(form) => Some(Self {
                // Each part may be JSON text (RFC 7578 §4.4), so the words may be quoted.
                event: form.text("event")?.trim().trim_matches('"').to_owned(),
                occurred: form.text("eventTime").map(|time| time.trim().trim_matches('"').to_owned()),
                fax: serde_json::from_str(form.text("fax")?).ok()?,
            }),
            None => {
                let body: Value = serde_json::from_slice(&parts.body).ok()?;
                let fax = match &body["fax"] {
                    Value::String(json) => serde_json::from_str(json).ok()?,
                    fax => fax.clone(),
                };
                Some(Self { event: text(&body, "event")?, occurred: text(&body, "eventTime"), fax })
            }
        }
    }
}

impl Sinch {
    /// Reads a callback that came to the right address. Other events than the end of a fax give an empty list; `None`
    /// means that the body is not one of theirs. The direction is not looked at: Sinch's own sample of the end of a sent
    /// fax calls it inbound, and no attempt of ours has the id of a received one.
    pub(super) fn events(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let callback = Callback::read(parts)?;
        if callback.event != "FAX_COMPLETED" {
            return Some(Vec::new());
        }
        let fax = Fax::read(&callback.fax)?;
        let (attempt, fact, status) = (fax.attempt(), self.fact(&fax), fax.status);
        let occurred_ms = fax.completed_ms.or_else(|| callback.occurred.as_deref().and_then(time));
        Some(vec![DeliveryEvent { attempt, occurred_ms, billed: fax.price, ..event(fax.id, &status, fact) }])
    }
}
