//! `touchline provider new`: a commented description of another fax API, or of a mail provider's callbacks, beside the
//! configuration.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::console::Console;
use crate::cli::exit::{CliError, Ending};
use crate::provider::fax::declared::examples::{BEGINNING, EXAMPLES, Example, find};
use crate::provider::fax::declared::{FOLDER, is_plain_name};
use crate::provider::mail;

/// A mail provider's callbacks, described.
const OF_MAIL: Example = Example { name: "postmark-events", text: mail::events::POSTMARK_EXAMPLE };

/// What to create.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name: lower-case letters, digits, hyphens and underscores
    #[arg(value_name = "NAME")]
    name: String,
    /// Start from a built-in provider's description: phaxio, telnyx, telnyx-media; or postmark-events, for what a mail
    /// provider says of letters
    #[arg(long, value_name = "EXAMPLE")]
    from: Option<String>,
}

/// Writes the file, never over an existing one.
///
/// # Errors
/// The name is not valid, there is no such example, or the file already exists.
pub fn run(console: &Console, args: &Args) -> Result<(), CliError> {
    let file = format!("{}.toml", args.name);
    if !is_plain_name(&file) {
        return Err(CliError::refused(
            "a description's name has lower-case letters, digits, hyphens and underscores, at most 59, such as acme",
        ));
    }
    let example = example(args.from.as_deref())?;
    let folder = folder(&console.config_path);
    let path = folder.join(&file);
    std::fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
    let opened = std::fs::File::options().write(true).create_new(true).open(&path);
    opened
        .and_then(|mut opened| opened.write_all(example.text.as_bytes()).and_then(|()| opened.sync_all()))
        .map_err(|error| unwritable(&path, &error))?;
    console.answer(&json!({ "file": path.display().to_string(), "from": example.name }), || {
        if example.name == OF_MAIL.name {
            return of_mail(&path, console, &file);
        }
        format!(
            "Created: {}\n\nFill it in from the provider's documentation, then add an account to {}:\n\n  \
             [providers.{}]\n  kind        = \"http\"\n  description = \"{file}\"\n\n\
             with the settings and secrets that the description declares. Send one test page to one of your own \
             numbers:\n\n  \
             touchline provider try {file} --to NUMBER",
            path.display(),
            console.config_path.display(),
            args.name,
        )
    })
}

fn of_mail(path: &Path, console: &Console, file: &str) -> String {
    format!(
        "Created: {}\n\nFill it in from the provider's documentation, then add to the relay's account in {}:\n\n  \
         events      = \"declared\"\n  {} = \"{file}\"\n\nwith events_key, or events_user and events_password, as its [proof] \
         needs.",
        path.display(),
        console.config_path.display(),
        mail::events::FILE,
    )
}

/// The folder of descriptions beside a configuration.
#[must_use]
pub fn folder(config: &Path) -> PathBuf {
    config.parent().unwrap_or(Path::new("")).join(FOLDER)
}

fn example(name: Option<&str>) -> Result<&'static Example, CliError> {
    let Some(name) = name else { return Ok(&BEGINNING) };
    if name == OF_MAIL.name {
        return Ok(&OF_MAIL);
    }
    find(name).ok_or_else(|| {
        let names: Vec<&str> = EXAMPLES.iter().chain([&OF_MAIL]).map(|example| example.name).collect();
        CliError::not_found(format!("there is no example `{name}`; there are: {}", names.join(", ")))
    })
}

fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
    match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            CliError::refused(format!("{} already exists: choose another name", path.display()))
        }
        kind => CliError::new(Ending::Failed, format!("{} cannot be written ({kind})", path.display())),
    }
}
