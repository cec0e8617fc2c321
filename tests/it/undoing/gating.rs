//! The gate keeps the promise by itself: whatever makes a message due, held, released or retried early, no provider is called
//! inside its undo window, and never once it was withdrawn.

use touchline::domain::message::Message;
use touchline::domain::{Actor, MessageStatus, PolicyReason};
use touchline::intake;
use touchline::intake::request::Request;
use touchline::operator::{self, Act};

use super::request;
use crate::storage::execute;
use crate::support::databases::{Database, each_database};
use crate::support::gateway::{FarSide, TestGateway};

/// As if the queue had forgotten that the message is not due.
async fn hasten(database: &Database, gateway: &TestGateway) {
    for sql in [
        "UPDATE message SET due_ms = 1 WHERE status = 'queued'",
        "UPDATE queue_entry SET due_ms = 1, state = 'ready' WHERE state = 'waiting'",
    ] {
        execute(database, sql.to_owned()).await;
    }
    gateway.gateway.queue.wake();
}

fn is_held_back(message: &Message) -> bool {
    message.reason == Some(PolicyReason::UndoWindow.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_let_through_inside_its_undo_window_whatever_makes_it_due() {
    each_database(async |database| {
        let far = FarSide::start().await;
        // An hour of the gateway's time is three minutes of ours.
        let long = |settings: String| settings.replace("undo_one_seconds = 0", "undo_one_seconds = 3600");
        let mut gateway = TestGateway::start(database, &far, long).await;
        gateway
            .know(&[("Early", Some("0151"), Some("early@far.example")), ("Later", None, Some("later@far.example"))])
            .await;
        let sent = intake::submit(&gateway.intake, &request("introduction", "Early")).await.expect("accepted");
        let id = sent.messages[0].id;

        hasten(database, &gateway).await;
        gateway.message_until(id, "the gate to hold it back", is_held_back).await;
        gateway.act(id, Act::Hold).await.expect("held");
        gateway.act(id, Act::Release).await.expect("released");
        hasten(database, &gateway).await;
        gateway.message_until(id, "the gate to hold it back again", is_held_back).await;
        assert!(gateway.attempts_of(id).await.is_empty());

        // A letter that nobody withdraws passes beside it.
        let now = Request { now: true, ..request("introduction", "Later") };
        let now = intake::submit(&gateway.intake, &now).await.expect("accepted");
        gateway
            .message_until(now.messages[0].id, "the other to arrive", |one| one.status == MessageStatus::Delivered)
            .await;

        let who = Actor::operator("sam");
        operator::undo(&gateway.gateway.operator(), sent.submission, &who).await.expect("withdrawn");
        gateway.settled().await;
        gateway.drain().await;
        assert_eq!(gateway.message(id).await.status, MessageStatus::Cancelled);
        assert!(far.faxes_to("0151").is_empty() && far.mails_to("early@far.example").is_empty());
        gateway.finish(&far).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_marked_as_withdrawn_ends_at_the_gate_even_if_nobody_cancelled_it() {
    each_database(async |database| {
        let far = FarSide::start().await;
        let long = |settings: String| settings.replace("undo_one_seconds = 0", "undo_one_seconds = 3600");
        let gateway = TestGateway::start(database, &far, long).await;
        gateway.know(&[("Early", None, Some("early@far.example"))]).await;
        let sent = intake::submit(&gateway.intake, &request("introduction", "Early")).await.expect("accepted");
        execute(database, "UPDATE submission SET undone_ms = 1, undo_until_ms = 1".to_owned()).await;
        hasten(database, &gateway).await;
        let id = sent.messages[0].id;
        let gone = gateway.message_until(id, "the gate to end it", |one| one.status.is_terminal()).await;
        assert_eq!(
            (gone.status, gone.reason.map(|one| one.to_string())),
            (MessageStatus::Cancelled, Some("withdrawn".into()))
        );
        assert!(gateway.attempts_of(id).await.is_empty());
        gateway.finish(&far).await;
    })
    .await;
}
