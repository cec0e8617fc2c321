//! From an HTTP answer to what it means.

use serde_json::Value;

use super::fax::Fax;
use super::{Telnyx, faults};
use crate::domain::Outcome;
use crate::domain::fault::{Failure, Fault};
use crate::http::{Answer, Verdict};
use crate::provider::kit::reading;
use crate::provider::kit::reading::{accepted, text};

impl Telnyx {
    /// What the answer to a create call means. A client error is a definite no; a redirect that asks for the same
    /// request elsewhere means that it was not acted on here; everything else that is not a readable success leaves
    /// open whether a fax was made.
    pub(super) fn outcome(&self, answer: &Answer) -> Outcome {
        match answer.verdict() {
            Verdict::Done => {
                let fax = answer.json().as_ref().and_then(|body| Fax::read(&body["data"]));
                accepted(answer, fax.map(|fax| fax.id))
            }
            Verdict::No if answer.status == 404 => Outcome::Refused(self.missing(answer)),
            Verdict::No => Outcome::Refused(self.failure(answer)),
            Verdict::Open => Outcome::Unknown(self.failure(answer)),
        }
    }

    /// What the answer to an upload into media storage means, unless it worked. Nothing was dialled in any case.
    pub(super) fn upload_outcome(&self, answer: &Answer) -> Outcome {
        match answer.verdict() {
            Verdict::No => Outcome::Refused(self.failure(answer)),
            Verdict::Done | Verdict::Open => Outcome::NotSent(self.failure(answer)),
        }
    }

    /// An answer that is not a success, as a failure.
    pub(super) fn failure(&self, answer: &Answer) -> Failure {
        let body = answer.json().unwrap_or_default();
        let error = &body["errors"][0];
        let fault = match answer.fault() {
            Fault::Unknown => named(error).unwrap_or(Fault::Unknown),
            fault => fault,
        };
        let code = text(error, "code").unwrap_or_else(|| status(answer));
        let failure = Failure::new(fault).code(self.without_key(&code)).retry_after(answer.retry_after_seconds);
        match self.words(answer, error) {
            words if words.is_empty() => failure,
            words => failure.text(words),
        }
    }

    /// A 404 to a create call: the path exists, so what is missing is named by the request: the document where the
    /// answer says so, else the Fax Application.
    fn missing(&self, answer: &Answer) -> Failure {
        let mut failure = self.failure(answer);
        if failure.fault == Fault::Unknown {
            failure.fault = Fault::AccountError;
        }
        failure
    }

    fn words(&self, answer: &Answer, error: &Value) -> String {
        if matches!(answer.status, 300..=399) {
            return "the provider redirects elsewhere: base_url is wrong".to_owned();
        }
        let field = field(error).map(|field| format!("field {field}"));
        let parts = [text(error, "title"), text(error, "detail"), field];
        self.without_key(&parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }

    /// Their words without our key, should they repeat it.
    pub(super) fn without_key(&self, words: &str) -> String {
        reading::without(words, [&self.api_key])
    }
}

/// What an error says by the field it points to, else by its code.
fn named(error: &Value) -> Option<Fault> {
    let by_field = field(error).as_deref().and_then(faults::of_field);
    by_field.or_else(|| faults::of_code(error["code"].as_str()?))
}

/// The field an error points to: `/to`, `/body/to` and the like. Short, or it is not one of ours.
fn field(error: &Value) -> Option<String> {
    let source = &error["source"];
    let pointer = text(source, "pointer").or_else(|| text(source, "parameter"))?;
    let name = pointer.rsplit('/').find(|part| !part.is_empty() && part.parse::<u32>().is_err())?;
    let fits = name.len() <= 40 && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    fits.then(|| name.to_owned())
}

fn status(answer: &Answer) -> String {
    answer.status.to_string()
}
