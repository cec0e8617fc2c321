//! The API under `/api/v1`: JSON in, JSON out, problem+json when it cannot be done. Unknown fields are refused, bodies
//! have at most 256 KiB (lists 16 MiB), tokens are scoped ([`crate::access::Scope`]).

mod addresses;
mod body;
mod broadcasts;
mod completing;
mod imports;
mod mail_setup;
mod messages;
mod openapi;
mod people;
mod problem_schema;
mod providers;
mod referrers;
mod returns;
mod returns_kept;
mod submissions;
mod suppressions;

use axum::Router;
use axum::routing::{get, post};

use super::WebState;

pub(super) use messages::LIST_ANSWER_WITHIN;

pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/api/openapi.json", get(openapi::show))
        .route("/api/v1/messages", post(messages::submit))
        .route("/api/v1/messages/{id}", get(messages::show))
        .route("/api/v1/messages/{id}/{act}", post(messages::act))
        .route("/api/v1/submissions/{id}/undo", post(submissions::undo))
        .route("/api/v1/referrers/{id}/touches", get(referrers::touches))
        .route("/api/v1/failures", get(messages::failures))
        .route("/api/v1/referrers", get(people::list).post(people::add))
        .route("/api/v1/referrers/{id}", get(people::show).patch(people::edit).delete(people::delete))
        .route("/api/v1/referrers/{id}/merge", post(people::merge))
        .route("/api/v1/merges/{id}/undo", post(people::undo_merge))
        .route("/api/v1/imports/{id}/undo", post(imports::undo_import))
        .route("/api/v1/conflicts", get(people::open_conflicts))
        .route("/api/v1/conflicts/{id}/{choice}", post(people::settle_conflict))
        .route("/api/v1/addresses/revive", post(addresses::revive))
        .route("/api/v1/returns", get(returns::list))
        .route("/api/v1/returns/{id}", get(returns::show))
        .route("/api/v1/returns/{id}/work", post(returns::work))
        .route("/api/v1/returns/{id}/reply", get(returns_kept::reply))
        .route("/api/v1/returns/{id}/as-it-came", get(returns_kept::as_it_came))
        .route("/api/v1/suppressions", get(suppressions::list))
        .route("/api/v1/suppressions/{id}/lift", post(suppressions::lift))
        .route("/api/v1/providers", get(providers::list))
        .route("/api/v1/providers/{name}", get(providers::show))
        .route("/api/v1/mail-setup", get(mail_setup::show).post(mail_setup::check))
        .route("/api/v1/broadcasts", get(broadcasts::list))
        .route("/api/v1/broadcasts/{id}", get(broadcasts::show))
        .route("/api/v1/broadcasts/{id}/cancel", post(broadcasts::cancel))
        .route("/api/v1/broadcasts/{id}/resume", post(broadcasts::resume))
        .route("/api/v1/explain-reply", post(addresses::explain_reply))
}

/// The routes that take a list, which may be large.
pub(super) fn list_routes() -> Router<WebState> {
    Router::new().route("/api/v1/imports", get(imports::imports).post(imports::import_list))
}
