//! From an answer to what it means. WestFax says `Success: false` inside an answer whose HTTP status is a success.

use serde_json::Value;

use super::faults;
use super::job::reference;
use crate::domain::attempt::ProviderReference;
use crate::http::Answer;
use crate::provider::kit::dialect::{Complaint, Dialect};
use crate::provider::kit::reading::{text, words};

/// How WestFax words its answers: whether it is a success, an error, and what is known about it.
pub const DIALECT: Dialect = Dialect { complaint, denies: Some(|body| says(body, "false")), ..Dialect::PLAIN };

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

/// Words beside a status that says no are shown only: the status is the code.
fn complaint(answer: &Answer, body: &Value) -> Complaint {
    if !says(body, "false") {
        return Complaint::NONE;
    }
    let error = text(body, "ErrorString").map(|error| error.trim().to_owned());
    if !answer.is_success() {
        return Complaint::words(error);
    }
    let fault = error.as_deref().map(faults::of_error);
    Complaint { fault, code: error, text: text(body, "InfoString"), ..Complaint::NONE }
}
