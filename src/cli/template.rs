//! `touchline template`: what letters there are, whether they are sound, and the beginning of a new one.

mod begin;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::console::{Console, count, print, table, warn};
use super::exit::{CliError, Ending};
use super::sample;
use crate::domain::SystemClock;
use crate::domain::clock::Clock;
use crate::render::{Job, Letter, LintFinding, Renderer, Severity, TemplateError};

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the letters: built in, and of the configured folder
    List,
    /// Show what a letter is for and what it is filled in with
    Show {
        /// Its name
        #[arg(value_name = "LETTER")]
        name: String,
    },
    /// Check every letter, partial and notice, and try each letter with its sample
    Check {
        /// A folder of letters (default: the configured one)
        #[arg(value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
    /// Begin a new letter with a commented file
    New {
        /// Its name: lower-case letters, digits and hyphens
        #[arg(value_name = "NAME")]
        name: String,
        /// Where the house's letters lie (default: the configured folder, else `letters`)
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// Does it.
///
/// # Errors
/// A letter is not sound; a file is there already.
pub fn run(console: &Console, command: Command) -> Result<(), CliError> {
    match command {
        Command::List => list(console),
        Command::Show { name } => show(console, &name),
        Command::Check { folder } => check(console, folder.as_deref()),
        Command::New { name, folder } => begin::run(console, &name, folder),
    }
}

/// The letters with the configured practice and folder, or without a configuration with the sample's.
fn load(console: &Console, folder: Option<&Path>) -> Result<Result<Renderer, Vec<TemplateError>>, CliError> {
    let (practice, configured) = if console.config_path.exists() {
        let config = console.config()?;
        (config.practice, config.templates.folder)
    } else {
        (sample::practice()?, None)
    };
    let folder = folder.or(configured.as_deref());
    if let Some(missing) = folder.filter(|folder| !folder.is_dir()) {
        return Err(CliError::not_found(format!("there is no folder {}", missing.display())));
    }
    Ok(Renderer::load(practice, folder))
}

fn list(console: &Console) -> Result<(), CliError> {
    let renderer = sound(console)?;
    let letters: Vec<&Letter> = renderer.letters().collect();
    console.answer(&json!({ "letters": letters }), || {
        let rows = letters.iter().map(|letter| {
            vec![
                letter.name.clone(),
                letter.purpose.to_string(),
                letter.phi.to_string(),
                required(letter),
                if letter.built_in { "built in" } else { "own" }.to_owned(),
                letter.about.clone(),
            ]
        });
        table(&["letter", "purpose", "health information", "must be filled in", "from", "when to use it"], rows)
    })
}

fn sound(console: &Console) -> Result<Renderer, CliError> {
    load(console, None)?.map_err(|errors| CliError::new(Ending::Configuration, lines(&errors)))
}

/// The names of the variables that cannot be left out.
fn required(letter: &Letter) -> String {
    let names =
        letter.variables.iter().filter(|variable| variable.is_required()).map(|variable| variable.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

fn show(console: &Console, name: &str) -> Result<(), CliError> {
    let renderer = sound(console)?;
    let letter = renderer.letter(name).ok_or_else(|| {
        CliError::not_found(format!("there is no letter `{name}`; `touchline template list` shows them all"))
    })?;
    console.answer(&json!({ "letter": letter, "sample": letter.sample }), || {
        let rows = letter.variables.iter().map(|variable| {
            let needed = if variable.is_required() { "must be filled in" } else { "may be left out" };
            let kind = serde_json::to_value(variable.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
            vec![variable.name.clone(), kind.unwrap_or_default(), needed.to_owned(), variable.about.clone()]
        });
        format!(
            "{} ({}, health information: {}, at most {} by fax)\n{}\n\n{}",
            letter.title,
            letter.purpose,
            letter.phi,
            count(usize::try_from(letter.pages_max).unwrap_or(usize::MAX), "page"),
            letter.about,
            table(&["variable", "kind", "", "what it is"], rows)
        )
    })
}

fn lines(errors: &[TemplateError]) -> String {
    errors.iter().map(TemplateError::to_string).collect::<Vec<_>>().join("\n")
}

/// What trying one letter found.
#[derive(Debug)]
struct Tried {
    letter: String,
    error: Option<String>,
    lint: Vec<LintFinding>,
}

impl Tried {
    fn is_unfit(&self) -> bool {
        self.error.is_some() || self.lint.iter().any(|finding| finding.severity == Severity::Error)
    }
}

fn check(console: &Console, folder: Option<&Path>) -> Result<(), CliError> {
    let renderer = match load(console, folder)? {
        Ok(renderer) => renderer,
        Err(errors) => return tell_errors(console, &errors),
    };
    let tried: Vec<Tried> = renderer.letters().map(|letter| try_letter(&renderer, letter)).collect();
    tell_tried(console, &tried)?;
    if tried.iter().any(Tried::is_unfit) { Err(CliError::said(Ending::Configuration)) } else { Ok(()) }
}

/// Mistakes in the files themselves: nothing can be tried.
fn tell_errors(console: &Console, errors: &[TemplateError]) -> Result<(), CliError> {
    if console.json {
        let found: Vec<Value> = errors
            .iter()
            .map(|e| json!({ "file": e.template, "line": e.line, "column": e.column, "message": e.message }))
            .collect();
        console.answer(&json!({ "ok": false, "errors": found }), String::new)?;
    } else {
        warn(&format!("{} found:\n{}", count(errors.len(), "mistake"), lines(errors)));
    }
    Err(CliError::said(Ending::Configuration))
}

/// One letter on both channels with its sample values.
fn try_letter(renderer: &Renderer, letter: &Letter) -> Tried {
    let referrer = sample::referrer();
    let job = Job {
        letter: &letter.name,
        referrer: &referrer,
        variables: &letter.sample,
        now: SystemClock.now(),
        reference: "5A3C9E01",
        unsubscribe: None,
        automatic: false,
    };
    let fax = renderer.fax(&job).and_then(|fax| renderer.mail(&job).map(|_| fax));
    match fax {
        Ok(fax) => match fax.inspect() {
            Ok(lint) => Tried { letter: letter.name.clone(), error: None, lint },
            Err(error) => Tried { letter: letter.name.clone(), error: Some(error.to_string()), lint: fax.lint },
        },
        Err(error) => {
            let error = format!("{error} (tried with {}/sample.json)", letter.name);
            Tried { letter: letter.name.clone(), error: Some(error), lint: Vec::new() }
        }
    }
}

fn tell_tried(console: &Console, tried: &[Tried]) -> Result<(), CliError> {
    let sound = !tried.iter().any(Tried::is_unfit);
    let letters: Vec<Value> = tried
        .iter()
        .map(|one| json!({ "letter": one.letter, "ok": !one.is_unfit(), "error": one.error, "lint": one.lint }))
        .collect();
    if console.json {
        return console.answer(&json!({ "ok": sound, "letters": letters }), String::new);
    }
    for one in tried {
        let problems = one.error.iter().cloned().chain(one.lint.iter().map(|finding| finding.message.clone()));
        for problem in problems {
            warn(&format!("{}: {problem}", one.letter));
        }
    }
    let unfit = tried.iter().filter(|one| one.is_unfit()).count();
    print(&match unfit {
        0 => format!("{} checked, all sound.", count(tried.len(), "letter")),
        unfit => format!("{} checked, {unfit} not sound.", count(tried.len(), "letter")),
    });
    Ok(())
}
