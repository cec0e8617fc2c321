//! `touchline campaign add`: a new campaign.

use chrono_tz::Tz;

use super::show::overview;
use crate::app::Gateway;
use crate::campaign::{self, NewCampaign};
use crate::cli::arguments::word;
use crate::cli::console::Console;
use crate::cli::exit::CliError;
use crate::cli::send::channels;
use crate::cli::variables::VariableArgs;
use crate::domain::Channel;
use crate::referrers::audience::Audience;

/// A new campaign.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// The letter it sends
    #[arg(long)]
    letter: String,
    /// To whom, evaluated again for every run: tag:TAG, type:TYPE, all, or one referrer
    #[arg(long, value_name = "AUDIENCE")]
    to: Audience,
    /// When, such as "first tuesday 09:00", "every month on the 1st at 9 am" or "tomorrow at 9"
    #[arg(long, value_name = "WHEN")]
    every: String,
    /// The IANA time zone of that time (default: the practice's)
    #[arg(long)]
    zone: Option<Tz>,
    /// Which channels to use (default: every channel that has a provider)
    #[arg(long, value_delimiter = ',', value_parser = word(Channel::ALL, Channel::as_str))]
    via: Vec<Channel>,
    #[command(flatten)]
    variables: VariableArgs,
    /// Show who would get it if it ran now; create nothing
    #[arg(long)]
    dry_run: bool,
}

/// Creates it, or in a dry run shows who would get it.
///
/// # Errors
/// It cannot be carried out as given.
pub(super) async fn run(console: &Console, gateway: &Gateway, add: Args) -> Result<(), CliError> {
    gateway.renderer.letter(&add.letter).map_or(Ok(()), |letter| add.variables.refuse_patients(letter))?;
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
    let zone = gateway.config.practice.time_zone;
    if add.dry_run {
        let times = campaign::times_of_new(&gateway.intake(), &new.every, new.zone)?;
        let planned = campaign::preview_new(&gateway.intake(), new).await?;
        return super::show::dry_run(console, &planned, &times, zone);
    }
    let made = campaign::add(&gateway.intake(), new).await?;
    console.answer(&super::show::described(gateway, &made), || format!("Created.\n{}", overview(gateway, &made, zone)))
}
