//! From an answer to what it means. WestFax says `Success: false` inside an answer whose HTTP status is a success.

use serde_json::Value;

use super::faults;
use super::job::reference;
use crate::domain::attempt::ProviderReference;
use crate::http::Answer;
use crate::provider::kit::dialect::{Complaint, Dialect};
use crate::provider::kit::reading::{text, words};

/// How WestFax words its answers: whether it is a success, an error, and what is known about it.
pub const DIALECT: Dialect = Dialect { complaint, denies: |body| says(body, "false"), ..Dialect::PLAIN };

fn says(body: &Value, word: &str) -> bool {
    words(&body["Success"]).is_some_and(|truth| truth.eq_ignore_ascii_case(word))
}

/// Whether the body says that it is a success.
pub fn succeeds(body: &Value) -> bool {
    says(body, "true")
}

/// The id of a job just made.
pub fn created(_: &Answer, body: &Value) -> Option<ProviderReference> {
    succeeds(body).then(|| reference(&body["Result"])).flatten()
}

fn complaint(_: &Answer, body: &Value) -> Complaint {
    let error = text(body, "ErrorString").filter(|_| says(body, "false"));
    Complaint {
        fault: error.as_deref().map(faults::of_error),
        code: error.map(|error| error.trim().to_owned()),
        text: text(body, "InfoString").filter(|_| says(body, "false")),
        ..Complaint::NONE
    }
}
