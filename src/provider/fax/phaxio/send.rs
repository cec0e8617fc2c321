//! The hand-over: one multipart call.

use reqwest::RequestBuilder;
use reqwest::multipart::Form;

use super::fax::TAG;
use super::{Phaxio, SPEC};
use crate::domain::Outcome;
use crate::domain::envelope::Envelope;
use crate::provider::kit::letter::Letter;

/// Minutes after which Phaxio gives up a fax that has not ended: its longest. Each attempt so ends by itself, and a
/// queue at Phaxio's does not end it early.
const CANCEL_TIMEOUT_MINUTES: &str = "60";

impl Phaxio {
    pub(super) fn order(&self, envelope: &Envelope) -> Result<RequestBuilder, Outcome> {
        let letter = Letter::of(&SPEC, self.from.as_ref(), envelope)?;
        Ok(self.client.post(&["faxes"]).multipart(self.form(&letter)))
    }

    /// One recipient, one file, no batching. The caller number only where one is configured: Phaxio takes none that the
    /// account does not have.
    fn form(&self, letter: &Letter<'_>) -> Form {
        let mut form = Form::new()
            .text("to", letter.to.as_str().to_owned())
            .text(format!("tag[{TAG}]"), letter.attempt.to_string())
            .text("cancel_timeout", CANCEL_TIMEOUT_MINUTES);
        let optional = [
            ("caller_id", self.from.as_ref().map(|from| from.as_str().to_owned())),
            ("callback_url", self.callback_url.clone()),
            ("header_text", self.header_text.clone()),
            ("test_fail", self.test_fail.map(|kind| kind.as_str().to_owned())),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                form = form.text(name, value);
            }
        }
        form.part("file", letter.part())
    }
}
