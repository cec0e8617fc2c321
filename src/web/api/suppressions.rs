//! Suppressions: list them, lift one.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{JsonBody, limit, query};
use super::problem_schema::ProblemView;
use crate::access::Scope;
use crate::consent;
use crate::domain::id::SuppressionId;
use crate::public::{SuppressionList, SuppressionView};
use crate::web::WebState;
use crate::web::bearer::Bearer;
use crate::web::problem::{Kind, Problem};

/// Suppressions in an answer unless asked otherwise, and at most.
const LISTED_DEFAULT: i64 = 200;
const LISTED_MAX: i64 = 10_000;
/// The longest reason for lifting one, in characters.
const REASON_CHARS_MAX: usize = 200;

/// Which suppressions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    ended: bool,
    limit: Option<i64>,
}

/// Suppressions in effect, newest first, each with who, when, why, the return that it follows from, and when it ends by itself.
#[utoipa::path(
    get,
    operation_id = "list_suppressions",
    path = "/api/v1/suppressions",
    tag = "addresses",
    params(
        ("ended" = Option<bool>, Query, description = "Whether those that have ended are listed too; by default not"),
        ("limit" = Option<i64>, Query, description = "How many, 1 to 10,000; 200 by default", minimum = 1, maximum = 10_000),
    ),
    responses(
        (status = 200, description = "The newest", body = SuppressionList),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
        (status = 422, description = "The query cannot be read", body = ProblemView),
    )
)]
pub(super) async fn list(
    State(state): State<WebState>,
    bearer: Bearer,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<SuppressionList>, Problem> {
    bearer.require(Scope::Read)?;
    let wanted = query(wanted, "ended (true or false) and limit (1 to 10000)")?;
    let limit = limit(wanted.limit, LISTED_DEFAULT, LISTED_MAX)?;
    let found = state.gateway.store.read().await?.suppressions_list(wanted.ended, limit).await?;
    let whole = bearer.may(Scope::Operate);
    Ok(Json(SuppressionList { suppressions: found.iter().map(|one| SuppressionView::of(one, whole)).collect() }))
}

/// Why a suppression may be lifted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LiftWanted {
    /// In words, at most 200 characters; recorded with who lifted it.
    #[schema(example = "asked again in writing on May 4")]
    reason: String,
}

/// Lifts a suppression. Who did it and why is recorded.
#[utoipa::path(
    post,
    operation_id = "lift_suppression",
    path = "/api/v1/suppressions/{id}/lift",
    tag = "addresses",
    params(("id" = String, Path, description = "The suppression's id", format = Uuid)),
    request_body = LiftWanted,
    responses(
        (status = 200, description = "Lifted; the suppression as it stands now", body = SuppressionView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 404, description = "No such suppression is in effect", body = ProblemView),
        (status = 422, description = "The reason is missing or too long", body = ProblemView),
    )
)]
pub(super) async fn lift(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
    JsonBody(wanted): JsonBody<LiftWanted>,
) -> Result<Json<SuppressionView>, Problem> {
    bearer.require(Scope::Operate)?;
    let missing = || Problem::new(Kind::NotFound, "no such suppression is in effect");
    let id: SuppressionId = id.parse().map_err(|_| missing())?;
    let reason = wanted.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX || reason.chars().any(char::is_control) {
        let words = "say in one line of at most 200 characters why it may be lifted";
        return Err(Problem::field(Kind::Invalid, "reason", words));
    }
    consent::lift(&state.gateway.consent(), id, &bearer.actor(), reason).await?;
    let lifted = state.gateway.store.read().await?.suppression(id).await?.ok_or_else(missing)?;
    Ok(Json(SuppressionView::of(&lifted, true)))
}
