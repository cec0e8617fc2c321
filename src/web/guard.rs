//! The layers around every handler: an id for the request, a line in the log without query or body, headers that keep a
//! browser from doing more than it should, and a net under panics.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;
use tracing::Span;

use super::WebState;
use super::problem::{Cause, DatabaseUnusable, Kind, Problem};
use super::readable::readable;
use super::strangers::{Latest, Matter};

/// Names a request in the answer and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Only what we serve ourselves runs, is shown, is framed, or takes our forms.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
);

/// Headers of every answer that does not bring its own.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Puts the layers around the routes, the outermost first.
pub(super) fn guarded(faces: Router<WebState>, state: &WebState) -> Router<WebState> {
    let mut guarded = faces.layer(
        ServiceBuilder::new()
            .layer(from_fn(forget_foreign_id))
            .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
            .layer(TraceLayer::new_for_http().make_span_with(span).on_request(()).on_response(tell).on_failure(()))
            .layer(from_fn_with_state(state.clone(), note_failure))
            .layer(PropagateRequestIdLayer::new(REQUEST_ID))
            .layer(CatchPanicLayer::custom(after_panic))
            .layer(from_fn_with_state(state.clone(), note_damage))
            .layer(from_fn(readable)),
    );
    for (name, value) in HEADERS {
        guarded = guarded.layer(SetResponseHeaderLayer::if_not_present(name, value));
    }
    if state.gateway.config.server.public_url.as_ref().is_some_and(|url| url.scheme() == "https") {
        let a_year = HeaderValue::from_static("max-age=31536000");
        guarded = guarded.layer(SetResponseHeaderLayer::if_not_present(header::STRICT_TRANSPORT_SECURITY, a_year));
    }
    guarded
}

/// A name that the caller chose could hold anything; ours replaces it.
async fn forget_foreign_id(mut request: Request, next: Next) -> Response {
    request.headers_mut().remove(REQUEST_ID);
    next.run(request).await
}

/// What a request met of a damaged database counts for whether this node can work.
async fn note_damage(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.extensions().get::<DatabaseUnusable>().is_some() {
        state.gateway.store.note_damage();
    }
    response
}

/// The route, not the path: an opt-out link's path is a secret of its recipient.
fn span(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok()).unwrap_or_default();
    tracing::info_span!("request", method = %request.method(), route, id)
}

fn tell<B>(response: &axum::http::Response<B>, took: Duration, _: &Span) {
    let (status, took_ms) = (response.status().as_u16(), took.as_millis());
    tracing::debug!(status, took_ms, "answered");
}

/// Logs failures that are not the caller's, within the span of the request. Anybody can repeat a request, so there is one line
/// a minute for each route and status.
async fn note_failure(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    if response.status().is_server_error() {
        let cause = response.extensions().get::<Cause>().map(|Cause(cause)| cause.clone());
        let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
        let matter = Matter::Failed(route.to_owned(), response.status().as_u16());
        state.strangers.count(&matter, Latest { cause, took: began.elapsed() }, state.gateway.clock.now());
    }
    response
}

fn after_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::new(Kind::Internal, "this request failed because of an internal error; it has been logged").into_response()
}
