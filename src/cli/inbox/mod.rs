//! `touchline inbox`: provider callbacks as received. When they came, how large they are, what became of them;
//! never what they say about a person.

mod list;
mod replay;
mod show;

use chrono_tz::Tz;

use super::arguments::{day_or_moment, word};
use super::console::Console;
use super::exit::CliError;
use super::ids::TypedId;
use crate::domain::callback::CallbackState;
use crate::store::views::inbox::CallbacksOf;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List callbacks, newest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// Only those in this state
        #[arg(long, conflicts_with = "unreadable", value_parser = word(CallbackState::ALL, CallbackState::as_str))]
        state: Option<CallbackState>,
        /// How many to list
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
        limit: u16,
    },
    /// Show one callback, and which messages it is about
    Show {
        /// The callback, as `touchline inbox list` shows it
        #[arg(value_name = "ID")]
        id: TypedId,
    },
    /// Parse callbacks again, after an upgrade that parses them better; one with the same result changes nothing
    #[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["ids", "provider", "unreadable", "since"]))]
    Replay {
        /// Callbacks, as `touchline inbox list` shows them
        #[arg(value_name = "ID", conflicts_with_all = ["provider", "unreadable", "since"])]
        ids: Vec<TypedId>,
        #[command(flatten)]
        filter: Filter,
        /// Show what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Which callbacks; all conditions given must hold.
#[derive(Debug, clap::Args)]
pub struct Filter {
    /// Only those received for this account
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Only those that could not be read
    #[arg(long)]
    unreadable: bool,
    /// Only those received then or later: 2026-12-01, or "2026-12-01 09:00"
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
}

impl Filter {
    fn read(self, zone: Tz) -> Result<CallbacksOf, CliError> {
        let since = self.since.map(|text| day_or_moment(&text, zone)).transpose()?;
        let state = self.unreadable.then_some(CallbackState::Unreadable);
        Ok(CallbacksOf { provider: self.provider, state, since })
    }
}

/// Does it.
///
/// # Errors
/// There is no such callback; configuration or database cannot be used.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    match command {
        Command::List { filter, state, limit } => list::run(console, filter, state, limit).await,
        Command::Show { id } => show::run(console, &id).await,
        Command::Replay { ids, filter, dry_run } => replay::run(console, &ids, filter, dry_run).await,
    }
}

/// What a state means.
const fn explain(state: CallbackState) -> &'static str {
    match state {
        CallbackState::Waiting => "It will be applied shortly, or once its fax or email is known.",
        CallbackState::Applied => "What it says has taken effect.",
        CallbackState::Unmatched => "It is about a fax or email that Touchline does not know.",
        CallbackState::Unreadable => {
            "It is authentic, but could not be read. Try again after an upgrade: touchline inbox replay"
        }
        CallbackState::Repeated => "It says nothing that an earlier callback did not say.",
        CallbackState::Ignored => "It is not about anything that Touchline sends.",
    }
}
