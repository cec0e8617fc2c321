//! Provider accounts: the keys common to all, then those of the kind, checked against its specification.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use figment::value::{Dict, Value};
use secrecy::SecretString;
use serde::Deserialize;

use super::load::Secrets;
use super::problem::Problems;
use super::secret::SecretSource;
use super::section::Reader;
use super::{Baa, DailyBudget, ProviderConfig, Purging};
use crate::accounts::presets::{self, PRESETS, Preset};
use crate::accounts::quota::Quota;
use crate::domain::Channel;
use crate::domain::cost::Cost;
use crate::provider::fax::declared;
use crate::provider::{ACCOUNT_KEYS, Spec, mail, secret_variable};

/// Longest account name.
const NAME_CHARS_MAX: usize = 40;

/// The common keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    kind: String,
    #[serde(default)]
    baa: Option<Baa>,
    #[serde(default)]
    concurrency: Option<usize>,
    #[serde(default = "timeout_default")]
    timeout_seconds: u64,
    #[serde(default)]
    rate_per_minute: Option<u32>,
    #[serde(default)]
    rate_per_domain_per_minute: Option<u32>,
    #[serde(default)]
    concurrency_per_domain: Option<u32>,
    #[serde(default)]
    cost_per_page: Option<Cost>,
    #[serde(default)]
    daily_budget: Option<DailyBudget>,
    #[serde(default)]
    quota: Quota,
    #[serde(default)]
    preset: Option<String>,
    #[serde(default)]
    purge: Option<Purging>,
}

/// Calls at once, where neither the file nor a preset says how many.
const CONCURRENCY: usize = 4;

const fn timeout_default() -> u64 {
    60
}

/// Reads accounts.
pub(super) struct AccountReader<'a> {
    /// The available kinds.
    pub(super) specs: &'a [&'static Spec],
    /// The folder to which a secret's relative path refers.
    pub(super) folder: &'a Path,
    /// The environment.
    pub(super) lookup: &'a dyn Fn(&str) -> Option<String>,
    /// Whether an account may lack a secret.
    pub(super) secrets: Secrets,
}

/// The kind's own keys of one account.
#[derive(Default)]
struct Own {
    settings: toml::Table,
    secrets: BTreeMap<String, SecretString>,
    missing: Vec<String>,
}

/// Why a secret cannot be used.
enum Unusable {
    /// It is not written as a secret is.
    Written(String),
    /// Its variable or file is missing or holds none.
    Missing(String),
}

impl AccountReader<'_> {
    /// Every account of the section that can be read; problems with the others are noted.
    pub(super) fn read_all(&self, reader: &mut Reader<'_>, section: Dict) -> BTreeMap<String, ProviderConfig> {
        let mut accounts = BTreeMap::new();
        for (name, value) in section {
            let key = format!("providers.{name}");
            let valid_name = !name.is_empty()
                && name.len() <= NAME_CHARS_MAX
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
            if !valid_name {
                reader.problems.add(&key, "name the account with 1 to 40 of: a-z, 0-9, hyphen, underscore");
            }
            match value {
                Value::Dict(_, table) => {
                    if let Some(account) = self.read(reader, &name, table) {
                        accounts.insert(name, account);
                    }
                }
                _ => reader.problems.add(&key, format!("write a table: [{key}] with kind = \"…\" below it")),
            }
        }
        accounts
    }

    fn read(&self, reader: &mut Reader<'_>, name: &str, table: Dict) -> Option<ProviderConfig> {
        let (common, mut own): (Dict, Dict) =
            table.into_iter().partition(|(key, _)| ACCOUNT_KEYS.contains(&key.as_str()));
        let common: Common = reader.read(&["providers", name], common)?;
        let Some(spec) = self.specs.iter().find(|spec| spec.kind == common.kind) else {
            let known: Vec<&str> = self.specs.iter().map(|spec| spec.kind).collect();
            reader
                .problems
                .add(format!("providers.{name}.kind"), format!("no such provider: write one of: {}", known.join(", ")));
            return None;
        };
        let before = reader.problems.count();
        let spec = self.described(reader.problems, name, spec, &mut own)?;
        let Own { settings, secrets, missing } = self.read_own(reader.problems, name, spec, own);
        let preset = preset_of(reader.problems, name, &common, &settings);
        check_ranges(reader.problems, name, &common);
        if spec.channel == Channel::Fax {
            refuse_domain_limits(reader.problems, name, &common);
        }
        if matches!(common.purge, Some(Purging::Patients | Purging::Always)) && !spec.capabilities.purge {
            reader.problems.add(
                format!("providers.{name}.purge"),
                format!("a provider of kind {} cannot be asked to delete its copies: remove it", spec.kind),
            );
        }
        (reader.problems.count() == before).then_some(ProviderConfig {
            kind: common.kind,
            baa: common.baa,
            concurrency: common.concurrency.or(preset.and_then(|preset| preset.concurrency)).unwrap_or(CONCURRENCY),
            timeout_seconds: common.timeout_seconds,
            rate_per_minute: common.rate_per_minute.or(preset.and_then(|preset| preset.rate_per_minute)),
            rate_per_domain_per_minute: common.rate_per_domain_per_minute,
            concurrency_per_domain: common.concurrency_per_domain,
            cost_per_page: common.cost_per_page,
            daily_budget: common.daily_budget,
            quota: filled(common.quota, preset),
            preset: preset.map(|preset| preset.name),
            purge: common.purge.unwrap_or_default(),
            settings,
            secrets,
            missing,
        })
    }

    /// The kind's specification; for a described provider, the one that its description declares, its path resolved.
    fn described(
        &self,
        problems: &mut Problems,
        name: &str,
        spec: &'static Spec,
        own: &mut Dict,
    ) -> Option<&'static Spec> {
        if spec.kind == mail::SPEC.kind {
            return self.with_events(problems, name, own).then_some(spec);
        }
        if spec.kind != declared::SPEC.kind {
            return Some(spec);
        }
        let key = declared::DESCRIPTION.key;
        match declared::find(self.folder, own.get(key).and_then(Value::as_str).unwrap_or_default()) {
            Ok((spec, path)) => {
                own.insert(key.to_owned(), Value::from(path.display().to_string()));
                Some(spec)
            }
            Err(error) => {
                problems.add(format!("providers.{name}.{key}"), error.to_string());
                None
            }
        }
    }

    /// Resolves the path of the description of a relay's callbacks; false if there is none.
    fn with_events(&self, problems: &mut Problems, name: &str, own: &mut Dict) -> bool {
        let key = mail::events::FILE;
        let Some(file) = own.get(key).and_then(Value::as_str) else { return true };
        match mail::events::locate(self.folder, file) {
            Ok(path) => drop(own.insert(key.to_owned(), Value::from(path.display().to_string()))),
            Err(error) => {
                problems.add(format!("providers.{name}.{key}"), error.to_string());
                return false;
            }
        }
        true
    }

    /// The kind's own keys, divided into settings and secrets.
    fn read_own(&self, problems: &mut Problems, name: &str, spec: &Spec, mut own: Dict) -> Own {
        let Own { mut settings, mut secrets, mut missing } = Own::default();
        let given: BTreeSet<String> = own.keys().cloned().collect();
        for setting in spec.settings {
            let key = format!("providers.{name}.{}", setting.key);
            let Some(value) = own.remove(setting.key) else {
                if setting.is_required(|key| given.contains(key)) {
                    problems.add(&key, lacking(spec, setting.key, setting.about, setting.secret));
                }
                continue;
            };
            if setting.secret {
                match self.read_secret(spec, setting.key, &value) {
                    Ok(secret) => drop(secrets.insert(setting.key.to_owned(), secret)),
                    Err(Unusable::Missing(message)) if self.secrets == Secrets::Optional => {
                        missing.push(format!("{}: {message}", setting.key));
                    }
                    Err(Unusable::Missing(message) | Unusable::Written(message)) => problems.add(&key, message),
                }
            } else if setting.required && value.as_str().is_some_and(|text| text.trim().is_empty()) {
                problems.add(&key, format!("is empty: {}", setting.about));
            } else {
                match value.deserialize::<toml::Value>() {
                    Ok(value) => drop(settings.insert(setting.key.to_owned(), value)),
                    Err(_) => problems.add(&key, "the value does not fit into TOML: write a text or a number"),
                }
            }
        }
        for key in own.keys() {
            let known: Vec<&str> =
                ACCOUNT_KEYS.into_iter().chain(spec.settings.iter().map(|setting| setting.key)).collect();
            problems.add(
                format!("providers.{name}.{key}"),
                format!("unknown key for kind {}: remove it, or use one of: {}", spec.kind, known.join(", ")),
            );
        }
        Own { settings, secrets, missing }
    }

    fn read_secret(&self, spec: &Spec, key: &str, value: &Value) -> Result<SecretString, Unusable> {
        let instead = how_to_give(spec, key);
        match value.deserialize::<SecretSource>() {
            Ok(SecretSource::Inline(_)) => {
                Err(Unusable::Written(format!("a secret does not belong into this file: {instead}")))
            }
            Ok(source) => source.resolve(self.folder, self.lookup).map_err(Unusable::Missing),
            Err(_) => Err(Unusable::Written(instead)),
        }
    }
}

fn lacking(spec: &Spec, key: &str, about: &str, secret: bool) -> String {
    let how = if secret { how_to_give(spec, key) } else { "add it".to_owned() };
    format!("is missing: {how}. {about}")
}

fn how_to_give(spec: &Spec, key: &str) -> String {
    format!("write {key} = {{ env = \"{}\" }} or {{ file = \"PATH\" }}", secret_variable(spec.kind, key))
}

/// The documented limits of a mail relay: those of the preset that is named, else of the relay's host.
fn preset_of(problems: &mut Problems, name: &str, common: &Common, settings: &toml::Table) -> Option<&'static Preset> {
    let is_relay = common.kind == mail::SPEC.kind;
    let text = |key: &str| settings.get(key).and_then(toml::Value::as_str);
    let Some(named) = &common.preset else {
        return is_relay.then(|| presets::of_relay(text("host"), text("oauth"))).flatten();
    };
    let found = presets::named(named).filter(|_| is_relay);
    if found.is_none() {
        let known: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        let known = known.join(", ");
        problems.add(format!("providers.{name}.preset"), format!("for a mail relay (kind smtp) write one of: {known}"));
    }
    found
}

/// The quotas that are given; each that is not, from the preset.
fn filled(given: Quota, preset: Option<&Preset>) -> Quota {
    let preset = preset.map(|preset| preset.quota).unwrap_or_default();
    Quota { per_hour: given.per_hour.or(preset.per_hour), per_day: given.per_day.or(preset.per_day) }
}

/// Limits of a mail domain at an account that sends faxes.
fn refuse_domain_limits(problems: &mut Problems, name: &str, common: &Common) {
    let given = [
        ("rate_per_domain_per_minute", common.rate_per_domain_per_minute.is_some()),
        ("concurrency_per_domain", common.concurrency_per_domain.is_some()),
    ];
    for (key, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
        problems.add(format!("providers.{name}.{key}"), "a number has no mail domain: remove it here");
    }
}

fn check_ranges(problems: &mut Problems, name: &str, common: &Common) {
    let mut within = |key: &str, value: u64, low: u64, high: u64| {
        if !(low..=high).contains(&value) {
            problems.add(format!("providers.{name}.{key}"), format!("write a number from {low} to {high}"));
        }
    };
    within("concurrency", common.concurrency.unwrap_or(CONCURRENCY) as u64, 1, 256);
    within("timeout_seconds", common.timeout_seconds, 1, 600);
    if let Some(rate) = common.rate_per_minute {
        within("rate_per_minute", u64::from(rate), 1, 60_000);
    }
    if let Some(rate) = common.rate_per_domain_per_minute {
        within("rate_per_domain_per_minute", u64::from(rate), 1, 60_000);
    }
    if let Some(most) = common.concurrency_per_domain {
        within("concurrency_per_domain", u64::from(most), 1, 256);
    }
    for (key, most) in [("quota.per_hour", common.quota.per_hour), ("quota.per_day", common.quota.per_day)] {
        if let Some(most) = most {
            within(key, u64::from(most), 1, 10_000_000);
        }
    }
    if let Some(budget) = &common.daily_budget {
        check_budget(problems, name, budget, common.cost_per_page);
    }
    if let Some(baa) = &common.baa {
        if baa.signed && chrono::NaiveDate::parse_from_str(&baa.date, "%Y-%m-%d").is_err() {
            problems.add(format!("providers.{name}.baa.date"), "write the day of signature as YYYY-MM-DD");
        }
        if baa.signed && baa.reference.trim().is_empty() {
            problems.add(format!("providers.{name}.baa.reference"), "say where the signed agreement is kept");
        }
    }
}

fn check_budget(problems: &mut Problems, name: &str, budget: &DailyBudget, cost_per_page: Option<Cost>) {
    let key = |inner: &str| format!("providers.{name}.daily_budget{inner}");
    if budget.hand_overs.is_none() && budget.cost.is_none() {
        problems.add(key(""), "say how much: hand_overs, cost, or both");
    }
    if budget.hand_overs == Some(0) || budget.cost == Some(Cost::ZERO) {
        problems.add(key(""), "leaves nothing to send: pause the account instead, or take it out of [routes]");
    }
    if budget.cost.is_some() && cost_per_page.is_none() {
        problems.add(key(".cost"), format!("needs a price: add providers.{name}.cost_per_page"));
    }
    if let (Some(most), Some(page)) = (budget.cost, cost_per_page)
        && Cost::ZERO < most
        && most < page
    {
        problems.add(key(".cost"), format!("does not cover one page, which costs {page}: raise it"));
    }
}
