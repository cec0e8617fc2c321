//! `touchline provider list`: the available kinds, and the configured accounts.

use std::sync::Arc;

use serde_json::{Value, json};

use super::show::Known;
use crate::accounts::health::Records;
use crate::app::Gateway;
use crate::cli::console::{Console, table, warn};
use crate::cli::exit::CliError;
use crate::config::ProviderConfig;
use crate::domain::SystemClock;
use crate::provider::fax::declared;
use crate::provider::{REGISTRY, Spec, WebhookAuthenticity, find_spec};
use crate::settle::SUBMIT;

/// The registry needs no configuration; the accounts are shown if there is one.
pub(super) async fn run(console: &Console) -> Result<(), CliError> {
    let accounts = match configured(console).await {
        Ok(accounts) => accounts,
        Err(error) => {
            warn(&format!("touchline: the accounts are not shown: {error}"));
            None
        }
    };
    let kinds: Vec<Value> = REGISTRY.iter().map(|spec| kind_object(spec)).collect();
    let objects = accounts
        .as_ref()
        .map(|(gateway, records)| {
            let known = Known::all(gateway, records).into_iter().map(|known| known.object());
            known
                .chain(lacking(gateway).map(|(name, settings)| json!({ "account": name, "missing": settings.missing })))
        })
        .map(Iterator::collect::<Vec<_>>);
    console.answer(&json!({ "kinds": kinds, "accounts": objects }), || {
        let kinds = table(
            &["kind", "channel", "name", "look-up of doubt", "unsupported", "needs"],
            REGISTRY.iter().map(|s| kind_row(s)),
        );
        match &accounts {
            Some((gateway, records)) => format!("{kinds}\n\nAccounts:\n{}", accounts_table(gateway, records)),
            None => kinds,
        }
    })
}

async fn configured(console: &Console) -> Result<Option<(Gateway, Records)>, CliError> {
    if !console.config_path.exists() {
        return Ok(None);
    }
    let gateway = Gateway::join(console.settings()?, Arc::new(SystemClock)).await?;
    let records = Records::read(&mut gateway.store.read().await?, SUBMIT, gateway.clock.now()).await?;
    Ok(Some((gateway, records)))
}

fn kind_row(spec: &Spec) -> Vec<String> {
    let needed = spec.settings.iter().filter(|setting| setting.required).map(|setting| setting.key);
    vec![
        spec.kind.to_owned(),
        spec.channel.to_string(),
        spec.title.to_owned(),
        spec.capabilities.reconciliation.as_str().to_owned(),
        unsupported(spec),
        needed.collect::<Vec<_>>().join(", "),
    ]
}

/// What such an account cannot do.
fn unsupported(spec: &Spec) -> String {
    if spec.kind == declared::SPEC.kind {
        return "as its description says".to_owned();
    }
    let can = &spec.capabilities;
    let calls = can.webhook != WebhookAuthenticity::NoWebhook;
    let abilities = [(can.status, "status"), (can.cancel, "cancel"), (can.purge, "purge"), (calls, "callbacks")];
    let lacking: Vec<&str> = abilities.iter().filter(|(able, _)| !able).map(|(_, word)| *word).collect();
    if lacking.is_empty() { "—".to_owned() } else { lacking.join(", ") }
}

pub(super) fn kind_object(spec: &Spec) -> Value {
    let able = &spec.capabilities;
    json!({
        "kind": spec.kind,
        "title": spec.title,
        "channel": spec.channel,
        "reconciliation": able.reconciliation.as_str(),
        "status": able.status,
        "cancel": able.cancel,
        "purge": able.purge,
        "redials": able.redials,
        "stamps_header": able.stamps_header,
        "pages_max": able.pages_max,
        "bytes_max": able.bytes_max,
        "settings": spec.settings.iter().map(|setting| json!({
            "key": setting.key,
            "about": setting.about,
            "required": setting.required,
            "secret": setting.secret,
        })).collect::<Vec<_>>(),
        "submits_per_minute": able.submits_per_minute,
        "questions_per_minute": able.questions_per_minute,
        "sources": spec.sources,
        "gaps": spec.gaps,
    })
}

/// The accounts of which a secret is missing.
fn lacking(gateway: &Gateway) -> impl Iterator<Item = (&String, &ProviderConfig)> {
    gateway.config.providers.iter().filter(|(_, settings)| !settings.missing.is_empty())
}

fn accounts_table(gateway: &Gateway, records: &Records) -> String {
    let rows = Known::all(gateway, records).into_iter().map(|known| {
        let spec = known.account.spec();
        let place = gateway.accounts.place(spec.channel, known.name);
        vec![
            known.name.to_owned(),
            spec.kind.to_owned(),
            spec.channel.to_string(),
            agreement(known.account.baa).to_owned(),
            routed(place.is_some()).to_owned(),
            known.words(),
            known.budget_words(),
            known.quota_words(),
        ]
    });
    let rows = rows.chain(lacking(gateway).map(|(name, settings)| {
        let spec = find_spec(&settings.kind);
        let signed = settings.baa.as_ref().is_some_and(|baa| baa.signed);
        let is_routed = spec.is_some_and(|spec| gateway.accounts.place(spec.channel, name).is_some());
        vec![
            name.clone(),
            settings.kind.clone(),
            spec.map(|spec| spec.channel.to_string()).unwrap_or_default(),
            agreement(signed).to_owned(),
            routed(is_routed).to_owned(),
            format!("a secret is missing here: {}", settings.missing.join("; ")),
            String::new(),
            String::new(),
        ]
    }));
    table(&["account", "kind", "channel", "agreement", "route", "state", "budget today", "quota"], rows)
}

const fn agreement(signed: bool) -> &'static str {
    if signed { "signed" } else { "none: no health information" }
}

const fn routed(is_routed: bool) -> &'static str {
    if is_routed { "routed" } else { "not routed" }
}
