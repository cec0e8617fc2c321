//! `touchline referrers`: import a list, look up and correct referrers, and export them again.

mod edit;
pub(in crate::cli) mod export;
mod fields;
pub(in crate::cli) mod import;
mod list;
mod merging;
mod show;

use crate::cli::console::Console;
use crate::cli::exit::CliError;
use crate::domain::conflict::Choice;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Import a list (CSV); a repeat updates and never duplicates
    Import(import::Args),
    /// List the newest imports
    Imports,
    /// Undo an import
    UndoImport(merging::UndoImportArgs),
    /// List referrers by name
    List(list::Args),
    /// Show everything known about a referrer
    Show(show::Args),
    /// Add a referrer by hand
    Add(Box<edit::AddArgs>),
    /// Correct a referrer; later lists do not overwrite it
    Edit(Box<edit::EditArgs>),
    /// Send to another of a referrer's locations from now on
    Prefer(edit::PreferArgs),
    /// Take a referrer off all lists; their history is kept
    Delete(edit::DeleteArgs),
    /// Merge two referrers who are one person
    Merge(merging::MergeArgs),
    /// Undo a merge
    UndoMerge(merging::UndoMergeArgs),
    /// List what lists say differently from corrections by hand
    Conflicts,
    /// Keep corrections against a list
    Keep(merging::SettleArgs),
    /// Accept what a list says against a correction
    Accept(merging::SettleArgs),
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
        Command::Imports => merging::imports(console).await,
        Command::UndoImport(args) => merging::undo_import(console, args).await,
        Command::List(args) => list::run(console, args).await,
        Command::Show(args) => show::run(console, args).await,
        Command::Add(args) => edit::add(console, *args).await,
        Command::Edit(args) => edit::edit(console, *args).await,
        Command::Prefer(args) => edit::prefer(console, args).await,
        Command::Delete(args) => edit::delete(console, args).await,
        Command::Merge(args) => merging::merge(console, args).await,
        Command::UndoMerge(args) => merging::undo_merge(console, args).await,
        Command::Conflicts => merging::conflicts(console).await,
        Command::Keep(args) => merging::settle(console, args, Choice::Keep).await,
        Command::Accept(args) => merging::settle(console, args, Choice::Accept).await,
        Command::Export(args) => export::run(console, args).await,
    }
}
