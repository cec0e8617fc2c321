//! Opt-out (RFC 8058; `compliance.md` §2.3, R3.4): a link names one message. Looking at it changes nothing, because
//! scanners fetch every link in a mail; a POST acts immediately, with no login and no further step. Every token is
//! answered alike, so that nothing can be learned by guessing.

use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::get;

use super::problem::PageProblem;
use super::strangers::{Latest, Matter};
use super::{WebState, html};
use crate::consent::{self, Refusal};
use crate::domain::Actor;
use crate::domain::Purpose;
use crate::domain::message::Message;
use crate::domain::practice::Practice;
use crate::domain::suppression::Scope;
use crate::domain::suppression::SuppressionReason;
use crate::domain::suppression::SuppressionSource;

/// The field that a mail receiver posts (RFC 8058 §3.1).
const ONE_CLICK_FIELD: &str = "List-Unsubscribe";
/// Its value.
const ONE_CLICK_VALUE: &str = "One-Click";

pub(super) fn routes() -> Router<WebState> {
    Router::new().route("/o/{token}", get(show).post(act))
}

#[derive(Template)]
#[template(path = "opt_out.html")]
struct OptOutPage<'a> {
    practice: &'a Practice,
    phone: String,
    fax: String,
    done: bool,
}

impl<'a> OptOutPage<'a> {
    fn of(state: &'a WebState, done: bool) -> Self {
        let practice = &state.gateway.config.practice;
        Self { practice, phone: practice.opt_out.phone.pretty(), fax: practice.opt_out.fax.pretty(), done }
    }
}

async fn show(State(state): State<WebState>) -> Response {
    html(StatusCode::OK, &OptOutPage::of(&state, false))
}

/// Acts on the bare request; what the body says only tells where it came from.
async fn act(
    State(state): State<WebState>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageProblem> {
    let source = if is_one_click(&headers, &body) { SuppressionSource::OneClick } else { SuppressionSource::Web };
    match message_of(&state, &token).await? {
        Some(message) => refuse(&state, &message, source).await?,
        None => state.strangers.count(&Matter::UnknownLink, Latest::default(), state.gateway.clock.now()),
    }
    Ok(html(StatusCode::OK, &OptOutPage::of(&state, true)))
}

/// The message a token names. Letters about patients carry no link, and none is honoured for them.
async fn message_of(state: &WebState, token: &str) -> Result<Option<Message>, PageProblem> {
    let Some(id) = state.gateway.opt_out.read(token) else { return Ok(None) };
    let mut tx = state.gateway.store.read().await?;
    Ok(tx.message(id, false).await?.filter(|message| message.purpose != Purpose::Treatment))
}

/// From here on no advertisement goes to the message's address. A repeat changes nothing.
async fn refuse(state: &WebState, message: &Message, source: SuppressionSource) -> Result<(), PageProblem> {
    let refusal = Refusal {
        address: message.address.clone(),
        scope: Scope::Advertisement,
        reason: SuppressionReason::OptOut,
        source,
        evidence: Some(format!("link of message {}", message.id)),
        who: Actor::Recipient,
        because: None,
        expires_ms: None,
    };
    let ended = consent::suppress(&state.gateway.consent(), &refusal).await?;
    tracing::info!(message = %message.id, %source, ended, "a recipient opted out");
    metrics::counter!("touchline_opt_outs_total", "source" => source.as_str()).increment(1);
    Ok(())
}

/// Whether a mail receiver posted it: `List-Unsubscribe=One-Click`, as either kind of form.
fn is_one_click(headers: &HeaderMap, body: &[u8]) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media_type.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
        let body = String::from_utf8_lossy(body);
        return body.contains(&format!("name=\"{ONE_CLICK_FIELD}\"")) && body.contains(ONE_CLICK_VALUE);
    }
    url::form_urlencoded::parse(body).any(|(name, value)| name == ONE_CLICK_FIELD && value == ONE_CLICK_VALUE)
}
