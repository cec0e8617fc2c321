//! `touchline address`: addresses that count as dead, and another chance for them.

use chrono_tz::Tz;
use serde_json::json;

use super::arguments::{day_or_moment, word};
use super::console::{Console, table};
use super::exit::CliError;
use crate::domain::{Address, Channel, Fault};
use crate::operator::addresses::{self, AT_ONCE_MAX, Revival};
use crate::public::RevivalView;
use crate::store::records::addresses::DeadOf;
use crate::wording;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List addresses that count as dead: nothing but treatment correspondence is sent to them
    List {
        #[command(flatten)]
        filter: Filter,
    },
    /// Give dead addresses another chance: one by name, or many by cause and time
    #[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["addresses", "cause", "channel", "since", "until"]))]
    Revive {
        /// Fax numbers or email addresses
        #[arg(value_name = "ADDRESS", conflicts_with_all = ["cause", "channel", "since", "until"])]
        addresses: Vec<String>,
        #[command(flatten)]
        filter: Filter,
        /// Do it; without it, many by cause and time are only counted
        #[arg(long)]
        yes: bool,
    },
}

/// Which addresses; all conditions given must hold.
#[derive(Debug, clap::Args)]
pub struct Filter {
    /// Only those that died of this, such as mailbox_unknown
    #[arg(long, value_name = "CAUSE", value_parser = word(Fault::ALL, Fault::as_str))]
    cause: Option<Fault>,
    /// Only fax numbers, or only email addresses
    #[arg(long, value_parser = word(Channel::ALL, Channel::as_str))]
    channel: Option<Channel>,
    /// Only those that died then or later: 2026-12-01, or "2026-12-01 09:00"
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only those that died before then
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

impl Filter {
    fn read(&self, zone: Tz) -> Result<DeadOf, CliError> {
        let moment = |text: &Option<String>| text.as_deref().map(|text| day_or_moment(text, zone)).transpose();
        Ok(DeadOf {
            channel: self.channel,
            fault: self.cause,
            since: moment(&self.since)?,
            until: moment(&self.until)?,
        })
    }
}

/// Does it.
///
/// # Errors
/// An address is not valid, or nothing is held against it.
pub async fn run(console: &Console, command: Command) -> Result<(), CliError> {
    match command {
        Command::List { filter } => list(console, &filter).await,
        Command::Revive { addresses, filter, yes } if addresses.is_empty() => revive_all(console, &filter, yes).await,
        Command::Revive { addresses, .. } => revive(console, &addresses).await,
    }
}

async fn list(console: &Console, filter: &Filter) -> Result<(), CliError> {
    let records = console.records().await?;
    let which = filter.read(records.zone)?;
    let dead = records.store.read().await?.addresses_dead(which, AT_ONCE_MAX, false).await?;
    let object = json!({ "addresses": dead.iter().map(|one| json!({
        "channel": one.channel, "address": one.value.pretty(), "fault": one.fault,
    })).collect::<Vec<_>>() });
    console.answer(&object, || {
        if dead.is_empty() {
            return "No address counts as dead.".to_owned();
        }
        let why = |fault: Option<Fault>| fault.map_or("", wording::fault).to_owned();
        let rows = dead.iter().map(|one| vec![one.channel.to_string(), one.value.pretty(), why(one.fault)]);
        table(&["channel", "address", "why"], rows)
    })
}

async fn revive(console: &Console, given: &[String]) -> Result<(), CliError> {
    let parsed: Result<Vec<Address>, CliError> =
        given.iter().map(|text| Address::guess(text).map_err(|error| CliError::refused(error.to_string()))).collect();
    let (parsed, parts) = (parsed?, console.gateway_to_read().await?.operator());
    for address in &parsed {
        addresses::revive(&parts, address, &console.who).await?;
    }
    let done = RevivalView::new(false, parsed.len(), &[], false);
    console.answer(&done, || format!("{} will be tried again.", named(parsed.len())))
}

async fn revive_all(console: &Console, filter: &Filter, yes: bool) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let which = filter.read(gateway.config.practice.time_zone)?;
    let parts = gateway.operator();
    let Revival { addresses, causes, is_cut } = if yes {
        addresses::revive_all(&parts, which, &console.who).await?
    } else {
        addresses::count(&parts, which).await?
    };
    console.answer(&RevivalView::new(!yes, addresses, &causes, is_cut), || {
        let rows = causes.iter().map(|(fault, count)| {
            let word = fault.map_or("unknown", Fault::as_str);
            vec![count.to_string(), word.to_owned(), fault.map_or("", wording::fault).to_owned()]
        });
        let list = table(&["addresses", "cause", "why"], rows);
        let more = if is_cut { " There may be more: repeat the command." } else { "" };
        if yes {
            format!("{list}\n\n{} will be tried again.{more}", named(addresses))
        } else {
            format!(
                "{list}\n\n{} would be tried again. Nothing was changed; add --yes to do it.{more}",
                named(addresses)
            )
        }
    })
}

fn named(number: usize) -> String {
    if number == 1 { "1 address".to_owned() } else { format!("{number} addresses") }
}
