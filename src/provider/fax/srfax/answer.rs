//! From an answer to what it means. SRFax says `Failed` inside an answer whose HTTP status is a success.

use serde_json::Value;

use super::{SrFax, faults};
use crate::domain::Outcome;
use crate::domain::fault::Failure;
use crate::http::{Answer, Verdict};
use crate::provider::kit::reading;
use crate::provider::kit::reading::{text, unreadable, words};

/// What an answer's body says of itself.
enum Said {
    Success(Value),
    Failed(String),
    Nothing,
}

impl Said {
    fn read(answer: &Answer) -> Self {
        let Some(mut body) = answer.json() else { return Self::Nothing };
        match text(&body, "Status").unwrap_or_default().to_ascii_lowercase().as_str() {
            "success" => Self::Success(body["Result"].take()),
            "failed" => Self::Failed(reason(&body["Result"])),
            _ => Self::Nothing,
        }
    }
}

/// Why a call failed: a text, or as an older library of theirs reads it, the `ErrorCode` of a list of one.
fn reason(result: &Value) -> String {
    words(result).or_else(|| words(&result[0]["ErrorCode"])).unwrap_or_default()
}

impl SrFax {
    /// What the answer to `Queue_Fax` means.
    pub(super) fn outcome(&self, answer: &Answer) -> Outcome {
        match answer.verdict() {
            Verdict::No => Outcome::Refused(self.failure(answer)),
            Verdict::Open => Outcome::Unknown(self.failure(answer)),
            Verdict::Done => match Said::read(answer) {
                Said::Success(result) => match reading::reference(&result) {
                    Some(reference) => Outcome::Accepted { reference },
                    None => Outcome::Unknown(unreadable("accepted, but the answer holds no id")),
                },
                Said::Failed(result) => Outcome::Refused(self.refusal(&result)),
                Said::Nothing => Outcome::Unknown(unreadable("a success that cannot be read")),
            },
        }
    }

    /// What a question was answered.
    ///
    /// # Errors
    /// Not a success, by status or by words.
    pub(super) fn result(&self, answer: &Answer) -> Result<Value, Failure> {
        if !answer.is_success() {
            return Err(self.failure(answer));
        }
        match Said::read(answer) {
            Said::Success(result) => Ok(result),
            Said::Failed(result) => Err(self.refusal(&result)),
            Said::Nothing => Err(unreadable("the answer cannot be read")),
        }
    }

    /// An answer that is no success by its status.
    fn failure(&self, answer: &Answer) -> Failure {
        if matches!(answer.status, 300..=399) {
            return answer.failure().text("the provider redirects elsewhere: base_url is wrong");
        }
        match Said::read(answer) {
            Said::Failed(result) => answer.failure().text(self.without_password(&result)),
            Said::Success(_) | Said::Nothing => answer.failure(),
        }
    }

    /// `Failed`: their words are all the code there is.
    pub(super) fn refusal(&self, result: &str) -> Failure {
        let failure = Failure::new(faults::of_result(result));
        match self.without_password(result).trim_matches([' ', '/', '.']) {
            "" => failure,
            words => failure.code(words),
        }
    }

    fn without_password(&self, words: &str) -> String {
        reading::without(words, [&self.password])
    }
}
