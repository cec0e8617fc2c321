//! From an HTTP answer to what it means.

use serde_json::Value;

use super::faults;
use super::fax::Fax;
use crate::domain::attempt::ProviderReference;
use crate::domain::fault::Fault;
use crate::http::Answer;
use crate::provider::kit::dialect::{Complaint, Dialect};
use crate::provider::kit::reading::text;

/// How Telnyx words its answers: a list of errors, of which the first counts.
pub const DIALECT: Dialect = Dialect { complaint, ..Dialect::PLAIN };

/// The id of a fax just made.
pub fn created(_: &Answer, body: &Value) -> Option<ProviderReference> {
    Fax::read(&body["data"]).map(|fax| fax.id)
}

fn complaint(_: &Answer, body: &Value) -> Complaint {
    let error = &body["errors"][0];
    let field = field(error).map(|field| format!("field {field}"));
    let words: Vec<String> = [text(error, "title"), text(error, "detail"), field].into_iter().flatten().collect();
    Complaint { fault: named(error), code: text(error, "code"), text: Some(words.join("; ")), ..Complaint::NONE }
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
