//! Mail through an SMTP relay (RFC 5321, RFC 6409), driven phase by phase so that every failure is known for what it
//! is. `reply` reads what servers answer, `dialogue` speaks and listens within time, `connection` opens, encrypts and
//! logs in, `pool` keeps connections, `compose` writes the mail, `transaction` carries it.

mod compose;
mod connection;
mod dialogue;
mod pool;
mod reply;
mod tls;
mod transaction;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use tokio::time::Instant;

pub use self::compose::{ComposeError, attempt_of, compose, message_id};
pub use self::reply::EnhancedStatus;

use self::connection::{Connection, Login, Relay};
use self::dialogue::{Patience, Silence};
use self::pool::{Pool, Visit};
use self::reply::Reply;
use self::tls::{Security, Tls, TlsMode};
use self::transaction::Letter;
use super::{Account, Capabilities, Provider, Reconciliation, Setting, SettingsError, Spec, WebhookAuthenticity};
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::{Content, Envelope};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Address, Channel, Clock, Outcome};

/// The kind.
pub const SPEC: Spec = Spec {
    kind: "smtp",
    title: "SMTP relay",
    channel: Channel::Email,
    capabilities: Capabilities {
        reconciliation: Reconciliation::None,
        status: false,
        cancel: false,
        purge: false,
        webhook: WebhookAuthenticity::NoWebhook,
        redials: false,
        stamps_header: false,
        pages_max: None,
        bytes_max: None,
    },
    settings: SETTINGS,
    sources: &["RFC 5321", "RFC 3207", "RFC 4954", "RFC 3461", "RFC 3463", "RFC 8058", "RFC 8314"],
    build,
};

const SETTINGS: &[Setting] = &[
    setting("host", "The relay's host name, which its certificate must bear.", true),
    setting("port", "Its port: 587 unless given, 465 with tls = \"implicit\".", false),
    setting(
        "tls",
        "off, opportunistic, required (STARTTLS with a valid certificate; the default) or implicit (TLS from the start). \
         Letters with health information always demand a valid certificate.",
        false,
    ),
    setting("username", "The name to log in with, if the relay asks for one.", false),
    Setting { secret: true, ..setting("password", "The password that goes with it.", false) },
    setting("hello_name", "What to call this machine in EHLO; its address in brackets unless given.", false),
    setting("accept_ca_file", "A PEM file of authorities to trust besides the machine's own.", false),
    setting("connections_max", "Connections at once: 4 unless given.", false),
    setting("messages_per_connection_max", "Letters before a connection is closed: 100 unless given.", false),
    setting("command_timeout_seconds", "The most for one command; the RFC's minutes unless given.", false),
    setting(
        "final_dot_timeout_seconds",
        "How long to wait for the answer to a whole letter: 600 unless given. Less means more letters in doubt.",
        false,
    ),
];

const fn setting(key: &'static str, about: &'static str, required: bool) -> Setting {
    Setting { key, about, required, secret: false }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    host: String,
    port: Option<u16>,
    #[serde(default)]
    tls: TlsMode,
    username: Option<String>,
    hello_name: Option<String>,
    accept_ca_file: Option<PathBuf>,
    #[serde(default = "default_connections_max")]
    connections_max: usize,
    #[serde(default = "default_messages_per_connection_max")]
    messages_per_connection_max: u32,
    command_timeout_seconds: Option<u64>,
    #[serde(default = "default_final_dot_timeout_seconds")]
    final_dot_timeout_seconds: u64,
}

const fn default_connections_max() -> usize {
    4
}

const fn default_messages_per_connection_max() -> u32 {
    100
}

/// RFC 5321 §4.5.3.2.6: ten minutes.
const fn default_final_dot_timeout_seconds() -> u64 {
    600
}

impl Settings {
    fn check(&self) -> Result<(), &'static str> {
        let is_word = |text: &str| !text.is_empty() && text.len() <= 253 && text.bytes().all(|b| b.is_ascii_graphic());
        if !is_word(&self.host) {
            return Err("host must be a host name or an address");
        }
        if self.hello_name.as_deref().is_some_and(|name| !is_word(name)) {
            return Err("hello_name must be a host name");
        }
        if !(1..=256).contains(&self.connections_max) {
            return Err("connections_max must lie between 1 and 256");
        }
        if self.messages_per_connection_max == 0 {
            return Err("messages_per_connection_max must be at least 1");
        }
        let times = [self.command_timeout_seconds, Some(self.final_dot_timeout_seconds)];
        if times.iter().flatten().any(|seconds| !(1..=3600).contains(seconds)) {
            return Err("timeouts must lie between 1 and 3600 seconds");
        }
        if self.username.is_some() && !self.tls.is_strict() && !is_loopback(&self.host) {
            return Err("with a username, tls must be \"required\" or \"implicit\": a password never travels to an \
                        unproven server");
        }
        Ok(())
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let refuse = |reason: &str| SettingsError(format!("providers.{}: {reason}", account.name));
    let settings: Settings = account.read()?;
    settings.check().map_err(refuse)?;
    let login = match settings.username {
        Some(username) => Some(Login { username, password: account.secret("password")? }),
        None if account.secrets.contains_key("password") => return Err(refuse("password is given without username")),
        None => None,
    };
    let tls = Tls::new(&settings.host, settings.accept_ca_file.as_deref()).map_err(|reason| refuse(&reason))?;
    let port = settings.port.unwrap_or(if settings.tls == TlsMode::Implicit { 465 } else { 587 });
    let relay = Relay { host: settings.host, port, hello_name: settings.hello_name, login, tls };
    let pool = Pool::new(relay, account.clock.clone(), settings.connections_max, settings.messages_per_connection_max);
    Ok(Arc::new(Smtp {
        pool,
        mode: settings.tls,
        clock: account.clock,
        timeout: account.timeout,
        command_max: settings.command_timeout_seconds.map_or(Duration::MAX, Duration::from_secs),
        final_dot: Duration::from_secs(settings.final_dot_timeout_seconds),
    }))
}

/// One relay. Everything before the final dot happens within the account's timeout and counts as not sent when it does
/// not; the answer to the dot has a time of its own on top of that.
struct Smtp {
    pool: Arc<Pool>,
    mode: TlsMode,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    command_max: Duration,
    final_dot: Duration,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("mode", &self.mode).finish_non_exhaustive()
    }
}

#[async_trait]
impl Provider for Smtp {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        match self.hand_over(envelope).await {
            Ok(reference) => Outcome::Accepted { reference },
            Err(outcome) => outcome,
        }
    }

    async fn check(&self) -> Result<String, Failure> {
        let connection = self.pool.open(self.mode, &self.patience()).await?;
        let text = describe(&connection, self.mode);
        connection.close().await;
        Ok(text)
    }
}

impl Smtp {
    async fn hand_over(&self, envelope: &Envelope) -> Result<ProviderReference, Outcome> {
        let letter = self.letter(envelope)?;
        let mode = self.mode.for_letter(envelope.phi);
        let patience = self.patience();
        let mut visit = self.pool.visit(mode, &patience).await.map_err(Outcome::NotSent)?;
        if let Some(refusal) = letter.too_large_for(&visit.connection) {
            self.pool.leave(visit);
            return Err(refusal);
        }
        let mail = self.begin(&mut visit, &letter, mode, &patience).await?;
        let outcome = transaction::complete(&mut visit.connection, &letter, mail, &patience).await;
        self.pool.leave(visit);
        match outcome {
            Outcome::Accepted { reference } => Ok(reference),
            other => Err(other),
        }
    }

    fn letter(&self, envelope: &Envelope) -> Result<Letter, Outcome> {
        let (Content::Mail(mail), Address::Email(to)) = (&envelope.content, &envelope.to) else {
            return Err(Outcome::NotSent(Failure::new(Fault::DocumentError).text("this is not a mail")));
        };
        Letter::new(mail, to, envelope.attempt, self.clock.now()).map_err(|error| Outcome::Refused(error.into()))
    }

    /// MAIL; if a kept connection turns out to be dead there, once more over a fresh one.
    async fn begin(
        &self,
        visit: &mut Visit,
        letter: &Letter,
        mode: TlsMode,
        patience: &Patience,
    ) -> Result<Result<Reply, Silence>, Outcome> {
        let answer = transaction::begin(&mut visit.connection, letter, patience).await;
        let is_dead = match &answer {
            Ok(reply) => reply.ends_session(),
            Err(silence) => *silence == Silence::Closed,
        };
        if !(visit.reused && is_dead) {
            return Ok(answer);
        }
        self.pool.renew(visit, mode, patience).await.map_err(Outcome::NotSent)?;
        Ok(transaction::begin(&mut visit.connection, letter, patience).await)
    }

    fn patience(&self) -> Patience {
        Patience { deadline: Instant::now() + self.timeout, command_max: self.command_max, final_dot: self.final_dot }
    }
}

/// What was reached, for `check`.
fn describe(connection: &Connection, mode: TlsMode) -> String {
    let version = connection.tls_version.unwrap_or("TLS");
    let start = if mode == TlsMode::Implicit { "implicit TLS" } else { "STARTTLS" };
    let login = if connection.logged_in { " and AUTH" } else { "" };
    match connection.security {
        Security::Plain if connection.logged_in => "relay answered with AUTH, without encryption".to_owned(),
        Security::Plain => "relay answered without encryption".to_owned(),
        Security::Encrypted => format!("relay answered with {start} ({version}, certificate not checked){login}"),
        Security::Verified => format!("relay answered with {start} ({version}, certificate checked){login}"),
    }
}
