//! Opt-out (RFC 8058; `compliance.md` §2.3, R3.4): a link names one message. Looking at it changes nothing, because
//! scanners fetch every link in a mail; a POST that says what it wants acts immediately, with no login and no further step. One
//! that says nothing, as link checkers send it, changes nothing either (decision 60). Every token is answered alike, so that nothing
//! can be learned by guessing.

mod request;

use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;

use self::request::Wanted;
use super::problem::PageProblem;
use super::strangers::{Latest, Matter};
use super::{WebState, html};
use crate::consent::{self, Refusal};
use crate::domain::Actor;
use crate::domain::Address;
use crate::domain::Purpose;
use crate::domain::message::Message;
use crate::domain::practice::Practice;
use crate::domain::suppression::Scope;
use crate::domain::suppression::SuppressionReason;

pub(super) fn routes() -> Router<WebState> {
    Router::new().route("/o/{token}", get(show).post(act))
}

#[derive(Template)]
#[template(path = "opt_out.html")]
struct OptOutPage<'a> {
    practice: &'a Practice,
    phone: String,
    fax: String,
    /// What was recorded, if anything was.
    done: Option<Scope>,
}

impl<'a> OptOutPage<'a> {
    fn of(state: &'a WebState, done: Option<Scope>) -> Self {
        let practice = &state.gateway.config.practice;
        Self { practice, phone: practice.opt_out.phone.pretty(), fax: practice.opt_out.fax.pretty(), done }
    }

    /// Whether letters about patients are stopped too.
    fn is_everything(&self) -> bool {
        self.done == Some(Scope::All)
    }
}

async fn show(State(state): State<WebState>) -> Response {
    html(StatusCode::OK, &OptOutPage::of(&state, None))
}

/// Does what the body asks for; without that, shows the page, with a status that says that nothing was done.
async fn act(
    State(state): State<WebState>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageProblem> {
    let Some(wanted) = Wanted::of(&headers, &body) else {
        return Ok(html(StatusCode::BAD_REQUEST, &OptOutPage::of(&state, None)));
    };
    match message_of(&state, &token).await? {
        Some(message) => {
            let address = address_of(&state, &token, &message).await?;
            refuse(&state, &message, address, wanted).await?;
        }
        None => state.strangers.count(&Matter::UnknownLink, Latest::default(), state.gateway.clock.now()),
    }
    Ok(html(StatusCode::OK, &OptOutPage::of(&state, Some(wanted.scope))))
}

/// The message a token names. Letters about patients carry no link, and none is honoured for them.
async fn message_of(state: &WebState, token: &str) -> Result<Option<Message>, PageProblem> {
    let Some(id) = state.gateway.opt_out.read(token) else { return Ok(None) };
    let mut tx = state.gateway.store.read().await?;
    Ok(tx.message(id, false).await?.filter(|message| message.purpose != Purpose::Treatment))
}

/// The address to which the link was sent: that of the message, unless it was corrected since.
async fn address_of(state: &WebState, token: &str, message: &Message) -> Result<Address, PageProblem> {
    let attempts = state.gateway.store.read().await?.attempts_of(message.id).await?;
    let called = attempts.iter().filter_map(|attempt| attempt.dialled.as_ref());
    let among = called.chain(std::iter::once(&message.address));
    Ok(state.gateway.opt_out.sent_to(token, message.id, among).unwrap_or(&message.address).clone())
}

/// From here on nothing of what is refused goes to the address. A repeat changes nothing.
async fn refuse(
    state: &WebState,
    message: &Message,
    address: Address,
    Wanted { scope, source }: Wanted,
) -> Result<(), PageProblem> {
    let refusal = Refusal {
        address,
        scope,
        reason: SuppressionReason::OptOut,
        source,
        evidence: Some(format!("link of message {}", message.id)),
        who: Actor::Recipient,
        because: None,
        expires_ms: None,
    };
    let ended = consent::suppress(&state.gateway.consent(), &refusal).await?;
    tracing::info!(message = %message.id, %scope, %source, ended, "a recipient opted out");
    metrics::counter!("touchline_opt_outs_total", "source" => source.as_str()).increment(1);
    Ok(())
}
