//! From an answer to what it means. SRFax says `Failed` inside an answer whose HTTP status is a success.

use serde_json::Value;

use super::faults;
use crate::domain::attempt::ProviderReference;
use crate::http::Answer;
use crate::provider::kit::dialect::{Complaint, Dialect};
use crate::provider::kit::reading;
use crate::provider::kit::reading::words;

/// How SRFax words its answers: a status, and a result that is all the code there is.
pub const DIALECT: Dialect = Dialect { complaint, denies: |body| says(body, "failed"), ..Dialect::PLAIN };

fn says(body: &Value, word: &str) -> bool {
    body["Status"].as_str().is_some_and(|status| status.eq_ignore_ascii_case(word))
}

/// Whether the body says that it is a success.
pub fn succeeds(body: &Value) -> bool {
    says(body, "success")
}

/// The id of a fax just queued.
pub fn created(_: &Answer, body: &Value) -> Option<ProviderReference> {
    succeeds(body).then(|| reading::reference(&body["Result"])).flatten()
}

fn complaint(_: &Answer, body: &Value) -> Complaint {
    if !says(body, "failed") {
        return Complaint::NONE;
    }
    let reason = reason(&body["Result"]);
    let fault = faults::of_result(&reason);
    Complaint { fault: Some(fault), code: Some(plain(&reason).to_owned()), ..Complaint::NONE }
}

/// Why a call failed: a text, or as an older library of theirs reads it, the `ErrorCode` of a list of one.
fn reason(result: &Value) -> String {
    words(result).or_else(|| words(&result[0]["ErrorCode"])).unwrap_or_default()
}

/// Their words without what stands around them.
pub fn plain(words: &str) -> &str {
    words.trim_matches([' ', '/', '.'])
}
