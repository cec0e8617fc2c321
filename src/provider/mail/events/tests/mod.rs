//! Every scheme on the tables of `tests/it/fixtures/mail-events`: what is published of signatures and what of bodies.

mod attacking;
mod opening;
mod reading;
mod signing;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::{MailEvents, open};
use crate::domain::return_path::ReturnPaths;
use crate::domain::{SystemClock, Timestamp};
use crate::provider::sign_in::Unkept;
use crate::provider::{Account, SettingsError, WebhookParts};

/// 2026-11-23T15:00:00Z.
pub(super) const NOW: Timestamp = Timestamp(1_795_446_000_000);

/// An account with those settings (TOML) and secrets.
pub(super) fn account(settings: &str, secrets: &[(&str, &str)]) -> Account {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let secrets: BTreeMap<String, SecretString> =
        secrets.iter().map(|(key, value)| ((*key).to_owned(), SecretString::from(*value))).collect();
    Account {
        name: "relay".to_owned(),
        settings: toml::from_str(settings).expect("settings"),
        secrets,
        http: reqwest::Client::new(),
        timeout: Duration::from_secs(1),
        concurrency: 1,
        sender: None,
        returns: ReturnPaths::new(b"a key of the tests, long enough for one"),
        callback_url: None,
        documents_url: None,
        baa: false,
        clock: Arc::new(SystemClock),
        tokens: Arc::new(Unkept),
    }
}

/// Its callbacks.
pub(super) fn events(settings: &str, secrets: &[(&str, &str)]) -> Result<Arc<dyn MailEvents>, SettingsError> {
    open(&mut account(settings, secrets)).map(|events| events.expect("events are asked for"))
}

/// A callback with those headers.
pub(super) fn parts(headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> WebhookParts {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    WebhookParts { url: "https://us.example/hooks/relay".to_owned(), headers, body: body.into(), secret: None }
}
