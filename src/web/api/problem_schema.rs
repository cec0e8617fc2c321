//! The error body, for the API's description.

use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
#[allow(dead_code, reason = "describes what `web::problem` writes")]
pub(super) struct ProblemView {
    /// `urn:touchline:problem:` and a word that never changes.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened and what to do.
    detail: String,
    /// The field of the request it is about.
    field: Option<String>,
    /// For `missing-variables`: a line for each recipient.
    missing: Option<Vec<String>>,
    /// When to come again.
    retry_after_seconds: Option<u64>,
}
