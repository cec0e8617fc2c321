//! The line's HTTP face: JSON, a bearer key, and `{"error":{"code","message"}}` where something is wrong.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, DefaultBodyLimit, Multipart, Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::StreamExt;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use tower_http::timeout::TimeoutLayer;

use super::call::Calls;
use super::cut::Cut;
use super::form;
use super::magic::{self, Intake};
use super::page;
use super::record::{Fax, FaxStatus, LineError, Order, tail_and_hash};
use crate::domain::Fault;

/// The longest that one request may take, its upload included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The most faxes listed at once.
const LIST_MAX: usize = 100;
/// The most that is read of a request that is refused unread.
const DRAIN_BYTES_MAX: usize = form::REQUEST_BYTES_MAX;

/// What the handlers share.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) calls: Arc<Calls>,
    pub(super) api_key: SecretString,
    pub(super) open_pages: bool,
}

type Shared = State<Arc<Desk>>;

/// Every address the line answers at.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    let keyed = middleware::from_fn_with_state(Arc::clone(&desk), require_key);
    let api = Router::new()
        .route("/faxes", post(create).get(list))
        .route("/faxes/{id}", get(show).delete(purge))
        .route("/faxes/{id}/cancel", post(cancel))
        .route("/account", get(account))
        .route_layer(keyed.clone());
    let pages = Router::new().route("/", get(page::received_page)).route("/faxes/{id}/document", get(page::document));
    let pages = if desk.open_pages { pages } else { pages.route_layer(keyed) };
    api.merge(pages)
        .fallback(|| async { Refusal::new(404, "not_found", "there is nothing at this address") })
        .method_not_allowed_fallback(|| async { Refusal::new(405, "method_not_allowed", "not in this way") })
        .layer(DefaultBodyLimit::max(form::REQUEST_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
        .with_state(desk)
}

async fn create(State(desk): Shared, ConnectInfo(cut): ConnectInfo<Cut>, form: Multipart) -> Result<Response, Refusal> {
    let order = form::read(form).await?;
    let intake = magic::of(&tail_and_hash(&order.to).0).intake;
    turn_away(&desk, intake, &order)?;
    let fax = desk.calls.line.accept(order)?;
    desk.calls.place(&fax);
    if intake == Intake::TakesSilently {
        cut.now();
    }
    Ok((StatusCode::ACCEPTED, Json(Receipt { id: &fax.id, status: fax.status, reference: &fax.reference }))
        .into_response())
}

/// Refuses what the number refuses before anything is recorded.
fn turn_away(desk: &Desk, intake: Intake, order: &Order) -> Result<(), Refusal> {
    match intake {
        Intake::Refuses { status, code, message } => Err(Refusal::new(status, code, message)),
        Intake::SlowsFirst if desk.calls.line.slows_now(&order.to) => Err(Refusal::slow_down("too many requests")),
        Intake::SlowsFirst | Intake::Takes | Intake::TakesSilently => Ok(()),
    }
}

async fn show(State(desk): Shared, Path(id): Path<String>) -> Result<Json<Object>, Refusal> {
    Ok(Json(Object::of(&desk.calls.line.get(&id)?)))
}

#[derive(Deserialize)]
struct ListQuery {
    reference: Option<String>,
}

async fn list(State(desk): Shared, Query(query): Query<ListQuery>) -> Json<List> {
    let line = &desk.calls.line;
    let faxes = query.reference.map_or_else(|| line.newest(LIST_MAX), |reference| line.with_reference(&reference));
    Json(List { data: faxes.iter().take(LIST_MAX).map(Object::of).collect() })
}

async fn cancel(State(desk): Shared, Path(id): Path<String>) -> Result<Json<Object>, Refusal> {
    Ok(Json(Object::of(&desk.calls.line.cancel(&id)?)))
}

async fn purge(State(desk): Shared, Path(id): Path<String>) -> Result<Json<Object>, Refusal> {
    Ok(Json(Object::of(&desk.calls.line.purge(&id)?)))
}

async fn account(State(desk): Shared) -> Json<Account> {
    Json(Account { account: "sandbox", faxes: desk.calls.line.count() })
}

async fn require_key(State(desk): Shared, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if bool::from(given.as_bytes().ct_eq(desk.api_key.expose_secret().as_bytes())) {
        return next.run(request).await;
    }
    drain(request).await;
    Refusal::new(401, "unauthorized", "the API key is missing or wrong").into_response()
}

/// Reads a request that is refused anyway, within limits: closing a connection on unread bytes resets it, and the
/// customer would see no answer at all.
async fn drain(request: Request) {
    let mut left = DRAIN_BYTES_MAX;
    let mut body = request.into_body().into_data_stream();
    while let Some(Ok(chunk)) = body.next().await {
        if chunk.len() > left {
            return;
        }
        left -= chunk.len();
    }
}

#[derive(Serialize)]
struct Receipt<'a> {
    id: &'a str,
    status: FaxStatus,
    reference: &'a str,
}

#[derive(Serialize)]
struct Account {
    account: &'static str,
    faxes: usize,
}

#[derive(Serialize)]
struct List {
    data: Vec<Object>,
}

/// A fax as the API shows it.
#[derive(Serialize)]
struct Object {
    id: String,
    status: FaxStatus,
    pages: u32,
    pages_confirmed: Option<u32>,
    fault: Option<Fault>,
    reference: String,
    to: String,
    purged: bool,
}

impl Object {
    fn of(fax: &Fax) -> Self {
        Self {
            id: fax.id.clone(),
            status: fax.status,
            pages: fax.pages,
            pages_confirmed: fax.pages_confirmed,
            fault: fax.fault,
            reference: fax.reference.clone(),
            to: fax.to_text(),
            purged: fax.purged,
        }
    }
}

/// Why a request was refused. The words never hold what was sent.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: &'static str,
    retry_after_seconds: Option<u32>,
}

impl Refusal {
    pub(super) const fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, retry_after_seconds: None }
    }

    const fn slow_down(message: &'static str) -> Self {
        Self { retry_after_seconds: Some(1), ..Self::new(429, "rate_limited", message) }
    }
}

impl From<LineError> for Refusal {
    fn from(error: LineError) -> Self {
        match error {
            LineError::NotFound => Self::new(404, "not_found", "there is no such fax"),
            LineError::TooLate => Self::new(409, "too_late", "the fax has ended already"),
            LineError::NotEnded => Self::new(409, "not_ended", "the fax has not ended yet"),
            LineError::Full => Self::slow_down("every line is in use"),
            LineError::Journal => Self::new(500, "provider_error", "the journal could not be written"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::json!({ "error": { "code": self.code, "message": self.message } });
        let mut response = (status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
