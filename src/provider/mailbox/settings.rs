//! What a mailbox is told, and how a login follows from it.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;

use super::conversation::TimeLimits;
use super::login::Login;
use super::server::Server;
use super::{After, MailboxKind};
use crate::domain::words::words;
use crate::provider::mail::tls::Tls;
use crate::provider::sign_in::{self, Access, Authority};
use crate::provider::{Account, SettingsError};

words! {
    /// How the connection to the server is protected. There is no mode that goes on without encryption where it is not offered.
    MailboxTls {
        /// TLS from the first octet (RFC 8314).
        Implicit = "implicit",
        /// STARTTLS or STLS, or nothing is said.
        Required = "required",
        /// None; only towards this machine itself.
        Off = "off",
    }
}

/// The keys by which a mailbox signs in, except for the secret ones.
pub const OAUTH_KEYS: [&str; 7] = ["oauth", "tenant", "client_id", "token_url", "authorize_url", "device_url", "scope"];

/// A mailbox's section without its secrets and without the keys by which it signs in. The configuration has checked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How it is read.
    pub kind: MailboxKind,
    /// The server's name; none: that of the service that is signed in to.
    pub host: Option<String>,
    /// Its port; none: the usual one.
    pub port: Option<u16>,
    /// Encryption.
    pub tls: MailboxTls,
    /// Who logs in; with OAuth, the mailbox.
    pub username: Option<String>,
    /// The folders (IMAP), at least one.
    pub folders: Vec<String>,
    /// The folder on this machine (maildir).
    pub path: Option<PathBuf>,
    /// The day since which mail is read, in the practice's time zone; none: by what was sent.
    pub since: Option<NaiveDate>,
    /// What becomes of returns of ours.
    pub after: After,
    /// Where they go (IMAP), with [`After::Move`].
    pub move_to: Option<String>,
    /// A PEM file of authorities to trust besides the machine's own.
    pub accept_ca_file: Option<PathBuf>,
}

/// A server, and how to log in to it.
pub(super) struct Entrance {
    pub server: Server,
    pub login: Login,
}

impl Settings {
    /// The server and the login.
    ///
    /// # Errors
    /// Names the key that is missing or wrong.
    pub(super) fn entrance(&self, mut account: Account, access: Access) -> Result<Entrance, SettingsError> {
        let oauth = sign_in::Settings::take(&mut account)?;
        let known = oauth.as_ref().and_then(|oauth| host_of(oauth.oauth, self.kind));
        let host = self.host.clone().or_else(|| known.map(str::to_owned));
        let host = host.ok_or_else(|| account.refuse("host", "is missing: add the mail server's host name"))?;
        let file = self.accept_ca_file.as_deref();
        let trust = Tls::new(&host, file).map_err(|why| SettingsError(format!("mailboxes.{}: {why}", account.name)))?;
        let server = Server {
            port: self.port.unwrap_or_else(|| usual_port(self.kind, self.tls)),
            tls: self.tls,
            trust,
            limits: TimeLimits::default(),
            host,
        };
        let login = match oauth {
            Some(oauth) => Login::Token {
                sign_in: Arc::new(oauth.sign_in(&account, self.username.as_deref(), access)?),
                tokens: account.tokens.clone(),
            },
            None => Login::Password {
                username: self.username.clone().unwrap_or_default(),
                password: account.secret("password")?,
            },
        };
        Ok(Entrance { server, login })
    }
}

/// Where the known services have their mailboxes (mail-oauth.md).
const fn host_of(service: Authority, kind: MailboxKind) -> Option<&'static str> {
    match (service, kind) {
        (Authority::Microsoft, MailboxKind::Imap | MailboxKind::Pop3) => Some("outlook.office365.com"),
        (Authority::Google, MailboxKind::Imap) => Some("imap.gmail.com"),
        (Authority::Google, MailboxKind::Pop3) => Some("pop.gmail.com"),
        _ => None,
    }
}

const fn usual_port(kind: MailboxKind, tls: MailboxTls) -> u16 {
    match (kind, tls) {
        (MailboxKind::Pop3, MailboxTls::Implicit) => 995,
        (MailboxKind::Pop3, _) => 110,
        (_, MailboxTls::Implicit) => 993,
        _ => 143,
    }
}

/// Whether a host is this machine, so that nobody else can listen.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl MailboxTls {
    /// Whether a mailbox there may do without encryption.
    #[must_use]
    pub fn suits(self, host: &str) -> bool {
        self != Self::Off || is_loopback(host)
    }
}
