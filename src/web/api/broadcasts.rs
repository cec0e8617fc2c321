//! Broadcasts: which there are, whether one has paused itself and why, and letting it go on.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::body::{limit, query};
use super::problem_schema::ProblemView;
use crate::access::Scope;
use crate::domain::id::BroadcastId;
use crate::operator;
use crate::public::{BroadcastCancelledView, BroadcastList, BroadcastView};
use crate::web::WebState;
use crate::web::bearer::Bearer;
use crate::web::problem::{Kind, Problem};

/// Broadcasts listed unless asked otherwise, and at most.
const LISTED_DEFAULT: i64 = 50;
const LISTED_MAX: i64 = 200;

/// Which broadcasts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    paused: Option<bool>,
    limit: Option<i64>,
}

/// The newest broadcasts, or those that have paused themselves because too much of them came back.
#[utoipa::path(
    get,
    operation_id = "list_broadcasts",
    path = "/api/v1/broadcasts",
    tag = "broadcasts",
    params(
        ("paused" = Option<bool>, Query, description = "`true`: only those that are paused now"),
        ("limit" = Option<i64>, Query, description = "Broadcasts in the list, 1 to 200; 50 by default",
            minimum = 1, maximum = 200),
    ),
    responses(
        (status = 200, description = "The broadcasts, the newest first", body = BroadcastList),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
        (status = 422, description = "The query cannot be read", body = ProblemView),
    )
)]
pub(super) async fn list(
    State(state): State<WebState>,
    bearer: Bearer,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<BroadcastList>, Problem> {
    bearer.require(Scope::Read)?;
    let wanted = query(wanted, "paused (true or false) and limit (1 to 200)")?;
    let limit = limit(wanted.limit, LISTED_DEFAULT, LISTED_MAX)?;
    let mut tx = state.gateway.store.read().await?;
    let found = if wanted.paused == Some(true) {
        tx.broadcasts_paused_now(limit).await?
    } else {
        tx.broadcasts_list(None, limit).await?
    };
    Ok(Json(BroadcastList { broadcasts: found.iter().map(BroadcastView::from).collect() }))
}

/// One broadcast.
#[utoipa::path(
    get,
    operation_id = "show_broadcast",
    path = "/api/v1/broadcasts/{id}",
    tag = "broadcasts",
    params(("id" = String, Path, description = "The broadcast's id", format = Uuid)),
    responses(
        (status = 200, description = "The broadcast", body = BroadcastView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
        (status = 404, description = "There is no such broadcast", body = ProblemView),
    )
)]
pub(super) async fn show(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<BroadcastView>, Problem> {
    bearer.require(Scope::Read)?;
    let found = state.gateway.store.read().await?.broadcast(broadcast_id(&id)?).await?.ok_or_else(missing)?;
    Ok(Json(BroadcastView::from(&found)))
}

/// Lets a broadcast go on that paused itself. What is held of it is queued, some thousand letters a minute; it does not pause itself again. Who did
/// it is recorded.
#[utoipa::path(
    post,
    operation_id = "resume_broadcast",
    path = "/api/v1/broadcasts/{id}/resume",
    tag = "broadcasts",
    params(("id" = String, Path, description = "The broadcast's id", format = Uuid)),
    responses(
        (status = 200, description = "It goes on", body = BroadcastView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 404, description = "There is no such broadcast", body = ProblemView),
        (status = 409, description = "It is not paused", body = ProblemView),
    )
)]
pub(super) async fn resume(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<BroadcastView>, Problem> {
    bearer.require(Scope::Operate)?;
    let broadcast =
        operator::broadcasts::resume(&state.gateway.operator(), broadcast_id(&id)?, &bearer.actor()).await?;
    Ok(Json(BroadcastView::from(&broadcast)))
}

/// Cancels what was not handed over of a broadcast: what is held, and what is queued. A request goes on for a minute at most; if
/// `has_more` is true, send it again. Who did it is recorded.
#[utoipa::path(
    post,
    operation_id = "cancel_broadcast",
    path = "/api/v1/broadcasts/{id}/cancel",
    tag = "broadcasts",
    params(("id" = String, Path, description = "The broadcast's id", format = Uuid)),
    responses(
        (status = 200, description = "How far it has come", body = BroadcastCancelledView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 404, description = "There is no such broadcast", body = ProblemView),
    )
)]
pub(super) async fn cancel(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<BroadcastCancelledView>, Problem> {
    bearer.require(Scope::Operate)?;
    let (id, parts) = (broadcast_id(&id)?, state.gateway.operator());
    let done = operator::broadcasts::cancel_rest(&parts, id, &bearer.actor(), state.bulk_within).await?;
    Ok(Json(BroadcastCancelledView { cancelled: done.cancelled, has_more: done.has_more }))
}

fn broadcast_id(text: &str) -> Result<BroadcastId, Problem> {
    text.parse().map_err(|_| missing())
}

fn missing() -> Problem {
    Problem::new(Kind::NotFound, "there is no such broadcast")
}
