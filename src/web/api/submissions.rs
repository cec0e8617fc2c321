//! Submissions: withdraw one before its undo window ends.

use axum::Json;
use axum::extract::{Path, State};

use super::problem_schema::ProblemView;
use crate::access::Scope;
use crate::domain::id::SubmissionId;
use crate::operator;
use crate::public::UndoneView;
use crate::web::WebState;
use crate::web::bearer::Bearer;
use crate::web::problem::{Kind, Problem};

/// Withdraws a submission: nothing of it is sent. A token may withdraw what it sent itself; with the scope `operate`, anything.
#[utoipa::path(
    post,
    operation_id = "undo_submission",
    path = "/api/v1/submissions/{id}/undo",
    tag = "messages",
    params(("id" = String, Path, description = "The submission's id", format = Uuid)),
    responses(
        (status = 200, description = "Withdrawn", body = UndoneView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token may neither send nor operate, or another one sent it", body = ProblemView),
        (status = 404, description = "There is no such submission", body = ProblemView),
        (status = 409, description = "Its undo window has ended, it had none, or it was withdrawn already: cancel its \
            messages instead", body = ProblemView),
        (status = 503, description = "Temporarily unavailable; try again after Retry-After", body = ProblemView),
    )
)]
pub(super) async fn undo(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<UndoneView>, Problem> {
    let unknown = || Problem::new(Kind::NotFound, "there is no such submission");
    let may_any = bearer.may(Scope::Operate);
    if !may_any {
        bearer.require(Scope::Send)?;
    }
    let id: SubmissionId = id.parse().map_err(|_| unknown())?;
    let row = state.gateway.store.read().await?.submission(id).await?.ok_or_else(unknown)?;
    if row.who != bearer.actor() {
        bearer.require(Scope::Operate)?;
    }
    let undone = operator::undo(&state.gateway.operator(), id, &bearer.actor()).await?;
    Ok(Json(UndoneView::of(undone.submission, undone.messages, undone.at)))
}
