//! `touchline provider add`: a first or further account, in one command: what it needs is asked for, it is checked, it is
//! written into the configuration, and one test page goes to the practice's own fax.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::check::failure_words;
use super::naming::{check_name, stem};
use super::placing::place;
use super::test_page::{self, Ended, Steps};
use crate::access;
use crate::accounts::ConfiguredAccount;
use crate::app::open_account;
use crate::cli::console::{Console, warn};
use crate::cli::env_file::{self, Entry};
use crate::cli::exit::{CliError, Ending};
use crate::cli::hidden;
use crate::cli::init::config_file::{AccountAnswers, account_section};
use crate::cli::init::{Asked, Interruption, ask_settings, is_asked, say, yes};
use crate::cli::kinds::{check_key, missing_setting, spec_named};
use crate::cli::rehearsal::{FAX_KIND, is_rehearsal, is_routed};
use crate::config::{Config, VARIABLES_FILE, variable};
use crate::domain::{Channel, Clock, Remedy, SystemClock};
use crate::files::replace;
use crate::provider::fax::declared;
use crate::provider::{Setting, Spec};

/// What to add.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The provider, a kind as `touchline provider list` shows it
    #[arg(value_name = "KIND")]
    kind: String,
    /// The account's name (default: channel and kind, such as fax-telnyx)
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// A setting that is not secret; repeat for more. Secrets are asked for, or come from their variables
    #[arg(long = "setting", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Write it even if the check fails
    #[arg(long)]
    unchecked: bool,
    /// Send the test page without asking; it is dialed and may cost money
    #[arg(long, conflicts_with = "no_test_page")]
    test_page: bool,
    /// Send no test page
    #[arg(long)]
    no_test_page: bool,
    /// How long to wait for the test page's end, in seconds, 0 to 3600
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(..=3600))]
    wait: u64,
}

/// What is about to be written.
struct Addition {
    answers: AccountAnswers,
    channel: Channel,
    entries: Vec<Entry>,
    /// Accounts of a rehearsal that leave the route.
    away: Vec<String>,
    /// The variable that stands in for the route and does not name the account.
    overridden_by: Option<String>,
    text: String,
    config: Config,
}

/// Adds it.
///
/// # Errors
/// There is no such kind, the name is taken, something is missing or does not work (then nothing is written); the test page did
/// not arrive.
pub async fn run(console: &Console, args: &Args) -> Result<(), CliError> {
    let spec = spec_of(&args.kind)?;
    let mut answers = AccountAnswers::new(spec.kind, spec.channel);
    if let Some(name) = &args.name {
        check_name(name)?;
        answers.name.clone_from(name);
    }
    let before = console.config()?;
    if before.providers.contains_key(&answers.name) {
        return Err(CliError::refused(format!("there is an account `{}` already: add --name NAME", answers.name)));
    }
    answers.stem = stem(spec, &answers.name, &Config::text(&console.config_path)?);
    let asks = !console.json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let questions = asks.then(|| Interruption::listen("Stopped. Nothing was written."));
    answers.settings = settings(spec, &args.settings, asks)?;
    let entries = secrets(console, spec, &answers, asks)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let addition = compose(console, &before, answers, spec, entries)?;
    let account = open_account(&addition.config, &addition.answers.name, &clock)?;
    let checked = check(&account, &addition.answers.name, args.unchecked, asks).await?;
    drop(questions);
    write(console, &addition)?;
    note(console, &addition).await;
    let steps = Steps::new(console.json);
    steps.tell(&written_words(console, &addition, checked));
    let ended = if may_send(args, &addition, asks) {
        Some(send(console, &addition, &account, &steps, args.wait).await?)
    } else {
        None
    };
    tell(console, &addition, ended.as_ref(), &steps)
}

/// A kind that can be added this way.
fn spec_of(kind: &str) -> Result<&'static Spec, CliError> {
    if kind == declared::SPEC.kind {
        return Err(CliError::usage(
            "a described API has settings of its own: `touchline provider new NAME` starts its description and shows what to \
             write into the configuration",
        ));
    }
    spec_named(kind)
}

fn settings(spec: &Spec, given: &[String], asks: bool) -> Result<BTreeMap<String, String>, CliError> {
    let mut settings = BTreeMap::new();
    for text in given {
        let (key, value) = text.split_once('=').ok_or_else(|| CliError::usage("--setting takes KEY=VALUE"))?;
        check_key(spec, key.trim())?;
        settings.insert(key.trim().to_owned(), value.to_owned());
    }
    let missing = |setting: &&Setting| is_asked(setting, &settings) && !settings.contains_key(setting.key);
    if asks && spec.settings.iter().any(|setting| missing(&setting)) {
        tell_setup(spec);
        return match ask_settings(spec, &mut settings) {
            Ok(Asked::Answer(_)) => Ok(settings),
            Ok(Asked::Back) | Err(_) => Err(CliError::new(Ending::Failed, "Stopped. Nothing was written.")),
        };
    }
    match missing_setting(spec, &settings) {
        None => Ok(settings),
        Some(setting) => Err(CliError::usage(format!("add --setting {}=…: {}", setting.key, setting.about))),
    }
}

/// What to do in the provider's own console first.
fn tell_setup(spec: &Spec) {
    say(&format!("{}. Before an account works:", spec.title));
    for (number, step) in (1..).zip(spec.setup) {
        say(&format!("  {number}. {step}"));
    }
}

/// The secrets that are not set yet, as they were typed.
fn secrets(console: &Console, spec: &Spec, answers: &AccountAnswers, asks: bool) -> Result<Vec<Entry>, CliError> {
    let mut entries = Vec::new();
    for setting in spec.settings.iter().filter(|setting| setting.secret && answers.needs(setting)) {
        let name = answers.variable(setting.key);
        if variable(&console.config_path, &name)?.is_some() {
            console.note(&format!("{name} is set already, and is used."));
            continue;
        }
        if !asks {
            return Err(CliError::usage(format!(
                "set {name}, or write it into {VARIABLES_FILE} beside the configuration: {}",
                setting.about
            )));
        }
        say(&format!("  {} It is not shown while you type.", setting.about));
        let typed = hidden::ask(&name, None);
        let typed = typed.map_err(|_| CliError::new(Ending::Failed, "Stopped. Nothing was written."))?;
        entries.push(Entry { name, about: setting.about.to_owned(), value: SecretString::from(typed) });
    }
    Ok(entries)
}

/// The new text, tried as a whole.
fn compose(
    console: &Console,
    before: &Config,
    answers: AccountAnswers,
    spec: &Spec,
    entries: Vec<Entry>,
) -> Result<Addition, CliError> {
    let (path, channel) = (console.config_path.as_path(), spec.channel);
    let route = match channel {
        Channel::Fax => &before.routes.fax,
        Channel::Email => &before.routes.email,
    };
    let standing: Vec<String> = route.iter().map(|route| route.account.clone()).collect();
    // Another account at the sandbox ends no rehearsal.
    let accounts = before.providers.iter().filter(|_| spec.kind != FAX_KIND);
    let of_rehearsal: Vec<String> =
        accounts.filter(|(name, account)| is_rehearsal(name, account)).map(|(name, _)| name.clone()).collect();
    let section = account_section(&answers);
    let text = place(&Config::text(path)?, &section, channel, &answers.name, &of_rehearsal, &standing)
        .map_err(|error| CliError::new(Ending::Configuration, format!("{}: {error}", path.display())))?;
    let typed = |name: &str| {
        entries.iter().find(|entry| entry.name == name).map(|entry| entry.value.expose_secret().to_owned())
    };
    let config = Config::load_as(path, &text, &typed)?;
    let is_overridden = !is_routed(&config, &answers.name);
    let overridden_by = is_overridden.then(|| format!("TOUCHLINE_ROUTES__{}", channel.as_str().to_ascii_uppercase()));
    let left = |name: &String| !is_overridden && of_rehearsal.contains(name);
    let away = standing.into_iter().filter(left).collect();
    Ok(Addition { answers, channel, entries, away, overridden_by, text, config })
}

/// Whether it works. Where it does not, a person or `--unchecked` decides whether it is written anyway.
async fn check(account: &ConfiguredAccount, name: &str, unchecked: bool, asks: bool) -> Result<bool, CliError> {
    let Err(failure) = account.layered.check().await else { return Ok(true) };
    let words = failure_words(&failure, name);
    if failure.remedy == Some(Remedy::SignIn) {
        // Nobody can sign in for an account that is not written down yet.
        warn(&format!("Next: touchline mail login {name}"));
        return Ok(false);
    }
    if unchecked {
        warn(&format!("The check failed: {words}"));
        return Ok(false);
    }
    if asks {
        say(&format!("The check failed: {words}"));
        if yes("Write the account anyway?", false).unwrap_or(false) {
            return Ok(false);
        }
    }
    Err(CliError::new(
        Ending::Failed,
        format!("the check failed: {words} Nothing was written; --unchecked writes it anyway"),
    ))
}

/// The secrets first: a configuration never names one that is not there.
fn write(console: &Console, addition: &Addition) -> Result<(), CliError> {
    let path = console.config_path.as_path();
    if !addition.entries.is_empty() {
        env_file::set(path, &addition.entries)?;
    }
    replace(path, addition.text.as_bytes()).map_err(|error| {
        CliError::new(Ending::Failed, format!("{} cannot be written ({})", path.display(), error.kind()))
    })
}

/// Records it in the audit trail. The account is in the configuration by now: where no database can be reached, that is said.
async fn note(console: &Console, addition: &Addition) {
    let AccountAnswers { name, kind, .. } = &addition.answers;
    let noted: Result<(), CliError> = async {
        let records = console.records().await?;
        Ok(access::note_provider_added(&records.access(), name, kind, &console.who).await?)
    }
    .await;
    if let Err(error) = noted {
        warn(&format!("The audit trail has no entry of this account: {error}"));
    }
}

fn written_words(console: &Console, addition: &Addition, checked: bool) -> String {
    let Addition { answers, channel, away, overridden_by, .. } = addition;
    let checked = if checked { "The account works" } else { "The account was not checked" };
    let mut words = format!(
        "{checked}. Written into {}: [providers.{}], and its name in routes.{channel}.",
        console.config_path.display(),
        answers.name
    );
    if !away.is_empty() {
        words.push_str(&format!(
            "\nLetters by {channel} no longer go to the sandbox ({} left the route). What was rehearsed is in the records as \
             sent: it counts as touches, and within a letter's window `--again` sends it to the same referrer once more.",
            away.join(", ")
        ));
    }
    if let Some(variable) = overridden_by {
        words.push_str(&format!(
            "\nNothing is sent by it yet: {variable} is set, in the environment or in {VARIABLES_FILE}, counts more than \
             routes.{channel} and does not name {}. Unset it, or add the name there.",
            answers.name
        ));
    }
    words.push_str(
        "\nRestart touchline serve if it runs. Without a signed business associate agreement (baa), nothing about \
                    patients goes this way.",
    );
    words
}

fn may_send(args: &Args, addition: &Addition, asks: bool) -> bool {
    if addition.channel != Channel::Fax || args.no_test_page {
        return false;
    }
    let fax = addition.config.practice.fax.pretty();
    let question = format!("Send one test page to your own fax, {fax}?");
    if asks && !args.test_page {
        say("A test page is dialed like any fax and may cost money.");
    }
    args.test_page || (asks && yes(&question, true).unwrap_or(false))
}

async fn send(
    console: &Console,
    addition: &Addition,
    account: &ConfiguredAccount,
    steps: &Steps,
    wait: u64,
) -> Result<Ended, CliError> {
    let to = addition.config.practice.fax.clone();
    test_page::refuse_suppressed(console, &to).await?;
    let envelope = test_page::envelope(&addition.config, to)?;
    steps.tell("The test page is handed over.");
    let provider = account.layered.provider();
    test_page::send(console, steps, provider, &addition.answers.name, &envelope, Duration::from_secs(wait)).await
}

fn tell(console: &Console, addition: &Addition, ended: Option<&Ended>, steps: &Steps) -> Result<(), CliError> {
    let object = json!({
        "account": addition.answers.name,
        "channel": addition.channel,
        "replaces": addition.away,
        "overridden_by": addition.overridden_by,
        "test_page": ended.map(|ended| json!({ "outcome": ended.is, "words": ended.words })),
        "steps": steps.all(),
    });
    console.answer(&object, || match ended {
        Some(Ended { is, words, .. }) => format!("Test page: {is}; {words}"),
        None => "No test page was sent.".to_owned(),
    })?;
    match ended {
        Some(ended) if !ended.good => {
            test_page::tell_doubt(ended);
            Err(CliError::said(Ending::Failed))
        }
        _ => Ok(()),
    }
}
