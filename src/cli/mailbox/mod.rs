//! `touchline mailbox`: the mailboxes to which returns come, how reading them goes, and whether they can be reached.

mod check;
mod list;
mod looked_at;

use crate::cli::console::Console;
use crate::cli::exit::CliError;

pub(super) use check::{check_mailboxes, failure_words, try_mailbox};

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the configured mailboxes: when each was last read, what was found, and what keeps it from being read
    List,
    /// Log in and say which folders there are, how many mails they hold and what would be read; reads and changes nothing
    Check {
        /// The mailbox (default: all)
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Say that somebody has looked at the mails of a mailbox that could not be read; they are raised no longer
    LookedAt {
        /// The mailbox
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Does it.
///
/// # Errors
/// There is no such mailbox; a check failed.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    match command {
        Command::List => list::run(console).await,
        Command::Check { name } => check::run(console, name.as_deref()).await,
        Command::LookedAt { name } => looked_at::run(console, &name).await,
    }
}
