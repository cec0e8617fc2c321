//! The exchange files under `tests/it/fixtures/providers/`: how they are read, and what is known of one provider's
//! folder. The format is described in the README there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use touchline::provider::Spec;

use super::sample;

/// What all exchanges of one provider share: `account.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountFile {
    /// A reference as this provider gives them, for calls that need one.
    pub reference: String,
    pub settings: toml::Table,
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallName {
    Submit,
    Status,
    Find,
    Cancel,
    Purge,
    Check,
    Receive,
}

/// One file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    #[serde(skip)]
    pub name: String,
    /// What it shows and where the facts come from.
    pub about: String,
    pub call: CallName,
    /// The present, if it is not [`sample::NOW`].
    pub now: Option<String>,
    /// Settings that differ from the account's.
    #[serde(default)]
    pub settings: toml::Table,
    /// Nobody listens at the account's address.
    #[serde(default)]
    pub closed_port: bool,
    #[serde(default, rename = "exchange")]
    pub exchanges: Vec<Exchange>,
    #[serde(default, rename = "delivery")]
    pub deliveries: Vec<Delivery>,
    pub expect: Expect,
}

/// A request that must come next, and its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    pub method: String,
    pub path: String,
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Texts that the raw body must contain.
    #[serde(default)]
    pub body_has: Vec<String>,
    pub answer: Answer,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    #[serde(default)]
    pub status: u16,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: String,
    /// The request is read and never answered.
    #[serde(default)]
    pub silence: bool,
    /// The connection breaks before the answer is complete.
    #[serde(default)]
    pub cut: bool,
}

/// One callback, byte for byte.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// How the call must end. What is not given is not compared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub is: String,
    pub fault: Option<String>,
    pub code: Option<String>,
    pub reference: Option<String>,
    pub attempt: Option<String>,
    pub stage: Option<String>,
    pub pages: Option<u32>,
    pub retry_after_seconds: Option<u64>,
}

fn folder(kind: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/providers").join(kind)
}

/// The provider's account, with the address of the server filled in.
pub fn account(spec: &Spec, host: &str, port: u16) -> Result<AccountFile, String> {
    let path = folder(spec.kind).join("account.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let text = text
        .replace("\"{port}\"", &port.to_string())
        .replace("{server}", &format!("http://{host}:{port}"))
        .replace("{host}", host);
    toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Every exchange in the provider's folder, by name.
pub fn all(spec: &Spec) -> Result<Vec<Fixture>, String> {
    let secrets = account(spec, "127.0.0.1", 1)?.secrets;
    let entries = std::fs::read_dir(folder(spec.kind)).map_err(|error| error.to_string())?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "toml") && !path.ends_with("account.toml"));
    paths.sort();
    paths.into_iter().map(|path| read(&path, &secrets)).collect()
}

fn read(path: &std::path::Path, secrets: &BTreeMap<String, String>) -> Result<Fixture, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut fixture: Fixture = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    fixture.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    for exchange in &mut fixture.exchanges {
        fill(&mut exchange.answer.body, secrets);
        exchange.query.values_mut().chain(exchange.headers.values_mut()).for_each(|text| fill(text, secrets));
        exchange.body_has.iter_mut().for_each(|text| fill(text, secrets));
    }
    Ok(fixture)
}

/// Fills in the sample's own values: `{to}`, `{attempt}`, `{document}`, and `{secret.<key>}`.
fn fill(text: &mut String, secrets: &BTreeMap<String, String>) {
    let constants = [("{to}", sample::FAX_TO), ("{attempt}", sample::ATTEMPT), ("{document}", sample::DOCUMENT_WORD)];
    for (mark, value) in constants {
        *text = text.replace(mark, value);
    }
    for (key, value) in secrets {
        *text = text.replace(&format!("{{secret.{key}}}"), value);
    }
}
