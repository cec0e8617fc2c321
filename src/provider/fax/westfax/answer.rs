//! From an answer to what it means. WestFax says `Success: false` inside an answer whose HTTP status is a success.

use serde_json::Value;

use super::job::reference;
use super::{WestFax, faults};
use crate::domain::Outcome;
use crate::domain::fault::Failure;
use crate::http::{Answer, Verdict};
use crate::provider::kit::reading;
use crate::provider::kit::reading::{text, unreadable, words};

/// What an answer's body says of itself.
enum Said {
    Success(Value),
    Failure { error: String, info: String },
    Nothing,
}

impl Said {
    fn read(answer: &Answer) -> Self {
        let Some(mut body) = answer.json() else { return Self::Nothing };
        match words(&body["Success"]).unwrap_or_default().to_ascii_lowercase().as_str() {
            "true" => Self::Success(body["Result"].take()),
            "false" => Self::Failure {
                error: text(&body, "ErrorString").unwrap_or_default(),
                info: text(&body, "InfoString").unwrap_or_default(),
            },
            _ => Self::Nothing,
        }
    }
}

impl WestFax {
    /// What the answer to `Fax_SendFax` means.
    pub(super) fn outcome(&self, answer: &Answer) -> Outcome {
        match answer.verdict() {
            Verdict::No => Outcome::Refused(self.failure(answer)),
            Verdict::Open => Outcome::Unknown(self.failure(answer)),
            Verdict::Done => match Said::read(answer) {
                Said::Success(result) => match reference(&result) {
                    Some(reference) => Outcome::Accepted { reference },
                    None => Outcome::Unknown(unreadable("accepted, but the answer holds no job")),
                },
                Said::Failure { error, info } => Outcome::Refused(self.refusal(&error, &info)),
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
            Said::Failure { error, info } => Err(self.refusal(&error, &info)),
            Said::Nothing => Err(unreadable("the answer cannot be read")),
        }
    }

    /// An answer that is no success by its status.
    fn failure(&self, answer: &Answer) -> Failure {
        if matches!(answer.status, 300..=399) {
            return answer.failure().text("the provider redirects elsewhere: base_url is wrong");
        }
        match Said::read(answer) {
            Said::Failure { error, .. } => answer.failure().text(self.without_secrets(&error)),
            Said::Success(_) | Said::Nothing => answer.failure(),
        }
    }

    fn refusal(&self, error: &str, info: &str) -> Failure {
        let failure = Failure::new(faults::of_error(error));
        let failure = match self.without_secrets(error).trim() {
            "" => failure,
            words => failure.code(words),
        };
        match self.without_secrets(info).trim() {
            "" => failure,
            words => failure.text(words),
        }
    }

    fn without_secrets(&self, words: &str) -> String {
        reading::without(words, self.credentials.secrets())
    }
}
