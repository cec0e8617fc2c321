//! Mail through a relay: what each way of failing means, and what is never sent.

mod catching;
mod composing;
mod encrypting;
mod failing;
mod logging_in;
mod lying;
mod pipelining;
mod pooling;
mod refusing;
mod returning;
mod settings;
mod signing;
mod signing_in;

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use touchline::domain::envelope::{Content, Envelope, Mail};
use touchline::domain::id::AttemptId;
use touchline::domain::return_path::ReturnPaths;
use touchline::domain::{Address, Clock, EmailAddress, PhiClass, Purpose};
use touchline::provider::sign_in::{TokenKeeper, Unkept};
use touchline::provider::{Account, Provider, SettingsError, find_spec};

use crate::support::clock::FakeClock;

/// A relay account on loopback: further settings as TOML, a password if wanted.
pub struct Relay<'a> {
    pub port: u16,
    pub settings: &'a str,
    pub password: Option<&'a str>,
    pub secrets: Vec<(&'a str, String)>,
    pub clock: Arc<dyn Clock>,
    /// The longest that everything before the final dot may take.
    pub timeout: Duration,
    /// Who keeps the account's tokens.
    pub tokens: Arc<dyn TokenKeeper>,
}

impl<'a> Relay<'a> {
    pub fn new(port: u16, settings: &'a str) -> Self {
        let (clock, timeout) = (FakeClock::new(), Duration::from_secs(20));
        let tokens = Arc::new(Unkept);
        Self { port, settings, password: None, secrets: Vec::new(), clock, timeout, tokens }
    }

    pub fn provider(self) -> Arc<dyn Provider> {
        self.build().expect("settings that work")
    }

    pub fn build(self) -> Result<Arc<dyn Provider>, SettingsError> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut settings: toml::Table = self.settings.parse().expect("TOML in the test");
        settings.entry("host").or_insert_with(|| "localhost".into());
        settings.insert("port".into(), i64::from(self.port).into());
        let spec = find_spec("smtp").expect("in the registry");
        let password = self.password.map(|word| ("password", word.to_owned()));
        let secrets = self.secrets.into_iter().chain(password);
        (spec.build)(Account {
            name: "office".into(),
            settings,
            secrets: secrets.map(|(key, secret)| (key.to_owned(), SecretString::from(secret))).collect(),
            http: touchline::http::client().expect("a client"),
            timeout: self.timeout,
            concurrency: 4,
            sender: Some(email("letters@harbor.example")),
            callback_url: None,
            documents_url: None,
            returns: return_paths(),
            baa: false,
            clock: self.clock,
            tokens: self.tokens,
        })
    }
}

pub fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address in the test")
}

/// The signed addresses of the accounts here.
pub fn return_paths() -> ReturnPaths {
    ReturnPaths::new(b"a key of the tests")
}

pub fn mail() -> Mail {
    Mail {
        from_name: "Harbor Shoulder Clinic".into(),
        from: email("letters@harbor.example"),
        reply_to: None,
        to_name: "Dr. Dana Whitfield".into(),
        subject: "New evening hours".into(),
        text: "Dear Dr. Whitfield,\n.\nwe are open until eight.\n".into(),
        html: "<p>Dear Dr. Whitfield,</p><p>we are open until eight.</p>".into(),
        unsubscribe: None,
        automatic: false,
    }
}

pub fn envelope(to: &str) -> Envelope {
    Envelope {
        attempt: AttemptId::new(),
        to: Address::Email(email(to)),
        content: Content::Mail(Box::new(mail())),
        purpose: Purpose::Informational,
        phi: PhiClass::None,
        transport: Default::default(),
    }
}

/// The same, about a patient.
pub fn phi_envelope(to: &str) -> Envelope {
    Envelope { phi: PhiClass::Identified, purpose: Purpose::Treatment, ..envelope(to) }
}
