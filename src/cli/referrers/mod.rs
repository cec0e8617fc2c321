//! `touchline referrers`: lists come in, people are looked up and corrected, and the list goes out again.

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
    /// Bring in a list (CSV); a repeat updates and never duplicates
    Import(import::Args),
    /// List referrers by name
    List(list::Args),
    /// Show everything known of a referrer
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
