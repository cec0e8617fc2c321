//! What all guises share in handling a request: authentication, how the request is answered, and the routes to the
//! pages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use futures_util::StreamExt;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tower_http::timeout::TimeoutLayer;

use super::behaviour::Intake;
use super::call::Calls;
use super::cut::Cut;
use super::guise::{self, Guise};
use super::page;
use super::parts::REQUEST_BYTES_MAX;
use super::picture::Pictures;
use super::record::{Fax, Order};
use super::trouble::Trouble;

/// The longest that one request may take, its upload included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// An unreadable answer: a proxy's page with a success status.
const GARBAGE: &str = "<!doctype html><title>OK</title><p>Your request is important to us.";

/// State shared by the handlers.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) calls: Arc<Calls>,
    pub(super) guise: Guise,
    pub(super) account: String,
    pub(super) api_key: SecretString,
    pub(super) open_pages: bool,
    /// Whether there is a page of mail to link to.
    pub(super) has_mail: bool,
    pub(super) pictures: Pictures,
    /// Files put into the guise's storage before the fax that names them.
    pub(super) media: Mutex<BTreeMap<String, Bytes>>,
}

/// How handlers get the shared state.
pub(super) type Shared = State<Arc<Desk>>;

impl Desk {
    /// Answers a request to create a fax according to its behavior. `answer` is the response for an accepted fax.
    pub(super) fn take(
        &self,
        order: Order,
        cut: &Cut,
        answer: impl FnOnce(&Fax) -> Response,
    ) -> Result<Response, Trouble> {
        match order.behaviour.intake {
            Intake::Refuses(fault) if self.guise.refuses_at_once(fault) => return Err(Trouble::Refused(fault)),
            Intake::Breaks => return Err(Trouble::Broken(500)),
            Intake::Slows(seconds) => return Err(Trouble::SlowDown(seconds)),
            Intake::SlowsFirst if self.calls.line.slows_now(&order.to) => return Err(Trouble::SlowDown(1)),
            Intake::Vanishes => {
                cut.now();
                return Err(Trouble::Broken(500));
            }
            _ => {}
        }
        let fax = self.calls.line.accept(order)?;
        self.calls.place(&fax);
        match fax.behaviour.intake {
            Intake::TakesSilently => cut.now(),
            Intake::TakesAndBreaks => return Err(Trouble::Broken(503)),
            Intake::TakesAndGarbles => return Ok(([(header::CONTENT_TYPE, "text/html")], GARBAGE).into_response()),
            _ => {}
        }
        Ok(answer(&fax))
    }

    /// Whether the account's name and key are those given. The name is no secret.
    pub(super) fn knows(&self, account: Option<&str>, key: &str) -> bool {
        let key_fits = bool::from(key.as_bytes().ct_eq(self.api_key.expose_secret().as_bytes()));
        key_fits && account.is_none_or(|name| name == self.account)
    }
}

/// Every route the line serves.
pub(super) fn router(desk: Arc<Desk>, further: Option<Router>) -> Router {
    let keyed = middleware::from_fn_with_state(Arc::clone(&desk), require_key);
    let api = desk.guise.routes().route_layer(keyed.clone());
    let pages = Router::new()
        .route("/", get(page::received_page))
        .route("/faxes/{id}/document", get(page::document))
        .route("/faxes/{id}/page.png", get(page::picture))
        .merge(further.unwrap_or_default().with_state(()));
    let pages = if desk.open_pages { pages } else { pages.route_layer(keyed) };
    let api = api.merge(pages).layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX));
    api.fallback(|| async { Trouble::NoSuchPlace })
        .method_not_allowed_fallback(|| async { Trouble::WrongMethod })
        .layer(middleware::map_response(put_into_words))
        .layer(Extension(desk.guise))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
        .with_state(desk)
}

async fn require_key(State(desk): Shared, request: Request, next: Next) -> Response {
    if guise::is_authorized(&desk, request.headers()) {
        return next.run(request).await;
    }
    drain(request).await;
    Trouble::Key.into_response()
}

/// Reads a request that is refused anyway, within limits: closing a connection with unread bytes resets it, and the
/// customer would see no answer at all.
async fn drain(request: Request) {
    let mut left = REQUEST_BYTES_MAX;
    let mut body = request.into_body().into_data_stream();
    while let Some(Ok(chunk)) = body.next().await {
        if chunk.len() > left {
            return;
        }
        left -= chunk.len();
    }
}

async fn put_into_words(Extension(guise): Extension<Guise>, response: Response) -> Response {
    match response.extensions().get::<Trouble>() {
        Some(trouble) => guise.words_for(*trouble),
        None => response,
    }
}
