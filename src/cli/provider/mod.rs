//! `touchline provider`: the kinds of provider, the configured accounts, whether they work, and pauses.

mod add;
mod check;
mod health;
mod list;
mod naming;
mod new;
mod pause;
mod placing;
mod show;
mod test_page;
mod try_page;

use crate::app::Gateway;
use crate::cli::console::{Console, print};
use crate::cli::exit::{CliError, Ending};
use crate::provider::page;

pub use check::{check_accounts, failure_words};

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the available kinds, and the configured accounts
    List {
        /// Print the kinds as a documentation page instead
        #[arg(long)]
        markdown: bool,
    },
    /// Add an account to the configuration, check it, and send one test page to the practice's own fax
    Add(add::Args),
    /// Show one account: what it can and cannot do, its state, what last went wrong
    Show {
        /// The account
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Check credentials and reachability; sends nothing
    Check {
        /// The account (default: all)
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Start a description of another fax API
    New(new::Args),
    /// Send one test page using a description, and explain each step
    Try(try_page::Args),
    /// Hand over nothing to an account until it is resumed
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
        /// The relay was right to refuse those recipients: let its refusals of them count
        #[arg(long)]
        refusals_stand: bool,
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
        Command::Add(args) => add::run(console, &args).await,
        Command::Show { name } => show::run(console, &name).await,
        Command::Check { name } => check::run(console, name.as_deref()).await,
        Command::New(args) => new::run(console, &args),
        Command::Try(args) => try_page::run(console, &args).await,
        Command::Pause { name, reason } => pause::pause(console, &name, reason.trim()).await,
        Command::Resume { name, refusals_stand } => pause::resume(console, &name, refusals_stand).await,
    }
}

/// Checks that there is an account of that name.
///
/// # Errors
/// There is none; the error lists the names there are.
pub(super) fn check_known(gateway: &Gateway, name: &str) -> Result<(), CliError> {
    if gateway.accounts.get(name).is_some() {
        return Ok(());
    }
    if let Some(settings) = gateway.config.providers.get(name).filter(|settings| !settings.missing.is_empty()) {
        let missing = settings.missing.join("; ");
        return Err(CliError::new(Ending::Configuration, format!("the account {name} lacks a secret: {missing}")));
    }
    let names: Vec<&str> = gateway.accounts.iter().map(|(name, _)| name).collect();
    Err(CliError::not_found(format!("there is no provider account `{name}`; there are: {}", names.join(", "))))
}
