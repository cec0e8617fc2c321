//! The outside faces over HTTP: the API for programs, provider callbacks, the dashboard, opt-out, health and metrics.
//! Handlers ask intake and the read models of the store; they never touch the queue, and never panic on what comes in.

pub mod api;
pub mod bearer;
mod documents;
mod guard;
mod health;
mod hooks;
mod login;
pub mod ops;
mod opt_out;
pub mod problem;
pub mod session;

use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::serve::ListenerExt;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::access;
use crate::app::Gateway;
use crate::feedback::inbox::Inbox;
use crate::intake;
use problem::{Kind, Problem};

/// How long open connections may go on after the server was asked to stop.
const DRAIN_MAX: Duration = Duration::from_secs(20);

/// What every handler works with. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WebState {
    /// The gateway.
    pub gateway: Arc<Gateway>,
    /// What intake works with.
    pub intake: intake::Parts,
    /// Where callbacks go.
    pub inbox: Arc<Inbox>,
    /// What counts were kept; none where no recorder is installed.
    pub metrics: Option<PrometheusHandle>,
    /// Who failed to log in.
    pub throttle: Arc<access::Throttle>,
    /// How long a request that submits a list waits for all of it to be on the queue, before it is answered with how far
    /// the list has come.
    pub list_answer_within: Duration,
}

impl WebState {
    /// The state over a gateway; `inbox` is that of its running services.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>, inbox: Arc<Inbox>, metrics: Option<PrometheusHandle>) -> Self {
        let intake = gateway.intake();
        let list_answer_within = api::LIST_ANSWER_WITHIN;
        Self { gateway, intake, inbox, metrics, throttle: Arc::default(), list_answer_within }
    }
}

/// All faces, with the layers that stand before them.
pub fn router(state: WebState) -> Router {
    let faces = Router::new()
        .merge(api::routes())
        .merge(hooks::routes())
        .merge(documents::routes())
        .merge(opt_out::routes())
        .merge(login::routes())
        .merge(health::routes())
        .merge(ops::routes())
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method);
    guard::guarded(faces, &state).with_state(state)
}

/// Serves until asked to stop, then lets requests under way end, for 20 seconds at most.
///
/// # Errors
/// The listener's.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> io::Result<()> {
    // Small answers must not wait for Nagle's algorithm; a socket without this option still works.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        served = serving.into_future() => served,
        () = async { stop.cancelled().await; tokio::time::sleep(DRAIN_MAX).await } => {
            tracing::warn!("some connections did not finish in time and were closed");
            Ok(())
        }
    }
}

/// A page.
pub(crate) fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn no_such_path(uri: Uri) -> Response {
    Problem::new(Kind::NotFound, "there is nothing at this address").answer(uri.path())
}

async fn no_such_method(uri: Uri) -> Response {
    Problem::new(Kind::MethodNotAllowed, "this address does not support that method").answer(uri.path())
}
