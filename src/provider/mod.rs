//! Providers: the services that letters are sent through. One trait for both channels, one folder for each provider, one
//! list from which the command line, the dashboard, the documentation and the conformance kit are produced.
//!
//! A provider makes exactly one remote call that can take effect per `submit`, never retries, never logs a number, an
//! address, a key or a body, and reports which of four things happened. A timeout after the request was written, a 5xx,
//! or an unreadable 2xx is [`Outcome::Unknown`]. Two adapters wait, for seconds: Notifyre for its conversion, before
//! anything is dialed (decision 0016), and HumbleFax between the questions of a `find`, to keep within its limit.

mod account;
pub mod fax;
pub mod kit;
pub mod mail;
pub mod mailbox;
pub mod page;
pub mod sign_in;
mod spec;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

pub use self::account::{ACCOUNT_KEYS, Account, SettingsError};
pub use self::spec::{Capabilities, Reconciliation, Setting, Spec, WebhookAuthenticity, secret_variable};

use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::AttemptId;
use crate::domain::{Address, Outcome, Timestamp};

/// Every provider this binary knows. Adding one is one folder under `fax/`, one line here, and one folder of exchanges
/// under `tests/it/fixtures/providers/`.
pub const REGISTRY: &[&Spec] = &[
    &fax::documo::SPEC,
    &fax::faxplus::SPEC,
    &fax::humblefax::SPEC,
    &fax::hylafax::SPEC,
    &fax::interfax::SPEC,
    &fax::notifyre::SPEC,
    &fax::phaxio::SPEC,
    &fax::ringcentral::SPEC,
    &fax::signalwire::SPEC,
    &fax::sinch::SPEC,
    &fax::srfax::SPEC,
    &fax::telnyx::SPEC,
    &fax::westfax::SPEC,
    &fax::declared::SPEC,
    &mail::SPEC,
    &fax::sandbox::SPEC,
];

/// The provider of that kind.
#[must_use]
pub fn find_spec(kind: &str) -> Option<&'static Spec> {
    REGISTRY.iter().copied().find(|spec| spec.kind == kind)
}

/// A callback as received.
#[derive(Debug, Clone, Default)]
pub struct WebhookParts {
    /// The whole URL the provider called, as far as known.
    pub url: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
    /// The last part of the address, where callbacks of such a provider carry a secret there.
    pub secret: Option<String>,
}

impl WebhookParts {
    /// The first header of that (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why a callback was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The signature or secret does not match.
    #[error("the signature does not match")]
    Forged,
    /// Older or newer than the tolerance allows.
    #[error("its timestamp is too far from our clock")]
    Stale,
    /// What proves it could not be fetched now. It should be sent again.
    #[error("what proves it cannot be fetched at the moment")]
    Later,
    /// Its sender used its proof before, for another callback.
    #[error("its proof was used before, for another callback")]
    Replayed,
    /// It is authentic but cannot be read.
    #[error("the body cannot be read")]
    Unreadable,
    /// This provider sends no callbacks.
    #[error("this provider sends no callbacks")]
    Unsupported,
}

/// A record that the practice's domain must publish for an account's mail to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DnsRecord {
    /// Its full name.
    pub name: String,
    /// Its type.
    pub kind: &'static str,
    /// Its value. One longer than 255 octets is written as several quoted strings, which most DNS panels do
    /// automatically.
    pub value: String,
}

/// What to look for when an outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindQuery {
    /// Our reference.
    pub attempt: AttemptId,
    /// The address it was for.
    pub to: Address,
    /// When the attempt was recorded, which is before the call.
    pub opened_ms: Timestamp,
}

/// What [`Provider::find`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindResult {
    /// Found by our reference.
    Found(Report),
    /// Certainly not there now. Lists lag, so look twice.
    Absent,
    /// Only number and time match; the caller decides whether one is ours.
    Candidates(Vec<Report>),
}

impl FindResult {
    /// The result of a listing without a hit by reference, once read to its end.
    #[must_use]
    pub fn without_ours(candidates: Vec<Report>) -> Self {
        if candidates.is_empty() { Self::Absent } else { Self::Candidates(candidates) }
    }

    /// The result of two listings together: a hit by reference counts, wherever it was found.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Found(report), _) | (_, Self::Found(report)) => Self::Found(report),
            (Self::Absent, result) | (result, Self::Absent) => result,
            (Self::Candidates(mut all), Self::Candidates(more)) => {
                for report in more {
                    if all.iter().all(|known| known.reference != report.reference) {
                        all.push(report);
                    }
                }
                Self::Candidates(all)
            }
        }
    }
}

/// A ready account of a provider. See the module's documentation for the rules each must follow.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Its kind.
    fn spec(&self) -> &'static Spec;

    /// Hands one envelope over: one remote call that can take effect.
    async fn submit(&self, envelope: &Envelope) -> Outcome;

    /// Queries the state of one hand-over.
    ///
    /// # Errors
    /// A failure says nothing about the hand-over, only that the query failed.
    async fn status(&self, _reference: &ProviderReference) -> Result<Report, Failure> {
        Err(unsupported())
    }

    /// Looks for a hand-over of unknown outcome. Only where reconciliation is not `None`.
    ///
    /// # Errors
    /// A failure says nothing about the hand-over, only that the lookup failed.
    async fn find(&self, _search: &FindQuery) -> Result<FindResult, Failure> {
        Err(unsupported())
    }

    /// Asks the provider to stop. Success means only that it agreed to; the outcome still comes as an event.
    ///
    /// # Errors
    /// It is too late, or the request failed.
    async fn cancel(&self, _reference: &ProviderReference) -> Result<(), Failure> {
        Err(unsupported())
    }

    /// Asks the provider to delete its copy of the document.
    ///
    /// # Errors
    /// The request failed; safe to repeat.
    async fn purge(&self, _reference: &ProviderReference) -> Result<(), Failure> {
        Err(unsupported())
    }

    /// Fetches what the proof of a callback needs, such as a certificate, if it is not here yet; called before
    /// [`Provider::verify`]. Whatever goes wrong, `verify` says.
    async fn prepare(&self, _parts: &WebhookParts, _now: Timestamp) {}

    /// Checks over the raw bytes who sent a callback, and that it was sent about `now`. Calls nobody and changes
    /// nothing.
    ///
    /// # Errors
    /// Why it was rejected.
    fn verify(&self, _parts: &WebhookParts, _now: Timestamp) -> Result<(), Rejection> {
        Err(Rejection::Unsupported)
    }

    /// A digest of what the sender uses for one callback only, where its proof does not cover the body: a verified callback that
    /// has it in common with an earlier one of other content is rejected as [`Rejection::Replayed`], on every node. `None` where
    /// the proof covers all that counts.
    fn used_once(&self, _parts: &WebhookParts) -> Option<String> {
        None
    }

    /// The header in which callbacks carry a shared secret, if they do; it is never kept.
    fn secret_header(&self) -> Option<&str> {
        None
    }

    /// The facts in a verified callback: none if it is about nothing that we sent; `None` if it cannot be read. Pure,
    /// and without checking signature, age or path secret, which a callback that is read again months later no longer
    /// has. Reads no headers besides `content-type`, `content-encoding` and those with `event` in their names.
    fn translate(&self, _parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        None
    }

    /// Verifies a callback, then translates it.
    ///
    /// # Errors
    /// As [`Provider::verify`], and `Unreadable`.
    fn receive(&self, parts: &WebhookParts, now: Timestamp) -> Result<Vec<DeliveryEvent>, Rejection> {
        self.verify(parts, now)?;
        self.translate(parts).ok_or(Rejection::Unreadable)
    }

    /// The links by which the provider fetches documents, where it accepts them no other way.
    fn document_links(&self) -> Option<&kit::link::DocumentLinks> {
        None
    }

    /// How the account signs in, where it does so by OAuth.
    fn sign_in(&self) -> Option<&Arc<sign_in::SignIn>> {
        None
    }

    /// What the practice's domain must publish for this account.
    fn dns_records(&self) -> Vec<DnsRecord> {
        Vec::new()
    }

    /// Checks credentials and reachability without sending anything. The text names what was reached.
    ///
    /// # Errors
    /// What is wrong, as a failure.
    async fn check(&self) -> Result<String, Failure>;
}

/// Prints only an account's kind: it holds secrets.
impl fmt::Debug for dyn Provider + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("kind", &self.spec().kind).finish_non_exhaustive()
    }
}

fn unsupported() -> Failure {
    Failure::new(Fault::ProtocolError).text("this provider does not offer that")
}
