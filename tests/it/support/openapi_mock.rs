//! A provider played from its published OpenAPI document: every request is checked against the document, and every
//! answer is one that the document allows.

pub mod document;
mod incoming;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use self::document::Document;
use self::incoming::Incoming;

/// A running mock; it ends with this value.
pub struct OpenApiMock {
    /// Where it answers, with the document's prefix.
    pub base_url: String,
    /// The document it plays.
    pub document: Arc<Document>,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    document: Arc<Document>,
    prefix: String,
    state: Mutex<Played>,
}

#[derive(Default)]
struct Played {
    violations: Vec<String>,
    requests: Vec<Incoming>,
    forced: Option<u16>,
    coming: VecDeque<Value>,
    undocumented: BTreeMap<String, (u16, Value)>,
}

impl Drop for OpenApiMock {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl OpenApiMock {
    /// Starts it; paths of the document are served below `prefix`, such as `/v2`.
    pub async fn start(document: Value, prefix: &str) -> Self {
        let document = Arc::new(Document::new(document));
        let state = Mutex::default();
        let shared = Arc::new(Shared { document: document.clone(), prefix: prefix.to_owned(), state });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let base_url = format!("http://{}{prefix}", listener.local_addr().expect("bound"));
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { base_url, document, shared, task }
    }

    /// From now on, every valid request gets this documented error; `None` ends that.
    pub fn force(&self, status: Option<u16>) {
        self.played().forced = status;
    }

    /// The body of the next success, instead of the document's example. Must itself fit the document.
    pub fn answer_next(&self, body: Value) {
        self.played().coming.push_back(body);
    }

    /// Serves a call that this document does not hold, such as `POST /media`.
    pub fn allow(&self, call: &str, status: u16, body: Value) {
        self.played().undocumented.insert(call.to_owned(), (status, body));
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Incoming> {
        self.played().requests.clone()
    }

    /// Fails the test if a request was not as the document has it.
    pub fn assert_valid(&self) {
        let violations = self.played().violations.clone();
        assert!(violations.is_empty(), "{}", violations.join("\n"));
    }

    fn played(&self) -> MutexGuard<'_, Played> {
        self.shared.played()
    }
}

impl Shared {
    fn played(&self) -> MutexGuard<'_, Played> {
        self.state.lock().expect("no handler panicked")
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let incoming = match Incoming::read(request, &shared.prefix).await {
        Ok(incoming) => incoming,
        Err(violation) => return refuse(&shared, vec![violation]),
    };
    shared.played().requests.push(incoming.clone());
    if let Some((status, body)) = shared.played().undocumented.get(&incoming.call()) {
        return respond(*status, Some(body));
    }
    let Some(operation) = shared.document.operation(&incoming.method, &incoming.path) else {
        return refuse(&shared, vec![format!("the document has no {}", incoming.call())]);
    };
    let violations = incoming.violations(&operation);
    if !violations.is_empty() {
        return refuse(&shared, violations);
    }
    let (forced, coming) = {
        let mut played = shared.played();
        let coming = if played.forced.is_none() { played.coming.pop_front() } else { None };
        (played.forced, coming)
    };
    let status = forced.unwrap_or_else(|| operation.success());
    match operation.answer(status, coming) {
        Ok(body) => respond(status, body.as_ref()),
        Err(violation) => refuse(&shared, vec![violation]),
    }
}

/// 422 in the form of the document's own errors, and a note for [`OpenApiMock::assert_valid`].
fn refuse(shared: &Shared, violations: Vec<String>) -> Response {
    let detail = violations.join("; ");
    shared.played().violations.extend(violations);
    respond(422, Some(&json!({ "errors": [{ "code": "422", "title": "Not as documented", "detail": detail }] })))
}

fn respond(status: u16, body: Option<&Value>) -> Response {
    let mut response = Response::new(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status of the document");
    if status == 429 {
        response.headers_mut().insert("retry-after", "7".parse().expect("a constant"));
    }
    response.headers_mut().insert("content-type", "application/json".parse().expect("a constant"));
    response
}
