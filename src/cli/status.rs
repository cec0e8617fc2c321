//! `touchline status`: one message, everything that happened to it, and what happens next.

use chrono_tz::Tz;
use serde_json::json;

use super::console::{Console, Records, table};
use super::desk::standing;
use super::exit::CliError;
use crate::domain::attempt::Attempt;
use crate::domain::id::MessageId;
use crate::domain::message::Message;
use crate::domain::{Channel, MessageStatus, Timestamp};
use crate::policy;
use crate::provider::mail;
use crate::settle::{POLL, SUBMIT};
use crate::store::records::events::Event;
use crate::store::records::queue_entries::Entry;

/// Which message.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The message's id
    #[arg(value_name = "MESSAGE")]
    message: MessageId,
}

/// Shows it.
///
/// # Errors
/// There is no such message.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let records = console.records().await?;
    let mut tx = records.store.read().await?;
    let message = tx.message(args.message, false).await?;
    let message = message.ok_or_else(|| CliError::not_found(format!("there is no message {}", args.message)))?;
    let name = tx.referrer(message.referrer_id).await?.map(|referrer| referrer.display_name()).unwrap_or_default();
    let attempts = tx.attempts_of(message.id).await?;
    let events = tx.events_of(message.id).await?;
    let entry = tx.queue_entry(message.id.0).await?;
    drop(tx);

    let next = next_step(&message, entry.as_ref(), records.zone);
    let why = message.reason.as_deref();
    let references: Vec<String> = attempts.iter().map(|one| reference(one, &message, &records)).collect();
    let object = json!({
        "message": message,
        "name": name,
        "explanation": why.map(policy::explain),
        "advice": why.map(policy::advice),
        "attempts": attempts,
        "references": references,
        "events": events,
        "next_step": next,
        "next_at": entry.as_ref().map(|entry| entry.due_ms),
    });
    console.answer(&object, || {
        let head = format!("{} to {name} by {}: {}", message.letter, message.channel, standing(&message));
        let advice = why.map(policy::advice).filter(|advice| !advice.is_empty());
        let advice = advice.map(|advice| format!("{advice}\n")).unwrap_or_default();
        let attempts = attempts_table(message.channel, &attempts, &references, records.zone);
        let events = events_table(&events, records.zone);
        format!("{head}\n{advice}Next: {next}\n{attempts}\n{events}")
    })
}

/// What happens next, in one sentence.
fn next_step(message: &Message, entry: Option<&Entry>, zone: Tz) -> String {
    let when = |due: Timestamp| due.in_zone(zone);
    match (message.status, entry) {
        (MessageStatus::Held, _) => format!("nothing by itself; `touchline release {}` lets it go.", message.id),
        (MessageStatus::InDoubt, None) => {
            format!("a person decides: `touchline resolve {} --sent` or `--not-sent`.", message.id)
        }
        (MessageStatus::InDoubt, Some(entry)) => format!("it is looked up at the provider, {}.", when(entry.due_ms)),
        (status, _) if status.is_terminal() && status.may_be_retried() => {
            format!("nothing by itself; `touchline retry {}` sends it once more.", message.id)
        }
        (status, _) if status.is_terminal() => "nothing: this is the end.".to_owned(),
        (_, Some(entry)) if entry.state == "leased" => "it is being worked on now.".to_owned(),
        (_, Some(entry)) if entry.kind == SUBMIT => {
            format!("it is handed over, {} or as soon as its turn comes.", when(entry.due_ms))
        }
        (_, Some(entry)) if entry.kind == POLL => format!("the provider is asked, {}.", when(entry.due_ms)),
        (_, Some(entry)) => format!("{}, {}.", entry.kind, when(entry.due_ms)),
        (_, None) => "the provider reports.".to_owned(),
    }
}

/// What to look for in the provider's console or the relay's log: mail can be found by its Message-ID even where the
/// relay never answered.
fn reference(attempt: &Attempt, message: &Message, records: &Records) -> String {
    match (&attempt.provider_reference, message.channel) {
        (Some(reference), _) => reference.clone(),
        (None, Channel::Email) => mail::message_id(attempt.id, &records.from),
        (None, Channel::Fax) => attempt.id.to_string(),
    }
}

fn attempts_table(channel: Channel, attempts: &[Attempt], references: &[String], zone: Tz) -> String {
    if attempts.is_empty() {
        return "No attempt has been made.\n".to_owned();
    }
    let rows = attempts.iter().zip(references).map(|(attempt, reference)| {
        let words = [attempt.raw_code.as_deref(), attempt.raw_text.as_deref()];
        vec![
            attempt.number.to_string(),
            attempt.opened_ms.in_zone(zone),
            attempt.provider.clone(),
            attempt.status.as_str().replace('_', " "),
            attempt.fault.map(|fault| fault.explain().to_owned()).unwrap_or_default(),
            words.into_iter().flatten().collect::<Vec<_>>().join(" "),
            attempt.dialled(channel).map(|to| to.pretty()).unwrap_or_default(),
            attempt.billed().map(|charge| charge.to_string()).unwrap_or_default(),
            reference.clone(),
        ]
    });
    table(&["attempt", "at", "provider", "status", "why", "provider's words", "to", "charge", "reference"], rows)
}

fn events_table(events: &[Event], zone: Tz) -> String {
    let rows = events.iter().map(|event| {
        let detail = event.detail.as_deref().map(policy::explain);
        let fault = event.fault.map(|fault| fault.explain().to_owned());
        vec![
            event.occurred_ms.in_zone(zone),
            event.kind.replace('_', " "),
            format!("{} ({})", event.who, event.source),
            [fault, detail].into_iter().flatten().collect::<Vec<_>>().join(" "),
        ]
    });
    table(&["when", "what", "who", "more"], rows)
}
