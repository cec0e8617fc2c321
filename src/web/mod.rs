//! The outside faces over HTTP: the API for programs, provider callbacks, the dashboard, opt-out, health and metrics.
//! Handlers ask intake and the read models of the store; they never touch the queue, and never panic on what comes in.

mod admission;
pub mod api;
pub mod bearer;
mod documents;
mod guard;
mod health;
mod hooks;
mod login;
pub mod ops;
mod opt_out;
mod peer;
pub mod problem;
mod readable;
mod readiness;
mod server;
pub mod session;
mod strangers;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Response};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::access;
use crate::app::Gateway;
use crate::feedback::inbox::{BODY_OCTETS_MAX, Inbox};
use crate::intake;
use admission::{Bodies, Face, admitting};
use problem::{Kind, Problem};
pub use server::serve;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What each face admits: none can take another's slots. A log-in waits in its slot until a core is free for it.
const HEALTH: Face = Face { at_once: 32, body_max: KIB };
const HOOKS: Face = Face { at_once: 128, body_max: BODY_OCTETS_MAX };
const API: Face = Face { at_once: 128, body_max: 256 * KIB };
const LISTS: Face = Face { at_once: 8, body_max: 16 * MIB };
// What was filled in when a session ended comes along with the log-in.
const LOG_IN: Face = Face { at_once: 64, body_max: 64 * KIB };
const DASHBOARD: Face = Face { at_once: 64, body_max: 64 * KIB };
const DOCUMENTS: Face = Face { at_once: 64, body_max: KIB };
const OPT_OUT: Face = Face { at_once: 64, body_max: 16 * KIB };

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
    /// Whether this node can work.
    readiness: Arc<readiness::Readiness>,
    /// What anybody can make the log tell.
    strangers: Arc<strangers::Strangers>,
    /// How long a request that submits a list waits for all of it to be on the queue, before it is answered with how far
    /// the list has come.
    pub list_answer_within: Duration,
    /// How long a request goes on with one act for very many messages, before it says how many are left.
    pub bulk_within: Duration,
}

impl WebState {
    /// The state over a gateway; `inbox` is that of its running services.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>, inbox: Arc<Inbox>, metrics: Option<PrometheusHandle>) -> Self {
        let intake = gateway.intake();
        let list_answer_within = api::LIST_ANSWER_WITHIN;
        Self {
            gateway,
            intake,
            inbox,
            metrics,
            throttle: Arc::default(),
            readiness: Arc::default(),
            strangers: Arc::default(),
            list_answer_within,
            bulk_within: ops::BULK_WITHIN,
        }
    }
}

/// All faces, with the layers that stand before them.
pub fn router(state: WebState) -> Router {
    let server = &state.gateway.config.server;
    // Those who have shown a token share one half of the memory for large bodies, everybody else the other.
    let half = || Bodies::new(Duration::from_secs(server.body_seconds), server.large_bodies_mib * MIB / 2);
    let (of_known, of_others) = (half(), half());
    let behind = |routes, face| admitting(routes, face, &of_others);
    // Who is not known is answered before the body is read.
    let api = admitting(api::routes(), API, &of_known).merge(admitting(api::list_routes(), LISTS, &of_known));
    let api = api.layer(from_fn_with_state(state.clone(), bearer::known));
    let hooks = behind(hooks::routes(), HOOKS).layer(from_fn_with_state(state.clone(), hooks::known));
    let pages = ops::again::Pages::new(state.clone(), ops::pages().with_state(state.clone()));
    let faces = Router::new()
        .merge(api)
        .merge(hooks)
        .merge(behind(documents::routes(), DOCUMENTS))
        .merge(behind(opt_out::routes(), OPT_OUT))
        .merge(behind(login::routes(pages.clone()), LOG_IN))
        .merge(behind(health::routes(), HEALTH))
        .merge(behind(ops::routes(pages), DASHBOARD))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method);
    guard::guarded(faces, &state).with_state(state)
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
