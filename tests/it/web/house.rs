//! A gateway with its web server, ready for requests.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use touchline::access::{Scope, create_token};
use touchline::app::Gateway;
use touchline::config::Config;
use touchline::domain::basis::{Basis, BasisKind};
use touchline::domain::id::{BasisId, MessageId, ReferrerId};
use touchline::domain::message::Message;
use touchline::domain::referrer::{Referrer, ReferrerState, ReferrerType};
use touchline::domain::{Clock, EmailAddress, FaxNumber};
use touchline::feedback::{self, inbox::Inbox};
use touchline::web::{self, WebState};

use crate::support::clock::FakeClock;

const DEMO: &str = include_str!("../../../config/demo.toml");
/// What signs the sandbox's callbacks.
pub const WEBHOOK_SECRET: &str = "canary-webhook-secret";
/// Addresses that must be seen nowhere but where they are asked for.
pub const CANARIES: [&str; 4] = ["3125550142", "312) 555-0142", "canary", "ridgeline.example"];

pub struct House {
    pub gateway: Arc<Gateway>,
    pub clock: Arc<FakeClock>,
    pub url: String,
    pub http: reqwest::Client,
    pub stop: CancellationToken,
    pub server: JoinHandle<()>,
    folder: TempDir,
}

impl House {
    pub async fn open() -> Self {
        Self::open_with("", "").await
    }

    /// With one piece of the demo's configuration replaced.
    pub async fn open_with(from: &str, to: &str) -> Self {
        Self::open_with_file(from, to, "unused", "").await
    }

    /// Where a request that submits a list waits so long for all of it to be on the queue.
    pub async fn open_answering_lists_within(time: Duration) -> Self {
        Self::build("", "", "unused", "", |state| state.list_answer_within = time).await
    }

    /// The same, with a file beside the configuration.
    pub async fn open_with_file(from: &str, to: &str, name: &str, content: &str) -> Self {
        Self::build(from, to, name, content, |_| {}).await
    }

    async fn build(from: &str, to: &str, name: &str, content: &str, change: impl FnOnce(&mut WebState)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::build_in(folder, from, to, name, content, change).await
    }

    /// In a folder that is there already.
    pub async fn open_in(folder: TempDir) -> Self {
        Self::build_in(folder, "", "", "unused", "", |_| {}).await
    }

    async fn build_in(
        folder: TempDir,
        from: &str,
        to: &str,
        name: &str,
        content: &str,
        change: impl FnOnce(&mut WebState),
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        std::fs::write(folder.path().join(name), content).expect("a file");
        let text = DEMO.replacen(from, to, 1);
        let config = config(&text, folder.path());
        let clock = FakeClock::new();
        let gateway = Arc::new(Gateway::open(config, clock.clone()).await.expect("a gateway"));
        let inbox = Inbox::new(feedback::Parts {
            store: gateway.store.clone(),
            queue: gateway.queue.clone(),
            accounts: gateway.accounts.clone(),
            rules: gateway.rules.clone(),
            clock: clock.clone(),
            returns: crate::support::return_rules(),
            poll: Duration::from_secs(1),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let stop = CancellationToken::new();
        let mut state = WebState::new(gateway.clone(), inbox, None);
        change(&mut state);
        let server = tokio::spawn(web::serve(listener, state, stop.clone()));
        let http = touchline::http::client().expect("a client");
        Self { gateway, clock, url, http, stop, server, folder }
    }

    /// A token for these scopes.
    pub async fn token(&self, scopes: &[Scope]) -> String {
        create_token(&self.gateway.access(), "integrator", scopes, &touchline::domain::Actor::operator("test"))
            .await
            .expect("a token")
    }

    /// Where the database is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A connection of its own to the database file.
    pub async fn database(&self) -> SqliteConnection {
        let file = self.folder().join("touchline-demo.db");
        SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.expect("connected")
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub async fn get(&self, path: &str, token: &str) -> Response {
        self.request(Method::GET, path).bearer_auth(token).send().await.expect("an answer")
    }

    pub async fn post(&self, path: &str, token: &str, body: &Value) -> Response {
        self.request(Method::POST, path).bearer_auth(token).json(body).send().await.expect("an answer")
    }

    /// A psychiatrist with a mailbox, and a fax number that may be sent advertisements.
    pub async fn referrer(&self, first_name: &str, fax: Option<&str>) -> ReferrerId {
        let now = self.clock.now();
        let referrer = Referrer {
            id: ReferrerId::new(),
            npi: None,
            first_name: Some(first_name.to_owned()),
            last_name: Some("Whitfield".to_owned()),
            credentials: Some("MD".to_owned()),
            organization: None,
            kind: ReferrerType::Psychiatrist,
            email: EmailAddress::parse(&format!("canary.{first_name}@ridgeline.example")).ok(),
            fax: fax.and_then(|fax| FaxNumber::parse(fax).ok()),
            phone: None,
            time_zone: Some("America/Chicago".to_owned()),
            state: ReferrerState::Active,
            tags: vec!["north-shore".to_owned()],
            source: None,
            notes: None,
            created_ms: now,
            updated_ms: now,
            ..Referrer::new(ReferrerType::Other, now)
        };
        let mut tx = self.gateway.store.write().await.expect("a transaction");
        tx.referrer_put(&referrer).await.expect("kept");
        if let Some(fax) = &referrer.fax {
            tx.basis_insert(&permission(fax.clone(), now)).await.expect("kept");
        }
        tx.commit().await.expect("committed");
        referrer.id
    }

    /// The introduction letter by mail, submitted; its message.
    pub async fn introduction(&self, to: ReferrerId) -> MessageId {
        let token = self.token(&[Scope::Send]).await;
        let body = json!({ "letter": "introduction", "to": to.to_string(), "via": ["email"] });
        let answer: Value = self.post("/api/v1/messages", &token, &body).await.json().await.expect("JSON");
        answer["messages"][0]["id"].as_str().expect("an id").parse().expect("an id")
    }

    pub async fn message(&self, id: MessageId) -> Message {
        let mut tx = self.gateway.store.read().await.expect("a transaction");
        tx.message(id, false).await.expect("read").expect("a message")
    }

    /// How many messages there are.
    pub async fn messages(&self) -> i64 {
        let mut tx = self.gateway.store.read().await.expect("a transaction");
        tx.ledger(touchline::store::views::ledger::LedgerOf::Everything).await.expect("read").total
    }
}

fn config(text: &str, folder: &Path) -> Config {
    let lookup = |name: &str| Some(if name.contains("WEBHOOK") { WEBHOOK_SECRET } else { "canary-key" }.to_owned());
    Config::parse_with_env(text, "demo.toml", folder, &lookup).unwrap_or_else(|error| panic!("{error}"))
}

/// The record of a permission to fax advertisements to a number.
pub fn permission(fax: FaxNumber, now: touchline::domain::Timestamp) -> Basis {
    Basis {
        id: BasisId::new(),
        fax,
        kind: BasisKind::Permission,
        number_source: None,
        obtained_on: "2026-10-06".to_owned(),
        how: "asked on the telephone".to_owned(),
        by_whom: "Dana".to_owned(),
        note: None,
        created_ms: now,
        ended_ms: None,
        ended_reason: None,
    }
}

/// The problem an answer tells, after looking that it is one and holds no canary.
pub async fn problem(answer: Response, status: u16) -> Value {
    assert_eq!(answer.status().as_u16(), status);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let text = answer.text().await.expect("text");
    assert_no_canary(&text);
    let problem: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(problem["status"], status);
    for member in ["type", "title", "detail"] {
        assert!(problem[member].as_str().is_some_and(|words| !words.is_empty()), "{member}: {text}");
    }
    problem
}

/// That a text holds no address and no key.
pub fn assert_no_canary(text: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} is seen in: {text}");
    }
}
