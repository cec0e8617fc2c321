//! The hand-over: upload in one call, or media storage and JSON in two, of which only the second dials.

use reqwest::RequestBuilder;
use reqwest::multipart::Form;
use serde_json::json;

use super::{Document, SPEC, Telnyx, fax};
use crate::domain::Outcome;
use crate::domain::envelope::Envelope;
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
    /// The call that dials.
    ///
    /// # Errors
    /// What it means that there is none: nothing was dialed.
    pub(super) async fn order(&self, envelope: &Envelope) -> Result<RequestBuilder, Outcome> {
        let letter = Letter::of(&SPEC, self.from.as_ref(), envelope)?;
        match self.document {
            Document::Upload => Ok(self.upload(&letter)),
            Document::Media => self.by_media(&letter).await,
        }
    }

    /// One multipart call, fields as in the published schema and no others.
    fn upload(&self, letter: &Letter<'_>) -> RequestBuilder {
        let form = Form::new()
            .text("connection_id", self.connection_id.clone())
            .text("from", letter.from.as_str().to_owned())
            .text("to", letter.to.as_str().to_owned())
            .text("quality", self.quality.as_str())
            .text("store_media", "false")
            .part("contents", letter.part());
        self.client.post(&["faxes"]).multipart(form)
    }

    /// Puts the document into media storage, then names it. `store_media` is left out: the schema forbids it beside
    /// `media_name`, and false is its default.
    async fn by_media(&self, letter: &Letter<'_>) -> Result<RequestBuilder, Outcome> {
        let media_name = format!("{MEDIA_PREFIX}{}", letter.attempt);
        let form = Form::new()
            .text("media_name", media_name.clone())
            .text("ttl_secs", MEDIA_TTL_SECONDS)
            .part("media", letter.part());
        self.client.prepare(self.client.post(&["media"]).multipart(form), self.client.share()).await?;
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
        Ok(self.client.post(&["faxes"]).json(&body))
    }
}
