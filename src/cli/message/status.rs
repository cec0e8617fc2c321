//! `touchline status`: one message, everything that happened to it, and what happens next.

use chrono_tz::Tz;
use serde::Serialize;

use super::standing;
use crate::cli::console::{Console, Records, table};
use crate::cli::exit::CliError;
use crate::cli::ids::{TypedId, shown};
use crate::domain::attempt::Attempt;
use crate::domain::id::MessageId;
use crate::domain::message::Message;
use crate::domain::{Channel, Clock, MessageStatus, SystemClock, Timestamp};
use crate::provider::mail;
use crate::public::{AttemptView, MessageDetail, MessageView};
use crate::settle::{POLL, SUBMIT};
use crate::store::Tx;
use crate::store::records::events::Event;
use crate::store::records::queue_entries::Entry;
use crate::store::records::queue_entries::EntryState;
use crate::store::records::short_ids::Kept;
use crate::wording;

/// Which message.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The message's id, or the reference printed on its page, such as 418622DC
    #[arg(value_name = "MESSAGE")]
    message: TypedId,
}

/// The message's public JSON, plus what only the command line adds.
#[derive(Serialize)]
struct Status<'a> {
    #[serde(flatten)]
    detail: MessageDetail,
    referrer_name: &'a str,
    /// What to look for in the provider's console or the relay's log, for each attempt.
    references: &'a [String],
    next_step: &'a str,
    next_at: Option<Timestamp>,
}

/// Shows it.
///
/// # Errors
/// There is no such message.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let records = console.records().await?;
    let mut tx = records.store.read().await?;
    let message = find(&mut tx, &args.message).await?;
    let name = tx.referrer(message.referrer_id).await?.map(|referrer| referrer.display_name()).unwrap_or_default();
    let attempts = tx.attempts_of(message.id).await?;
    let events = tx.events_of(message.id).await?;
    let entry = tx.queue_entry(message.id.0).await?;
    let withdrawn = tx.submission(message.submission_id).await?.is_some_and(|row| row.undone_ms.is_some());
    drop(tx);

    let next = next_step(&message, withdrawn, entry.as_ref(), records.zone, SystemClock.now());
    let references: Vec<String> = attempts.iter().map(|one| reference(one, &message, &records)).collect();
    let object = Status {
        referrer_name: &name,
        references: &references,
        next_step: &next,
        next_at: entry.as_ref().map(|entry| entry.due_ms),
        detail: MessageDetail {
            cancel_requested: None,
            message: MessageView::of(&message, true),
            attempts: attempts.iter().cloned().map(|one| AttemptView::of(one, true)).collect(),
            events: events.iter().cloned().map(Into::into).collect(),
        },
    };
    console.answer(&object, || {
        let head =
            format!("{} to {name} by {}: {}", message.letter, message.channel(), standing(&message, records.zone));
        let advice = message.reason.map(|reason| format!("{}\n", wording::advice(reason))).unwrap_or_default();
        let attempts = attempts_table(&attempts, &references, records.zone);
        let events = events_table(&events, records.zone);
        format!("{head}\n{advice}Next: {next}\n{attempts}\n{events}")
    })
}

/// The message of that id or reference.
async fn find(tx: &mut Tx, typed: &TypedId) -> Result<Message, CliError> {
    let id = MessageId(typed.find(tx, Kept::Message).await?);
    tx.message(id, false).await?.ok_or_else(|| CliError::not_found(format!("there is no message {id}")))
}

/// What happens next, in one sentence.
fn next_step(message: &Message, withdrawn: bool, entry: Option<&Entry>, zone: Tz, now: Timestamp) -> String {
    let when = |due: Timestamp| due.in_zone(zone);
    let id = shown(message.id.0);
    match (message.status, entry) {
        (MessageStatus::Held, _) => format!("nothing automatically; `touchline release {id}` sends it."),
        (MessageStatus::InDoubt, None) => {
            format!("a person decides: `touchline resolve {id} --sent` or `--not-sent`.")
        }
        (MessageStatus::InDoubt, Some(entry)) => format!("it is looked up with the provider, {}.", when(entry.due_ms)),
        (status, _) if status.is_terminal() && withdrawn => {
            "nothing: it was withdrawn and never leaves; `touchline send` sends the letter anew.".to_owned()
        }
        (status, _) if status.is_terminal() && status.may_be_retried() => {
            format!("nothing automatically; `touchline retry {id}` sends it again.")
        }
        (status, _) if status.is_terminal() => "nothing more; this is final.".to_owned(),
        (_, Some(entry)) if entry.state == EntryState::Leased => "it is being worked on now.".to_owned(),
        (_, Some(_)) if message.waits_until().is_some_and(|until| until > now) => format!(
            "it is handed over, {}, when the office opens; `touchline send-now {id}` sends it now.",
            when(message.due_ms),
        ),
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
    match (&attempt.provider_reference, message.channel()) {
        (Some(reference), _) => reference.clone(),
        (None, Channel::Email) => mail::message_id(attempt.id, &records.from),
        (None, Channel::Fax) => attempt.id.to_string(),
    }
}

fn attempts_table(attempts: &[Attempt], references: &[String], zone: Tz) -> String {
    if attempts.is_empty() {
        return "No attempt has been made.\n".to_owned();
    }
    let rows = attempts.iter().zip(references).map(|(attempt, reference)| {
        let words = [attempt.raw_code.as_deref(), attempt.raw_text.as_deref()];
        vec![
            attempt.number.to_string(),
            attempt.opened_ms.in_zone(zone),
            attempt.provider.clone(),
            wording::attempt_status(attempt.status).1.to_owned(),
            attempt.fault.map(|fault| wording::fault(fault).to_owned()).unwrap_or_default(),
            words.into_iter().flatten().collect::<Vec<_>>().join(" "),
            attempt.dialled.as_ref().map(|to| to.pretty()).unwrap_or_default(),
            attempt.billed().map(|charge| charge.to_string()).unwrap_or_default(),
            attempt.transport().map(|one| wording::transport(&one)).unwrap_or_default(),
            reference.clone(),
        ]
    });
    table(
        &["attempt", "at", "provider", "status", "why", "provider's words", "to", "charge", "encryption", "reference"],
        rows,
    )
}

fn events_table(events: &[Event], zone: Tz) -> String {
    let rows = events.iter().map(|event| {
        let reason = event.reason.map(|reason| wording::explain(reason).to_owned());
        let fault = event.fault.map(|fault| wording::fault(fault).to_owned());
        vec![
            event.occurred_ms.in_zone(zone),
            event.kind.as_str().replace('_', " "),
            format!("{} ({})", event.who.name(), event.source),
            [fault, reason, event.detail.clone()].into_iter().flatten().collect::<Vec<_>>().join(" "),
        ]
    });
    table(&["when", "what", "who", "more"], rows)
}
