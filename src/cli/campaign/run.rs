//! `touchline campaign run`: one broadcast now, after a look at what it is.

use crate::app::Gateway;
use crate::campaign::{self, Decisions, by_hand};
use crate::cli::console::Console;
use crate::cli::exit::CliError;
use crate::cli::send::{accepted, confirm};
use crate::public::{DryRunView, SubmissionView};
use crate::wording;

/// Which campaign, and how.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// Show who would get it, who would not and why; store nothing, send nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Run it again for those who got its letter since its last scheduled run; it does not count as another touch
    #[arg(long)]
    again: bool,
    /// Send without undo window, and outside the recipients' office hours
    #[arg(long)]
    now: bool,
    /// Send without showing the plan and asking first, as a script must
    #[arg(long)]
    yes: bool,
}

/// Runs it.
///
/// # Errors
/// There is no such campaign, its variables must be renewed, nobody can be asked, the answer is no, or it cannot be carried
/// out.
pub(super) async fn run(console: &Console, gateway: &Gateway, args: Args) -> Result<(), CliError> {
    let (parts, zone) = (gateway.intake(), gateway.config.practice.time_zone);
    let decisions = Decisions { again: args.again, now: args.now };
    if args.dry_run {
        let planned = campaign::preview(&parts, &args.name, decisions).await?;
        let renew = campaign::show(&parts, &args.name).await?.renew;
        if !renew.is_empty() {
            console.note(&wording::will_wait_for(&renew));
        }
        return console.answer(&DryRunView::from(&planned), || accepted::told_dry(&planned, zone));
    }
    let accepted = if args.yes {
        campaign::run_as_decided(&parts, &args.name, &console.who, decisions).await?
    } else {
        let proposal = campaign::propose(&parts, &args.name, &console.who, decisions).await?;
        confirm::ask(console, gateway, &args.name, &proposal)?;
        by_hand::run_as_proposed(&parts, &args.name, &proposal.mark, &console.who, decisions).await?
    };
    console.answer(&SubmissionView::from(accepted.clone()), || accepted::told_accepted(&accepted, zone))
}
