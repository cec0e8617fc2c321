//! The hand-over: upload in one call, or media storage and JSON in two, of which only the second dials.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use super::{Document, SPEC, Telnyx, fax};
use crate::domain::envelope::{Content, Envelope};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Address, Outcome};
use crate::provider::http::{self, Trouble};

/// Every file of ours in media storage has a name that begins so.
const MEDIA_PREFIX: &str = "touchline-";
/// How long media storage keeps a file that nobody purged: a day is ample for a queue that works within the hour.
const MEDIA_TTL_SECONDS: &str = "86400";

/// Whether this adapter put that file into media storage.
pub fn is_our_media(name: &str) -> bool {
    name.starts_with(MEDIA_PREFIX) && fax::is_path_safe(name)
}

/// What a create call needs, taken from an envelope.
struct Letter<'a> {
    pdf: &'a [u8],
    from: &'a str,
    to: &'a str,
}

impl Telnyx {
    pub(super) async fn send(&self, envelope: &Envelope) -> Outcome {
        let letter = match self.letter(envelope) {
            Ok(letter) => letter,
            Err(failure) => return Outcome::NotSent(failure),
        };
        match self.document {
            Document::Upload => self.send_upload(&letter).await,
            Document::Media => self.send_media(&letter, envelope).await,
        }
    }

    /// Checks what can be checked without a call.
    fn letter<'a>(&'a self, envelope: &'a Envelope) -> Result<Letter<'a>, Failure> {
        let (Content::Fax { pdf, pages, from, .. }, Address::Fax(to)) = (&envelope.content, &envelope.to) else {
            return Err(Failure::new(Fault::ProtocolError).text("only faxes can be sent this way"));
        };
        let limits = SPEC.capabilities;
        if limits.bytes_max.is_some_and(|most| pdf.len() > most) || limits.pages_max.is_some_and(|most| *pages > most) {
            return Err(Failure::new(Fault::DocumentError).text("larger than the provider takes: 20 MB, 350 pages"));
        }
        Ok(Letter { pdf, from: self.from.as_ref().unwrap_or(from).as_str(), to: to.as_str() })
    }

    /// One multipart call, fields as in the published schema and no others.
    async fn send_upload(&self, letter: &Letter<'_>) -> Outcome {
        let form = Form::new()
            .text("connection_id", self.connection_id.clone())
            .text("from", letter.from.to_owned())
            .text("to", letter.to.to_owned())
            .text("quality", self.quality.as_str())
            .text("store_media", "false")
            .part("contents", pdf_part(letter.pdf));
        self.create(self.request(Method::POST, &["faxes"]).multipart(form), self.timeout).await
    }

    /// Upload, then create. Each call has half of the time, so that both together keep the promised limit.
    async fn send_media(&self, letter: &Letter<'_>, envelope: &Envelope) -> Outcome {
        let media_name = format!("{MEDIA_PREFIX}{}", envelope.attempt);
        if let Err(outcome) = self.upload(letter.pdf, &media_name).await {
            return outcome;
        }
        // `store_media` is left out: the schema forbids it beside `media_name`, and false is its default.
        let mut body = json!({
            "connection_id": self.connection_id,
            "from": letter.from,
            "to": letter.to,
            "quality": self.quality.as_str(),
            "media_name": media_name,
            "client_state": fax::client_state(envelope.attempt),
        });
        if let Some(callback_url) = &self.callback_url {
            body["webhook_url"] = json!(callback_url);
        }
        self.create(self.request(Method::POST, &["faxes"]).json(&body), self.timeout / 2).await
    }

    async fn create(&self, request: reqwest::RequestBuilder, timeout: std::time::Duration) -> Outcome {
        match http::call(request, timeout).await {
            Ok(answer) => self.outcome(&answer),
            Err(trouble) => trouble.outcome(),
        }
    }

    /// Puts the document into media storage. Whatever goes wrong here, no fax was made.
    async fn upload(&self, pdf: &[u8], media_name: &str) -> Result<(), Outcome> {
        let form = Form::new()
            .text("media_name", media_name.to_owned())
            .text("ttl_secs", MEDIA_TTL_SECONDS)
            .part("media", pdf_part(pdf));
        let request = self.request(Method::POST, &["media"]).multipart(form);
        match http::call(request, self.timeout / 2).await {
            Ok(answer) if answer.is_success() => Ok(()),
            Ok(answer) => Err(self.upload_outcome(&answer)),
            Err(Trouble::NotConnected(failure) | Trouble::AfterWrite(failure)) => Err(Outcome::NotSent(failure)),
        }
    }
}

fn pdf_part(pdf: &[u8]) -> Part {
    let part = Part::bytes(pdf.to_vec()).file_name("letter.pdf");
    part.mime_str("application/pdf").expect("a constant and valid media type")
}
