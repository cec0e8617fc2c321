//! What comes back for emails: read from mails as a mailbox holds them, matched with the letter they are about, and followed up.

mod answering;
mod bouncing;
mod broken;
mod following;
mod guessing;
mod keeping;
pub mod mails;
mod merging;
mod pausing;
mod postfix;
mod working;

use touchline::domain::id::MessageId;
use touchline::domain::message::Message;
use touchline::domain::suppression::Suppression;
use touchline::domain::{Actor, Channel, MessageStatus};
use touchline::feedback::returns::taking::{Arrived, Taken, take};
use touchline::feedback::returns::working::{Act, WorkError, work};
use touchline::store::records::returns::{ReturnRow, ReturnsOf};

use crate::support::gateway::TestGateway;

/// When the clock of these tests stands still: a Tuesday morning in Chicago.
pub const TUESDAY: &str = "2026-12-01T15:00:00Z";

/// The name of the mailbox.
pub const MAILBOX: &str = "office-mailbox";

/// Takes mails as they lie in the mailbox.
pub async fn take_all(gateway: &TestGateway, mails: &[String]) -> Vec<Taken> {
    let parts = gateway.gateway.feedback();
    let now = parts.clock.now();
    let arrived: Vec<Arrived> =
        mails.iter().map(|mail| Arrived { octets: mail.clone().into_bytes(), received_ms: now }).collect();
    let mut tx = gateway.store().write().await.expect("a transaction");
    let taken = take(&mut tx, &parts, MAILBOX, &arrived, now).await.expect("taken");
    tx.commit().await.expect("committed");
    taken
}

/// Takes one mail.
pub async fn take_one(gateway: &TestGateway, mail: String) -> Taken {
    take_all(gateway, &[mail]).await[0]
}

/// Sends a letter by email and waits until the relay has it.
pub async fn mailed(gateway: &TestGateway, letter: &str, name: &str) -> (Message, String) {
    gateway.send_via(letter, name, &[Channel::Email]).await;
    let id = gateway.message_of(name, Channel::Email).await.id;
    let message = gateway.message_until(id, "handed over", |message| message.status == MessageStatus::Accepted).await;
    (message, message_id(gateway, id).await)
}

/// The `Message-ID` of a message's last attempt, in its brackets.
pub async fn message_id(gateway: &TestGateway, id: MessageId) -> String {
    let attempts = gateway.attempts_of(id).await;
    format!("<{}@lakeside-psychiatry.example>", attempts.last().expect("an attempt").id)
}

/// Everything that came back, the newest first.
pub async fn returns(gateway: &TestGateway) -> Vec<ReturnRow> {
    let mut tx = gateway.store().read().await.expect("a transaction");
    tx.returns_page(&ReturnsOf::default(), None, 100).await.expect("read")
}

/// The suppressions in effect for the address of a message.
pub async fn suppressions(gateway: &TestGateway, message: &Message) -> Vec<Suppression> {
    let mut tx = gateway.store().read().await.expect("a transaction");
    tx.suppressions_of(&message.address).await.expect("read")
}

/// What a person does about a return.
pub async fn act(
    gateway: &TestGateway,
    row: &ReturnRow,
    act: Act,
    message: Option<MessageId>,
) -> Result<ReturnRow, WorkError> {
    let give_up = std::time::Duration::from_secs(24 * 3600);
    work(&gateway.gateway.feedback(), row.id, act, message, &Actor::operator("sam"), give_up).await
}
