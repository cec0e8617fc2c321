//! `touchline provider try`: one test page by a description, with every step explained and no value shown. It dials, so
//! it asks first; the attempt is in the audit trail before the call; and a suppressed number is not dialed.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::new;
use super::test_page::{Ended, Steps, end, envelope, refuse_suppressed, send, told};
use crate::cli::console::Console;
use crate::cli::exit::{CliError, Ending};
use crate::config::{Config, ProviderConfig};
use crate::domain::return_path::ReturnPaths;
use crate::domain::{FaxNumber, SystemClock};
use crate::http;
use crate::provider::fax::declared;
use crate::provider::{Account, Provider, Setting, Spec, secret_variable};

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

/// The longest that one call may take where no account says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Tries it.
///
/// # Errors
/// The description, its settings or the configuration cannot be used; the number is refused; the page did not arrive.
pub async fn run(console: &Console, args: &Args) -> Result<(), CliError> {
    let to = FaxNumber::parse(&args.to).map_err(|_| CliError::usage("--to is not a fax number"))?;
    let config = console.config()?;
    let steps = Steps::new(console.json);
    let (path, spec) = describe(console, &args.file)?;
    steps.tell(&format!("1. {} is sound: {}", path.display(), spec.title));
    let found = configured(&config, &path, args.account.as_deref())?;
    let account = account(spec, &path, found, &config, args, &steps)?;
    let provider = open(&path, account, &steps)?;
    steps.tell("3. Credentials and reachability; this sends nothing");
    if let Err(failure) = provider.check().await {
        return end(console, &steps, &Ended::new("check_failed", &told(&failure), false));
    }
    refuse_suppressed(console, &to).await?;
    let envelope = envelope(&config, to)?;
    confirm(args)?;
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    steps.tell(&format!("4. One test page is handed over, with the reference {}", envelope.attempt));
    let wait = Duration::from_secs(args.wait);
    let ended = send(console, &steps, provider.as_ref(), &file, &envelope, wait).await?;
    end(console, &steps, &ended)
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
        tokens: Arc::new(crate::provider::sign_in::Unkept),
        returns: ReturnPaths::new(name.as_bytes()),
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
