//! An installation with the demo's configuration, served by the real program, with its far side in this process. All that
//! its processes say on standard error is kept.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpSocket};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use touchline::sandbox::fax::{FaxLine, FaxLineOptions};
use touchline::sandbox::mail::{MailCatcher, Options};

use super::house::{Answer, CANARY, House};
use crate::support::PATIENCE;
use crate::support::ports;

const DEMO: &str = include_str!("../../../config/demo.toml");
/// Where the program's log goes, in the installation's folder.
const LOG: &str = "serve.log";
/// What signs the line's callbacks.
pub const WEBHOOK_SECRET: &str = "canary-webhook-secret-7c";
/// How often something is looked at while a test waits for it.
const LOOK: Duration = Duration::from_millis(50);

/// The running installation. It is killed when the test ends, however it ends.
pub struct Served {
    pub house: Arc<House>,
    pub line: FaxLine,
    pub catcher: MailCatcher,
    pub address: SocketAddr,
    gateway: Child,
    said: Mutex<String>,
    /// Keeps the port from others.
    _port: TcpSocket,
}

impl Served {
    /// Serves the demo's configuration as `change` leaves it, in a house that was made ready, with that level of the log.
    pub async fn start(mut house: House, level: &str, change: impl FnOnce(String) -> String) -> Self {
        let (_port, address) = ports::reserved([127, 0, 0, 1].into()).expect("a port");
        let mut fax = FaxLineOptions::new(SecretString::from(CANARY));
        fax.call_takes = Duration::from_millis(20);
        fax.callback_secret = Some(SecretString::from(WEBHOOK_SECRET));
        let line = FaxLine::start(port().await, fax).expect("a line");
        let catcher = MailCatcher::start(port().await, Options::default()).expect("a catcher");
        let config = DEMO
            .replace("http://127.0.0.1:8025", &format!("http://{address}"))
            .replace("http://127.0.0.1:8026", &line.base_url())
            .replace("port = 2525", &format!("port = {}", catcher.address().port()));
        house.write("touchline.toml", &change(config));
        house.set("TOUCHLINE_DEMO_FAX_KEY", CANARY);
        house.set("TOUCHLINE_DEMO_WEBHOOK_SECRET", WEBHOOK_SECRET);
        house.set("TOUCHLINE_LOG", level);
        let log = std::fs::File::create(house.path(LOG)).expect("a log");
        let mut command = Command::from(house.command());
        command.args(["serve", "--listen", &address.to_string()]).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut gateway = command.spawn().expect("it starts");
        let mut lines = BufReader::new(gateway.stdout.take().expect("its output")).lines();
        let first = timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("readable");
        let told = std::fs::read_to_string(house.path(LOG)).unwrap_or_default();
        assert!(first.is_some_and(|line| line.contains(&address.to_string())), "it does not serve: {told}");
        Self { house: Arc::new(house), line, catcher, address, gateway, said: Mutex::default(), _port }
    }

    /// Runs another command to its end, without holding up the far side, which lives in this process.
    pub async fn run(&self, arguments: &[&str]) -> Answer {
        let (house, arguments) =
            (self.house.clone(), arguments.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
        let run =
            tokio::task::spawn_blocking(move || house.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()));
        let answer = timeout(PATIENCE, run).await.expect("in time").expect("it ran");
        self.said.lock().expect("nobody panicked").push_str(&answer.err);
        answer
    }

    /// A new API token.
    pub async fn token(&self, scopes: &str) -> String {
        let made = self.run(&["token", "create", "integrator", "--scopes", scopes, "--json"]).await.good().json();
        made["token"].as_str().expect("a token").to_owned()
    }

    /// Waits until something is so.
    pub async fn until(&self, what: &str, look: impl AsyncFn() -> bool) {
        let wait = async {
            while !look().await {
                tokio::time::sleep(LOOK).await;
            }
        };
        if timeout(PATIENCE, wait).await.is_err() {
            panic!("waited in vain: {what}");
        }
    }

    /// A figure of the running program in KiB, as Linux tells it: `VmRSS` or `VmHWM`.
    pub fn memory_kib(&self, figure: &str) -> u64 {
        let status = format!("/proc/{}/status", self.gateway.id().expect("it runs"));
        let status = std::fs::read_to_string(status).expect("Linux tells");
        let line = status.lines().find(|line| line.starts_with(figure)).expect("the figure");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }

    /// Stops it in order; all that its processes said on standard error.
    pub async fn stop(mut self) -> String {
        let id = self.gateway.id().expect("it runs").to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
        let ended = timeout(PATIENCE, self.gateway.wait()).await.expect("it stops").expect("an end");
        assert_eq!(ended.code(), Some(0));
        self.line.shutdown().await;
        self.catcher.shutdown().await;
        let log = std::fs::read_to_string(self.house.path(LOG)).expect("a log");
        format!("{log}\n{}", self.said.into_inner().expect("nobody panicked"))
    }
}

async fn port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}
