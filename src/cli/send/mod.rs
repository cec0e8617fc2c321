//! `touchline send`: one letter to one referrer or a list.

pub mod accepted;
pub mod confirm;
mod wait;

use std::time::Duration;

use chrono_tz::Tz;
use clap::builder::ArgPredicate;
use serde_json::{Value, json};

use crate::app::Gateway;
use crate::cli::arguments::{moment, word};
use crate::cli::console::Console;
use crate::cli::exit::{CliError, Ending};
use crate::cli::variables::VariableArgs;
use crate::domain::Channel;
use crate::intake;
use crate::intake::answer::Accepted;
use crate::intake::proposal;
use crate::intake::request::Request;
use crate::public::{DryRunView, SubmissionView};
use crate::referrers::audience::Audience;
use crate::wording::{advice, explain};
use wait::Waited;

/// Which letter, to whom, and how.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The letter, as `touchline template list` shows it
    #[arg(value_name = "LETTER")]
    letter: String,
    /// To whom: a referrer (id, NPI, email address or name), tag:TAG, type:TYPE or all
    #[arg(long, value_name = "AUDIENCE")]
    to: Audience,
    /// Which channels to use (default: every channel that has a provider)
    #[arg(long, value_delimiter = ',', value_parser = word(Channel::ALL, Channel::as_str))]
    via: Vec<Channel>,
    #[command(flatten)]
    variables: VariableArgs,
    /// Do not send before "2026-12-01 09:00" in the practice's zone, or an RFC 3339 time
    #[arg(long, value_name = "TIME", conflicts_with = "wait")]
    at: Option<String>,
    /// Send it again to those who got it within its repeat window; it does not count as another touch
    #[arg(long)]
    again: bool,
    /// Send without undo window, and outside the recipients' office hours
    #[arg(long)]
    now: bool,
    /// Send now and wait until everything is handled, even if no gateway is running; implies no undo window
    #[arg(long)]
    wait: bool,
    /// How long to wait
    #[arg(long, value_name = "SECONDS", requires = "wait", default_value_if("wait", ArgPredicate::IsPresent, "600"))]
    timeout: Option<u64>,
    /// Show who would get it, who would not and why; store nothing, send nothing
    #[arg(long, conflicts_with_all = ["wait", "key"])]
    dry_run: bool,
    /// An idempotency key: the same key sends once, however often the command is repeated
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Send to a list without showing the plan and asking first, as a script must
    #[arg(long)]
    yes: bool,
}

/// Sends.
///
/// # Errors
/// The request cannot be carried out as given; with `--wait`, something did not arrive or time ran out.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let variables = args.variables.read()?;
    let gateway = console.gateway().await?;
    gateway.renderer.letter(&args.letter).map_or(Ok(()), |letter| args.variables.refuse_patients(letter))?;
    let at = args.at.as_deref().map(|text| moment(text, gateway.config.practice.time_zone)).transpose()?;
    let request = Request {
        letter: args.letter,
        to: args.to,
        via: channels(&gateway, &args.via)?,
        variables,
        at,
        who: console.who.clone(),
        idempotency_key: args.key,
        again: args.again,
        now: args.now,
        undo_seconds: args.wait.then_some(0),
        individually: std::collections::BTreeMap::new(),
        run: None,
    };
    let (parts, zone) = (gateway.intake(), gateway.config.practice.time_zone);
    if args.dry_run {
        let planned = proposal::propose(&parts, &request).await?;
        return console.answer(&DryRunView::from(&planned), || accepted::told_dry(&planned, zone));
    }
    if request.to.is_list() && !args.yes {
        let title = format!("{} to {}", request.letter, request.to);
        let proposal = proposal::propose(&parts, &request).await?;
        confirm::ask(console, &gateway, &title, &proposal)?;
        if proposal::propose(&parts, &request).await?.mark != proposal.mark {
            return Err(CliError::refused(confirm::CHANGED));
        }
    }
    let accepted = intake::submit(&parts, &request).await?;
    if !args.wait {
        console.answer(&SubmissionView::from(accepted.clone()), || accepted::told_accepted(&accepted, zone))?;
        return refuse_nothing(&accepted);
    }
    let timeout = Duration::from_secs(args.timeout.unwrap_or_default());
    let waited = wait::until_handled(console, &gateway, &accepted, timeout).await?;
    tell_waited(console, &accepted, &waited, zone)
}

/// A submission of which nothing may be sent was refused, though the history keeps it.
fn refuse_nothing(accepted: &Accepted) -> Result<(), CliError> {
    if accepted.counts.queued + accepted.counts.held > 0 { Ok(()) } else { Err(CliError::said(Ending::Refused)) }
}

/// The channels requested, each once; by default every channel that has a provider.
///
/// # Errors
/// No channel has one.
pub fn channels(gateway: &Gateway, asked: &[Channel]) -> Result<Vec<Channel>, CliError> {
    let routed = |channel: &Channel| gateway.accounts.carries(*channel);
    let mut via: Vec<Channel> =
        if asked.is_empty() { Channel::ALL.iter().copied().filter(routed).collect() } else { asked.to_vec() };
    via.sort_unstable();
    via.dedup();
    if via.is_empty() {
        return Err(CliError::new(
            Ending::Configuration,
            "no provider is configured: add one under [providers] and name it in [routes]; `touchline provider list` shows the kinds",
        ));
    }
    Ok(via)
}

fn tell_waited(console: &Console, accepted: &Accepted, waited: &Waited, zone: Tz) -> Result<(), CliError> {
    let names = |id| accepted.messages.iter().find(|message| message.id == id).map_or("", |message| &message.name);
    let messages: Vec<Value> = waited
        .messages
        .iter()
        .map(|message| {
            let reason = message.reason;
            json!({
                "id": message.id,
                "name": names(message.id),
                "channel": message.channel(),
                "status": message.status,
                "confidence": message.confidence,
                "reason": reason,
                "explanation": reason.map(explain),
                "advice": reason.map(advice),
                "waits_until": message.waits_until(),
            })
        })
        .collect();
    let SubmissionView { submission, broadcast, skipped, .. } = accepted.clone().into();
    let object = json!({
        "submission": submission,
        "broadcast": broadcast,
        "handled": waited.handled,
        "messages": messages,
        "skipped": skipped,
    });
    console.answer(&object, || wait::told(waited, accepted, zone))?;
    if waited.handled && waited.failed() == 0 { refuse_nothing(accepted) } else { Err(CliError::said(Ending::Failed)) }
}
