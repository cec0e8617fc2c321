//! Providers: what carries a letter out of the house. One trait for both channels, one file for each provider, one
//! list from which the command line, the dashboard, the documentation and the conformance kit are produced.
//!
//! A provider makes exactly one remote call that can take effect per `submit`, never sleeps, never retries, never logs
//! a number, an address, a key or a body, and says honestly which of four things happened. A timeout after the request
//! was written, a 5xx, or an unreadable 2xx is [`Outcome::Unknown`].

pub mod accounts;
pub mod http;
pub mod layers;
pub mod page;
mod sandbox;
mod slots;
pub mod smtp;
mod telnyx;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::AttemptId;
use crate::domain::{Address, Channel, Clock, EmailAddress, Outcome, Timestamp};

/// Every provider this binary knows. Adding one is one file, one line here, and one folder of exchanges under
/// `tests/it/fixtures/providers/`.
pub const REGISTRY: &[&Spec] = &[&telnyx::SPEC, &smtp::SPEC, &sandbox::SPEC];

/// The provider of that kind.
#[must_use]
pub fn find_spec(kind: &str) -> Option<&'static Spec> {
    REGISTRY.iter().copied().find(|spec| spec.kind == kind)
}

/// What is known of a kind of provider before any account of it is configured.
#[derive(Debug)]
pub struct Spec {
    /// The word in `kind = "…"`.
    pub kind: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// What it carries.
    pub channel: Channel,
    /// What it can do.
    pub capabilities: Capabilities,
    /// What an account of it needs, beyond the settings common to all.
    pub settings: &'static [Setting],
    /// Where the facts in the adapter come from.
    pub sources: &'static [&'static str],
    /// Makes a ready provider of an account's settings.
    pub build: fn(Account) -> Result<Arc<dyn Provider>, SettingsError>,
}

/// One setting of a provider account.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Key in the TOML table.
    pub key: &'static str,
    /// What it is and where to find it, in one sentence.
    pub about: &'static str,
    /// Whether the account cannot work without it.
    pub required: bool,
    /// Whether it is a secret: given as `{ env = "NAME" }` or `{ file = "PATH" }`, never in the file itself.
    pub secret: bool,
}

/// How a hand-over of unknown outcome can be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconciliation {
    /// By our own reference; zero hits after a settle delay mean that it was not sent.
    Exact,
    /// By listing a window of time and comparing our reference.
    Scan,
    /// Only by number and time.
    Heuristic,
    /// Not at all.
    None,
}

impl Reconciliation {
    /// The word for screens and documentation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Scan => "scan",
            Self::Heuristic => "heuristic",
            Self::None => "none",
        }
    }
}

/// How a callback proves who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookAuthenticity {
    /// A signature over the raw body and a time.
    SignedWithTime,
    /// A signature without a time: replays are caught by deduplication alone.
    Signed,
    /// A shared secret.
    SharedSecret,
    /// There are no callbacks.
    NoWebhook,
}

/// What a provider offers.
#[derive(Debug, Clone, Copy)]
pub struct Capabilities {
    /// Look-up of unknown outcomes.
    pub reconciliation: Reconciliation,
    /// Whether [`Provider::status`] works.
    pub status: bool,
    /// Whether [`Provider::cancel`] works.
    pub cancel: bool,
    /// Whether [`Provider::purge`] works.
    pub purge: bool,
    /// Proof of callbacks.
    pub webhook: WebhookAuthenticity,
    /// Whether it dials again by itself after a busy line.
    pub redials: bool,
    /// Whether it prints the header line of 47 CFR § 68.318(d) itself.
    pub stamps_header: bool,
    /// Largest number of pages.
    pub pages_max: Option<u32>,
    /// Largest document in bytes.
    pub bytes_max: Option<usize>,
}

/// One configured account, from which a provider is built.
pub struct Account {
    /// Its name in the configuration.
    pub name: String,
    /// Its own settings; common keys and secrets are taken out already.
    pub settings: toml::Table,
    /// Its secrets by key.
    pub secrets: BTreeMap<String, SecretString>,
    /// The HTTP client all providers share.
    pub http: reqwest::Client,
    /// The longest that one remote call may take.
    pub timeout: std::time::Duration,
    /// Hand-overs under way at once.
    pub concurrency: usize,
    /// The mailbox that the practice's mail comes from, where it is known.
    pub sender: Option<EmailAddress>,
    /// Where its callbacks arrive, if this installation can be reached from outside.
    pub callback_url: Option<String>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Account {
    /// Reads the account's own settings into the provider's settings type, which should refuse unknown fields.
    ///
    /// # Errors
    /// Names the account, the key, and what was expected.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, SettingsError> {
        self.settings
            .clone()
            .try_into::<T>()
            .map_err(|error| SettingsError(format!("providers.{}: {}", self.name, error.message())))
    }

    /// A secret that the account cannot work without.
    ///
    /// # Errors
    /// Says which key is missing and how to give it.
    pub fn secret(&self, key: &str) -> Result<SecretString, SettingsError> {
        self.secrets.get(key).cloned().ok_or_else(|| {
            SettingsError(format!(
                "providers.{0}.{key} is missing: write {key} = {{ env = \"NAME\" }} or {{ file = \"PATH\" }}",
                self.name
            ))
        })
    }
}

/// Why an account's settings were refused: names the account and the key, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub String);

/// A callback as it came in.
#[derive(Debug, Clone, Default)]
pub struct WebhookParts {
    /// The whole URL the provider called, as far as it can be known.
    pub url: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
}

impl WebhookParts {
    /// The first header of that (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why a callback was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The signature or secret does not fit.
    #[error("the signature does not fit")]
    Forged,
    /// Older or newer than the tolerance allows.
    #[error("its time is too far from ours")]
    Stale,
    /// It is authentic but cannot be read.
    #[error("the body cannot be read")]
    Unreadable,
    /// This provider sends no callbacks.
    #[error("this provider sends no callbacks")]
    Unsupported,
}

/// A record that the practice's domain must publish for an account to be believed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DnsRecord {
    /// Its full name.
    pub name: String,
    /// Its type.
    pub kind: &'static str,
    /// Its value. One longer than 255 octets is written as several quoted strings, which most panels do by themselves.
    pub value: String,
}

/// What to look for when an outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Our reference.
    pub attempt: AttemptId,
    /// Where it was going.
    pub to: Address,
    /// When the attempt was recorded, which is before the call.
    pub opened_ms: Timestamp,
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// Ours, by reference.
    Found(Report),
    /// Certainly not there now. Lists lag, so look twice.
    Absent,
    /// Only number and time fit; the caller decides whether one is ours.
    Candidates(Vec<Report>),
}

/// A ready account of some provider. See the module's comment for the rules each must keep.
#[async_trait]
pub trait Provider: Send + Sync + fmt::Debug {
    /// What kind it is.
    fn spec(&self) -> &'static Spec;

    /// Hands one envelope over: one remote call that can take effect.
    async fn submit(&self, envelope: &Envelope) -> Outcome;

    /// Asks what became of one hand-over.
    ///
    /// # Errors
    /// A failure says nothing about the hand-over, only that asking did not work.
    async fn status(&self, _reference: &ProviderReference) -> Result<Report, Failure> {
        Err(unsupported())
    }

    /// Looks for a hand-over of unknown outcome. Only where reconciliation is not `None`.
    ///
    /// # Errors
    /// A failure says nothing about the hand-over, only that looking did not work.
    async fn find(&self, _search: &Search) -> Result<Lookup, Failure> {
        Err(unsupported())
    }

    /// Asks the provider to stop. Success means that it promised to; the truth still comes as an event.
    ///
    /// # Errors
    /// Too late, or asking did not work.
    async fn cancel(&self, _reference: &ProviderReference) -> Result<(), Failure> {
        Err(unsupported())
    }

    /// Has the provider delete the document it keeps.
    ///
    /// # Errors
    /// Asking did not work; safe to repeat.
    async fn purge(&self, _reference: &ProviderReference) -> Result<(), Failure> {
        Err(unsupported())
    }

    /// Reads a callback: verifies it over the raw bytes, then translates it. Pure.
    ///
    /// # Errors
    /// Why it was turned away.
    fn receive(&self, _parts: &WebhookParts, _now: Timestamp) -> Result<Vec<DeliveryEvent>, Rejection> {
        Err(Rejection::Unsupported)
    }

    /// What the practice's domain must publish for this account.
    fn dns_records(&self) -> Vec<DnsRecord> {
        Vec::new()
    }

    /// Checks credentials and reachability without sending anything. The text says what was reached.
    ///
    /// # Errors
    /// What is wrong, as a failure.
    async fn check(&self) -> Result<String, Failure>;
}

fn unsupported() -> Failure {
    Failure::new(Fault::ProtocolError).text("this provider does not offer that")
}
