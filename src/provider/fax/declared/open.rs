//! From a description and an account's settings to a ready provider.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use handlebars::Context;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::description::Description;
use super::fill::Filler;
use super::find::reconciliation;
use super::hosts::Hosts;
use super::request::{Caller, Watch};
use super::values::Values;
use super::{DESCRIPTION, Declared, FROM, SPEC, auth, check};
use crate::domain::FaxNumber;
use crate::http;
use crate::provider::kit::callback;
use crate::provider::kit::callback::PathSecret;
use crate::provider::kit::client::Client;
use crate::provider::kit::description_file;
use crate::provider::kit::dialect::Dialect;
use crate::provider::kit::problem::DescriptionError;
use crate::provider::kit::signature::Proof;
use crate::provider::{Account, Capabilities, Provider, Setting, SettingsError, Spec, WebhookAuthenticity};

/// The specification that a description declares.
///
/// # Errors
/// Everything that is wrong with it, with file, line and column.
pub fn spec_of(path: &Path) -> Result<&'static Spec, DescriptionError> {
    read(path).map(|read| read.spec)
}

struct Read {
    spec: &'static Spec,
    description: Description,
    hosts: Hosts,
}

fn read(path: &Path) -> Result<Read, DescriptionError> {
    let text = description_file::read(path)?;
    let (description, hosts) = check::parse(&path.display().to_string(), &text)?;
    let spec = kept(&text, &description);
    Ok(Read { spec, description, hosts })
}

/// Makes a ready account. `path` is believed: a name from a configuration goes through [`super::locate`] first.
///
/// # Errors
/// What is wrong with the description or with the account's settings.
pub fn open(path: &Path, account: Account, watch: Option<Watch>) -> Result<Arc<dyn Provider>, SettingsError> {
    let Read { spec, description, hosts } =
        read(path).map_err(|error| account.refuse(DESCRIPTION.key, &error.to_string()))?;
    let settings = settings(&description, &account)?;
    let secrets = secrets(&description, &account)?;
    let from = account.settings.get(FROM.key).and_then(toml::Value::as_str).map(FaxNumber::parse).transpose();
    let from = from.map_err(|_| account.refuse(FROM.key, "is no fax number"))?;
    let values = Values::of_account(&settings, &secrets);
    let (path_secret, callback) = callback_of(&description, &account)?;
    let filler = Filler::default();
    let http =
        client(&hosts).map_err(|()| account.refuse(DESCRIPTION.key, "no HTTP client can be made on this machine"))?;
    let context = Context::wraps(Value::Object(values.0.clone()));
    let context = context.map_err(|_| account.refuse(DESCRIPTION.key, "its values cannot be filled in"))?;
    let auth = auth::of(&description.auth, &filler, &context, &hosts, &account, &http)?;
    let base = hosts.admit(description.base_url.get_ref()).map_err(|why| account.refuse(DESCRIPTION.key, &why))?;
    let webhook_key = webhook_key(&description, &settings, &secrets, &account)?;
    let calls = u32::try_from(description.prepare.len()).unwrap_or(u32::MAX).saturating_add(1);
    let client = Client::new(&account, base, auth, &Dialect::PLAIN).over(http).with_calls_per_fax(calls);
    let caller = Caller { client, filler, watch };
    Ok(Arc::new(Declared { spec, description, caller, values, from, callback, path_secret, webhook_key }))
}

/// A client that follows no redirect, asks no proxy, and connects only to what the description names.
fn client(hosts: &Hosts) -> Result<reqwest::Client, ()> {
    http::builder().dns_resolver(hosts.resolver()).build().map_err(|_| ())
}

/// The settings as texts: given, by default, or empty.
fn settings(description: &Description, account: &Account) -> Result<BTreeMap<String, String>, SettingsError> {
    let known = |key: &str| description.settings.contains_key(key) || [DESCRIPTION.key, FROM.key].contains(&key);
    if let Some(key) = account.settings.keys().find(|key| !known(key)) {
        return Err(account.refuse(key, "the description declares no such setting"));
    }
    let mut settings = BTreeMap::new();
    for (key, declared) in &description.settings {
        let key = key.get_ref();
        let given = match account.settings.get(key) {
            None => declared.default.clone().unwrap_or_default(),
            Some(toml::Value::String(text)) => text.trim().to_owned(),
            Some(toml::Value::Integer(number)) => number.to_string(),
            Some(toml::Value::Boolean(truth)) => truth.to_string(),
            Some(_) => return Err(account.refuse(key, "must be a text, a whole number, or true or false")),
        };
        if given.is_empty() && declared.required {
            return Err(account.refuse(key, &format!("is missing: {}", declared.about)));
        }
        settings.insert(key.clone(), given);
    }
    Ok(settings)
}

fn secrets(description: &Description, account: &Account) -> Result<BTreeMap<String, SecretString>, SettingsError> {
    let mut secrets = BTreeMap::new();
    for (key, declared) in &description.secrets {
        let key = key.get_ref();
        let given = account.secrets.contains_key(key) || declared.required;
        secrets.insert(key.clone(), if given { account.secret(key)? } else { SecretString::default() });
    }
    Ok(secrets)
}

/// Where callbacks are asked for: with our secret in the address where the provider proves nothing itself.
fn callback_of(
    description: &Description,
    account: &Account,
) -> Result<(Option<PathSecret>, Option<SecretString>), SettingsError> {
    let Some(webhook) = &description.webhook else { return Ok((None, None)) };
    if *webhook.proof.get_ref() == Proof::SecretPath {
        let secret = PathSecret::of(account)?;
        let address = secret.address(account);
        return Ok((Some(secret), address));
    }
    Ok((None, account.callback_url.clone().map(SecretString::from)))
}

fn webhook_key(
    description: &Description,
    settings: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, SecretString>,
    account: &Account,
) -> Result<Option<Vec<u8>>, SettingsError> {
    let Some((webhook, key)) = description.webhook.as_ref().and_then(|webhook| Some((webhook, webhook.key.as_ref()?)))
    else {
        return Ok(None);
    };
    let (table, name) = key.get_ref().split_once('.').unwrap_or_default();
    let text = match table {
        "secrets" => secrets.get(name).map(|secret| secret.expose_secret().to_owned()),
        _ => settings.get(name).cloned(),
    };
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let bytes =
        webhook.key_bytes(&text).filter(|bytes| *webhook.proof.get_ref() != Proof::Ed25519 || bytes.len() == 32);
    bytes.map(Some).ok_or_else(|| account.refuse(name, "is not a key of the kind that the description names"))
}

/// The specification of each description that was ever read, by its text: made once and kept for good, because a
/// specification lives as long as the program. There are as many as there are different descriptions.
static KEPT: Mutex<BTreeMap<String, &'static Spec>> = Mutex::new(BTreeMap::new());

fn kept(text: &str, description: &Description) -> &'static Spec {
    let mut kept = KEPT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    kept.entry(text.to_owned()).or_insert_with(|| Box::leak(Box::new(make(description))))
}

fn make(description: &Description) -> Spec {
    let limits = &description.capabilities;
    let webhook = description.webhook.as_ref();
    let capabilities = Capabilities {
        reconciliation: description
            .find
            .as_ref()
            .map_or(crate::provider::Reconciliation::None, |find| reconciliation(*find.by.get_ref())),
        status: description.status.is_some(),
        cancel: description.cancel.is_some(),
        purge: description.purge.is_some(),
        webhook: webhook.map_or(WebhookAuthenticity::NoWebhook, |webhook| webhook.authenticity()),
        redials: limits.redials,
        stamps_header: limits.stamps_header,
        pages_max: limits.pages_max,
        bytes_max: limits.bytes_max,
        submits_per_minute: limits.submits_per_minute,
        questions_per_minute: limits.questions_per_minute,
    };
    let mut settings = vec![DESCRIPTION];
    settings.extend(description.settings.iter().map(|(key, declared)| {
        Setting::plain(leak(key.get_ref()), leak(&declared.about), declared.required && declared.default.is_none())
    }));
    settings.extend(
        description
            .secrets
            .iter()
            .map(|(key, declared)| Setting::secret(leak(key.get_ref()), leak(&declared.about), declared.required)),
    );
    settings.push(FROM);
    if webhook.is_some_and(|webhook| *webhook.proof.get_ref() == Proof::SecretPath) {
        settings.push(callback::SETTING);
    }
    Spec {
        title: leak(&description.title),
        capabilities,
        settings: Vec::leak(settings),
        sources: leak_all(&description.sources),
        setup: leak_all(&description.setup),
        gaps: leak_all(&description.gaps),
        ..SPEC
    }
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn leak_all(texts: &[String]) -> &'static [&'static str] {
    Vec::leak(texts.iter().map(|text| leak(text)).collect())
}
