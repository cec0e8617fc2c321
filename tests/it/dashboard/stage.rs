//! A whole gateway on loopback: sandbox fax line, mail catcher, services, web server, and one operator.

use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Map, Value};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use touchline::app::{Gateway, Running};
use touchline::config::Config;
use touchline::domain::id::MessageId;
use touchline::domain::{Channel, MessageStatus, SystemClock};
use touchline::intake;
use touchline::intake::answer::Accepted;
use touchline::intake::request::Request;
use touchline::referrers::audience::Audience;
use touchline::referrers::{import, sheet};
use touchline::sandbox::fax::{FaxLine, FaxLineOptions};
use touchline::sandbox::mail::{MailCatcher, Options};
use touchline::web;

/// The operator's name and password.
pub const OPERATOR: (&str, &str) = ("dana", "a quiet afternoon by the lake");

const CONFIG: &str = include_str!("../../../config/demo.toml");
const REFERRERS: &[u8] = include_bytes!("../../../config/sample-referrers.csv");

/// Everything that runs.
pub struct Stage {
    pub gateway: Gateway,
    pub address: String,
    pub intake: intake::Parts,
    line: FaxLine,
    catcher: MailCatcher,
    running: Option<Running>,
    stop: CancellationToken,
    server: tokio::task::JoinHandle<()>,
    _folder: TempDir,
}

impl Stage {
    /// Starts everything, with the referrers of the sample list.
    pub async fn set() -> Self {
        Self::start(true, &[], |_| (), |_| ()).await
    }

    /// The same without the services: what is queued stays queued.
    pub async fn set_idle() -> Self {
        Self::set_idle_configured(|_| ()).await
    }

    /// The same, where an act for very many messages has no time beyond its first portion.
    pub async fn set_idle_in_a_hurry() -> Self {
        Self::start(false, &[], |_| (), |state| state.bulk_within = std::time::Duration::ZERO).await
    }

    /// The same with letters of the practice's own, each a path and a text.
    pub async fn set_idle_with(letters: &[(&str, &str)]) -> Self {
        Self::start(false, letters, |_| (), |_| ()).await
    }

    /// The same with something changed in the configuration.
    pub async fn set_idle_configured(configure: impl FnOnce(&mut Config)) -> Self {
        Self::start(false, &[], configure, |_| ()).await
    }

    async fn start(
        with_services: bool,
        letters: &[(&str, &str)],
        configure: impl FnOnce(&mut Config),
        set: impl FnOnce(&mut web::WebState),
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let own = folder.path().join("letters");
        for (path, text) in letters {
            std::fs::create_dir_all(own.join(path).parent().expect("a folder")).expect("made");
            std::fs::write(own.join(path), text).expect("written");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let line = fax_line(&address).await;
        let port = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let catcher = MailCatcher::start(port, Options::default()).expect("a mail catcher");
        let mut config = config(folder.path(), &address, &line, catcher.address().port());
        config.templates.folder = (!letters.is_empty()).then_some(own);
        configure(&mut config);
        let gateway = Gateway::open(config, Arc::new(SystemClock)).await.expect("a gateway");
        touchline::access::add_operator(
            &gateway.access(),
            OPERATOR.0,
            OPERATOR.1,
            &touchline::domain::Actor::operator("test"),
        )
        .await
        .expect("an operator");
        let intake = gateway.intake();
        let list = sheet::read(REFERRERS, &[]).expect("the sample list");
        import::import(
            &gateway.referrers(),
            &list,
            &touchline::domain::Actor::operator("dana"),
            &import::ImportOptions::default(),
        )
        .await
        .expect("imported");
        let running = gateway.start();
        let inbox = running.inbox();
        let running = if with_services {
            Some(running)
        } else {
            running.drain().await;
            None
        };
        let stop = CancellationToken::new();
        let mut state = web::WebState::new(Arc::new(gateway.clone()), inbox, None);
        set(&mut state);
        let server = tokio::spawn(web::serve(listener, state, stop.clone()));
        Self { gateway, address, intake, line, catcher, running, stop, server, _folder: folder }
    }

    /// Sends a letter.
    pub async fn send(&self, letter: &str, to: &str, via: &[Channel], variables: Value) -> Accepted {
        let request = Request {
            letter: letter.to_owned(),
            to: to.parse::<Audience>().expect("an audience"),
            via: via.to_vec(),
            variables: variables.as_object().cloned().unwrap_or_else(Map::new),
            at: None,
            who: touchline::domain::Actor::operator(OPERATOR.0),
            idempotency_key: None,
            individually: std::collections::BTreeMap::new(),
            again: true,
            now: false,
            undo_seconds: Some(0),
            run: None,
        };
        intake::submit(&self.intake, &request).await.expect("accepted")
    }

    /// Where a message stands.
    pub async fn status(&self, id: MessageId) -> MessageStatus {
        let mut tx = self.gateway.store.read().await.expect("a database");
        tx.message(id, false).await.expect("read").expect("there").status
    }

    /// Ends everything, the services first.
    pub async fn strike(self) {
        if let Some(running) = self.running {
            running.drain().await;
        }
        self.stop.cancel();
        self.server.await.expect("the server ends");
        self.line.shutdown().await;
        self.catcher.shutdown().await;
        self.gateway.store.close().await;
    }
}

async fn fax_line(address: &str) -> FaxLine {
    let mut options = FaxLineOptions::new(SecretString::from("key".to_owned()));
    options.callback_url = Some(format!("{address}/hooks/fax-sandbox"));
    options.callback_secret = Some(SecretString::from("secret".to_owned()));
    options.call_takes = std::time::Duration::from_millis(20);
    FaxLine::start(TcpListener::bind("127.0.0.1:0").await.expect("a port"), options).expect("a fax line")
}

fn config(folder: &Path, address: &str, line: &FaxLine, mail_port: u16) -> Config {
    let lookup = |name: &str| match name {
        "TOUCHLINE_DEMO_FAX_KEY" => Some("key".to_owned()),
        "TOUCHLINE_DEMO_WEBHOOK_SECRET" => Some("secret".to_owned()),
        _ => None,
    };
    let mut config = Config::parse_with_env(CONFIG, "demo.toml", folder, &lookup).expect("the demo's configuration");
    config.server.public_url = Some(address.parse().expect("an address"));
    config.sending.retry_wait_max_seconds = 1;
    let mut set = |account: &str, key: &str, value: toml::Value| {
        let account = config.providers.get_mut(account).expect("an account of the demo");
        account.settings.insert(key.to_owned(), value);
    };
    set("fax-sandbox", "base_url", toml::Value::String(line.base_url()));
    set("mail-sandbox", "port", toml::Value::Integer(i64::from(mail_port)));
    config
}
