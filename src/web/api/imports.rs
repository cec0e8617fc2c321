//! Imports of lists, and undoing them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::body::query;
use super::problem_schema::ProblemView;
use crate::access::Scope;
use crate::public::people::{ImportList, ImportOutcome, ImportUndone, ImportView};
use crate::referrers::import::{ImportOptions, import, undo};
use crate::referrers::sheet;
use crate::web::WebState;
use crate::web::bearer::Bearer;
use crate::web::problem::{Kind, Problem};

/// How a list is imported.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportWanted {
    name: Option<String>,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    skip_bad_rows: bool,
}

/// Imports a list (CSV, as the body). Rows of which it is not clear whom they mean are left out and listed.
#[utoipa::path(
    post,
    path = "/api/v1/imports",
    tag = "referrers",
    params(
        ("name" = Option<String>, Query, description = "The list's name, for the records"),
        ("dry_run" = Option<bool>, Query, description = "Show what would happen; store nothing"),
        ("skip_bad_rows" = Option<bool>, Query, description = "Leave out rows that cannot be used, instead of refusing the list"),
    ),
    request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 200, description = "What it did, or would do", body = ImportOutcome),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 422, description = "The list cannot be used; nothing was imported", body = ProblemView),
    )
)]
pub(super) async fn import_list(
    State(state): State<WebState>,
    bearer: Bearer,
    wanted: Result<Query<ImportWanted>, QueryRejection>,
    body: Bytes,
) -> Result<Json<ImportOutcome>, Problem> {
    bearer.require(Scope::Operate)?;
    let wanted = query(wanted, "name, dry_run and skip_bad_rows (true or false)")?;
    let options = ImportOptions {
        list: wanted.name.unwrap_or_else(|| "API".to_owned()),
        dry_run: wanted.dry_run,
        skip_bad_rows: wanted.skip_bad_rows,
        ..ImportOptions::default()
    };
    let read = tokio::task::spawn_blocking(move || sheet::read(&body, &[])).await;
    let sheet = read
        .map_err(|_| Problem::new(Kind::Internal, "the list could not be read"))?
        .map_err(|error| Problem::new(Kind::Invalid, error.to_string()))?;
    let report = import(&state.gateway.referrers(), &sheet, &bearer.actor(), &options).await?;
    Ok(Json(ImportOutcome::of(report, sheet.refused_count)))
}

/// The newest imports.
#[utoipa::path(
    get,
    path = "/api/v1/imports",
    tag = "referrers",
    responses(
        (status = 200, description = "At most 50, the newest first", body = ImportList),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `read`", body = ProblemView),
    )
)]
pub(super) async fn imports(State(state): State<WebState>, bearer: Bearer) -> Result<Json<ImportList>, Problem> {
    bearer.require(Scope::Read)?;
    let imports = undo::imports(&state.gateway.referrers()).await?;
    Ok(Json(ImportList { imports: imports.into_iter().map(ImportView::from).collect() }))
}

/// Undoes an import. Opt-outs that came with it stand, and so does what was changed since.
#[utoipa::path(
    post,
    path = "/api/v1/imports/{id}/undo",
    tag = "referrers",
    params(("id" = String, Path, description = "The import's id", format = Uuid)),
    responses(
        (status = 200, description = "What was undone", body = ImportUndone),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 404, description = "There is no such import", body = ProblemView),
        (status = 422, description = "It was undone before", body = ProblemView),
    )
)]
pub(super) async fn undo_import(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<ImportUndone>, Problem> {
    bearer.require(Scope::Operate)?;
    let id = id.parse().map_err(|_| Problem::new(Kind::NotFound, "there is no such import"))?;
    Ok(Json(undo::undo_import(&state.gateway.referrers(), id, &bearer.actor()).await?.into()))
}
