//! One configured account, as passed to an adapter.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::sign_in::TokenKeeper;
use crate::domain::return_path::ReturnPaths;
use crate::domain::{Clock, EmailAddress};

/// Keys that every account may have, of whatever kind.
pub const ACCOUNT_KEYS: [&str; 12] = [
    "kind",
    "baa",
    "concurrency",
    "timeout_seconds",
    "rate_per_minute",
    "rate_per_domain_per_minute",
    "concurrency_per_domain",
    "cost_per_page",
    "daily_budget",
    "quota",
    "preset",
    "purge",
];

/// One configured account, from which a provider is built.
pub struct Account {
    /// Its name in the configuration.
    pub name: String,
    /// Its own settings; common keys and secrets are already removed.
    pub settings: toml::Table,
    /// Its secrets by key.
    pub secrets: BTreeMap<String, SecretString>,
    /// The HTTP client all providers share.
    pub http: reqwest::Client,
    /// The longest that one remote call may take.
    pub timeout: std::time::Duration,
    /// Concurrent hand-overs.
    pub concurrency: usize,
    /// The mailbox that the practice's mail comes from, where known.
    pub sender: Option<EmailAddress>,
    /// The signed addresses that mail is returned to.
    pub returns: ReturnPaths,
    /// The URL of its callbacks, if this installation can be reached from outside.
    pub callback_url: Option<String>,
    /// The base URL below which documents can be fetched by a link, if this installation can be reached from outside.
    pub documents_url: Option<String>,
    /// Whether a business associate agreement is signed.
    pub baa: bool,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who keeps the tokens of accounts that sign in by OAuth.
    pub tokens: Arc<dyn TokenKeeper>,
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

    /// The error for one of its keys.
    #[must_use]
    pub fn refuse(&self, key: &str, why: &str) -> SettingsError {
        SettingsError(format!("providers.{}.{key}: {why}", self.name))
    }

    /// A required secret.
    ///
    /// # Errors
    /// Names the missing key and how to set it.
    pub fn secret(&self, key: &str) -> Result<SecretString, SettingsError> {
        let secret = self.secrets.get(key).ok_or_else(|| {
            SettingsError(format!(
                "providers.{0}.{key} is missing: write {key} = {{ env = \"NAME\" }} or {{ file = \"PATH\" }}",
                self.name
            ))
        })?;
        match secret.expose_secret().trim() {
            "" => Err(self.refuse(key, "is empty")),
            trimmed => Ok(SecretString::from(trimmed)),
        }
    }

    /// An optional secret.
    ///
    /// # Errors
    /// It is given, but empty.
    pub fn optional_secret(&self, key: &str) -> Result<Option<SecretString>, SettingsError> {
        self.secrets.contains_key(key).then(|| self.secret(key)).transpose()
    }

    /// The API's address: `configured`, or else the provider's own. http or https, a host, and no part that would break
    /// appending a path.
    ///
    /// # Errors
    /// Names `base_url` and what is wrong with it.
    pub fn base_url(&self, configured: Option<&str>, otherwise: &str) -> Result<Url, SettingsError> {
        let refused = || self.refuse("base_url", "must be an http(s) address without user, query and fragment");
        let url = Url::parse(configured.unwrap_or(otherwise)).map_err(|_| refused())?;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        let fits = plain && url.fragment().is_none() && url.has_host() && matches!(url.scheme(), "http" | "https");
        if fits { Ok(url) } else { Err(refused()) }
    }
}

/// Why an account's settings were refused: names the account and the key, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub String);
