//! `touchline bounce`: mails that came back.

mod explain;

use super::console::Console;
use super::exit::CliError;

/// What can be done about mails that came back.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show what is read in mails that came back: who bounced, why, and whether the address is bad
    Explain(explain::Args),
}

/// Does it.
///
/// # Errors
/// As the command has them.
pub fn run(console: &Console, command: &Command) -> Result<(), CliError> {
    match command {
        Command::Explain(args) => explain::run(console, args),
    }
}
