//! `touchline init`: a first configuration file, from questions or from flags.

mod account_questions;
mod choices;
pub mod config_file;
mod draft;
mod first_letter;
mod practice_flags;
mod prompts;
mod questions;
pub(super) mod reading;
mod review;
mod states;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::Path;

use secrecy::SecretString;
use serde_json::json;
use url::Url;

use crate::cli::console::Console;
use crate::cli::exit::{CliError, Ending};
use crate::cli::kinds::{check_key, missing_setting, spec_named};
use crate::cli::table::wrapped;
use crate::cli::{INSTALLED_CONFIG_FOLDER, INSTALLED_DATA_FOLDER, env_file, rehearsal};
use crate::config::VARIABLES_FILE;
use crate::domain::Channel;
use crate::files::create_private;
use crate::provider::Spec;
use config_file::{AccountAnswers, Answers, render_config};
use draft::Draft;
use first_letter::FirstLetter;
use practice_flags::PracticeFlags;
use questions::{GROUPS, ask};

pub(super) use account_questions::{ask_settings, is_asked};
pub(super) use prompts::{Asked, Interruption, say, yes};

/// The most characters of the letter on a line of the terminal.
const TEXT_CHARS_MAX: usize = 74;
/// What is said where nothing comes of the answers.
const STOPPED: &str = "Stopped. No file was written.";
/// What is said before the first question.
const BEGINNING: &str = "\
A first configuration for Touchline, in ten groups of questions.
Enter takes what stands in [brackets]. To go back to the question before, type <
and Enter; in a list, press Esc. At the end everything is shown once more, and
nothing is written before that. Ctrl-C stops.";

/// What goes into the file.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ask nothing; fill in a fictional practice where flags say nothing
    #[arg(long)]
    defaults: bool,
    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
    /// An account of this provider kind; repeat for more
    #[arg(long = "provider", value_name = "KIND")]
    providers: Vec<String>,
    /// A setting of such an account: KIND.KEY=VALUE; secrets go in the environment
    #[arg(long = "setting", value_name = "KIND.KEY=VALUE")]
    settings: Vec<String>,
    /// Public web address of this installation, for provider callbacks and opt-out links
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
    #[command(flatten, next_help_heading = "Practice")]
    practice: PracticeFlags,
}

/// Writes the file and lists what must be set before it is used; after questions, shows the first letter.
///
/// # Errors
/// The file already exists; flags are missing; there is no terminal for questions.
pub fn run(console: &Console, args: &Args) -> Result<(), CliError> {
    let path = console.config_path.as_path();
    let flags = args.defaults || args.practice.any() || !args.providers.is_empty();
    let questions = (!flags && std::io::stdin().is_terminal()).then(|| Interruption::listen(STOPPED));
    refuse_overwrite(path, args.force, flags)?;
    let mut answers = if flags { from_flags(args)? } else { from_questions(args)? };
    // Data does not belong into /etc: there, and for an installed package, it has a folder of its own.
    answers.data_folder = path.starts_with(INSTALLED_CONFIG_FOLDER).then(|| INSTALLED_DATA_FOLDER.into());
    drop(questions);
    write(path, &render_config(&answers))?;
    let rehearses = answers.accounts.iter().any(AccountAnswers::is_rehearsal);
    let mut variables = answers.variables_to_set();
    if rehearses {
        set_rehearsal_words(path, &mut variables)?;
    }
    env_file::offer(path, &variables)?;
    let beside = path.parent().unwrap_or(Path::new(""));
    let folder = answers.data_folder.as_deref().unwrap_or(beside);
    let letter = if flags { None } else { Some(first_letter::write(&answers.practice, folder)) };
    let object = json!({
        "file": path.display().to_string(),
        "variables": variables.iter().map(|(name, about)| json!({ "name": name, "about": about })).collect::<Vec<_>>(),
    });
    console.answer(&object, || {
        let mut text = written_words(path, &variables);
        if args.defaults {
            text.push_str("Everything the flags did not give is fictional: put your own practice into the file.\n");
        }
        match &letter {
            None => {}
            Some(Ok(letter)) => text.push_str(&letter_words(letter)),
            Some(Err(error)) => text.push_str(&format!(
                "\nYour introduction letter cannot be shown: {error}\nCorrect [practice] in the file, then touchline doctor.\n\n"
            )),
        }
        text.push_str(&sign_in_words(&answers.accounts));
        text.push_str(&next_words(&answers.accounts));
        text
    })
}

/// The letter and where its files are.
fn letter_words(letter: &FirstLetter) -> String {
    let mut text = "\nYour introduction letter, to an invented psychiatrist:\n\n".to_owned();
    let lines = letter.text.lines().flat_map(|line| match wrapped(line, TEXT_CHARS_MAX) {
        blank if blank.is_empty() => vec![String::new()],
        lines => lines,
    });
    for line in lines {
        text.push_str(&format!("  | {line}\n"));
    }
    let pages = letter.files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "png"));
    for page in pages {
        text.push_str(&format!("\nAs a fax machine prints it: {}\n", page.display()));
    }
    for mistake in &letter.mistakes {
        text.push_str(&format!("Look at this: {mistake}\n"));
    }
    text.push('\n');
    text
}

fn written_words(path: &Path, variables: &[(String, &'static str)]) -> String {
    let mut text = format!("Written: {}\n", path.display());
    if !variables.is_empty() {
        let beside = path.with_file_name(VARIABLES_FILE);
        text.push_str(&format!("Write these into {}, or set them in the environment:\n", beside.display()));
    }
    for (name, about) in variables {
        text.push_str(&format!("  {name}   {about}\n"));
    }
    text
}

/// What a person does once for an account that signs in by OAuth; empty where there is none.
fn sign_in_words(accounts: &[AccountAnswers]) -> String {
    let sign_in = accounts.iter().filter(|account| account.settings.contains_key("oauth"));
    sign_in
        .map(|account| {
            format!("Sign in to the mailbox once, unless the app itself does: touchline mail login {}\n", account.name)
        })
        .collect()
}

/// What to do next. Where letters of one channel would reach people, that is said before anything about a rehearsal.
fn next_words(accounts: &[AccountAnswers]) -> String {
    let is_sandbox = |account: &&AccountAnswers| account.is_rehearsal() || account.kind == rehearsal::FAX_KIND;
    let (sandbox, live): (Vec<_>, Vec<_>) = accounts.iter().partition(is_sandbox);
    if sandbox.is_empty() {
        return "Next: touchline doctor, then touchline referrers import FILE, then touchline serve.".to_owned();
    }
    if live.is_empty() {
        return "Next, to rehearse: touchline sandbox in a second window, then touchline doctor,\n\
                then touchline referrers import FILE, then touchline serve.\n\
                Once you have a provider: touchline provider add KIND."
            .to_owned();
    }
    let by = |accounts: &[&AccountAnswers]| {
        let words = accounts.iter().map(|account| match account.channel() {
            Some(Channel::Fax) => format!("faxes by {}", account.name),
            _ => format!("email by {}", account.name),
        });
        words.collect::<Vec<_>>().join(" and ")
    };
    let off: Vec<String> =
        live.iter().filter_map(|account| account.channel()).map(|channel| format!("{channel} = []")).collect();
    format!(
        "This is not a rehearsal: touchline serve really sends {}.\n\
         The sandbox gets only {}.\n\
         Next: touchline sandbox in a second window, then touchline doctor, then\n\
         touchline referrers import FILE. To rehearse without writing to anybody, put\n\
         {} under [routes] before touchline serve.",
        by(&live),
        by(&sandbox),
        off.join(" and ")
    )
}

/// The sandbox's key and secret, made up once and written for both sides, so that nobody has to.
fn set_rehearsal_words(config: &Path, variables: &mut Vec<(String, &'static str)>) -> Result<(), CliError> {
    let is_word = |name: &str| [rehearsal::KEY_VARIABLE, rehearsal::SECRET_VARIABLE].contains(&name);
    let mut entries = Vec::new();
    for (name, about) in variables.iter().filter(|(name, _)| is_word(name)) {
        if crate::config::variable(config, name)?.is_none() {
            let value = SecretString::from(rehearsal::new_word());
            entries.push(env_file::Entry { name: name.clone(), about: (*about).to_owned(), value });
        }
    }
    variables.retain(|(name, _)| !is_word(name));
    if entries.is_empty() { Ok(()) } else { env_file::set(config, &entries) }
}

fn refuse_overwrite(path: &Path, force: bool, flags: bool) -> Result<(), CliError> {
    if force || !path.exists() {
        return Ok(());
    }
    let question = format!("{} exists. Replace it?", path.display());
    let asked = !flags && std::io::stdin().is_terminal() && yes(&question, false).unwrap_or(false);
    if asked { Ok(()) } else { Err(CliError::refused(format!("{} exists: --force replaces it", path.display()))) }
}

fn from_questions(args: &Args) -> Result<Answers, CliError> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(CliError::usage(
            "there is no terminal for questions: describe the practice with flags, or use --defaults (see touchline init --help)",
        ));
    }
    let canceled = || CliError::new(Ending::Failed, STOPPED);
    say(BEGINNING);
    let mut draft = Draft::default();
    let reviewed = ask(&mut draft, 0..GROUPS.len()).and_then(|()| review::review(&mut draft));
    if !reviewed.map_err(|_| canceled())? {
        return Err(canceled());
    }
    let mut answers = draft.answers().ok_or_else(canceled)?;
    answers.public_url.clone_from(&args.public_url);
    Ok(answers)
}

fn from_flags(args: &Args) -> Result<Answers, CliError> {
    let mut answers = Answers::of_practice(args.practice.practice(args.defaults)?);
    let mut settings = read_settings(&args.settings)?;
    for kind in &args.providers {
        let spec = spec_named(kind)?;
        let settings = settings.remove(spec.kind).unwrap_or_default();
        check_settings(spec, &settings)?;
        answers.accounts.push(AccountAnswers { settings, ..AccountAnswers::new(spec.kind, spec.channel) });
    }
    if let Some(kind) = settings.keys().next() {
        return Err(CliError::usage(format!("--setting {kind}.…: add --provider {kind}")));
    }
    answers.public_url.clone_from(&args.public_url);
    Ok(answers)
}

pub(super) fn read_settings(texts: &[String]) -> Result<BTreeMap<String, BTreeMap<String, String>>, CliError> {
    let mut settings: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for text in texts {
        let parts = text.split_once('=').and_then(|(key, value)| Some((key.split_once('.')?, value)));
        let ((kind, key), value) = parts.ok_or_else(|| CliError::usage("--setting takes KIND.KEY=VALUE"))?;
        settings.entry(kind.trim().to_owned()).or_default().insert(key.trim().to_owned(), value.to_owned());
    }
    Ok(settings)
}

fn check_settings(spec: &Spec, given: &BTreeMap<String, String>) -> Result<(), CliError> {
    given.keys().try_for_each(|key| check_key(spec, key))?;
    match missing_setting(spec, given) {
        None => Ok(()),
        Some(setting) => {
            Err(CliError::usage(format!("add --setting {0}.{1}=…: {2}", spec.kind, setting.key, setting.about)))
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |error: std::io::Error| {
        CliError::new(Ending::Failed, format!("{} cannot be written ({})", path.display(), error.kind()))
    };
    let mut file = create_private(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(accounts: &[AccountAnswers]) -> String {
        next_words(accounts)
    }

    #[test]
    fn a_rehearsal_is_offered_only_where_nothing_reaches_anybody() {
        let (fax, mail) = (AccountAnswers::rehearsal(Channel::Fax), AccountAnswers::rehearsal(Channel::Email));
        let relay = AccountAnswers::new("smtp", Channel::Email);
        for accounts in [vec![fax.clone(), mail.clone()], vec![fax.clone()], vec![mail.clone()]] {
            assert!(next(&accounts).starts_with("Next, to rehearse: touchline sandbox"), "{}", next(&accounts));
        }
        let mixed = next(&[fax, relay.clone()]);
        assert!(!mixed.contains("Next, to rehearse"), "{mixed}");
        assert!(
            mixed.starts_with("This is not a rehearsal: touchline serve really sends email by email-smtp."),
            "{mixed}"
        );
        assert!(mixed.contains("faxes by rehearsal") && mixed.contains("email = []"), "{mixed}");
        let other = next(&[AccountAnswers::new("telnyx", Channel::Fax), mail]);
        assert!(other.contains("really sends faxes by fax-telnyx") && other.contains("fax = []"), "{other}");
        assert!(!next(&[relay]).contains("sandbox"));
    }

    #[test]
    fn who_chose_to_sign_in_is_told_the_command() {
        let mut relay = AccountAnswers::new("smtp", Channel::Email);
        assert_eq!(sign_in_words(std::slice::from_ref(&relay)), "");
        relay.settings.insert("oauth".to_owned(), "google".to_owned());
        assert!(sign_in_words(&[relay]).ends_with("touchline mail login email-smtp\n"));
    }

    #[test]
    fn the_sandbox_is_started_before_the_doctor_looks_for_it() {
        let words = next(&[AccountAnswers::rehearsal(Channel::Fax)]);
        assert!(words.find("touchline sandbox") < words.find("touchline doctor"), "{words}");
    }
}
