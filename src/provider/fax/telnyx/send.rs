//! The hand-over: upload in one call, or media storage and JSON in two, of which only the second dials.

use reqwest::Method;
use reqwest::multipart::Form;
use serde_json::json;

use super::{Document, SPEC, Telnyx, fax};
use crate::domain::Outcome;
use crate::domain::envelope::Envelope;
use crate::http;
use crate::provider::kit::letter::Letter;
use crate::provider::kit::reading::is_path_safe;

/// Every file of ours in media storage has a name that begins so.
const MEDIA_PREFIX: &str = "touchline-";
/// How long media storage keeps a file that nobody purged: a day is ample for a queue that works within the hour.
const MEDIA_TTL_SECONDS: &str = "86400";

/// Whether this adapter put that file into media storage.
pub fn is_our_media(name: &str) -> bool {
    name.starts_with(MEDIA_PREFIX) && is_path_safe(name)
}

impl Telnyx {
    pub(super) async fn send(&self, envelope: &Envelope) -> Outcome {
        let letter = match Letter::of(&SPEC, self.from.as_ref(), envelope) {
            Ok(letter) => letter,
            Err(failure) => return Outcome::NotSent(failure),
        };
        match self.document {
            Document::Upload => self.send_upload(&letter).await,
            Document::Media => self.send_media(&letter).await,
        }
    }

    /// One multipart call, fields as in the published schema and no others.
    async fn send_upload(&self, letter: &Letter<'_>) -> Outcome {
        let form = Form::new()
            .text("connection_id", self.connection_id.clone())
            .text("from", letter.from.as_str().to_owned())
            .text("to", letter.to.as_str().to_owned())
            .text("quality", self.quality.as_str())
            .text("store_media", "false")
            .part("contents", letter.part());
        self.create(self.request(Method::POST, &["faxes"]).multipart(form), self.timeout).await
    }

    /// Upload, then create. Each call has half of the time, so that both together keep the promised limit.
    async fn send_media(&self, letter: &Letter<'_>) -> Outcome {
        let media_name = format!("{MEDIA_PREFIX}{}", letter.attempt);
        if let Err(outcome) = self.upload(letter, &media_name).await {
            return outcome;
        }
        // `store_media` is left out: the schema forbids it beside `media_name`, and false is its default.
        let mut body = json!({
            "connection_id": self.connection_id,
            "from": letter.from.as_str(),
            "to": letter.to.as_str(),
            "quality": self.quality.as_str(),
            "media_name": media_name,
            "client_state": fax::client_state(letter.attempt),
        });
        if let Some(callback_url) = &self.callback_url {
            body["webhook_url"] = json!(callback_url);
        }
        self.create(self.request(Method::POST, &["faxes"]).json(&body), self.timeout / 2).await
    }

    async fn create(&self, request: reqwest::RequestBuilder, timeout: std::time::Duration) -> Outcome {
        http::act(request, timeout, |answer| self.outcome(answer)).await
    }

    /// Puts the document into media storage. Whatever goes wrong here, no fax was made.
    async fn upload(&self, letter: &Letter<'_>, media_name: &str) -> Result<(), Outcome> {
        let form = Form::new()
            .text("media_name", media_name.to_owned())
            .text("ttl_secs", MEDIA_TTL_SECONDS)
            .part("media", letter.part());
        let request = self.request(Method::POST, &["media"]).multipart(form);
        match http::ask(request, self.timeout / 2).await {
            Ok(answer) if answer.is_success() => Ok(()),
            Ok(answer) => Err(self.upload_outcome(&answer)),
            Err(failure) => Err(Outcome::NotSent(failure)),
        }
    }
}
