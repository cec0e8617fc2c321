//! What is kept of a return beyond what was read in it: all of a person's answer, and the mail or the callback as it came.

use axum::Json;
use axum::extract::{Path, State};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::ExposeSecret;

use super::problem_schema::ProblemView;
use super::returns::{missing, return_id};
use crate::access::{Scope, note_document_view};
use crate::feedback::returns::evidence::{self, AsItCame};
use crate::feedback::returns::replies::read_reply;
use crate::public::{AsItCameView, HeaderView, ReplyTextView};
use crate::web::WebState;
use crate::web::bearer::Bearer;
use crate::web::problem::Problem;

/// All of a person's answer, where the setting says that it is kept. Each reading is recorded in the audit trail.
#[utoipa::path(
    get,
    operation_id = "read_reply",
    path = "/api/v1/returns/{id}/reply",
    tag = "returns",
    params(("id" = String, Path, description = "The return's id", format = Uuid)),
    responses(
        (status = 200, description = "The text", body = ReplyTextView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 404, description = "There is no such return", body = ProblemView),
        (status = 409, description = "Nothing is kept of its text, nothing any more, or it cannot be opened: why, and what to do",
            body = ProblemView),
    )
)]
pub(super) async fn reply(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<ReplyTextView>, Problem> {
    bearer.require(Scope::Operate)?;
    let id = return_id(&id)?;
    let reply = read_reply(&state.gateway.feedback(), id, &bearer.actor()).await?;
    Ok(Json(ReplyTextView { id: id.0, text: reply.text.expose_secret().to_owned(), is_cut: reply.is_cut }))
}

/// What a return was read in, as it came: the mail, or the mail provider's callback. That of a letter about a patient is recorded as a
/// view.
#[utoipa::path(
    get,
    operation_id = "show_return_as_it_came",
    path = "/api/v1/returns/{id}/as-it-came",
    tag = "returns",
    params(("id" = String, Path, description = "The return's id", format = Uuid)),
    responses(
        (status = 200, description = "As far as it is kept", body = AsItCameView),
        (status = 401, description = "The token is missing or unknown", body = ProblemView),
        (status = 403, description = "The token lacks the scope `operate`", body = ProblemView),
        (status = 404, description = "There is no such return", body = ProblemView),
    )
)]
pub(super) async fn as_it_came(
    State(state): State<WebState>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<AsItCameView>, Problem> {
    bearer.require(Scope::Operate)?;
    let mut tx = state.gateway.store.read().await?;
    let row = tx.return_row(return_id(&id)?, false).await?.ok_or_else(missing)?;
    let came = evidence::as_it_came(&mut tx, &row).await?;
    let message = match row.message_id {
        Some(id) => tx.message(id, false).await?,
        None => None,
    };
    drop(tx);
    let is_kept = matches!(came, AsItCame::Mail(_) | AsItCame::Callback { .. });
    if let Some(message) = message.filter(|_| is_kept) {
        note_document_view(&state.gateway.access(), &message, "mail that came back", &bearer.actor()).await?;
    }
    let nothing = AsItCameView {
        id: row.id.0,
        form: "none",
        source: row.source,
        headers: Vec::new(),
        content: None,
        purged_at: None,
    };
    Ok(Json(match came {
        AsItCame::Mail(mail) => AsItCameView { form: "mail", content: Some(BASE64.encode(mail)), ..nothing },
        AsItCame::Callback { headers, body } => AsItCameView {
            form: "callback",
            headers: headers.into_iter().map(|(name, value)| HeaderView { name, value }).collect(),
            content: Some(BASE64.encode(body)),
            ..nothing
        },
        AsItCame::Purged(at) => AsItCameView { purged_at: Some(at), ..nothing },
        AsItCame::NotKept => nothing,
    }))
}
