//! The API under `/api/v1`: JSON in, JSON out, problem+json when it cannot be done. Unknown fields are refused, bodies
//! have at most 256 KiB, tokens are scoped ([`crate::access::Scope`]).

mod body;
mod messages;
mod openapi;
mod problem_schema;
mod referrers;
mod submissions;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use super::WebState;

pub(super) use messages::LIST_ANSWER_WITHIN;

/// Largest body.
const BODY_BYTES_MAX: usize = 256 * 1024;

pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/api/openapi.json", get(openapi::show))
        .route("/api/v1/messages", post(messages::submit))
        .route("/api/v1/messages/{id}", get(messages::show))
        .route("/api/v1/messages/{id}/{act}", post(messages::act))
        .route("/api/v1/submissions/{id}/undo", post(submissions::undo))
        .route("/api/v1/referrers/{id}/touches", get(referrers::touches))
        .route("/api/v1/failures", get(messages::failures))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}
