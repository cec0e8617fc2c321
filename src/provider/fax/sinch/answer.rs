//! From an HTTP answer to what it means.

use serde_json::Value;

use super::Sinch;
use super::fax::Fax;
use crate::domain::Outcome;
use crate::domain::fault::{Failure, Fault};
use crate::http::{Answer, Verdict};
use crate::provider::kit::reading;
use crate::provider::kit::reading::{accepted, text};

impl Sinch {
    /// What the answer to a create call means.
    pub(super) fn outcome(&self, answer: &Answer) -> Outcome {
        match answer.verdict() {
            Verdict::Done => {
                let fax = answer.json().as_ref().and_then(Fax::first);
                accepted(answer, fax.map(|fax| fax.id))
            }
            Verdict::No => Outcome::Refused(self.refusal(answer)),
            Verdict::Open => Outcome::Unknown(self.failure(answer)),
        }
    }

    /// A refusal of a create call. A 404 without a named field: the path exists at Sinch, so the project or the address
    /// is wrong.
    fn refusal(&self, answer: &Answer) -> Failure {
        let failure = self.failure(answer);
        let missing = answer.status == 404 && failure.fault == Fault::Unknown;
        if missing { Failure { fault: Fault::AccountError, ..failure } } else { failure }
    }

    /// An answer that is not a success, as a failure.
    pub(super) fn failure(&self, answer: &Answer) -> Failure {
        let body = answer.json().unwrap_or_default();
        let details = details(&body);
        let failure = answer.failure();
        let reason = details.iter().find_map(|detail| text(detail, "reason"));
        let fault = match failure.fault {
            Fault::Unknown => named(&details, reason.as_deref()).unwrap_or(Fault::Unknown),
            fault => fault,
        };
        let failure = Failure { fault, ..failure };
        let failure = reason.iter().fold(failure, |failure, reason| failure.code(self.without_secrets(reason)));
        match self.words(answer, &body, &details) {
            words if words.is_empty() => failure,
            words => failure.text(words),
        }
    }

    fn words(&self, answer: &Answer, body: &Value, details: &[&Value]) -> String {
        if matches!(answer.status, 300..=399) {
            return "the provider redirects elsewhere: base_url is wrong".to_owned();
        }
        let title = text(body, "error").or_else(|| text(body, "status"));
        let fields = violations(details).into_iter().filter_map(|one| {
            let field = text(one, "field")?;
            Some(format!("{field}: {}", text(one, "description").unwrap_or_default()))
        });
        let parts: Vec<String> = title.into_iter().chain(text(body, "message")).chain(fields).collect();
        self.without_secrets(&parts.join("; "))
    }

    /// Their words without our secrets, should they repeat them.
    pub(super) fn without_secrets(&self, words: &str) -> String {
        reading::without(words, [&self.key_secret].into_iter().chain(self.path_secret.word()))
    }
}

/// `details` is a list in Sinch's specification and an object in its examples.
fn details(body: &Value) -> Vec<&Value> {
    match &body["details"] {
        Value::Array(list) => list.iter().collect(),
        Value::Object(_) => vec![&body["details"]],
        _ => Vec::new(),
    }
}

fn violations<'a>(details: &[&'a Value]) -> Vec<&'a Value> {
    let of = |detail: &&'a Value| match &detail["fieldViolations"] {
        Value::Array(list) => list.iter().collect(),
        Value::Object(_) => vec![&detail["fieldViolations"]],
        _ => Vec::new(),
    };
    details.iter().flat_map(of).collect()
}

/// What an error says by the reason it names, else by the first field it names that we know.
fn named(details: &[&Value], reason: Option<&str>) -> Option<Fault> {
    if reason == Some("DESTINATION_BLOCKED") {
        return Some(Fault::Blocked);
    }
    violations(details).into_iter().find_map(|one| of_field(one["field"].as_str()?))
}

/// A field of the request, by its name: `to`, `to[0]`, `files[0].file` and the like.
fn of_field(field: &str) -> Option<Fault> {
    match field.split(['[', '.', '/']).find(|part| !part.is_empty())? {
        "to" => Some(Fault::InvalidNumber),
        "from" | "serviceId" | "callbackUrl" | "callbackUrlContentType" | "headerText" | "labels" | "maxRetries" => {
            Some(Fault::AccountError)
        }
        "file" | "files" | "fileType" | "contentUrl" => Some(Fault::DocumentError),
        _ => None,
    }
}
