//! `touchline retry | hold | send-now | cancel | purge`: one act on each of the messages named.

use serde::Serialize;

use crate::cli::console::{Console, plain, print, warn};
use crate::cli::exit::{CliError, Ending};
use crate::cli::ids::{TypedId, shown};
use crate::domain::MessageStatus;
use crate::domain::Reason;
use crate::domain::id::MessageId;
use crate::domain::message::Message;
use crate::operator::{self, Act};
use crate::store::records::short_ids::Kept;

/// An act, and what is reported once it is done.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    act: Act,
    done: &'static str,
}

/// `touchline retry`.
pub const RETRY: Order =
    Order { act: Act::Retry, done: "is queued again; the rules are checked again before it is sent" };
/// `touchline hold`.
pub const HOLD: Order = Order { act: Act::Hold, done: "is on hold" };
/// `touchline release`.
pub(super) const RELEASE: Order = Order { act: Act::Release, done: "is released" };
/// `touchline send-now`.
pub const SEND_NOW: Order = Order { act: Act::SendNow, done: "no longer waits for office hours" };
/// `touchline cancel`.
pub const CANCEL: Order = Order { act: Act::Cancel, done: "is cancelled" };
/// `touchline purge`.
pub const PURGE: Order = Order {
    act: Act::Purge,
    done: "will be deleted at the provider by the running gateway; `touchline status` shows when it is",
};
/// What is reported where the provider was only asked to stop it.
const ASKED: &str = "was handed over already. The provider was asked to stop it; it may still be delivered. \
                     `touchline status` shows what the provider says.";
/// `touchline resolve --sent`.
pub(super) const SENT: Order = Order { act: Act::MarkSent, done: "counts as sent" };
/// `touchline resolve --not-sent`.
pub(super) const NOT_SENT: Order = Order { act: Act::MarkNotSent, done: "counts as not sent and is sent again" };

/// Which messages.
#[derive(Debug, clap::Args)]
pub struct Messages {
    /// Messages, by the ids that `touchline failures` and `touchline touches` show
    #[arg(required = true, value_name = "MESSAGE")]
    pub(super) messages: Vec<TypedId>,
}

/// The result of one order.
#[derive(Debug, Serialize)]
struct Done {
    id: MessageId,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<MessageStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// The provider was asked to stop it, and has not said yet whether it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_requested: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Done {
    fn well(order: Order, message: &Message) -> Self {
        Self {
            id: message.id,
            status: Some(message.status),
            reason: message.reason,
            cancel_requested: order.act.only_asked(message).then_some(true),
            error: None,
        }
    }

    const fn badly(id: MessageId, words: String) -> Self {
        Self { id, status: None, reason: None, cancel_requested: None, error: Some(words) }
    }
}

/// Carries out an order on every message; one that does not allow it does not stop the others.
///
/// # Errors
/// The error of the first message that did not allow it, after all were tried.
pub async fn run(console: &Console, messages: Messages, order: Order) -> Result<(), CliError> {
    let parts = console.gateway().await?.operator();
    let ids = TypedId::find_all(&messages.messages, &mut parts.store.read().await?, Kept::Message).await?;
    let mut done = Vec::new();
    let mut ending = None;
    for id in ids.into_iter().map(MessageId) {
        match operator::act(&parts, id, order.act, &console.who).await {
            Ok(message) => done.push(Done::well(order, &message)),
            Err(error) => {
                let error = CliError::from(error);
                if error.ending == Ending::Database {
                    return Err(error);
                }
                ending.get_or_insert(error.ending);
                done.push(Done::badly(id, error.words));
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
            None if one.cancel_requested.is_some() => print(&format!("{} {ASKED}", shown(one.id.0))),
            None => print(&format!("{} {}.", shown(one.id.0), order.done)),
            Some(error) => warn(&format!("{}: {}", shown(one.id.0), plain(error))),
        }
    }
    Ok(())
}
