//! Callbacks: how their bodies are written and how old they may be, and those of providers that sign nothing: a secret in the
//! URL keeps others out.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::domain::Timestamp;
use crate::provider::{Account, Rejection, Setting, SettingsError, WebhookParts};

/// The setting of such a provider.
pub const SETTING: Setting = Setting::secret(
    "callback_secret",
    "A long random word of yours, the last part of the callback address; without it no callback is asked for or taken.",
    false,
);

/// Fewest and most characters of the secret: it is part of a URL.
const CHARS: std::ops::RangeInclusive<usize> = 16..=100;

/// The secret in the callback URL of one account.
pub struct PathSecret(Option<SecretString>);

impl PathSecret {
    /// The account's secret, if it has one.
    ///
    /// # Errors
    /// It cannot be part of a URL, or is too easily guessed.
    pub fn of(account: &Account) -> Result<Self, SettingsError> {
        let Some(secret) = account.optional_secret(SETTING.key)? else { return Ok(Self(None)) };
        let word = secret.expose_secret();
        let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if plain && CHARS.contains(&word.len()) {
            return Ok(Self(Some(secret)));
        }
        Err(account.refuse(SETTING.key, "must be 16 to 100 of: letters, digits, hyphen, underscore"))
    }

    /// The URL to give to the provider: none without a secret, since callbacks that cannot be trusted are not
    /// requested.
    pub fn address(&self, account: &Account) -> Option<SecretString> {
        let (secret, url) = self.0.as_ref().zip(account.callback_url.as_ref())?;
        Some(SecretString::from(format!("{}/{}", url.trim_end_matches('/'), secret.expose_secret())))
    }

    /// Whether a callback came to the right address. Takes constant time.
    ///
    /// # Errors
    /// `Unsupported` without a secret, `Forged` with a wrong one.
    pub fn verify(&self, parts: &WebhookParts) -> Result<(), Rejection> {
        let secret = self.0.as_ref().ok_or(Rejection::Unsupported)?;
        let given = parts.secret.as_deref().unwrap_or_default();
        if same(given.as_bytes(), secret.expose_secret().as_bytes()) { Ok(()) } else { Err(Rejection::Forged) }
    }
}

/// Whether a callback that was signed at that Unix time is recent: neither older nor newer than the tolerance.
///
/// # Errors
/// `Forged` if it is not a time, `Stale` if it is too far from our time.
pub fn in_time(seconds: &str, now: Timestamp, tolerance: Duration) -> Result<(), Rejection> {
    let seconds: i64 = seconds.trim().parse().map_err(|_| Rejection::Forged)?;
    let distance = now.distance(Timestamp(seconds.saturating_mul(1000)));
    if distance > tolerance { Err(Rejection::Stale) } else { Ok(()) }
}

/// Compares without stopping at the first difference.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    // Digests of equal length; comparing them reveals nothing about the texts.
    let digest = |bytes: &[u8]| ring::digest::digest(&ring::digest::SHA256, bytes);
    let (one, other) = (digest(one), digest(other));
    one.as_ref().iter().zip(other.as_ref()).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}

/// How a body is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// JSON.
    #[default]
    Json,
    /// application/x-www-form-urlencoded; each field is a member.
    Form,
}

impl Form {
    /// The body as JSON; `None` if it is not written so.
    #[must_use]
    pub fn read(self, body: &[u8]) -> Option<Value> {
        match self {
            Self::Json => serde_json::from_slice(body).ok(),
            Self::Form => {
                let fields: serde_json::Map<String, Value> = url::form_urlencoded::parse(body)
                    .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())))
                    .collect();
                Some(Value::Object(fields))
            }
        }
    }
}
