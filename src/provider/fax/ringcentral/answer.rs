//! From an HTTP answer to what it means.

use serde_json::Value;

use super::RingCentral;
use super::faults;
use super::fax::Fax;
use crate::domain::Outcome;
use crate::domain::fault::{Failure, Fault};
use crate::http::{Answer, Verdict};
use crate::provider::kit::reading;
use crate::provider::kit::reading::{accepted, text};

impl RingCentral {
    /// What the answer to a create call means.
    pub(super) fn outcome(&self, answer: &Answer) -> Outcome {
        match answer.verdict() {
            Verdict::Done => {
                let fax = answer.json().as_ref().and_then(Fax::read);
                accepted(answer, fax.map(|fax| fax.id))
            }
            Verdict::No => Outcome::Refused(self.refusal(answer)),
            Verdict::Open => Outcome::Unknown(self.failure(answer)),
        }
    }

    /// A definite no to a create call. Where a 404 names nothing else, account or extension do not exist: the path does.
    fn refusal(&self, answer: &Answer) -> Failure {
        let failure = self.failure(answer);
        let is_ours = answer.status == 404 && failure.fault == Fault::Unknown;
        if is_ours { Failure { fault: Fault::AccountError, ..failure } } else { failure }
    }

    /// The body of a success; anything else as a failure.
    pub(super) fn body(&self, answer: &Answer) -> Result<Value, Failure> {
        if answer.is_success() { reading::json(answer) } else { Err(self.failure(answer)) }
    }

    /// An answer that is not a success, as a failure: by the parameter it names, else by its status, else by its code.
    pub(super) fn failure(&self, answer: &Answer) -> Failure {
        let body = answer.json().unwrap_or_default();
        let error = if body["errors"][0].is_object() { &body["errors"][0] } else { &body };
        let code = text(error, "errorCode").or_else(|| text(&body, "errorCode"));
        let failure = Failure { fault: fault(answer, error, code.as_deref()), ..answer.failure() };
        let failure = match &code {
            Some(code) => failure.code(self.without_secrets(code)),
            None => failure,
        };
        let words = match answer.status {
            300..=399 => Some("the provider redirects elsewhere: base_url is wrong".to_owned()),
            _ => text(error, "message").or_else(|| text(&body, "message")),
        };
        match words {
            Some(words) => failure.text(self.without_secrets(&words)),
            None => failure,
        }
    }

    fn without_secrets(&self, words: &str) -> String {
        reading::without(words, &self.secrets)
    }
}

fn fault(answer: &Answer, error: &Value, code: Option<&str>) -> Fault {
    let by_parameter = text(error, "parameterName").as_deref().and_then(faults::of_parameter);
    if let (Some(fault), 400 | 403 | 404) = (by_parameter, answer.status) {
        return fault;
    }
    match answer.fault() {
        Fault::Unknown => code.and_then(faults::of_error_code).unwrap_or(Fault::Unknown),
        fault => fault,
    }
}
