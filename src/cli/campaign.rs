//! `touchline campaign`: standing plans, and what a person does with them.

use chrono_tz::Tz;
use serde_json::json;

use super::arguments::{VariableArgs, word};
use super::console::{Console, plain, table};
use super::exit::CliError;
use super::send::{accepted, channels};
use crate::app::Gateway;
use crate::campaign::{self, NewCampaign, Overview};
use crate::domain::{Channel, Timestamp};
use crate::public::{DryRunView, SubmissionView};
use crate::referrers::audience::Audience;
use crate::store::records::campaigns::CampaignRow;
use crate::store::views::ledger::LedgerOf;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a campaign
    Add(Box<Add>),
    /// List campaigns
    List,
    /// Show a campaign, its warnings and its runs
    Show {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Run a campaign once now, beside its schedule
    Run {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        /// Say who would get it, who would not and why; store nothing, send nothing
        #[arg(long)]
        dry_run: bool,
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

/// A new campaign.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// The letter it sends
    #[arg(long)]
    letter: String,
    /// To whom, read anew for every run: tag:TAG, type:TYPE, all, or one referrer
    #[arg(long, value_name = "AUDIENCE")]
    to: Audience,
    /// When, in words, such as "first tuesday 09:00"
    #[arg(long, value_name = "WHEN")]
    every: String,
    /// The IANA zone in which that is meant (default: the practice's)
    #[arg(long)]
    zone: Option<Tz>,
    /// By which channels (default: every channel that has a provider)
    #[arg(long, value_delimiter = ',', value_parser = word(Channel::ALL, Channel::as_str))]
    via: Vec<Channel>,
    #[command(flatten)]
    variables: VariableArgs,
    /// Say who would get it if it ran now; make nothing
    #[arg(long)]
    dry_run: bool,
}

/// Does it.
///
/// # Errors
/// There is no such campaign, or its state does not allow it; a new one cannot be carried out as it stands.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    let gateway = console.gateway().await?;
    match command {
        Command::Add(add) => self::add(console, &gateway, *add).await,
        Command::List => list(console, &gateway).await,
        Command::Show { name } => show(console, &gateway, &name).await,
        Command::Run { name, dry_run: true } => {
            let planned = campaign::preview(&gateway.intake(), &name).await?;
            console.answer(&DryRunView::from(planned.clone()), || accepted::told("Would be:", &planned, true))
        }
        Command::Run { name, dry_run: false } => {
            let accepted = campaign::run_now(&gateway.intake(), &name, &console.who).await?;
            console.answer(&SubmissionView::from(accepted.clone()), || accepted::told("Accepted:", &accepted, false))
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

async fn add(console: &Console, gateway: &Gateway, add: Add) -> Result<(), CliError> {
    let new = NewCampaign {
        name: add.name,
        letter: add.letter,
        to: add.to,
        via: channels(gateway, &add.via)?,
        variables: add.variables.read()?,
        every: add.every,
        zone: add.zone.unwrap_or(gateway.config.practice.time_zone),
        who: console.who.clone(),
    };
    if add.dry_run {
        let planned = campaign::preview_new(&gateway.intake(), new).await?;
        return console.answer(&DryRunView::from(planned.clone()), || accepted::told("Would be:", &planned, true));
    }
    let made = campaign::add(&gateway.intake(), new).await?;
    console.answer(&made, || format!("Made.\n{}", overview(&made, gateway.config.practice.time_zone)))
}

async fn list(console: &Console, gateway: &Gateway) -> Result<(), CliError> {
    let rows = campaign::list(&gateway.intake()).await?;
    let objects: Vec<_> = rows.iter().map(|row| json!({ "campaign": row, "when": campaign::when(row) })).collect();
    console.answer(&json!({ "campaigns": objects }), || {
        if rows.is_empty() {
            return "There are no campaigns yet: `touchline campaign add` makes one.".to_owned();
        }
        let zone = gateway.config.practice.time_zone;
        let lines = rows.iter().map(|row| {
            let (letter, to) = (row.letter.clone(), row.audience.clone());
            vec![row.name.clone(), letter, to, campaign::when(row), row.state.to_string(), next(row.next_ms, zone)]
        });
        table(&["campaign", "letter", "to", "when", "state", "next run"], lines)
    })
}

async fn show(console: &Console, gateway: &Gateway, name: &str) -> Result<(), CliError> {
    let shown = campaign::show(&gateway.intake(), name).await?;
    let mut tx = gateway.store.read().await?;
    let mut ledgers = Vec::new();
    for run in &shown.runs {
        ledgers.push(tx.ledger(LedgerOf::Broadcast(run.id)).await?);
    }
    drop(tx);
    let object = json!({ "campaign": shown, "ledgers": ledgers });
    console.answer(&object, || {
        let zone = gateway.config.practice.time_zone;
        let rows = shown.runs.iter().zip(&ledgers).map(|(run, ledger)| {
            let state = if run.finished_ms.is_some() { "finished" } else { "under way" };
            let numbers =
                [ledger.total, ledger.delivered, ledger.failed, ledger.suppressed, ledger.held, ledger.queued];
            let mut row = vec![run.created_ms.in_zone(zone), state.to_owned()];
            row.extend(numbers.iter().map(ToString::to_string));
            row
        });
        let header = ["run", "state", "messages", "delivered", "failed", "not allowed", "held", "under way"];
        let runs = if shown.runs.is_empty() { "It has not run yet.".to_owned() } else { table(&header, rows) };
        format!("{}\n{runs}", overview(&shown, zone))
    })
}

fn overview(shown: &Overview, zone: Tz) -> String {
    let row = &shown.campaign;
    let mut text = format!(
        "{} ({}): {} to {} by {}, {}.\nNext run: {}. Active targets: {}.",
        row.name,
        row.state,
        row.letter,
        row.audience,
        row.channels.replace(',', " and "),
        shown.when,
        next(row.next_ms, zone),
        shown.active_targets
    );
    for warning in &shown.warnings {
        text.push_str(&format!("\nWarning: {warning}"));
    }
    plain(&text)
}

fn next(at: Option<Timestamp>, zone: Tz) -> String {
    at.map_or_else(|| "none".to_owned(), |at| at.in_zone(zone))
}

fn tell_moved(console: &Console, gateway: &Gateway, row: &CampaignRow) -> Result<(), CliError> {
    console.answer(&json!({ "campaign": row }), || {
        let next = next(row.next_ms, gateway.config.practice.time_zone);
        format!("{} is {}. Next run: {next}.", row.name, row.state)
    })
}
