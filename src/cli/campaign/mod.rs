//! `touchline campaign`: create, list, run, pause and resume campaigns.

mod add;
mod show;

use serde_json::json;

use super::console::Console;
use super::exit::CliError;
use super::send::accepted;
use crate::app::Gateway;
use crate::campaign::{self, Decisions};
use crate::public::{CampaignView, DryRunView, SubmissionView};
use crate::store::records::campaigns::CampaignRow;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create a campaign
    Add(Box<add::Args>),
    /// List campaigns
    List,
    /// Show a campaign, its warnings and its runs
    Show {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Run a campaign once now, in addition to its schedule
    Run {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        /// Run it again for those who got its letter since its last planned run; it does not count as another touch
        #[arg(long)]
        again: bool,
        /// Show who would get it, who would not and why; store nothing, send nothing
        #[arg(long)]
        dry_run: bool,
        /// Send without undo window, and outside the recipients' office hours
        #[arg(long)]
        now: bool,
    },
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
    let gateway = console.gateway().await?;
    let zone = gateway.config.practice.time_zone;
    match command {
        Command::Add(args) => add::run(console, &gateway, *args).await,
        Command::List => show::list(console, &gateway).await,
        Command::Show { name } => show::show(console, &gateway, &name).await,
        Command::Run { name, again, now, dry_run: true } => {
            let planned = campaign::preview(&gateway.intake(), &name, Decisions { again, now }).await?;
            console.answer(&DryRunView::from(planned.clone()), || accepted::told("Would be:", &planned, true, zone))
        }
        Command::Run { name, again, now, dry_run: false } => {
            let decisions = Decisions { again, now };
            let accepted = campaign::run_as_decided(&gateway.intake(), &name, &console.who, decisions).await?;
            console.answer(&SubmissionView::from(accepted.clone()), || accepted::told_accepted(&accepted, zone))
        }
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
        format!("{} is {}. Next run: {next}.", row.name, row.state)
    })
}
