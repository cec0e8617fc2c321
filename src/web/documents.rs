//! Documents for providers that fetch them (`provider::link`): who has the link gets the one document, until the link
//! ends or the attempt is settled. Every other address is answered alike, so that nothing can be learned by guessing.
//! The log has only the route.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::WebState;
use super::problem::{Kind, Problem};
use crate::domain::Timestamp;
use crate::domain::id::AttemptId;

/// Nobody shall keep it or list it.
const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("application/pdf")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow")),
];

pub(super) fn routes() -> Router<WebState> {
    Router::new().route("/documents/{token}", get(fetch))
}

async fn fetch(State(state): State<WebState>, Path(token): Path<String>) -> Result<Response, Problem> {
    let Some((account, attempt)) = read(&state, &token, state.gateway.clock.now()) else { return Err(nothing()) };
    let pdf = document(&state, account, attempt).await?.ok_or_else(nothing)?;
    tracing::info!(account, %attempt, "a provider fetched a document");
    Ok((HEADERS, pdf).into_response())
}

/// Whose link it is, and the attempt that it names. Few accounts have links, so each is tried.
fn read<'a>(state: &'a WebState, token: &str, now: Timestamp) -> Option<(&'a str, AttemptId)> {
    state.gateway.accounts.iter().find_map(|(name, account)| {
        let links = account.layered.provider().document_links()?;
        Some((name, links.read(token, now)?))
    })
}

/// The document of an attempt that this account makes and that is still open.
async fn document(state: &WebState, account: &str, attempt: AttemptId) -> Result<Option<Vec<u8>>, Problem> {
    let mut tx = state.gateway.store.read().await?;
    let Some(attempt) = tx.attempt(attempt).await?.filter(|attempt| attempt.provider == account) else {
        return Ok(None);
    };
    if !attempt.status.is_open() {
        return Ok(None);
    }
    Ok(tx.document(&attempt.document_hash).await?.filter(|(kind, _)| kind == "pdf").map(|(_, body)| body))
}

fn nothing() -> Problem {
    Problem::new(Kind::NotFound, "there is nothing at this address")
}
