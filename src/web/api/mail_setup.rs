//! The email setup: what the last look found, and a new look.

use axum::Json;
use axum::extract::State;

use super::problem_schema::ProblemView;
use crate::access::Scope;
use crate::app::mail_setup::Look;
use crate::public::MailSetupView;
use crate::web::WebState;
use crate::web::bearer::Bearer;
use crate::web::problem::{Kind, Problem};

/// What the last look at the email setup found: SPF, DKIM, DMARC, return path, quotas, postal address, opt-out. It is that of the node
/// that answers, since it was started.
#[utoipa::path(
    get,
    operation_id = "show_mail_setup",
    path = "/api/v1/mail-setup",
    tag = "providers",
    responses(
        (status = 200, description = "The last look", body = MailSetupView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
        (status = 404, description = "Nobody has looked since this node was started", body = ProblemView),
    )
)]
pub(super) async fn show(State(state): State<WebState>, bearer: Bearer) -> Result<Json<MailSetupView>, Problem> {
    bearer.require(Scope::Read)?;
    let words = "nobody has looked at the email setup since this node was started: POST to the same address looks";
    let look = state.gateway.last_mail_setup().ok_or_else(|| Problem::new(Kind::NotFound, words))?;
    Ok(Json(view(&look)))
}

/// Looks at the email setup now. Asks DNS for ten seconds at most; sends nothing.
#[utoipa::path(
    post,
    operation_id = "check_mail_setup",
    path = "/api/v1/mail-setup",
    tag = "providers",
    responses(
        (status = 200, description = "What was found", body = MailSetupView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 503, description = "This machine knows no name server", body = ProblemView),
    )
)]
pub(super) async fn check(State(state): State<WebState>, bearer: Bearer) -> Result<Json<MailSetupView>, Problem> {
    bearer.require(Scope::Operate)?;
    let look = state.gateway.check_mail_setup().await;
    Ok(Json(view(&*look.map_err(|error| Problem::new(Kind::Unavailable, error.to_string()))?)))
}

fn view(look: &Look) -> MailSetupView {
    MailSetupView::of(look.at, &look.from, &look.findings)
}
