//! The provider accounts: how each stands.

use axum::Json;
use axum::extract::{Path, State};

use super::problem_schema::ProblemView;
use crate::access::Scope;
use crate::accounts::health::{Health, Records};
use crate::public::{AccountList, AccountView};
use crate::settle::SUBMIT;
use crate::web::WebState;
use crate::web::bearer::Bearer;
use crate::web::problem::{Kind, Problem};

/// How every provider account stands: whether it takes letters and why not, quotas, rate, sign-in, the transport seen last, the
/// last error, what waits, and what became of the last day's letters.
#[utoipa::path(
    get,
    operation_id = "list_providers",
    path = "/api/v1/providers",
    tag = "providers",
    responses(
        (status = 200, description = "All accounts, by name", body = AccountList),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
    )
)]
pub(super) async fn list(State(state): State<WebState>, bearer: Bearer) -> Result<Json<AccountList>, Problem> {
    bearer.require(Scope::Read)?;
    Ok(Json(AccountList { accounts: health(&state).await?.iter().map(AccountView::from).collect() }))
}

/// How one provider account stands.
#[utoipa::path(
    get,
    operation_id = "show_provider",
    path = "/api/v1/providers/{name}",
    tag = "providers",
    params(("name" = String, Path, description = "The account's name in the configuration")),
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
        (status = 404, description = "There is no such account", body = ProblemView),
    )
)]
pub(super) async fn show(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(name): Path<String>,
) -> Result<Json<AccountView>, Problem> {
    bearer.require(Scope::Read)?;
    let found = health(&state).await?.into_iter().find(|health| health.account == name);
    let found = found.ok_or_else(|| Problem::new(Kind::NotFound, "there is no such account"))?;
    Ok(Json(AccountView::from(&found)))
}

async fn health(state: &WebState) -> Result<Vec<Health>, Problem> {
    let now = state.gateway.clock.now();
    let records = Records::read(&mut state.gateway.store.read().await?, SUBMIT, now).await?;
    Ok(state.gateway.accounts.health(&records, now))
}
