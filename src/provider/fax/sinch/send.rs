//! The hand-over: one JSON call with the document in it. Not multipart: how labels stand in a form differs among
//! Sinch's own sources, and without its label a doubtful fax could not be told from others.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::fax::LABEL;
use super::{SPEC, Sinch};
use crate::domain::Outcome;
use crate::domain::envelope::Envelope;
use crate::provider::kit::letter::Letter;

impl Sinch {
    pub(super) async fn send(&self, envelope: &Envelope) -> Outcome {
        let letter = match Letter::of(&SPEC, self.from.as_ref(), envelope) {
            Ok(letter) => letter,
            Err(failure) => return Outcome::NotSent(failure),
        };
        let body = self.order(&letter);
        self.access
            .act(Method::POST, self.url(&["faxes"]), |request| request.json(&body), |answer| self.outcome(answer))
            .await
    }

    /// One recipient, one file, one dial: the next try is ours to plan. No cover page is named.
    fn order(&self, letter: &Letter<'_>) -> Value {
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
        body
    }
}
