//! `touchline provider`: what providers there are, which accounts are configured, whether they work, and pauses.

mod show;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::console::{Console, table, warn};
use super::exit::{CliError, Ending};
use crate::app::Gateway;
use crate::domain::SystemClock;
use crate::provider::fax::declared;
use crate::provider::{DnsRecord, REGISTRY, Spec, WebhookAuthenticity, mail, page};
use crate::store::records::provider_state::ProviderState;
use show::Known;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the kinds there are, and the configured accounts
    List {
        /// Print the kinds as the documentation's page instead
        #[arg(long)]
        markdown: bool,
    },
    /// Show one account: what it can and cannot do, how it stands, what went wrong last
    Show {
        /// The account
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Check credentials and reachability; sends nothing
    Check {
        /// One account; all of them if none is named
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Begin the description of another fax API
    New(super::provider_new::Args),
    /// Send one test page by a description, and explain each step
    Try(super::provider_try::Args),
    /// Make an Ed25519 key for DKIM in a new file, and show the DNS record that goes with it
    DkimKey {
        /// The file, which must not exist yet
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Hand nothing over to an account until it is resumed
    Pause {
        /// The account
        #[arg(value_name = "NAME")]
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// End a pause
    Resume {
        /// The account
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Does it.
///
/// # Errors
/// There is no such account; a check failed.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    match command {
        Command::List { markdown: true } => {
            super::console::print(page::markdown().trim_end());
            Ok(())
        }
        Command::List { markdown: false } => list(console).await,
        Command::Show { name } => show::run(console, &name).await,
        Command::Check { name } => check(console, name.as_deref()).await,
        Command::New(args) => super::provider_new::run(console, &args),
        Command::Try(args) => super::provider_try::run(console, &args).await,
        Command::DkimKey { file } => make_dkim_key(console, &file),
        Command::Pause { name, reason } => pause(console, &name, Some(reason.trim())).await,
        Command::Resume { name } => pause(console, &name, None).await,
    }
}

/// The registry needs no configuration; the accounts are shown where there is one.
async fn list(console: &Console) -> Result<(), CliError> {
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
        .map(|(gateway, states)| known_all(gateway, states).map(|known| known.object()).collect::<Vec<_>>());
    console.answer(&json!({ "kinds": kinds, "accounts": objects }), || {
        let kinds = table(
            &["kind", "channel", "name", "look-up of doubt", "unsupported", "needs"],
            REGISTRY.iter().map(|s| kind_row(s)),
        );
        match &accounts {
            Some((gateway, states)) => format!("{kinds}\n\nAccounts:\n{}", accounts_table(gateway, states)),
            None => kinds,
        }
    })
}

async fn configured(console: &Console) -> Result<Option<(Gateway, Vec<ProviderState>)>, CliError> {
    if !console.config_path.exists() {
        return Ok(None);
    }
    let gateway = Gateway::join(console.config()?, Arc::new(SystemClock)).await?;
    let states = gateway.store.read().await?.provider_states(false).await?;
    Ok(Some((gateway, states)))
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

fn kind_object(spec: &Spec) -> Value {
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

/// Every account with what is known of it.
fn known_all<'a>(gateway: &'a Gateway, states: &'a [ProviderState]) -> impl Iterator<Item = Known<'a>> {
    gateway.accounts.iter().filter_map(|(name, _)| Known::of(gateway, name, states))
}

fn accounts_table(gateway: &Gateway, states: &[ProviderState]) -> String {
    let rows = known_all(gateway, states).map(|known| {
        let spec = known.account.spec();
        let place = gateway.accounts.place(spec.channel, known.name);
        vec![
            known.name.to_owned(),
            spec.kind.to_owned(),
            spec.channel.to_string(),
            if known.account.baa { "signed" } else { "none: no health information" }.to_owned(),
            if place.is_some() { "routed" } else { "not routed" }.to_owned(),
            known.words(),
            known.budget_words(),
        ]
    });
    table(&["account", "kind", "channel", "agreement", "route", "state", "budget today"], rows)
}

/// What a check of one account found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Checked {
    /// The account.
    pub account: String,
    /// Whether it works.
    pub ok: bool,
    /// What was reached, or what is wrong and what to do.
    pub words: String,
    /// What the practice's domain must publish for it.
    pub publish: Vec<DnsRecord>,
}

impl Checked {
    /// What to publish, a line for each record.
    #[must_use]
    pub fn publish_words(&self) -> String {
        let line = |record: &DnsRecord| format!("{} {} \"{}\"", record.name, record.kind, record.value);
        self.publish.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// Checks accounts all at once, one or all, in the order of their names.
pub async fn check_accounts(gateway: &Gateway, only: Option<&str>) -> Vec<Checked> {
    let accounts = gateway.accounts.iter().filter(|(name, _)| only.is_none_or(|only| only == *name));
    let checks = accounts.map(|(name, account)| async move {
        let publish = account.layered.provider().dns_records();
        let (ok, words) = match account.layered.check().await {
            Ok(words) => (true, words),
            Err(failure) => {
                let raw = [failure.raw_code.as_deref(), failure.raw_text.as_deref()];
                let raw = raw.into_iter().flatten().collect::<Vec<_>>().join(" ");
                let raw = if raw.is_empty() { raw } else { format!(" ({raw})") };
                (false, format!("{}{raw} {}", failure.fault.explain(), failure.fault.advice()))
            }
        };
        Checked { account: name.to_owned(), ok, words, publish }
    });
    futures_util::future::join_all(checks).await
}

async fn check(console: &Console, name: Option<&str>) -> Result<(), CliError> {
    let gateway = console.gateway().await?;
    if let Some(name) = name {
        known(&gateway, name)?;
    }
    let checked = check_accounts(&gateway, name).await;
    console.answer(&json!({ "checks": checked }), || {
        if checked.is_empty() {
            return "No provider account is configured.".to_owned();
        }
        let rows = checked.iter().map(|check| {
            vec![check.account.clone(), if check.ok { "ok" } else { "fail" }.to_owned(), check.words.clone()]
        });
        let found = table(&["account", "state", "what was found"], rows);
        let publish: Vec<String> =
            checked.iter().map(Checked::publish_words).filter(|words| !words.is_empty()).collect();
        if publish.is_empty() {
            return found;
        }
        format!("{found}\n\nThe domain must publish in DNS:\n{}", publish.join("\n"))
    })?;
    if checked.iter().all(|check| check.ok) { Ok(()) } else { Err(CliError::said(Ending::Failed)) }
}

/// Writes the key so that only its owner may read it, and never over another.
fn make_dkim_key(console: &Console, file: &Path) -> Result<(), CliError> {
    let (pem, record) = mail::new_dkim_key().map_err(|error| CliError::new(Ending::Failed, error.to_string()))?;
    let shown = file.display();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(file).and_then(|mut opened| {
        opened.write_all(pem.expose_secret().as_bytes())?;
        opened.sync_all()
    });
    written.map_err(|error| CliError::refused(format!("the key cannot be written to {shown}: {}", error.kind())))?;
    console.answer(&json!({ "file": file, "kind": "TXT", "value": record }), || {
        format!(
            "The key is in {shown}; only its owner may read it. In the account's section of touchline.toml:\n\n  \
             dkim_domain           = \"your-practice.example\"\n  dkim_ed25519_selector = \"touchline-ed\"\n  \
             dkim_ed25519_key      = {{ file = \"{shown}\" }}\n\n\
             In DNS, at SELECTOR._domainkey.DOMAIN, a TXT record:\n\n  {record}\n\n\
             Few receivers check Ed25519 yet. Add an RSA key beside it: openssl genrsa -out dkim-rsa.pem 2048"
        )
    })
}

fn known(gateway: &Gateway, name: &str) -> Result<(), CliError> {
    if gateway.accounts.get(name).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = gateway.accounts.iter().map(|(name, _)| name).collect();
    Err(CliError::not_found(format!("there is no provider account `{name}`; there are: {}", names.join(", "))))
}

async fn pause(console: &Console, name: &str, reason: Option<&str>) -> Result<(), CliError> {
    if reason.is_some_and(str::is_empty) {
        return Err(CliError::usage("--reason says why it is paused"));
    }
    let gateway = console.gateway().await?;
    known(&gateway, name)?;
    let now = gateway.clock.now();
    let mut tx = gateway.store.write().await?;
    tx.provider_ensure(name, now).await?;
    tx.provider_pause(name, reason, now).await?;
    let act = if reason.is_some() { "pause_provider" } else { "resume_provider" };
    tx.audit(&console.who, act, Some(name), reason, now).await?;
    tx.commit().await?;
    console.answer(&json!({ "account": name, "paused": reason.is_some(), "reason": reason }), || match reason {
        Some(_) => format!("{name} is paused: nothing is handed over to it until `touchline provider resume {name}`."),
        None => format!("{name} is in use again."),
    })
}
