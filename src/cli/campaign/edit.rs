//! `touchline campaign edit`: change a campaign, and renew or confirm the variables of its next run.

use chrono_tz::Tz;

use super::show::{described, overview};
use crate::app::Gateway;
use crate::campaign::edit::{self, Changes};
use crate::cli::arguments::word;
use crate::cli::console::Console;
use crate::cli::exit::CliError;
use crate::cli::variables::VariableArgs;
use crate::domain::Channel;
use crate::referrers::audience::Audience;

/// What to change; what is not given stays.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// Another letter
    #[arg(long)]
    letter: Option<String>,
    /// Another audience: tag:TAG, type:TYPE, all, or one referrer
    #[arg(long, value_name = "AUDIENCE")]
    to: Option<Audience>,
    /// Other channels
    #[arg(long, value_delimiter = ',', value_parser = word(Channel::ALL, Channel::as_str))]
    via: Option<Vec<Channel>>,
    #[command(flatten)]
    variables: VariableArgs,
    /// Leave a variable to the letter's default
    #[arg(long, value_name = "VARIABLE")]
    unset: Vec<String>,
    /// Confirm that a variable is still true for the next run
    #[arg(long, value_name = "VARIABLE")]
    keep: Vec<String>,
    /// Another schedule, such as "first tuesday 09:00"
    #[arg(long, value_name = "WHEN")]
    every: Option<String>,
    /// Another IANA time zone of the schedule
    #[arg(long)]
    zone: Option<Tz>,
    /// Show who would get it if it ran now; change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Changes it, or in a dry run shows who would get it.
///
/// # Errors
/// There is no such campaign, or it cannot be as it would become.
pub(super) async fn run(console: &Console, gateway: &Gateway, args: Args) -> Result<(), CliError> {
    // No campaign sends a letter about a patient: only another letter could be one.
    let letter = args.letter.as_deref().and_then(|name| gateway.renderer.letter(name));
    letter.map_or(Ok(()), |letter| args.variables.refuse_patients(letter))?;
    let changes = Changes {
        letter: args.letter,
        to: args.to,
        via: args.via,
        set: args.variables.read()?,
        unset: args.unset,
        keep: args.keep,
        every: args.every,
        zone: args.zone,
    };
    let parts = gateway.intake();
    if args.dry_run {
        let times = edit::times_of_edit(&parts, &args.name, &changes).await?;
        let planned = edit::preview_edit(&parts, &args.name, &changes).await?;
        return super::show::dry_run(console, &planned, &times, gateway.config.practice.time_zone);
    }
    let changed = edit::edit(&parts, &args.name, &changes, &console.who).await?;
    console.answer(&described(gateway, &changed), || {
        let zone = gateway.config.practice.time_zone;
        let mut text = format!("Saved.\n{}", overview(gateway, &changed, zone));
        if changed.campaign.waiting_ms.is_some() && changed.renew.is_empty() {
            text.push_str("\nThe run that waited is made by a running `touchline serve` within a minute.");
        }
        text
    })
}
