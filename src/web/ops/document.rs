//! The bytes behind a message's page: a page of the fax as the far machine printed it, the stored PDF, the mail's HTML
//! in a frame of its own that may do nothing.

use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::form::nowhere;
use super::sheet;
use crate::access::note_document_view;
use crate::domain::id::{MessageId, short};
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::render::bitmap;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;

/// No script, no form, no request to anywhere, in an origin of its own: a letter may only be looked at.
const MAIL_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'; form-action 'none'";

async fn message_of(state: &WebState, id: &str) -> Result<(Message, Referrer), PageProblem> {
    let id: MessageId = id.parse().map_err(|_| nowhere())?;
    let mut tx = state.gateway.store.read().await?;
    let message = tx.message(id, false).await?.ok_or_else(nowhere)?;
    let referrer = tx.referrer(message.referrer_id).await?.ok_or_else(nowhere)?;
    Ok((message, referrer))
}

/// `GET /messages/{id}/page/{n}.png`: page `n`, from 1, dot for dot.
pub async fn page(
    State(state): State<WebState>,
    operator: Operator,
    Path((id, file)): Path<(String, String)>,
) -> Result<Response, PageProblem> {
    let number: usize = file.strip_suffix(".png").and_then(|n| n.parse().ok()).ok_or_else(nowhere)?;
    let (message, referrer) = message_of(&state, &id).await?;
    note_document_view(&state.gateway.access(), &message, &format!("page {number}"), &operator.actor).await?;
    let page = sheet::page(&state, &message, &referrer, number).await?.ok_or_else(nowhere)?;
    let png = bitmap::png(&page).map_err(|_| nowhere())?;
    Ok(private([(header::CONTENT_TYPE, "image/png".to_owned())], png))
}

/// `GET /messages/{id}/document.pdf`: the document that was handed over last, byte for byte.
pub async fn pdf(
    State(state): State<WebState>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, PageProblem> {
    let (message, _) = message_of(&state, &id).await?;
    note_document_view(&state.gateway.access(), &message, "document", &operator.actor).await?;
    let Some((kind, body)) = sheet::stored(&state, &message).await? else { return Err(nowhere()) };
    if kind != "pdf" {
        return Err(nowhere());
    }
    let name = format!("inline; filename=\"fax-{}.pdf\"", short(&message.id.0));
    Ok(private([(header::CONTENT_TYPE, "application/pdf".to_owned()), (header::CONTENT_DISPOSITION, name)], body))
}

/// `GET /messages/{id}/mail.html`: the mail's HTML.
pub async fn mail(
    State(state): State<WebState>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, PageProblem> {
    let (message, referrer) = message_of(&state, &id).await?;
    note_document_view(&state.gateway.access(), &message, "mail", &operator.actor).await?;
    let mail = sheet::mail_of(&state, &message, &referrer).await?.ok_or_else(nowhere)?;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, MAIL_POLICY.to_owned()),
    ];
    Ok(private(headers, mail.html.into_bytes()))
}

/// Bytes of which a browser keeps no copy.
fn private<const N: usize>(headers: [(HeaderName, String); N], body: Vec<u8>) -> Response {
    (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")], headers, body).into_response()
}
