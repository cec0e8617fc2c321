//! From an HTTP answer to what it means.

use serde_json::Value;

use crate::domain::attempt::ProviderReference;
use crate::domain::fault::Fault;
use crate::http::Answer;
use crate::provider::kit::dialect::{Complaint, Dialect};
use crate::provider::kit::reading;
use crate::provider::kit::reading::text;

/// How Phaxio words its answers: a message without a code; a success may deny itself.
pub const DIALECT: Dialect =
    Dialect { complaint, denies: |body| body["success"] == Value::Bool(false), ..Dialect::PLAIN };

/// The id of a fax just made.
pub fn created(_: &Answer, body: &Value) -> Option<ProviderReference> {
    reading::reference(&body["data"]["id"])
}

fn complaint(_: &Answer, body: &Value) -> Complaint {
    let message = text(body, "message");
    Complaint { fault: message.as_deref().map(of_words), text: message, ..Complaint::NONE }
}

/// What a refusal without a code speaks of. Only what cannot be misread: the recipient's number is called wrong, which
/// nobody dials again, where the words say just that.
fn of_words(message: &str) -> Fault {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["caller", "insufficient funds", "balance"]) {
        Fault::AccountError
    } else if says(&["phone number"]) && says(&["not permitted", "not allowed", "blocked"]) {
        Fault::Blocked
    } else if says(&["phone number"]) && says(&["invalid", "not valid", "not formatted"]) {
        Fault::InvalidNumber
    } else if says(&["file", "mimetype", "document"]) {
        Fault::DocumentError
    } else {
        Fault::Unknown
    }
}
