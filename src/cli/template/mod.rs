//! `touchline template`: list and check letters, and start a new one.

mod check;
mod new;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::console::{Console, count, table};
use crate::cli::exit::{CliError, Ending};
use crate::cli::sample;
use crate::domain::Channel;
use crate::domain::practice::Practice;
use crate::render::{Letter, OutOfService, RenderError, Renderer, TemplateError};
use crate::wording::attention;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the letters: built in, and in the configured folder
    List,
    /// Show what a letter is for and its variables
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
    /// Start a new letter from a commented file
    New {
        /// Its name: lower-case letters, digits and hyphens
        #[arg(value_name = "NAME")]
        name: String,
        /// Where your letters are (default: the configured folder, else `letters`)
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// Does it.
///
/// # Errors
/// A letter has errors; a file already exists.
pub fn run(console: &Console, command: Command) -> Result<(), CliError> {
    match command {
        Command::List => list(console),
        Command::Show { name } => show(console, &name),
        Command::Check { folder } => check::run(console, folder.as_deref()),
        Command::New { name, folder } => new::run(console, &name, folder),
    }
}

/// The letters with the configured practice and folder, all of them sound.
fn load(console: &Console, folder: Option<&Path>) -> Result<Result<Renderer, Vec<TemplateError>>, CliError> {
    let (practice, folder) = place(console, folder)?;
    Ok(Renderer::load(practice, folder.as_deref()))
}

/// The letter of that name, to be shown or sent.
///
/// # Errors
/// There is none, or it is out of service because of a mistake.
pub(super) fn named<'r>(renderer: &'r Renderer, name: &str) -> Result<&'r Letter, CliError> {
    renderer.in_service(name).map_err(|error| match error {
        RenderError::UnknownLetter(_) => {
            CliError::not_found(format!("there is no letter `{name}`; `touchline template list` shows them all"))
        }
        other => other.into(),
    })
}

/// The configured practice and folder of letters or, without a configuration, the sample practice.
fn place(console: &Console, folder: Option<&Path>) -> Result<(Practice, Option<PathBuf>), CliError> {
    let (practice, configured) = if console.config_path.exists() {
        let config = console.settings()?;
        (config.practice, config.templates.folder)
    } else {
        (sample::practice()?, None)
    };
    let folder = folder.map(Path::to_owned).or(configured);
    if let Some(missing) = folder.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(CliError::not_found(format!("there is no folder {}", missing.display())));
    }
    Ok((practice, folder))
}

fn list(console: &Console) -> Result<(), CliError> {
    let renderer = in_service(console)?;
    let letters: Vec<&Letter> = renderer.letters().collect();
    let broken = renderer.out_of_service();
    let out: Vec<_> = broken.iter().flat_map(listed).collect();
    console.answer(&json!({ "letters": letters, "out_of_service": out }), || {
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
        let mut text =
            table(&["letter", "purpose", "health information", "must be filled in", "from", "when to use it"], rows);
        for out in &broken {
            let cannot = attention::out_of_service(&out.letters, out.by);
            text.push_str(&format!("\n{cannot} because of a mistake: {}", out.mistake));
        }
        text
    })
}

/// Each letter that is out of service, with the channels by which it is.
fn listed(out: &OutOfService<'_>) -> Vec<Value> {
    let channels: Vec<Channel> = out.by.map_or_else(|| Channel::ALL.to_vec(), |by| vec![by]);
    let letter = |name| json!({ "name": name, "channels": channels, "mistake": out.mistake.to_string() });
    out.letters.iter().map(letter).collect()
}

/// The letters that can be read; some may be out of service by a channel.
fn in_service(console: &Console) -> Result<Renderer, CliError> {
    let (practice, folder) = place(console, None)?;
    Renderer::load_in_service(practice, folder.as_deref())
        .map_err(|errors| CliError::new(Ending::Configuration, lines(&errors)))
}

/// The names of the required variables.
fn required(letter: &Letter) -> String {
    let names =
        letter.variables.iter().filter(|variable| variable.is_required()).map(|variable| variable.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

fn show(console: &Console, name: &str) -> Result<(), CliError> {
    let renderer = in_service(console)?;
    let letter = named(&renderer, name)?;
    console.answer(&json!({ "letter": letter, "sample": letter.sample }), || {
        let rows = letter.variables.iter().map(|variable| {
            let needed = if variable.is_required() { "must be filled in" } else { "may be left out" };
            let kind = serde_json::to_value(variable.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
            let renewed = if variable.perishable { "renewed for every run of a campaign" } else { "" };
            let kind = kind.unwrap_or_default();
            vec![variable.name.clone(), kind, needed.to_owned(), renewed.to_owned(), variable.about.clone()]
        });
        format!(
            "{} ({}, health information: {}, at most {} by fax)\n{}\n\n{}",
            letter.title,
            letter.purpose,
            letter.phi,
            count(usize::try_from(letter.pages_max).unwrap_or(usize::MAX), "page"),
            letter.about,
            table(&["variable", "kind", "", "", "what it is"], rows)
        )
    })
}

fn lines(errors: &[TemplateError]) -> String {
    errors.iter().map(TemplateError::to_string).collect::<Vec<_>>().join("\n")
}
