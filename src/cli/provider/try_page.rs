//! `touchline provider try`: one test page by a description, with every step explained and no value shown. It dials, so
//! it asks first; the attempt is in the audit trail before the call; and a suppressed number is not dialed.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use tokio::time::Instant;

use super::new;
use crate::accounts::acts;
use crate::cli::console::{Console, print, warn};
use crate::cli::exit::{CliError, Ending};
use crate::cli::sample;
use crate::config::{Config, ProviderConfig};
use crate::domain::attempt::ProviderReference;
use crate::domain::channel::{PhiClass, Purpose};
use crate::domain::envelope::{Content, Envelope};
use crate::domain::event::Fact;
use crate::domain::fault::Failure;
use crate::domain::id::{AttemptId, short};
use crate::domain::{Address, Clock, FaxNumber, Outcome, SystemClock};
use crate::http;
use crate::provider::fax::declared;
use crate::provider::{Account, Provider, Setting, Spec, secret_variable};
use crate::render::{Job, Renderer};
use crate::wording;

/// What to try.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The description: its file name in the folder `providers` beside the configuration, or a path
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// One of your own fax numbers; it is dialed
    #[arg(long, value_name = "NUMBER")]
    to: String,
    /// Dial without asking
    #[arg(long)]
    yes: bool,
    /// The account whose settings and secrets are used (default: the only one with this description)
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// A setting that no account gives; repeat for more
    #[arg(long = "setting", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// How long to wait for the end, in seconds, 0 to 3600
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(..=3600))]
    wait: u64,
}

/// How long to wait between status requests.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// The longest that one call may take where no account says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The page.
const PAGE: &str = "+++
title    = \"Test page\"
about    = \"One page that says it is a test.\"
subject  = \"Test page\"
purpose  = \"operational\"
phi      = \"none\"
category = \"operations\"
fax      = { pages_max = 1 }
+++
This is a test of the fax line of {{practice.name}}. Nothing needs to be done.
";
const PAGE_NAME: &str = "touchline-test-page";

/// Reports each step and keeps it for the JSON answer.
#[derive(Clone)]
struct Steps {
    kept: Arc<Mutex<Vec<String>>>,
    is_json: bool,
}

impl Steps {
    fn tell(&self, words: &str) {
        if !self.is_json {
            print(words);
        }
        self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(words.trim().to_owned());
    }

    fn all(&self) -> Vec<String> {
        self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// Tries it.
///
/// # Errors
/// The description, its settings or the configuration cannot be used; the number is refused; the page did not arrive.
pub async fn run(console: &Console, args: &Args) -> Result<(), CliError> {
    let to = FaxNumber::parse(&args.to).map_err(|_| CliError::usage("--to is not a fax number"))?;
    let config = console.config()?;
    let steps = Steps { kept: Arc::default(), is_json: console.json };
    let (path, spec) = describe(console, &args.file)?;
    steps.tell(&format!("1. {} is sound: {}", path.display(), spec.title));
    let found = configured(&config, &path, args.account.as_deref())?;
    let account = account(spec, &path, found, &config, args, &steps)?;
    let provider = open(&path, account, &steps)?;
    steps.tell("3. Credentials and reachability; this sends nothing");
    if let Err(failure) = provider.check().await {
        return end(console, &steps, "check_failed", &told(&failure), false);
    }
    refuse_suppressed(console, &to).await?;
    let envelope = envelope(&config, to)?;
    confirm(args)?;
    record(console, &path, envelope.attempt).await?;
    steps.tell(&format!("4. One test page is handed over, with the reference {}", envelope.attempt));
    match provider.submit(&envelope).await {
        Outcome::Accepted { reference } => follow(console, &steps, provider.as_ref(), &reference, args.wait).await,
        outcome => {
            let words = outcome.failure().map(told).unwrap_or_default();
            end(console, &steps, outcome.as_str(), &words, false)
        }
    }
}

/// The description's whole path and what it declares.
fn describe(console: &Console, file: &Path) -> Result<(PathBuf, &'static Spec), CliError> {
    let refused = |error: declared::DescriptionError| CliError::new(Ending::Configuration, error.to_string());
    let is_name = file.parent().is_some_and(|parent| parent.as_os_str().is_empty());
    let path = if is_name {
        let name = file.to_string_lossy();
        let name = if name.ends_with(".toml") { name.into_owned() } else { format!("{name}.toml") };
        declared::locate(&new::folder(&console.config_path), &name).map_err(refused)?
    } else {
        file.to_owned()
    };
    let spec = declared::spec_of(&path).map_err(refused)?;
    Ok((path, spec))
}

/// The account that uses the description, if there is one.
fn configured<'c>(
    config: &'c Config,
    path: &Path,
    name: Option<&str>,
) -> Result<Option<(&'c str, &'c ProviderConfig)>, CliError> {
    let same = |account: &ProviderConfig| {
        let written = account.settings.get(declared::DESCRIPTION.key).and_then(toml::Value::as_str).map(PathBuf::from);
        account.kind == declared::SPEC.kind
            && written.and_then(|written| written.canonicalize().ok()) == path.canonicalize().ok()
    };
    let mut using = config.providers.iter().filter(|(_, account)| same(account));
    match name {
        Some(name) => match using.find(|(known, _)| *known == name) {
            Some((name, account)) => Ok(Some((name, account))),
            None => Err(CliError::not_found(format!("there is no account `{name}` with this description"))),
        },
        None => match (using.next(), using.next()) {
            (Some(_), Some(_)) => Err(CliError::usage("several accounts have this description: add --account NAME")),
            (found, _) => Ok(found.map(|(name, account)| (name.as_str(), account))),
        },
    }
}

/// Settings and secrets: the account's, else the command line's and the environment's.
fn account(
    spec: &Spec,
    path: &Path,
    found: Option<(&str, &ProviderConfig)>,
    config: &Config,
    args: &Args,
    steps: &Steps,
) -> Result<Account, CliError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let (mut settings, mut secrets) = (toml::Table::new(), BTreeMap::new());
    match found {
        Some((name, account)) => {
            settings.clone_from(&account.settings);
            secrets.clone_from(&account.secrets);
            steps.tell(&format!("2. Settings and secrets are those of the account `{name}`"));
        }
        None => {
            steps.tell("2. No account has this description: settings from --setting, secrets from the environment");
            secrets = from_environment(spec, &stem, steps);
        }
    }
    for text in &args.settings {
        let (key, value) = text.split_once('=').ok_or_else(|| CliError::usage("--setting takes KEY=VALUE"))?;
        if spec.settings.iter().any(|setting| setting.secret && setting.key == key.trim()) {
            return Err(CliError::usage(format!("{key} is a secret: it comes from the environment")));
        }
        settings.insert(key.trim().to_owned(), value.into());
    }
    settings.insert(declared::DESCRIPTION.key.to_owned(), path.display().to_string().into());
    let name = found.map_or(stem, |(name, _)| name.to_owned());
    let callback = |base: &url::Url| format!("{}/hooks/{name}", base.as_str().trim_end_matches('/'));
    Ok(Account {
        // No account would match the callbacks of a page that no account sent.
        callback_url: found.and(config.server.public_url.as_ref()).map(callback),
        documents_url: None,
        baa: false,
        name,
        settings,
        secrets,
        http: http::client()
            .map_err(|_| CliError::new(Ending::Failed, "no HTTP client can be created on this machine"))?,
        timeout: found.map_or(TIMEOUT, |(_, account)| Duration::from_secs(account.timeout_seconds)),
        concurrency: 1,
        sender: None,
        clock: Arc::new(SystemClock),
    })
}

/// Each secret by the variable `NAME_KEY`.
fn from_environment(spec: &Spec, stem: &str, steps: &Steps) -> BTreeMap<String, SecretString> {
    let mut secrets = BTreeMap::new();
    let declared: Vec<&Setting> = spec.settings.iter().filter(|setting| setting.secret).collect();
    for setting in declared {
        let variable = secret_variable(stem, setting.key);
        match std::env::var(&variable) {
            Ok(value) if !value.trim().is_empty() => {
                steps.tell(&format!("   secret {}: found in {variable}", setting.key));
                secrets.insert(setting.key.to_owned(), SecretString::from(value));
            }
            _ if setting.required => steps.tell(&format!("   secret {}: missing; set {variable}", setting.key)),
            _ => steps.tell(&format!("   secret {}: not given, and not needed ({variable})", setting.key)),
        }
    }
    secrets
}

fn open(path: &Path, account: Account, steps: &Steps) -> Result<Arc<dyn Provider>, CliError> {
    let watch: declared::Watch = {
        let steps = steps.clone();
        Arc::new(move |words: &str| steps.tell(&format!("   {words}")))
    };
    declared::open(path, account, Some(watch)).map_err(|error| CliError::new(Ending::Configuration, error.to_string()))
}

async fn refuse_suppressed(console: &Console, to: &FaxNumber) -> Result<(), CliError> {
    let store = console.records().await?.store;
    let standing = store.read().await?.suppressions_of(&Address::Fax(to.clone())).await?;
    if standing.iter().any(|suppression| suppression.scope.covers(Purpose::Operational)) {
        return Err(CliError::refused("this number is suppressed: it is not dialed, not even for a test"));
    }
    Ok(())
}

/// One page of the practice that says it is a test.
fn envelope(config: &Config, to: FaxNumber) -> Result<Envelope, CliError> {
    let failed = |what: &str| CliError::new(Ending::Failed, format!("the test page cannot be created: {what}"));
    let folder = tempfile::tempdir().map_err(|error| failed(&error.kind().to_string()))?;
    let letter = folder.path().join(PAGE_NAME);
    let written = std::fs::create_dir(&letter).and_then(|()| std::fs::write(letter.join("letter.md"), PAGE));
    written.map_err(|error| failed(&error.kind().to_string()))?;
    let renderer = Renderer::load(config.practice.clone(), Some(folder.path())).map_err(|errors| {
        let words: Vec<String> = errors.iter().map(ToString::to_string).collect();
        failed(&words.join("; "))
    })?;
    let attempt = AttemptId::new();
    let referrer = sample::referrer();
    let document = renderer.fax(&Job {
        letter: PAGE_NAME,
        referrer: &referrer,
        variables: &serde_json::Map::new(),
        now: SystemClock.now(),
        reference: &short(&attempt.0),
        unsubscribe: None,
        automatic: false,
    })?;
    let content = Content::Fax {
        pdf: document.pdf,
        pages: document.pages,
        from: config.practice.fax.clone(),
        sender: config.practice.name.clone(),
    };
    Ok(Envelope { attempt, to: Address::Fax(to), content, purpose: Purpose::Operational, phi: PhiClass::None })
}

/// Nothing is dialed by accident.
fn confirm(args: &Args) -> Result<(), CliError> {
    if args.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(CliError::usage("this dials: add --yes"));
    }
    let asked = dialoguer::Confirm::new().with_prompt("This dials the number and may cost money. Continue?").interact();
    if asked.unwrap_or(false) { Ok(()) } else { Err(CliError::refused("nothing was dialed")) }
}

/// No provider is called without a record of the call.
async fn record(console: &Console, path: &Path, attempt: AttemptId) -> Result<(), CliError> {
    let store = console.records().await?.store;
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(acts::record_trial(&store, &file, attempt, &console.who, SystemClock.now()).await?)
}

/// Asks until the result is known or the time is up.
async fn follow(
    console: &Console,
    steps: &Steps,
    provider: &dyn Provider,
    reference: &ProviderReference,
    wait: u64,
) -> Result<(), CliError> {
    if !provider.spec().capabilities.status {
        return end(console, steps, "accepted", "its result comes by callback only", true);
    }
    steps.tell(&format!("5. Accepted; asking for its status for up to {wait} seconds"));
    let deadline = Instant::now() + Duration::from_secs(wait);
    loop {
        match provider.status(reference).await {
            Ok(report) => match report.fact {
                Fact::Progress { stage } => steps.tell(&format!("   on its way: {stage}")),
                Fact::Delivered { pages } => {
                    let pages = pages.map_or_else(String::new, |pages| format!(", {pages} confirmed"));
                    return end(console, steps, "delivered", &format!("all of it arrived{pages}"), true);
                }
                Fact::Failed(failure) => return end(console, steps, "failed", &told(&failure), false),
            },
            Err(failure) => steps.tell(&format!("   the status request failed: {}", told(&failure))),
        }
        if Instant::now() + ASK_EVERY > deadline {
            return end(console, steps, "accepted", "it is still on its way; check the provider's console", true);
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

fn told(failure: &Failure) -> String {
    let raw = [failure.raw_code.as_deref(), failure.raw_text.as_deref()];
    let raw: Vec<&str> = raw.into_iter().flatten().collect();
    let raw = if raw.is_empty() { String::new() } else { format!(" ({})", raw.join(" ")) };
    format!("{}: {}{raw}", failure.fault, wording::fault(failure.fault))
}

fn end(console: &Console, steps: &Steps, is: &str, words: &str, good: bool) -> Result<(), CliError> {
    let object = json!({ "outcome": is, "words": words, "steps": steps.all() });
    console.answer(&object, || format!("Outcome: {is}; {words}"))?;
    if good {
        return Ok(());
    }
    if is == "unknown" {
        warn("It is not known whether a page was sent: check the provider's console before trying again.");
    }
    Err(CliError::said(Ending::Failed))
}
