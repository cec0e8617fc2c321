//! `touchline operator`: who may log in to the dashboard.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::console::{Console, Records, count, table};
use super::exit::{CliError, Ending};
use super::hidden;
use super::init::Interruption;
use crate::access::{self, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
use crate::domain::Timestamp;
use crate::public::OperatorView;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Let a person log in
    Add {
        /// Login name
        #[arg(value_name = "NAME")]
        name: String,
        /// A file whose first line is the password; `-` reads standard input (default: prompt)
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// List who may log in, and who may not any more
    List,
    /// Set another password, and log the person out everywhere
    Password {
        /// Login name
        #[arg(value_name = "NAME")]
        name: String,
        /// A file whose first line is the password; `-` reads standard input (default: prompt)
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Let a person log in no longer, and log them out everywhere
    Disable {
        /// Login name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Let a disabled person log in again, with the same password
    Enable {
        /// Login name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Remove a person, and log them out everywhere; what they did stays in the records
    Remove {
        /// Login name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Does it.
///
/// # Errors
/// There is no such operator, or there is one already; the password is too short or cannot be read.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    match command {
        Command::Add { name, password_file } => add(console, &name, password_file.as_deref()).await,
        Command::List => list(console).await,
        Command::Password { name, password_file } => password(console, &name, password_file.as_deref()).await,
        Command::Disable { name } => disable(console, &name, true).await,
        Command::Enable { name } => disable(console, &name, false).await,
        Command::Remove { name } => remove(console, &name).await,
    }
}

async fn add(console: &Console, name: &str, password_file: Option<&Path>) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let password = given_password(name, password_file)?;
    access::add_operator(&gateway.access(), name, &password, &console.who).await?;
    let listen = gateway.config.server.listen;
    console.answer(&json!({ "operator": name }), || format!("{name} can log in at http://{listen} now."))
}

async fn list(console: &Console) -> Result<(), CliError> {
    let records = console.records().await?;
    let operators = access::operators(&records.access()).await?;
    console.answer(&json!({ "operators": operators.iter().map(OperatorView::from).collect::<Vec<_>>() }), || {
        if operators.is_empty() {
            return "There are no operators: `touchline operator add NAME` adds one.".to_owned();
        }
        let rows = operators.iter().map(|operator| {
            let disabled = |since: Timestamp| format!("disabled {}", since.in_zone(records.zone));
            let state = operator.disabled_ms.map_or_else(|| "may log in".to_owned(), disabled);
            vec![operator.name.clone(), operator.created_ms.in_zone(records.zone), state]
        });
        table(&["name", "added", "state"], rows)
    })
}

async fn password(console: &Console, name: &str, password_file: Option<&Path>) -> Result<(), CliError> {
    let records = console.records().await?;
    let password = given_password(name, password_file)?;
    let ended = access::set_password(&records.access(), name, &password, &console.who).await?;
    tell(console, name, ended, "has another password")
}

async fn disable(console: &Console, name: &str, disabled: bool) -> Result<(), CliError> {
    let records = console.records().await?;
    let ended = access::set_disabled(&records.access(), name, disabled, &console.who).await?;
    tell(console, name, ended, if disabled { "can no longer log in" } else { "can log in again" })?;
    warn_if_nobody(console, &records).await
}

async fn remove(console: &Console, name: &str) -> Result<(), CliError> {
    let records = console.records().await?;
    let ended = access::remove_operator(&records.access(), name, &console.who).await?;
    tell(console, name, ended, "was removed")?;
    warn_if_nobody(console, &records).await
}

fn tell(console: &Console, name: &str, ended: u64, what: &str) -> Result<(), CliError> {
    let sessions = count(usize::try_from(ended).unwrap_or(usize::MAX), "session");
    let object = json!({ "operator": name, "sessions_ended": ended });
    console.answer(&object, || format!("{name} {what}. {sessions} ended."))
}

async fn warn_if_nobody(console: &Console, records: &Records) -> Result<(), CliError> {
    if !access::has_operators(&records.access()).await? {
        console.note("No one can log in to the dashboard now.");
    }
    Ok(())
}

fn given_password(name: &str, file: Option<&Path>) -> Result<String, CliError> {
    file.map_or_else(|| ask_password(name), read_password)
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
    let _interruption = Interruption::listen("Stopped. Nothing was changed.");
    hidden::ask(&format!("Password for {name}, at least {PASSWORD_CHARS_MIN} characters"), Some("Again"))
        .map_err(|_| CliError::new(Ending::Failed, "Cancelled. Nothing was changed."))
}
