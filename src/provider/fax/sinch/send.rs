//! The hand-over: one JSON call with the document in it. Not multipart: how labels stand in a form differs among
//! Sinch's own sources, and without its label a doubtful fax could not be told from others.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::RequestBuilder;
use secrecy::ExposeSecret;
use serde_json::json;

use super::fax::LABEL;
use super::{SPEC, Sinch};
use crate::domain::Outcome;
use crate::domain::envelope::Envelope;
use crate::provider::kit::letter::Letter;

impl Sinch {
    /// One recipient, one file, one dial: the next try is ours to plan. No cover page is named.
    pub(super) fn order(&self, envelope: &Envelope) -> Result<RequestBuilder, Outcome> {
        let letter = Letter::of(&SPEC, self.from.as_ref(), envelope)?;
        let mut body = json!({
            "to": letter.to.as_str(),
            "from": letter.from.as_str(),
            "files": [{ "file": BASE64.encode(letter.pdf), "fileType": "PDF" }],
            "labels": { LABEL: letter.attempt.to_string() },
            "maxRetries": 0,
        });
        if let Some(service_id) = &self.service_id {
            body["serviceId"] = json!(service_id);
        }
        if let Some(header_text) = &self.header_text {
            body["headerText"] = json!(header_text);
        }
        if let Some(callback_url) = &self.callback_url {
            body["callbackUrl"] = json!(callback_url.expose_secret());
            body["callbackUrlContentType"] = json!("application/json");
        }
        Ok(self.client.post(&["faxes"]).json(&body))
    }
}
