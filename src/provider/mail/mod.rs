//! Mail through an SMTP relay (RFC 5321, RFC 6409), driven phase by phase so that every failure is known for what it
//! is. `reply` reads what servers answer, `dialogue` speaks and listens within time, `connection` opens and
//! encrypts, `login` (with `scram`) logs in with a password and `bearer` with a token, `pool` keeps connections, `compose` writes the mail, `dkim` signs it, `transaction` carries it.

mod bearer;
mod canonical;
mod compose;
mod connection;
mod dialogue;
mod dkim;
mod encoding;
mod login;
mod pool;
mod reply;
mod scram;
mod settings;
mod signing_key;
mod tls;
mod transaction;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

pub use self::compose::{ComposeError, attempt_of, compose, message_id};

use self::bearer::TokenLogin;
use self::connection::{Connection, LoginBy, Relay};
use self::dialogue::{Silence, TimeLimits};
use self::dkim::Signer;
use self::login::Login;
use self::pool::{Pool, Visit};
use self::reply::Reply;
use self::settings::{SETTINGS, Settings};
use self::signing_key::SigningKey;
use self::tls::{Security, Tls, TlsMode};
use self::transaction::Letter;
use super::sign_in::{self, Access, SignIn};
use super::{Account, Capabilities, DnsRecord, Provider, SettingsError, Spec};
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::{Content, Envelope};
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::{Address, Channel, Clock, Outcome};

/// The kind.
pub const SPEC: Spec = Spec {
    kind: "smtp",
    title: "SMTP relay",
    channel: Channel::Email,
    capabilities: Capabilities::NONE,
    settings: SETTINGS,
    sources: &[
        "RFC 5321",
        "RFC 2920",
        "RFC 3207",
        "RFC 4954",
        "RFC 3461",
        "RFC 3463",
        "RFC 6376",
        "RFC 8058",
        "RFC 8314",
        "RFC 8463",
        "RFC 7677",
        "RFC 6749",
        "RFC 7523",
        "RFC 7628",
        "RFC 7636",
        "RFC 8252",
        "RFC 8628",
        "Google: XOAUTH2 protocol",
        "Microsoft: OAuth for IMAP, POP and SMTP",
    ],
    setup: &[
        "Ask your mail provider for its submission host, and for a user and password that may send as the practice's mailbox.",
        "Microsoft 365 and Google take no password (Microsoft: off by default from the end of December 2026): sign in instead. It \
         takes three values of an app registration that the practice makes for itself, and its mailbox as username.",
        "Microsoft, a person signs in: entra.microsoft.com, App registrations, New registration (this organizational directory \
         only). Copy Directory (tenant) ID to tenant and Application (client) ID to client_id. Authentication: Allow public client \
         flows, Yes. API permissions: Microsoft Graph, Delegated, SMTP.Send, offline_access; Grant admin consent. Then \
         `touchline mail login ACCOUNT`.",
        "Microsoft, the app itself signs in: as before, and also Certificates & secrets, New client secret: its value to \
         client_secret. API permissions: Office 365 Exchange Online, Application, SMTP.SendAsApp; Grant admin consent. In Exchange \
         PowerShell New-ServicePrincipal with the object id of the enterprise application, then Add-MailboxPermission FullAccess \
         for the mailbox.",
        "Microsoft, either way: admin.microsoft.com, Users, Active users, the mailbox, Mail, Manage email apps: Authenticated \
         SMTP on.",
        "Google, a person signs in: console.cloud.google.com, a project of the practice's own, Google Auth Platform, Audience \
         Internal; Clients, Create client, Desktop app. Copy Client ID to client_id and Client secret to client_secret. Then \
         `touchline mail login ACCOUNT`.",
        "Google Workspace, a service account: IAM & Admin, Service Accounts, Keys, Add key, JSON: the file to service_account. \
         admin.google.com, Security, API controls, Domain-wide delegation, Add new: the account's client ID with the scope \
         https://mail.google.com/.",
        "Make a DKIM key (`touchline provider dkim-key FILE`), and publish what `touchline provider check` says.",
    ],
    gaps: &["SMTP cannot be asked what became of a letter: delivered means that no bounce came in time."],
    build,
};

fn build(mut account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let oauth = sign_in::Settings::take(&mut account)?;
    let refuse = |reason: &str| SettingsError(format!("providers.{}: {reason}", account.name));
    let settings = account.read::<Settings>()?.filled(oauth.as_ref().map(|oauth| oauth.oauth));
    settings.check().map_err(refuse)?;
    let signer = Signer::new(&settings, &account.secrets, account.sender.as_ref()).map_err(|reason| refuse(&reason))?;
    let port = settings.port.unwrap_or(if settings.tls == TlsMode::Implicit { 465 } else { 587 });
    let login = login(&account, &settings, port, oauth.as_ref())?;
    let tls = Tls::new(&settings.host, settings.accept_ca_file.as_deref()).map_err(|reason| refuse(&reason))?;
    let relay = Relay { host: settings.host, port, hello_name: settings.hello_name, login, tls };
    let connections_max = settings.connections_max.unwrap_or(account.concurrency);
    let pool = Pool::new(relay, account.clock.clone(), connections_max, settings.messages_per_connection_max);
    Ok(Arc::new(Smtp {
        pool,
        signer: signer.map(Arc::new),
        mode: settings.tls,
        clock: account.clock,
        timeout: account.timeout,
        command_max: settings.command_timeout_seconds.map_or(Duration::MAX, Duration::from_secs),
        final_dot: Duration::from_secs(settings.final_dot_timeout_seconds),
    }))
}

fn login(
    account: &Account,
    settings: &Settings,
    port: u16,
    oauth: Option<&sign_in::Settings>,
) -> Result<Option<LoginBy>, SettingsError> {
    let username = settings.username.clone();
    if let Some(oauth) = oauth {
        let sign_in = Arc::new(oauth.sign_in(account, username.as_deref(), Access::Smtp)?);
        let (tokens, host, is_near) = (account.tokens.clone(), settings.host.clone(), settings.is_near());
        return Ok(Some(LoginBy::Token(Box::new(TokenLogin { sign_in, tokens, host, port, is_near }))));
    }
    match username {
        Some(username) => Ok(Some(LoginBy::Password(Login { username, password: account.secret("password")? }))),
        None if account.secrets.contains_key("password") => {
            Err(SettingsError(format!("providers.{}: password is given without username", account.name)))
        }
        None => Ok(None),
    }
}

/// One relay. Everything before the final dot happens within the account's timeout and counts as not sent when it does
/// not; the answer to the dot has a time of its own on top of that.
struct Smtp {
    pool: Arc<Pool>,
    signer: Option<Arc<Signer>>,
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
        let connection = self.pool.open(self.mode, &self.limits()).await?;
        let mut text = describe(&connection, self.mode);
        connection.close().await;
        if let Some(sign_in) = self.pool.sign_in() {
            text = format!("{text} ({})", sign_in.grant().said());
        }
        let advice = self.signer.as_ref().and_then(|signer| signer.advice());
        Ok(advice.map_or_else(|| text.clone(), |advice| format!("{text}; DKIM: {advice}")))
    }

    fn sign_in(&self) -> Option<&Arc<SignIn>> {
        self.pool.sign_in()
    }

    fn dns_records(&self) -> Vec<DnsRecord> {
        self.signer.as_ref().map(|signer| signer.records()).unwrap_or_default()
    }
}

/// Makes an Ed25519 key for DKIM: the PEM to keep secret, and the value of the DNS record that goes with it.
///
/// # Errors
/// The machine has no randomness.
pub fn new_dkim_key() -> Result<(secrecy::SecretString, String), SettingsError> {
    let (pem, key) = SigningKey::new_ed25519().map_err(|_| SettingsError("no key could be made".to_owned()))?;
    Ok((pem.into(), key.record()))
}

impl Smtp {
    async fn hand_over(&self, envelope: &Envelope) -> Result<ProviderReference, Outcome> {
        let letter = self.letter(envelope).await?;
        let mode = self.mode.for_letter(envelope.phi);
        let limits = self.limits();
        let mut visit =
            self.pool.visit(mode, &limits).await.map_err(|failure| Outcome::NotSent(self.blamed(failure, mode)))?;
        if let Some(refusal) = letter.too_large_for(&visit.connection) {
            self.pool.leave(visit);
            return Err(refusal);
        }
        let mail = self.begin(&mut visit, &letter, mode, &limits).await?;
        let outcome = transaction::complete(&mut visit.connection, &letter, mail, &limits).await;
        self.pool.leave(visit);
        match outcome {
            Outcome::Accepted { reference } => Ok(reference),
            other => Err(other),
        }
    }

    /// The letter as it travels, signed if the account signs. An RSA key takes long enough to be asked elsewhere than where
    /// all tasks take turns.
    async fn letter(&self, envelope: &Envelope) -> Result<Letter, Outcome> {
        let (Content::Mail(mail), Address::Email(to)) = (&envelope.content, &envelope.to) else {
            return Err(Outcome::NotSent(Failure::new(Fault::DocumentError).text("this is not a mail")));
        };
        let (attempt, now) = (envelope.attempt, self.clock.now());
        let Some(signer) = self.signer.as_ref().filter(|signer| signer.is_slow()) else {
            return Letter::new(mail, to, attempt, now, self.signer.as_deref());
        };
        let (mail, to, signer) = (mail.clone(), to.clone(), signer.clone());
        let signing = tokio::task::spawn_blocking(move || Letter::new(&mail, &to, attempt, now, Some(&signer)));
        let ended = |_| Outcome::NotSent(Failure::new(Fault::ProviderError).text("the letter could not be signed"));
        signing.await.map_err(ended)?
    }

    /// MAIL; if a kept connection turns out to be dead there, once more over a fresh one.
    async fn begin(
        &self,
        visit: &mut Visit,
        letter: &Letter,
        mode: TlsMode,
        limits: &TimeLimits,
    ) -> Result<Result<Reply, Silence>, Outcome> {
        let answer = transaction::begin(&mut visit.connection, letter, limits).await;
        let is_dead = match &answer {
            Ok(reply) => reply.ends_session(),
            Err(silence) => *silence == Silence::Closed,
        };
        if !(visit.reused && is_dead) {
            return Ok(answer);
        }
        self.pool.renew(visit, mode, limits).await.map_err(|failure| Outcome::NotSent(self.blamed(failure, mode)))?;
        Ok(transaction::begin(&mut visit.connection, letter, limits).await)
    }

    /// Whom a failure to connect is about. A letter that demands more encryption than the account does is about itself: the
    /// account's other letters can travel.
    fn blamed(&self, failure: Failure, mode: TlsMode) -> Failure {
        let asks_for_more = mode != self.mode && failure.fault == Fault::TlsRequired;
        if asks_for_more { failure.about(About::Letter) } else { failure }
    }

    fn limits(&self) -> TimeLimits {
        TimeLimits { deadline: Instant::now() + self.timeout, command_max: self.command_max, final_dot: self.final_dot }
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
