//! Mail through an SMTP relay (RFC 5321, RFC 6409), driven phase by phase so that every failure is known for what it
//! is. `reply` reads what servers answer, `dialogue` speaks and listens within time, `connection` opens and
//! encrypts, `login` (with `scram`) logs in with a password and `bearer` with a token, `pool` keeps connections, `compose` writes the
//! mail, `returning` says where it comes back to, `dkim` signs it, `transaction` carries it, `events` reads what the relay's provider
//! reports of it.

pub(in crate::provider) mod bearer;
mod canonical;
mod compose;
mod connection;
mod dialogue;
mod dkim;
mod encoding;
pub mod events;
mod login;
mod pool;
pub(in crate::provider) mod reply;
mod returning;
mod scram;
mod settings;
mod signing_key;
pub(in crate::provider) mod tls;
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
use self::events::MailEvents;
use self::login::Login;
use self::pool::{Pool, Visit};
use self::reply::Reply;
use self::returning::Returns;
use self::settings::{SETTINGS, Settings};
use self::signing_key::SigningKey;
use self::tls::{RequireTls, Security, Tls, TlsMode};
use self::transaction::Letter;
use super::sign_in::{self, Access, SignIn};
use super::{Account, Capabilities, DnsRecord, Provider, Rejection, SettingsError, Spec, WebhookParts};
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::{Content, Envelope};
use crate::domain::event::DeliveryEvent;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::{Address, Channel, Clock, Outcome, Timestamp};

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
        "RFC 2369",
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
        "RFC 8689",
        "Google: XOAUTH2 protocol",
        "Microsoft: OAuth for IMAP, POP and SMTP",
        "Standard Webhooks 1.0.0",
        "https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html",
        "https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html",
        "https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features",
        "https://postmarkapp.com/developer/webhooks/webhooks-overview",
        "https://documentation.mailgun.com/docs/mailgun/user-manual/events/webhooks",
        "https://resend.com/docs/webhooks/introduction",
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
        "Let bounces come to a mailbox that Touchline reads: return_path = \"bounces@practice.example\". The relay must accept mail \
         with that sender, and the mailbox must take addresses with a plus (bounces+…@): Microsoft 365 and Google do. Where the \
         relay sends with the sign-in's own address whatever is asked (Microsoft 365, Gmail), name that mailbox, and write \
         return_path_verp = false.",
        "Make DKIM keys (`touchline dkim new`), publish the records that it shows, and let `touchline doctor mail` look them up.",
        "Callbacks about what became of letters, where the relay's provider offers them (needs server.public_url): the address is \
         PUBLIC_URL/hooks/ACCOUNT.",
        "Amazon SES: make an SNS topic (standard, signature version 2) and name it in events_topic with events = \"ses\". Subscribe the \
         address to it by HTTPS, without raw message delivery; the subscription confirms itself. In SES give it to a configuration \
         set as event destination (bounce, complaint, delivery, delivery delay, reject), and make that the identity's default.",
        "SendGrid: Settings, Mail Settings, Event Webhooks, with Signed Event Webhook on: the Verification Key to events_key, events = \
         \"sendgrid\". Choose delivered, deferred, bounce, dropped, spam report and unsubscribe.",
        "Postmark: the server's message stream, Webhooks, Add webhook, with Basic auth credentials of your own: events_user and \
         events_password; events = \"postmark\". Choose delivery, bounce, spam complaint and subscription change.",
        "Mailgun: Send, Webhooks: the HTTP webhook signing key to events_key, events = \"mailgun\". Choose delivered, permanent failure, \
         temporary failure, spam complaints and unsubscribes.",
        "Resend: Webhooks, Add Webhook: its signing secret (whsec_…) to events_key, events = \"resend\".",
        "Any other: events = \"standard_webhooks\" where the provider keeps to that standard, else events = \"declared\" with a \
         description: `touchline provider new NAME --from postmark-events` begins one, and docs/adding-a-provider.md tells how to go on.",
    ],
    gaps: &[
        "SMTP cannot be asked what became of a letter: without events, delivered means that no bounce came in time.",
        "events: Mailgun signs its time and a token but not what happened; a token that was used is refused with another body \
         while this process runs.",
        "events: neither Mailgun nor SendGrid says whether a callback that is sent again has a new time. If callbacks are refused \
         as too old after an outage, raise events_tolerance_minutes: what is repeated changes nothing.",
        "events: Resend repeats nothing of ours in its events but the Message-ID; an event whose Message-ID is not ours is kept, and \
         matches no letter.",
        "events: SES replaces Message-ID and needs a configuration set, or notifications with original headers, to repeat what names \
         the letter.",
    ],
    build,
};

fn build(mut account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let oauth = sign_in::Settings::take(&mut account)?;
    let events = events::open(&mut account)?;
    let refuse = |reason: &str| SettingsError(format!("providers.{}: {reason}", account.name));
    let settings = account.read::<Settings>()?.filled(oauth.as_ref().map(|oauth| oauth.oauth));
    settings.check().map_err(refuse)?;
    let signer = Signer::new(&settings, &account.secrets, account.sender.as_ref()).map_err(|reason| refuse(&reason))?;
    let port = settings.port.unwrap_or(if settings.tls == TlsMode::Implicit { 465 } else { 587 });
    let returns = Returns::new(&settings, &account.returns).map_err(refuse)?;
    let login = login(&account, &settings, port, oauth.as_ref())?;
    let tls = Tls::new(&settings.host, settings.accept_ca_file.as_deref()).map_err(|reason| refuse(&reason))?;
    let relay = Relay { host: settings.host, port, hello_name: settings.hello_name, login, tls };
    let connections_max = settings.connections_max.unwrap_or(account.concurrency);
    let pool = Pool::new(relay, account.clock.clone(), connections_max, settings.messages_per_connection_max);
    Ok(Arc::new(Smtp {
        pool,
        signer: signer.map(Arc::new),
        returns: returns.map(Arc::new),
        events,
        mode: settings.tls,
        requiretls: settings.requiretls,
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
    returns: Option<Arc<Returns>>,
    events: Option<Arc<dyn MailEvents>>,
    mode: TlsMode,
    requiretls: RequireTls,
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
        events::spec_of(self.events.as_deref())
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

    async fn prepare(&self, parts: &WebhookParts, now: Timestamp) {
        if let Some(events) = &self.events {
            events.prepare(parts, now).await;
        }
    }

    fn verify(&self, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        self.events.as_ref().ok_or(Rejection::Unsupported)?.verify(parts, now)
    }

    fn used_once(&self, parts: &WebhookParts) -> Option<String> {
        self.events.as_ref()?.used_once(parts)
    }

    fn secret_header(&self) -> Option<&str> {
        self.events.as_ref()?.secret_header()
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        self.events.as_ref()?.translate(parts)
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

/// The value of the DNS record that goes with an RSA key in PEM, PKCS#8 or PKCS#1.
///
/// # Errors
/// It is no RSA key of 2048 to 4096 bits; nothing of it is said.
pub fn dkim_rsa_record(pem: &secrecy::SecretString) -> Result<String, SettingsError> {
    let key = SigningKey::rsa(secrecy::ExposeSecret::expose_secret(pem));
    key.map(|key| key.record()).map_err(|reason| SettingsError(format!("the key {reason}")))
}

impl Smtp {
    async fn hand_over(&self, envelope: &Envelope) -> Result<ProviderReference, Outcome> {
        let mut letter = self.letter(envelope).await?;
        if let Some((name, value)) = self.events.as_ref().and_then(|events| events.echo(envelope.attempt)) {
            letter.add_field(name, &value);
        }
        letter.onward = self.requiretls.for_letter(envelope.phi);
        letter.transport = envelope.transport.clone();
        letter.keeps_name = self.events.is_some();
        let mode = self.mode.for_letter(envelope.phi);
        let limits = self.limits();
        let mut visit =
            self.pool.visit(mode, &limits).await.map_err(|failure| Outcome::NotSent(self.blamed(failure, mode)))?;
        if let Some(refusal) = letter.refused_by(&visit.connection) {
            letter.transport.set(visit.connection.transport());
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
            return Letter::new(mail, to, attempt, now, self.signer.as_deref(), self.returns.as_deref());
        };
        let (mail, to, signer, returns) = (mail.clone(), to.clone(), signer.clone(), self.returns.clone());
        let sign = move || Letter::new(&mail, &to, attempt, now, Some(&signer), returns.as_deref());
        let signing = tokio::task::spawn_blocking(sign);
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
        match letter.refused_by(&visit.connection) {
            Some(refusal) => Err(refusal),
            None => Ok(transaction::begin(&mut visit.connection, letter, limits).await),
        }
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
