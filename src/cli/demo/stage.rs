//! The demo's stage: sandbox, gateway and web server on their own loopback ports, in their own folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::access;
use crate::app::{Gateway, Running};
use crate::config::Config;
use crate::domain::Actor;
use crate::domain::{Clock, SystemClock};
use crate::files::create_folder_private;
use crate::sandbox::fax::{FaxLine, FaxLineOptions};
use crate::sandbox::mail::{MailCatcher, Options};
use crate::web;

/// The demo's configuration, embedded.
const CONFIG: &str = include_str!("../../../config/demo.toml");
/// The login of the demo's dashboard.
pub(super) const OPERATOR: &str = "demo";

/// Everything that runs during the demo.
pub(super) struct Stage {
    pub gateway: Gateway,
    pub catcher: MailCatcher,
    pub folder: PathBuf,
    pub address: String,
    pub password: String,
    line: FaxLine,
    running: Running,
    stop: CancellationToken,
    server: tokio::task::JoinHandle<()>,
}

impl Stage {
    /// Starts everything.
    pub(super) async fn set(folder: Option<PathBuf>) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let folder = make_folder(folder)?;
        let (key, secret, password) = (random(), random(), random()[..12].to_owned());
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port on loopback")?;
        let address = format!("http://{}", listener.local_addr()?);
        let line = fax_line(&address, &key, &secret, clock.clone()).await?;
        let catcher = MailCatcher::start(TcpListener::bind("127.0.0.1:0").await?, Options::default())
            .context("the mail catcher cannot start")?;
        let config = config(&folder, &address, &line, catcher.address().port(), &key, &secret)?;
        let gateway = Gateway::open(config, clock).await?;
        access::add_operator(&gateway.access(), OPERATOR, &password, &Actor::operator(OPERATOR)).await?;
        let running = gateway.start();
        let stop = CancellationToken::new();
        let state = web::WebState::new(Arc::new(gateway.clone()), running.inbox(), None);
        let server = tokio::spawn(web::serve(listener, state, stop.clone()));
        Ok(Self { gateway, catcher, folder, address, password, line, running, stop, server })
    }

    /// Stops everything, the services first.
    pub(super) async fn strike(self) {
        self.running.drain().await;
        self.stop.cancel();
        let _ = self.server.await;
        self.line.shutdown().await;
        self.catcher.shutdown().await;
        self.gateway.store.close().await;
    }
}

/// The folder asked for, which must not hold a demo already, or a new temporary one that stays.
fn make_folder(folder: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let Some(folder) = folder else {
        return Ok(tempfile::Builder::new().prefix("touchline-demo-").tempdir().context("no temporary folder")?.keep());
    };
    create_folder_private(&folder).with_context(|| format!("the folder {} cannot be created", folder.display()))?;
    let folder = folder.canonicalize().with_context(|| format!("the folder {} cannot be used", folder.display()))?;
    anyhow::ensure!(
        !folder.join("touchline-demo.db").exists(),
        "{} holds an earlier demo: remove it, or name another folder with --dir",
        folder.display()
    );
    Ok(folder)
}

fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

async fn fax_line(address: &str, key: &str, secret: &str, clock: Arc<dyn Clock>) -> anyhow::Result<FaxLine> {
    let mut options = FaxLineOptions::new(SecretString::from(key.to_owned()));
    options.callback_url = Some(format!("{address}/hooks/fax-sandbox"));
    options.callback_secret = Some(SecretString::from(secret.to_owned()));
    options.open_pages = true;
    options.clock = clock;
    FaxLine::start(TcpListener::bind("127.0.0.1:0").await?, options).context("the sandbox fax line cannot start")
}

/// The embedded configuration with the run's ports and secrets.
fn config(
    folder: &Path,
    address: &str,
    line: &FaxLine,
    mail_port: u16,
    key: &str,
    secret: &str,
) -> anyhow::Result<Config> {
    let lookup = |name: &str| match name {
        "TOUCHLINE_DEMO_FAX_KEY" => Some(key.to_owned()),
        "TOUCHLINE_DEMO_WEBHOOK_SECRET" => Some(secret.to_owned()),
        _ => None,
    };
    let mut config = Config::parse_with_env(CONFIG, "demo.toml (embedded)", folder, &lookup)?;
    config.server.public_url = Some(address.parse().context("the demo's own address")?);
    for (name, key, value) in [
        ("fax-sandbox", "base_url", toml::Value::String(line.base_url())),
        ("mail-sandbox", "port", toml::Value::Integer(i64::from(mail_port))),
    ] {
        let account = config.providers.get_mut(name).with_context(|| format!("demo.toml lacks providers.{name}"))?;
        account.settings.insert(key.to_owned(), value);
    }
    Ok(config)
}

impl Stage {
    /// Where the sandbox shows what it received.
    pub(super) fn line_url(&self) -> String {
        self.line.base_url()
    }
}
