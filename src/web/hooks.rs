//! Provider callbacks: verified over the raw body, kept, answered; everything else happens later. A provider that
//! gets no confirmation calls again, so nothing is lost.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::WebState;
use super::problem::{Kind, Problem};
use crate::feedback::inbox::Received;
use crate::provider::{Rejection, WebhookParts};

/// When a callback that cannot be proved yet should be sent again.
const COME_AGAIN_SECONDS: u64 = 20;

pub(super) fn routes() -> Router<WebState> {
    Router::new().route("/hooks/{provider}", post(receive)).route("/hooks/{provider}/{secret}", post(receive))
}

/// Before anything of the body is read: that there is an account whose provider calls back.
pub(super) async fn known(
    State(state): State<WebState>,
    Path(target): Path<Target>,
    request: Request,
    next: Next,
) -> Response {
    if state.inbox.expects(&target.provider) { next.run(request).await } else { nothing_here().into_response() }
}

fn nothing_here() -> Problem {
    Problem::new(Kind::NotFound, "no callbacks are accepted at this address")
}

/// The account, and the secret that providers which sign nothing are told to add.
#[derive(serde::Deserialize)]
pub(super) struct Target {
    provider: String,
    secret: Option<String>,
}

async fn receive(
    State(state): State<WebState>,
    Path(target): Path<Target>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let callback = WebhookParts {
        url: whole_url(&state, &uri, &headers),
        headers: plain(&headers),
        body: body.into(),
        secret: target.secret,
    };
    match state.inbox.receive(&target.provider, &callback).await? {
        Received::Kept(_) => Ok(StatusCode::OK.into_response()),
        Received::NoSuchProvider | Received::Rejected(Rejection::Unsupported) => Err(nothing_here()),
        Received::Rejected(rejection @ (Rejection::Forged | Rejection::Stale | Rejection::Replayed)) => {
            Err(Problem::new(Kind::Unauthorized, rejection.to_string()))
        }
        Received::Rejected(rejection @ Rejection::Later) => {
            Err(Problem::new(Kind::Unavailable, rejection.to_string()).retry_after(COME_AGAIN_SECONDS))
        }
        // It is kept, but the provider should see that something is wrong with it.
        Received::Unreadable | Received::Rejected(Rejection::Unreadable) => {
            Err(Problem::new(Kind::Malformed, Rejection::Unreadable.to_string()))
        }
    }
}

/// The URL as the provider called it: what we told it to call, or else what its request says.
fn whole_url(state: &WebState, uri: &Uri, headers: &HeaderMap) -> String {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    match &state.gateway.config.server.public_url {
        Some(public_url) => format!("{}{path}", public_url.as_str().trim_end_matches('/')),
        None => {
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
            format!("http://{host}{path}")
        }
    }
}

/// Headers as text; names are in lower case already (RFC 9113 §8.2.1, and so kept by the HTTP library). A value that is
/// not text cannot be part of any signature scheme that we know, and is left out.
fn plain(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}
