//! From an HTTP answer to what it means.

use serde_json::Value;

use super::faults;
use super::fax::Fax;
use crate::domain::attempt::ProviderReference;
use crate::http::Answer;
use crate::provider::kit::dialect::{Complaint, Dialect};
use crate::provider::kit::reading::text;

/// How RingCentral words its answers: a list of errors, of which the first counts, or one error alone.
pub const DIALECT: Dialect = Dialect { complaint, ..Dialect::PLAIN };

/// The id of a fax just made.
pub fn created(_: &Answer, body: &Value) -> Option<ProviderReference> {
    Fax::read(body).map(|fax| fax.id)
}

/// The parameter at fault counts before the status, and the status before the code.
fn complaint(answer: &Answer, body: &Value) -> Complaint {
    let error = if body["errors"][0].is_object() { &body["errors"][0] } else { body };
    let code = text(error, "errorCode").or_else(|| text(body, "errorCode"));
    let of_parameter = text(error, "parameterName").as_deref().and_then(faults::of_parameter);
    Complaint {
        certain: of_parameter.filter(|_| matches!(answer.status, 400 | 403 | 404)),
        fault: code.as_deref().and_then(faults::of_error_code),
        code,
        text: text(error, "message").or_else(|| text(body, "message")),
        ..Complaint::NONE
    }
}
