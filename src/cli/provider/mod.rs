//! `touchline provider`: what kinds of provider there are, which accounts are configured, whether they work, and pauses.

mod check;
mod dkim_key;
mod list;
mod new;
mod pause;
mod show;
mod try_page;

use std::path::PathBuf;

use crate::app::Gateway;
use crate::cli::console::{Console, print};
use crate::cli::exit::CliError;
use crate::provider::page;

pub use check::check_accounts;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the kinds there are, and the configured accounts
    List {
        /// Print the kinds as the documentation's page instead
        #[arg(long)]
        markdown: bool,
    },
    /// Show one account: what it can and cannot do, how it stands, what went wrong last
    Show {
        /// The account
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Check credentials and reachability; sends nothing
    Check {
        /// One account; all of them if none is named
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Begin the description of another fax API
    New(new::Args),
    /// Send one test page by a description, and explain each step
    Try(try_page::Args),
    /// Make an Ed25519 key for DKIM in a new file, and show the DNS record that goes with it
    DkimKey {
        /// The file, which must not exist yet
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Hand nothing over to an account until it is resumed
    Pause {
        /// The account
        #[arg(value_name = "NAME")]
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// End a pause
    Resume {
        /// The account
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Does it.
///
/// # Errors
/// There is no such account; a check failed.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    match command {
        Command::List { markdown: true } => {
            print(page::markdown().trim_end());
            Ok(())
        }
        Command::List { markdown: false } => list::run(console).await,
        Command::Show { name } => show::run(console, &name).await,
        Command::Check { name } => check::run(console, name.as_deref()).await,
        Command::New(args) => new::run(console, &args),
        Command::Try(args) => try_page::run(console, &args).await,
        Command::DkimKey { file } => dkim_key::run(console, &file),
        Command::Pause { name, reason } => pause::pause(console, &name, reason.trim()).await,
        Command::Resume { name } => pause::resume(console, &name).await,
    }
}

/// That there is an account of that name.
///
/// # Errors
/// There is none; the names there are.
fn check_known(gateway: &Gateway, name: &str) -> Result<(), CliError> {
    if gateway.accounts.get(name).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = gateway.accounts.iter().map(|(name, _)| name).collect();
    Err(CliError::not_found(format!("there is no provider account `{name}`; there are: {}", names.join(", "))))
}
