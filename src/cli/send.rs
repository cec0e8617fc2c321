//! `touchline send`: one letter to one referrer or a list.

use std::time::Duration;

use clap::builder::ArgPredicate;
use serde_json::{Value, json};

use super::arguments::{VariableArgs, moment, word};
use super::console::{Console, count, table};
use super::exit::{CliError, Ending};
use super::wait::{self, Waited};
use crate::app::Gateway;
use crate::domain::{Channel, MessageStatus, PhiClass};
use crate::intake::audience::Audience;
use crate::intake::submit::{self, Accepted, AcceptedMessage, Request};
use crate::policy::{advice, explain};

/// Messages shown one by one to a person; JSON has them all.
const LINES_MAX: usize = 50;

/// Which letter, to whom, and how.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The letter, as `touchline template list` shows it
    #[arg(value_name = "LETTER")]
    letter: String,
    /// To whom: a referrer (id, NPI, email address or name), tag:TAG, type:TYPE or all
    #[arg(long, value_name = "AUDIENCE")]
    to: Audience,
    /// By which channels (default: every channel that has a provider)
    #[arg(long, value_delimiter = ',', value_parser = word(Channel::ALL, Channel::as_str))]
    via: Vec<Channel>,
    #[command(flatten)]
    variables: VariableArgs,
    /// Not before: "2026-12-01 09:00" in the practice's zone, or RFC 3339
    #[arg(long, value_name = "TIME", conflicts_with = "wait")]
    at: Option<String>,
    /// Send now and wait until everything is handled, also where no gateway runs
    #[arg(long)]
    wait: bool,
    /// How long to wait
    #[arg(long, value_name = "SECONDS", requires = "wait", default_value_if("wait", ArgPredicate::IsPresent, "600"))]
    timeout: Option<u64>,
    /// Say who would get it, who would not and why; store nothing, send nothing
    #[arg(long, conflicts_with_all = ["wait", "key"])]
    dry_run: bool,
    /// An idempotency key: the same key sends once, however often the command is repeated
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// Sends.
///
/// # Errors
/// The request cannot be carried out as it stands; with `--wait`, something did not arrive or time ran out.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let variables = args.variables.read()?;
    let gateway = console.gateway().await?;
    let at = args.at.as_deref().map(|text| moment(text, gateway.config.practice.time_zone)).transpose()?;
    let request = Request {
        letter: args.letter,
        to: args.to,
        via: channels(&gateway, &args.via)?,
        variables,
        at,
        who: console.who.clone(),
        idempotency_key: args.key,
        run: None,
    };
    let parts = gateway.intake();
    if args.dry_run {
        let planned = submit::dry_run(&parts, &request).await?;
        return console.answer(&dry_object(&planned), || told("Would be", &planned, true));
    }
    let accepted = submit::accept(&parts, &request).await?;
    if !args.wait {
        console.answer(&object(&accepted), || told("Accepted:", &accepted, false))?;
        return if accepted.messages.iter().any(|message| message.status != MessageStatus::Suppressed) {
            Ok(())
        } else {
            Err(CliError::said(Ending::Refused))
        };
    }
    let timeout = Duration::from_secs(args.timeout.unwrap_or_default());
    let waited = wait::until_handled(console, &gateway, &accepted, timeout).await?;
    tell_waited(console, &accepted, &waited)
}

/// The channels asked for, each once; else every channel that has a provider.
fn channels(gateway: &Gateway, asked: &[Channel]) -> Result<Vec<Channel>, CliError> {
    let routed = |channel: &Channel| gateway.accounts.route(*channel, PhiClass::None).next().is_some();
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

fn message_object(message: &AcceptedMessage, stored: bool) -> Value {
    let reason = message.reason.as_deref();
    json!({
        "message": stored.then_some(message.id),
        "touch": stored.then_some(message.touch),
        "referrer": message.referrer,
        "name": message.name,
        "channel": message.channel,
        "status": message.status,
        "reason": reason,
        "explanation": reason.map(explain),
        "advice": reason.map(advice),
    })
}

fn object(accepted: &Accepted) -> Value {
    json!({
        "dry_run": false,
        "submission": accepted.submission,
        "broadcast": accepted.broadcast,
        "messages": accepted.messages.iter().map(|message| message_object(message, true)).collect::<Vec<_>>(),
        "skipped": accepted.skipped,
    })
}

/// Nothing was stored, so there are no ids to give.
fn dry_object(planned: &Accepted) -> Value {
    json!({
        "dry_run": true,
        "messages": planned.messages.iter().map(|message| message_object(message, false)).collect::<Vec<_>>(),
        "skipped": planned.skipped,
    })
}

fn told(verb: &str, accepted: &Accepted, dry: bool) -> String {
    let number = |status| accepted.messages.iter().filter(|message| message.status == status).count();
    let (queued, held) = (number(MessageStatus::Queued), number(MessageStatus::Held));
    let denied = number(MessageStatus::Suppressed);
    let mut text = format!(
        "{verb} {} queued, {held} held, {denied} not allowed; {} left out.\n",
        count(queued, "message"),
        accepted.skipped.len()
    );
    text.push_str(&message_lines(accepted, dry));
    for skipped in accepted.skipped.iter().take(LINES_MAX) {
        text.push_str(&format!("{}: {}\n", skipped.name, skipped.why));
    }
    if dry {
        text.push_str("Nothing was stored or sent.")
    } else {
        text.push_str(&next(accepted))
    }
    text
}

/// Those that are not sent come first: they need somebody.
fn message_lines(accepted: &Accepted, dry: bool) -> String {
    let mut messages: Vec<&AcceptedMessage> = accepted.messages.iter().collect();
    messages.sort_by_key(|message| message.status == MessageStatus::Queued);
    let rows = messages.iter().take(LINES_MAX).map(|message| {
        let reason = message.reason.as_deref();
        let why = reason.map(|word| format!("{} {}", explain(word), advice(word))).unwrap_or_default();
        let id = if dry { String::new() } else { message.id.to_string() };
        vec![message.name.clone(), message.channel.to_string(), message.status.to_string(), why, id]
    });
    if messages.is_empty() {
        return String::new();
    }
    let more = messages.len().saturating_sub(LINES_MAX);
    let more = if more > 0 { format!("… and {more} more\n") } else { String::new() };
    let last = if dry { "" } else { "message" };
    format!("{}\n{more}", table(&["referrer", "channel", "status", "why", last], rows))
}

fn next(accepted: &Accepted) -> String {
    let queued = accepted.messages.iter().any(|message| message.status == MessageStatus::Queued);
    let hint =
        if queued { "A running `touchline serve` sends it; `--wait` does so here." } else { "Nothing goes out." };
    format!("Submission {}. {hint}", accepted.submission)
}

fn tell_waited(console: &Console, accepted: &Accepted, waited: &Waited) -> Result<(), CliError> {
    let names = |id| accepted.messages.iter().find(|message| message.id == id).map_or("", |message| &message.name);
    let messages: Vec<Value> = waited
        .messages
        .iter()
        .map(|message| {
            let reason = message.reason.as_deref();
            json!({
                "message": message.id,
                "name": names(message.id),
                "channel": message.channel,
                "status": message.status,
                "confidence": message.confidence,
                "reason": reason,
                "explanation": reason.map(explain),
                "advice": reason.map(advice),
            })
        })
        .collect();
    let object = json!({
        "submission": accepted.submission,
        "broadcast": accepted.broadcast,
        "handled": waited.handled,
        "messages": messages,
        "skipped": accepted.skipped,
    });
    console.answer(&object, || wait::told(waited, accepted))?;
    if waited.handled && waited.failed() == 0 { Ok(()) } else { Err(CliError::said(Ending::Failed)) }
}
