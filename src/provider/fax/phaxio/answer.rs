//! From an HTTP answer to what it means.

use super::Phaxio;
use crate::domain::Outcome;
use crate::domain::fault::{Failure, Fault};
use crate::http::{Answer, Verdict};
use crate::provider::kit::reading;
use crate::provider::kit::reading::{text, unreadable};

impl Phaxio {
    /// What the answer to a create call means. A success that denies itself and names no fax is a no.
    pub(super) fn outcome(&self, answer: &Answer) -> Outcome {
        match answer.verdict() {
            Verdict::Done => {
                let body = answer.json().unwrap_or_default();
                match reading::reference(&body["data"]["id"]) {
                    Some(reference) => Outcome::Accepted { reference },
                    None if body["success"] == serde_json::Value::Bool(false) => Outcome::Refused(self.failure(answer)),
                    None => {
                        let failure = unreadable("accepted, but the answer holds no id");
                        Outcome::Unknown(failure.code(answer.status.to_string()))
                    }
                }
            }
            Verdict::No if answer.status == 404 => {
                // The path exists at Phaxio: the address is wrong.
                Outcome::Refused(Failure { fault: Fault::AccountError, ..self.failure(answer) })
            }
            Verdict::No => Outcome::Refused(self.failure(answer)),
            Verdict::Open => Outcome::Unknown(self.failure(answer)),
        }
    }

    /// An answer that is not a success, as a failure.
    pub(super) fn failure(&self, answer: &Answer) -> Failure {
        let message = answer.json().and_then(|body| text(&body, "message")).unwrap_or_default();
        let failure = answer.failure();
        let fault = match failure.fault {
            Fault::Unknown => of_words(&message),
            Fault::ProtocolError if answer.is_success() => of_words(&message),
            fault => fault,
        };
        let failure = Failure { fault, ..failure };
        if matches!(answer.status, 300..=399) {
            return failure.text("the provider redirects elsewhere: base_url is wrong");
        }
        if message.is_empty() { failure } else { failure.text(self.without_secrets(&message)) }
    }

    /// Their words without our secrets, should they repeat them.
    pub(super) fn without_secrets(&self, words: &str) -> String {
        reading::without(words, [&self.api_key, &self.api_secret].into_iter().chain(&self.callback_token))
    }
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
