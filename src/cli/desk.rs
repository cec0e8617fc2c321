//! `touchline retry | hold | release | cancel | resolve`: what an operator does with messages.

use serde::Serialize;

use super::console::{Console, plain, print, warn};
use super::exit::{CliError, Ending};
use crate::domain::MessageStatus;
use crate::domain::id::MessageId;
use crate::domain::message::Message;
use crate::operator;
use crate::operator::Act;
use crate::policy;

/// An act, and how it is told once done.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    act: Act,
    done: &'static str,
}

/// `touchline retry`.
pub const RETRY: Order =
    Order { act: Act::Retry, done: "is queued again; the rules are checked once more before it goes" };
/// `touchline hold`.
pub const HOLD: Order = Order { act: Act::Hold, done: "is on hold" };
/// `touchline release`.
pub const RELEASE: Order = Order { act: Act::Release, done: "goes out" };
/// `touchline cancel`.
pub const CANCEL: Order = Order { act: Act::Cancel, done: "is withdrawn" };
/// Messages that one command lets go.
const RELEASED_MAX: i64 = 10_000;
const SENT: Order = Order { act: Act::MarkSent, done: "counts as sent" };
const NOT_SENT: Order = Order { act: Act::MarkNotSent, done: "counts as not sent and goes out once more" };

/// The messages meant.
#[derive(Debug, clap::Args)]
pub struct Messages {
    /// Message ids, as `touchline failures` and `touchline touches` show them
    #[arg(required = true, value_name = "MESSAGE")]
    messages: Vec<MessageId>,
}

/// `touchline release`.
#[derive(Debug, clap::Args)]
pub struct Release {
    /// Message ids, as `touchline failures` shows them
    #[arg(required_unless_present = "cause", conflicts_with = "cause", value_name = "MESSAGE")]
    messages: Vec<MessageId>,
    /// All that are held with this cause, such as restored; at most 10,000
    #[arg(long, value_name = "CAUSE")]
    cause: Option<String>,
}

/// `touchline resolve`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("became").required(true))]
pub struct Resolve {
    /// The message in doubt
    #[arg(value_name = "MESSAGE")]
    message: MessageId,
    /// It was sent
    #[arg(long, group = "became")]
    sent: bool,
    /// It was not sent: it goes out again
    #[arg(long, group = "became")]
    not_sent: bool,
}

/// What became of one order.
#[derive(Debug, Serialize)]
struct Done {
    message: MessageId,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<MessageStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Carries an order out on every message; one that does not allow it does not keep the others.
///
/// # Errors
/// The end of the first message that did not allow it, after all were tried.
pub async fn act(console: &Console, messages: Messages, order: Order) -> Result<(), CliError> {
    let parts = console.gateway().await?.operator();
    let mut done = Vec::new();
    let mut ending = None;
    for id in messages.messages {
        match operator::act(&parts, id, order.act, &console.who).await {
            Ok(message) => done.push(Done {
                message: id,
                status: Some(message.status),
                reason: message.reason.clone(),
                error: None,
            }),
            Err(error) => {
                let error = CliError::from(error);
                if error.ending == Ending::Database {
                    return Err(error);
                }
                ending.get_or_insert(error.ending);
                done.push(Done { message: id, status: None, reason: None, error: Some(error.words) });
            }
        }
    }
    tell(console, &done, order)?;
    ending.map_or(Ok(()), |ending| Err(CliError::said(ending)))
}

fn tell(console: &Console, done: &[Done], order: Order) -> Result<(), CliError> {
    if console.json {
        return console.answer(&serde_json::json!({ "messages": done }), String::new);
    }
    for one in done {
        match &one.error {
            None => print(&format!("{} {}.", one.message, order.done)),
            Some(error) => warn(&format!("{}: {}", one.message, plain(error))),
        }
    }
    Ok(())
}

/// Lets messages go: those named, or all that are held for one cause.
///
/// # Errors
/// As [`act`]; nothing is held with that cause.
pub async fn release(console: &Console, args: Release) -> Result<(), CliError> {
    let Some(cause) = args.cause else {
        return act(console, Messages { messages: args.messages }, RELEASE).await;
    };
    let records = console.records().await?;
    let mut lines = records.store.read().await?.failures(Some(&cause), RELEASED_MAX).await?;
    lines.retain(|line| line.status == MessageStatus::Held);
    records.store.close().await;
    if lines.is_empty() {
        return Err(CliError::not_found(format!("no message is held with the cause `{cause}`")));
    }
    act(console, Messages { messages: lines.into_iter().map(|line| line.id).collect() }, RELEASE).await
}

/// Decides what became of a message in doubt.
///
/// # Errors
/// It is not in doubt.
pub async fn resolve(console: &Console, args: Resolve) -> Result<(), CliError> {
    let order = if args.sent { SENT } else { NOT_SENT };
    act(console, Messages { messages: vec![args.message] }, order).await
}

/// Where a message stands, in words: `delivered (presumed)`, `held: Somebody put it on hold.`
#[must_use]
pub fn standing(message: &Message) -> String {
    let status = message.status.as_str().replace('_', " ");
    match (message.confidence, message.reason.as_deref()) {
        (Some(confidence), _) => format!("{status} ({confidence})"),
        (None, Some(word)) => format!("{status}: {}", policy::explain(word)),
        (None, None) => status,
    }
}
