//! A line, an adapter that speaks to it, and ways to wait for either without sleeping.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use tempfile::TempDir;
use tokio::net::TcpListener;
use touchline::domain::attempt::ProviderReference;
use touchline::domain::envelope::{Content, Envelope};
use touchline::domain::id::AttemptId;
use touchline::domain::{Address, FaxNumber, Outcome, PhiClass, Purpose, SystemClock};
use touchline::http;
use touchline::provider::{Account, Provider, SettingsError, find_spec};
use touchline::sandbox::fax::{Entry, Fax, FaxLine, FaxLineOptions, Happened};

use crate::support::{PATIENCE, soon};

pub const API_KEY: &str = "a key of the tests";
pub const SECRET: &str = "a secret of the tests";
pub const PDF: &[u8] = b"%PDF-1.7\n1 0 obj <</Type /Page>> endobj\n%%EOF\n";
pub const PAGES: u32 = 3;

pub fn envelope(digits: &str) -> Envelope {
    let number = |text: &str| FaxNumber::parse(text).expect("valid");
    Envelope {
        attempt: AttemptId::new(),
        to: Address::Fax(number(&format!("312555{digits}"))),
        content: Content::Fax {
            pdf: PDF.to_vec(),
            pages: PAGES,
            from: number("3125550100"),
            sender: "Riverside".into(),
        },
        purpose: Purpose::Informational,
        phi: PhiClass::None,
        transport: Default::default(),
    }
}

pub fn accepted(outcome: Outcome) -> ProviderReference {
    match outcome {
        Outcome::Accepted { reference } => reference,
        other => panic!("it should have been accepted: {other:?}"),
    }
}

/// The references of the faxes that reached a recipient, in order.
pub fn printed(journal: &[Entry]) -> Vec<String> {
    let lines = journal.iter().filter(|entry| entry.event == Happened::Printed);
    lines.map(|entry| entry.reference.clone()).collect()
}

/// Builds an adapter for the line at that address.
pub fn build(
    base_url: &str,
    secrets: &[(&str, &str)],
    callback_url: Option<&str>,
    timeout: Duration,
) -> Result<Arc<dyn Provider>, SettingsError> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let secrets = secrets.iter().map(|(key, value)| ((*key).to_owned(), (*value).into()));
    let account = Account {
        name: "practice_fax".into(),
        settings: toml::Table::from_iter([("base_url".to_owned(), base_url.into())]),
        secrets: BTreeMap::from_iter(secrets),
        http: http::client().expect("a client"),
        timeout,
        concurrency: 4,
        sender: None,
        callback_url: callback_url.map(str::to_owned),
        documents_url: None,
        tokens: Arc::new(touchline::provider::sign_in::Unkept),
        returns: touchline::domain::return_path::ReturnPaths::new(b"key"),
        baa: false,
        clock: Arc::new(SystemClock),
    };
    (find_spec("sandbox").expect("it is registered").build)(account)
}

/// A line with calls that take no time, its journal in a folder of its own, and an adapter that speaks to it.
pub struct Bench {
    pub line: FaxLine,
    pub provider: Arc<dyn Provider>,
    pub options: FaxLineOptions,
    pub callback_url: Option<String>,
    folder: TempDir,
}

impl Bench {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut FaxLineOptions)) -> Self {
        Self::calling_back(None, change)
    }

    /// A bench whose adapter gives this address for callbacks.
    pub fn calling_back(callback_url: Option<String>, change: impl FnOnce(&mut FaxLineOptions)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = FaxLineOptions::new(API_KEY.into());
        options.call_takes = Duration::ZERO;
        options.slow_after = Duration::from_millis(5);
        options.callback_wait = Duration::from_millis(1);
        options.callback_secret = Some(SECRET.into());
        options.journal = Some(folder.path().join("journal.jsonl"));
        change(&mut options);
        Self::begin(options, callback_url, folder)
    }

    fn begin(options: FaxLineOptions, callback_url: Option<String>, folder: TempDir) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("it can be told");
        let listener = TcpListener::from_std(listener).expect("a runtime");
        let line = FaxLine::start(listener, options.clone()).expect("it starts");
        let secrets = [("api_key", API_KEY), ("webhook_secret", SECRET)];
        let provider = build(&line.base_url(), &secrets, callback_url.as_deref(), PATIENCE).expect("it can be built");
        Self { line, provider, options, callback_url, folder }
    }

    /// Stops the line in order and starts it again on its journal.
    pub async fn restart(self, change: impl FnOnce(&mut FaxLineOptions)) -> Self {
        let Self { line, mut options, callback_url, folder, .. } = self;
        soon("the line stops", line.shutdown()).await;
        change(&mut options);
        Self::begin(options, callback_url, folder)
    }

    pub fn provider_of(&self, base_url: &str, key: &str, timeout: Duration) -> Arc<dyn Provider> {
        build(base_url, &[("api_key", key)], None, timeout).expect("it can be built")
    }

    pub fn provider_with_key(&self, key: &str) -> Arc<dyn Provider> {
        self.provider_of(&self.line.base_url(), key, PATIENCE)
    }

    pub fn provider_at(&self, base_url: &str) -> Arc<dyn Provider> {
        self.provider_of(base_url, API_KEY, PATIENCE)
    }

    /// Waits until the fax is as it should be.
    pub async fn until(&self, reference: &ProviderReference, is_so: impl Fn(&Fax) -> bool) -> Fax {
        let mut changed = self.line.changed();
        soon("the fax changes", async {
            loop {
                let faxes = self.line.faxes();
                if let Some(fax) = faxes.into_iter().find(|fax| fax.id == reference.0 && is_so(fax)) {
                    return fax;
                }
                changed.changed().await.expect("the line runs");
            }
        })
        .await
    }

    pub async fn ended(&self, reference: &ProviderReference) -> Fax {
        self.until(reference, |fax| fax.status.is_final()).await
    }

    pub fn journal_path(&self) -> PathBuf {
        self.folder.path().join("journal.jsonl")
    }

    /// What the journal says now.
    pub fn journal(&self) -> Vec<Entry> {
        let text = std::fs::read_to_string(self.journal_path()).expect("there is a journal");
        text.lines().map(|line| serde_json::from_str(line).expect("one object in each line")).collect()
    }

    /// Asks the line itself, with the key: the status and the body.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let request = http::client().expect("a client").get(format!("{}{path}", self.line.base_url()));
        text_of(request.bearer_auth(API_KEY)).await
    }
}

pub async fn text_of(request: reqwest::RequestBuilder) -> (u16, String) {
    let answer = request.send().await.expect("the line answers");
    (answer.status().as_u16(), answer.text().await.expect("a body"))
}

/// The address of a server that gives the same answer to everything.
pub async fn answers_always(status: u16, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let status = StatusCode::from_u16(status).expect("a status");
    // It reads what it is sent to the end: a server that answers before may cut the connection under the rest.
    let router = axum::Router::new().fallback(move |_: Bytes| async move { (status, body) });
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}
