//! `touchline campaign`: create, list, edit, rename, remove, run, pause and resume campaigns.

mod add;
mod edit;
mod run;
mod show;

use serde_json::json;

use super::console::Console;
use super::exit::CliError;
use crate::app::Gateway;
use crate::campaign;
use crate::public::CampaignView;
use crate::store::records::campaigns::CampaignRow;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create a campaign
    Add(Box<add::Args>),
    /// List campaigns
    List {
        /// Removed ones too
        #[arg(long)]
        all: bool,
    },
    /// Show a campaign, its warnings and its runs
    Show {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Change a campaign, and renew what its next run says
    Edit(Box<edit::Args>),
    /// Give a campaign another name
    Rename {
        /// Its name
        #[arg(value_name = "OLD")]
        name: String,
        /// Its name from now on
        #[arg(value_name = "NEW")]
        to: String,
    },
    /// Remove a campaign; the history of its broadcasts stays, and its name can be used again
    Remove {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Run a campaign once now, in addition to its schedule
    Run(run::Args),
    /// Stop a campaign from running
    Pause {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Let a campaign run again
    Resume {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Does it.
///
/// # Errors
/// There is no such campaign, or its state does not allow it; a new one cannot be carried out as given.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    // Only what would be sent asks which accounts can send it.
    let gateway = match &command {
        Command::Add(_) | Command::Edit(_) | Command::Run(_) => console.gateway().await?,
        _ => console.gateway_to_read().await?,
    };
    match command {
        Command::Add(args) => add::run(console, &gateway, *args).await,
        Command::List { all } => show::list(console, &gateway, all).await,
        Command::Show { name } => show::show(console, &gateway, &name).await,
        Command::Edit(args) => edit::run(console, &gateway, *args).await,
        Command::Rename { name, to } => {
            let row = campaign::edit::rename(&gateway.intake(), &name, &to, &console.who).await?;
            console.answer(&json!({ "campaign": CampaignView::from(&row) }), || format!("Renamed to {}.", row.name))
        }
        Command::Remove { name } => {
            let row = campaign::edit::remove(&gateway.intake(), &name, &console.who).await?;
            console.answer(&json!({ "campaign": CampaignView::from(&row) }), || {
                format!(
                    "Removed {}. Its broadcasts stay as they are; `touchline campaign list --all` shows it.",
                    row.name
                )
            })
        }
        Command::Run(args) => run::run(console, &gateway, args).await,
        Command::Pause { name } => {
            let row = campaign::pause(&gateway.intake(), &name, &console.who).await?;
            tell_moved(console, &gateway, &row)
        }
        Command::Resume { name } => {
            let row = campaign::resume(&gateway.intake(), &name, &console.who).await?;
            tell_moved(console, &gateway, &row)
        }
    }
}

fn tell_moved(console: &Console, gateway: &Gateway, row: &CampaignRow) -> Result<(), CliError> {
    console.answer(&json!({ "campaign": CampaignView::from(row) }), || {
        let next = show::next(row.next_ms, gateway.config.practice.time_zone);
        format!("{} is {}. Next run: {next}.{}", row.name, row.state, show::dates(campaign::times(row).as_ref()))
    })
}
