//! `touchline referrers`: import a list, look up and correct referrers, and export them again.

mod edit;
mod export;
mod import;
mod list;
mod show;

use crate::cli::console::Console;
use crate::cli::exit::CliError;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Import a list (CSV); a repeat updates and never duplicates
    Import(import::Args),
    /// List referrers by name
    List(list::Args),
    /// Show everything known about a referrer
    Show(show::Args),
    /// Correct a referrer
    Edit(Box<edit::Args>),
    /// Write all referrers as CSV that can be imported again
    Export(export::Args),
}

/// Does it.
///
/// # Errors
/// As each command.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    match command {
        Command::Import(args) => import::run(console, args).await,
        Command::List(args) => list::run(console, args).await,
        Command::Show(args) => show::run(console, args).await,
        Command::Edit(args) => edit::run(console, *args).await,
        Command::Export(args) => export::run(console, args).await,
    }
}
