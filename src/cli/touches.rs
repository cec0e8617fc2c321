//! `touchline touches`: a referrer's history ("n of 7"), and touches made by a person.

use serde_json::json;

use super::arguments::{moment, word};
use super::console::{Console, Records, table};
use super::exit::CliError;
use super::ids;
use super::message::standing;
use crate::domain::message::Message;
use crate::domain::touch::{Touch, TouchKind};
use crate::public::{MessageView, TouchView};
use crate::referrers::audience;
use crate::wording;

/// Whose history, or a touch to log.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    /// The referrer: id, NPI, email address or name
    #[arg(required = true, value_name = "REFERRER")]
    referrer: Option<String>,
    /// How many touches to show
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Log a call, a visit, a meeting, a lunch-and-learn, or a referral that came in
    Log(Log),
}

#[derive(Debug, clap::Args)]
struct Log {
    /// The referrer: id, NPI, email address or name
    #[arg(value_name = "REFERRER")]
    referrer: String,
    /// What it was
    #[arg(long, value_parser = word(LOGGED, TouchKind::as_str))]
    kind: TouchKind,
    /// In a few words; no patient information
    #[arg(long)]
    title: String,
    /// When it happened, as "2026-12-01 09:00" in the practice's zone (default: now)
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

/// What a person can log: a letter becomes a touch by being sent.
const LOGGED: &[TouchKind] = &[
    TouchKind::Call,
    TouchKind::Visit,
    TouchKind::Meeting,
    TouchKind::LunchAndLearn,
    TouchKind::Note,
    TouchKind::ReferralReceived,
];

/// Does it.
///
/// # Errors
/// There is no such referrer.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    match (args.command, args.referrer) {
        (Some(Command::Log(log)), _) => self::log(console, log).await,
        (None, Some(referrer)) => show(console, &referrer, i64::from(args.limit)).await,
        (None, None) => Err(CliError::usage("name a referrer")),
    }
}

async fn show(console: &Console, referrer: &str, limit: i64) -> Result<(), CliError> {
    let records = console.records().await?;
    let mut tx = records.store.read().await?;
    let referrer = audience::one(&mut tx, referrer).await?;
    let delivered = tx.touches_delivered(referrer.id).await?;
    let mut history = Vec::new();
    for touch in tx.touches_of(referrer.id, limit).await? {
        let messages = tx.messages_of_touch(touch.id).await?;
        history.push((touch, messages));
    }
    drop(tx);
    let goal = records.touch_goal;
    let touches = history.iter().map(|(touch, messages)| {
        let messages = messages.iter().map(|message| MessageView::of(message, true)).collect();
        TouchView::of(touch.clone(), messages)
    });
    let object = json!({
        "referrer": referrer.id,
        "name": referrer.display_name(),
        "state": referrer.state,
        "delivered": delivered,
        "goal": goal,
        "touches": touches.collect::<Vec<_>>(),
    });
    console.answer(&object, || {
        let head = format!("{}: {delivered} of {goal} touches delivered", referrer.display_name());
        if history.is_empty() { head } else { format!("{head}\n{}", history_table(&history, &records)) }
    })
}

fn history_table(history: &[(Touch, Vec<Message>)], records: &Records) -> String {
    let rows = history.iter().map(|(touch, messages)| {
        let messages: Vec<String> = messages
            .iter()
            .map(|message| {
                format!("{} {}\n  {}", message.channel(), standing(message, records.zone), ids::shown(message.id.0))
            })
            .collect();
        vec![
            touch.occurred_ms.in_zone(records.zone),
            touch.kind.as_str().replace('_', " "),
            touch.title.clone(),
            standing_of(touch),
            messages.join("\n"),
            touch.actor.name().to_owned(),
        ]
    });
    table(&["when", "kind", "what", "status", "messages", "by"], rows)
}

fn standing_of(touch: &Touch) -> String {
    let standing = wording::touch_standing(touch.kind, touch.disposition).1;
    if touch.repeat_of.is_some() { format!("{standing} (repeat)") } else { standing.to_owned() }
}

async fn log(console: &Console, log: Log) -> Result<(), CliError> {
    if log.title.trim().is_empty() {
        return Err(CliError::usage("--title says what it was about"));
    }
    let gateway = console.gateway_to_read().await?;
    let at = log.at.map(|text| moment(&text, gateway.config.practice.time_zone)).transpose()?;
    let mut tx = gateway.store.read().await?;
    let referrer = audience::one(&mut tx, &log.referrer).await?;
    drop(tx);
    let touch =
        crate::referrers::log_touch(&gateway.referrers(), referrer.id, log.kind, &log.title, at, &console.who).await?;
    let delivered = gateway.store.read().await?.touches_delivered(referrer.id).await?;
    let goal = gateway.config.sending.touch_goal;
    let object = json!({ "touch": touch, "referrer": referrer.id, "delivered": delivered, "goal": goal });
    console.answer(&object, || format!("Logged. {}: {delivered} of {goal} touches delivered.", referrer.display_name()))
}
