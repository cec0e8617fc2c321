//! A server on the loopback that plays the recorded part of a provider: each request must be the next one of the
//! file, and gets that one's answer.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;

use super::fixture::{Answer, Exchange};

/// Largest request read: the sample letter is far below.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// A running server; it ends with this value.
pub struct Replay {
    pub port: u16,
    script: Arc<Script>,
    task: tokio::task::JoinHandle<()>,
}

struct Script {
    coming: Mutex<VecDeque<Exchange>>,
    complaints: Mutex<Vec<String>>,
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Replay {
    pub async fn start(exchanges: &[Exchange]) -> Self {
        let script = Arc::new(Script {
            coming: Mutex::new(exchanges.iter().cloned().collect()),
            complaints: Mutex::new(Vec::new()),
        });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let router = Router::new().fallback(play).with_state(script.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { port, script, task }
    }

    /// What did not go as the file says: unexpected requests, wrong requests, requests that never came.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = self.script.complaints.lock().expect("no test panicked here").clone();
        for exchange in self.script.coming.lock().expect("no test panicked here").iter() {
            complaints.push(format!("{} {} never came", exchange.method, exchange.path));
        }
        complaints
    }
}

async fn play(State(script): State<Arc<Script>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, REQUEST_BYTES_MAX).await.unwrap_or_default();
    let next = script.coming.lock().expect("no test panicked here").pop_front();
    let Some(exchange) = next else {
        return complain(&script, format!("unexpected {} {}", parts.method, parts.uri.path()));
    };
    match mismatch(&exchange, parts.method.as_str(), &parts.uri, &parts.headers, &body) {
        Some(complaint) => complain(&script, complaint),
        None => answer(exchange.answer).await,
    }
}

fn complain(script: &Script, complaint: String) -> Response {
    script.complaints.lock().expect("no test panicked here").push(complaint);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::IM_A_TEAPOT;
    response
}

fn mismatch(exchange: &Exchange, method: &str, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Option<String> {
    if (method, uri.path()) != (exchange.method.as_str(), exchange.path.as_str()) {
        return Some(format!("{method} {} instead of {} {}", uri.path(), exchange.method, exchange.path));
    }
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(uri.query().unwrap_or("").as_bytes()).into_owned().collect();
    let missing_query = exchange.query.iter().find(|(key, value)| !query.contains(&((*key).clone(), (*value).clone())));
    if let Some((key, _)) = missing_query {
        return Some(format!("{method} {}: query {key} is missing or different", uri.path()));
    }
    let sent = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some((name, _)) = exchange.headers.iter().find(|(name, value)| sent(name) != Some(value.as_str())) {
        return Some(format!("{method} {}: header {name} is missing or different", uri.path()));
    }
    let text = String::from_utf8_lossy(body);
    let missing = exchange.body_has.iter().find(|part| !text.contains(part.as_str()))?;
    Some(format!("{method} {}: the body lacks {missing}", uri.path()))
}

async fn answer(answer: Answer) -> Response {
    if answer.silence {
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    let body = if answer.cut { cut(answer.body) } else { Body::from(answer.body) };
    response.body(body).expect("the file holds a valid status and valid headers")
}

/// The beginning of an answer, then a broken connection.
fn cut(body: String) -> Body {
    let parts = [Ok(Bytes::from(body)), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
    Body::from_stream(futures_util::stream::iter(parts))
}
