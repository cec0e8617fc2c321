//! From an HTTP answer to what it means.

use serde_json::Value;

use super::fax::Fax;
use crate::domain::attempt::ProviderReference;
use crate::domain::fault::Fault;
use crate::http::Answer;
use crate::provider::kit::dialect::{Complaint, Dialect};
use crate::provider::kit::reading::text;

/// How Sinch words its answers: a title, a message, and details that name a reason and the fields at fault.
pub const DIALECT: Dialect = Dialect { complaint, ..Dialect::PLAIN };

/// The id of a fax just made.
pub fn created(_: &Answer, body: &Value) -> Option<ProviderReference> {
    Fax::first(body).map(|fax| fax.id)
}

fn complaint(_: &Answer, body: &Value) -> Complaint {
    let details = details(body);
    let reason = details.iter().find_map(|detail| text(detail, "reason"));
    let title = text(body, "error").or_else(|| text(body, "status"));
    let fields = violations(&details).into_iter().filter_map(|one| {
        let field = text(one, "field")?;
        Some(format!("{field}: {}", text(one, "description").unwrap_or_default()))
    });
    let words: Vec<String> = title.into_iter().chain(text(body, "message")).chain(fields).collect();
    let fault = named(&details, reason.as_deref());
    Complaint { fault, code: reason, text: Some(words.join("; ")), ..Complaint::NONE }
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
