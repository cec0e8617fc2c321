//! What is known about a kind of provider: what it can do, what an account needs, where the facts come from.

use std::sync::Arc;

use super::{Account, Provider, SettingsError};
use crate::domain::Channel;

/// What is known about a kind of provider before any account is configured.
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
    /// The settings of an account, beyond those common to all.
    pub settings: &'static [Setting],
    /// Where the facts in the adapter come from.
    pub sources: &'static [&'static str],
    /// What to do in the provider's own console before an account works, step by step.
    pub setup: &'static [&'static str],
    /// What is left out or could not be verified from any source, and what that means for its users: one sentence each.
    pub gaps: &'static [&'static str],
    /// Builds a provider from an account's settings.
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
    /// The setting that says as much, so that with it a required one may be left out.
    pub unless: Option<&'static str>,
}

impl Setting {
    /// A setting that is not secret.
    #[must_use]
    pub const fn plain(key: &'static str, about: &'static str, required: bool) -> Self {
        Self { key, about, required, secret: false, unless: None }
    }

    /// A setting without which an account cannot work, unless the setting `unless` is given.
    #[must_use]
    pub const fn plain_unless(key: &'static str, unless: &'static str, about: &'static str) -> Self {
        Self { key, about, required: true, secret: false, unless: Some(unless) }
    }

    /// Whether an account with those keys cannot work without it.
    #[must_use]
    pub fn is_required(&self, is_given: impl Fn(&str) -> bool) -> bool {
        self.required && !self.unless.is_some_and(is_given)
    }

    /// A secret.
    #[must_use]
    pub const fn secret(key: &'static str, about: &'static str, required: bool) -> Self {
        Self { key, about, required, secret: true, unless: None }
    }
}

/// How a hand-over of unknown outcome can be found again.
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
    /// No proof from the provider; a secret in the URL proves only that the sender knows it. What such a callback says
    /// is a hint: the state is queried immediately, and only the answer is trusted.
    SecretPath,
    /// There are no callbacks.
    NoWebhook,
}

impl WebhookAuthenticity {
    /// Whether a callback may be trusted without asking the provider.
    #[must_use]
    pub const fn is_proof(self) -> bool {
        matches!(self, Self::SignedWithTime | Self::Signed | Self::SharedSecret)
    }
}

/// What a provider offers.
#[derive(Debug, Clone, Copy)]
pub struct Capabilities {
    /// How [`Provider::find`] works, if at all.
    pub reconciliation: Reconciliation,
    /// Whether [`Provider::status`] works.
    pub status: bool,
    /// Whether [`Provider::cancel`] works.
    pub cancel: bool,
    /// Whether [`Provider::purge`] works.
    pub purge: bool,
    /// How callbacks are proven.
    pub webhook: WebhookAuthenticity,
    /// Whether it dials again by itself after a busy line.
    pub redials: bool,
    /// Whether it prints the header line of 47 CFR § 68.318(d) itself.
    pub stamps_header: bool,
    /// Largest number of pages.
    pub pages_max: Option<u32>,
    /// Largest document in bytes.
    pub bytes_max: Option<usize>,
    /// Hand-overs a minute that the provider accepts; an account keeps to it unless its own `rate_per_minute` is lower.
    pub submits_per_minute: Option<u32>,
    /// Questions (status, find, cancel, purge, check) a minute that the provider answers.
    pub questions_per_minute: Option<u32>,
}

impl Capabilities {
    /// Only handing over: the starting point for an adapter.
    pub const NONE: Self = Self {
        reconciliation: Reconciliation::None,
        status: false,
        cancel: false,
        purge: false,
        webhook: WebhookAuthenticity::NoWebhook,
        redials: false,
        stamps_header: false,
        pages_max: None,
        bytes_max: None,
        submits_per_minute: None,
        questions_per_minute: None,
    };
}

/// The name suggested for the environment variable that holds a secret: `TELNYX_API_KEY` for the setting `api_key` of the
/// kind (or description) `telnyx`.
#[must_use]
pub fn secret_variable(kind: &str, key: &str) -> String {
    format!("{kind}_{key}").to_ascii_uppercase().replace('-', "_")
}
