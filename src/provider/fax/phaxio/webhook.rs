//! Callbacks: a form with the fax as JSON text. `X-Phaxio-Signature` is HMAC-SHA1 (hex) over the address as we told it,
//! each value sorted by name as name and value, and each file sorted by name as name and SHA-1. There is no time in it.

use ring::{digest, hmac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::Phaxio;
use super::fax::Fax;
use crate::domain::event::{DeliveryEvent, Fact};
use crate::provider::kit::form_body::FormBody;
use crate::provider::kit::reading::{event, progress};
use crate::provider::{Rejection, WebhookParts};

/// Reads the form and checks its signature.
///
/// # Errors
/// `Forged` if there is no form, no signature, or another one.
pub fn verify(token: &SecretString, parts: &WebhookParts) -> Result<FormBody, Rejection> {
    let given = parts.header("x-phaxio-signature").ok_or(Rejection::Forged)?;
    let given = hex::decode(given.trim()).map_err(|_| Rejection::Forged)?;
    let form = FormBody::read(parts).ok_or(Rejection::Forged)?;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.expose_secret().as_bytes());
    hmac::verify(&key, &signed(&parts.url, &form), &given).map_err(|_| Rejection::Forged)?;
    Ok(form)
}

/// What the signature covers.
fn signed(url: &str, form: &FormBody) -> Vec<u8> {
    let mut signed = url.as_bytes().to_vec();
    for (name, value) in by_name(&form.values) {
        signed.extend(name.as_bytes());
        signed.extend(value);
    }
    for (name, content) in by_name(&form.files) {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, content);
        signed.extend(name.as_bytes());
        signed.extend(hex::encode(digest.as_ref()).as_bytes());
    }
    signed
}

/// Sorted by name; parts of the same name stay in their order.
fn by_name(parts: &[(String, Vec<u8>)]) -> Vec<&(String, Vec<u8>)> {
    let mut sorted: Vec<&(String, Vec<u8>)> = parts.iter().collect();
    sorted.sort_by(|one, other| one.0.cmp(&other.0));
    sorted
}

impl Phaxio {
    /// Reads a verified callback. Received faxes give an empty list; `None` means that there is no fax in it.
    pub(super) fn events(&self, form: &FormBody) -> Option<Vec<DeliveryEvent>> {
        let value: Value = serde_json::from_str(form.text("fax")?).ok()?;
        let fax = Fax::read(&value)?;
        if fax.is_inbound || form.text("direction") == Some("received") {
            return Some(Vec::new());
        }
        let (fact, about) = self.told(&fax, form);
        let occurred_ms = fax.completed_ms.filter(|_| fax.is_final());
        let (attempt, billed) = (fax.attempt(), fax.billed());
        Some(vec![DeliveryEvent { attempt, billed, occurred_ms, ..event(fax.id, &about, fact) }])
    }

    /// What a callback says, and the part of its key that tells it from others about the same fax: callbacks on the way
    /// come once for each page and each retry. Only one about the end may end anything.
    fn told(&self, fax: &Fax, form: &FormBody) -> (Fact, String) {
        let event = form.text("event_type").unwrap_or("fax_completed");
        let which = match event {
            "fax_completed" => return (self.fact(fax), fax.status.clone()),
            "transmitting_page" => form.text("page"),
            "retry_scheduled" => form.text("retry_count"),
            _ => None,
        };
        (progress(event), format!("{event}:{}", which.unwrap_or_default()))
    }
}
