//! `touchline operator add`: lets a person log in to the dashboard, or gives them a new password.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use dialoguer::Password;
use serde_json::json;

use super::console::Console;
use super::exit::{CliError, Ending};
use crate::access::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, create_operator};

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Let a person log in, or set a new password
    Add {
        /// Login name
        #[arg(value_name = "NAME")]
        name: String,
        /// A file whose first line is the password; `-` reads standard input (default: prompt)
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
}

/// Does it.
///
/// # Errors
/// The password is too short or cannot be read.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    let Command::Add { name, password_file } = command;
    let gateway = console.gateway().await?;
    let password = match password_file {
        Some(file) => read_password(&file)?,
        None => ask_password(&name)?,
    };
    create_operator(&gateway.access(), &name, &password, &console.who).await?;
    let listen = gateway.config.server.listen;
    console.answer(&json!({ "operator": name }), || format!("{name} can log in at http://{listen} now."))
}

/// The first line. No error message repeats it.
fn read_password(file: &Path) -> Result<String, CliError> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => CliError::not_found(format!("there is no file {}", file.display())),
        kind => CliError::new(Ending::Failed, format!("{} cannot be read ({kind})", file.display())),
    };
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).map_err(unreadable)?)
    };
    let mut text = String::new();
    // A character has at most four bytes.
    source.take(PASSWORD_CHARS_MAX as u64 * 4 + 2).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn ask_password(name: &str) -> Result<String, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::usage("there is no terminal for questions: give --password-file"));
    }
    Password::new()
        .with_prompt(format!("Password for {name}, at least {PASSWORD_CHARS_MIN} characters"))
        .with_confirmation("Again", "The two do not match")
        .interact()
        .map_err(|_| CliError::new(Ending::Failed, "Cancelled. Nothing was changed."))
}
