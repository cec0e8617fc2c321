//! Answers: of people, of machines, and those that ask for no more.

use std::time::Duration;

use touchline::domain::referrer::ReferrerState;
use touchline::domain::returned::{Automatic, MatchedBy, ReturnKind, ReturnState};
use touchline::domain::suppression::{SuppressionReason, SuppressionSource};
use touchline::domain::touch::TouchKind;
use touchline::domain::{Actor, Channel, MessageStatus, PolicyReason};
use touchline::feedback::returns::taking::Taken;
use touchline::feedback::returns::working::{Act, acts_for};

use super::mails::{absence, personal, reply};
use super::{TUESDAY, act, mailed, returns, suppressions, take_all, take_one};
use crate::support::gateway::{TestGateway, each_gateway_at};

async fn state_of(gateway: &TestGateway, letter: &touchline::domain::message::Message) -> ReferrerState {
    let mut tx = gateway.store().read().await.expect("a transaction");
    tx.referrer(letter.referrer_id).await.expect("read").expect("a referrer").state
}

#[tokio::test]
async fn a_persons_answer_is_a_touch_and_opens_the_conversation() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example")), ("Stone", None, Some("ben@stone.example"))]).await;
            let (letter, id) = mailed(gateway, "introduction", "Ruiz").await;
            let taken =
                take_all(gateway, &[reply(&id, "ana@ruiz.example", "Happy to meet on Thursday."), personal()]).await;
            assert_eq!(taken, [Taken::Answer, Taken::NotOurs]);
            let rows = returns(gateway).await;
            assert_eq!(rows.len(), 1, "nothing is kept of what people write to each other");
            assert_eq!((rows[0].kind, rows[0].state), (ReturnKind::Reply, ReturnState::Open));
            assert_eq!(rows[0].first_line.as_deref(), Some("Happy to meet on Thursday."));
            assert_eq!(acts_for(&rows[0]), [Act::Done]);
            let mut tx = gateway.store().read().await.expect("a transaction");
            assert_eq!(tx.arrival_body(rows[0].arrival_id.expect("a mail")).await.expect("read"), None, "not kept");
            let touches = tx.touches_of(letter.referrer_id, 10).await.expect("read");
            let kinds: Vec<TouchKind> = touches.iter().map(|touch| touch.kind).collect();
            assert!(kinds.contains(&TouchKind::Reply), "{kinds:?}");
            assert_eq!(
                tx.touches_delivered(letter.referrer_id).await.expect("read"),
                1,
                "the letter counts, the answer does not"
            );
            drop(tx);
            assert_eq!(state_of(gateway, &letter).await, ReferrerState::ConversationOpen);
            assert_eq!(gateway.message(letter.id).await.status, MessageStatus::Delivered, "who answers has got it");
            // An answer without the letter's name, from a mailbox that is on record.
            let (other, _) = mailed(gateway, "introduction", "Stone").await;
            assert_eq!(
                take_one(gateway, reply("<unknown@x>", "ben@stone.example", "Yes please.")).await,
                Taken::Answer
            );
            assert_eq!(state_of(gateway, &other).await, ReferrerState::ConversationOpen);
            assert_eq!(returns(gateway).await[0].matched_by, Some(MatchedBy::Sender));
            assert_eq!(take_one(gateway, reply("<unknown@x>", "kim@elsewhere.example", "Yes.")).await, Taken::NotOurs);
        },
    )
    .await;
}

#[tokio::test]
async fn while_somebody_is_away_automatic_letters_wait_and_then_go() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, clock| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (letter, id) = mailed(gateway, "introduction", "Ruiz").await;
            let text = "I am out of the office until December 4, 2026 and will answer then.";
            assert_eq!(take_one(gateway, absence(&id, "ana@ruiz.example", text)).await, Taken::Ours);
            let rows = returns(gateway).await;
            assert_eq!((rows[0].automatic, rows[0].back_on.as_deref()), (Some(Automatic::Absence), Some("2026-12-04")));
            assert_eq!(rows[0].state, ReturnState::Applied, "nobody has to do anything");
            assert_eq!(state_of(gateway, &letter).await, ReferrerState::Active, "no person has answered");
            let update = gateway.send_via("introduction", "all", &[Channel::Email]).await;
            assert_eq!(update.counts.queued, 1);
            let waiting = gateway
                .until("it waits", async || {
                    let message = gateway.message_of("Ruiz", Channel::Email).await;
                    (message.reason == Some(PolicyReason::ReferrerAway.into())).then_some(message)
                })
                .await;
            // One hour after the morning of Monday, one business day after the Friday of their return.
            clock.advance(Duration::from_secs((5 * 24 + 16) * 3600));
            gateway
                .message_until(waiting.id, "sent once they are back", |one| one.status == MessageStatus::Accepted)
                .await;
        },
    )
    .await;
}

#[tokio::test]
async fn who_asks_for_no_more_is_held_at_once_and_decided_by_a_person() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example")), ("Stone", None, Some("ben@stone.example"))]).await;
            for (name, address, decision) in
                [("Ruiz", "ana@ruiz.example", Act::Suppress), ("Stone", "ben@stone.example", Act::Dismiss)]
            {
                let (letter, id) = mailed(gateway, "introduction", name).await;
                // Another letter waits for tomorrow.
                let later = waiting(gateway, name).await;
                assert_eq!(
                    take_one(gateway, reply(&id, address, "Please remove me from your list.")).await,
                    Taken::Answer
                );
                let held = gateway.message(later).await;
                assert_eq!((held.status, held.reason), (MessageStatus::Held, Some(PolicyReason::AskedToStop.into())));
                assert_eq!(suppressions(gateway, &letter).await, [], "words alone suppress nobody");
                let row = returns(gateway).await.remove(0);
                assert_eq!((row.kind, row.state), (ReturnKind::OptOut, ReturnState::Open));
                assert_eq!(acts_for(&row), [Act::Suppress, Act::SuppressFax, Act::SuppressAll, Act::Dismiss]);
                let done = act(gateway, &row, decision, None).await.expect("done");
                assert_eq!((done.state, done.done_by), (ReturnState::Done, Some(Actor::operator("sam"))));
                let after = gateway.message(later).await;
                let refused: Vec<_> =
                    suppressions(gateway, &letter).await.iter().map(|one| (one.reason, one.source)).collect();
                if decision == Act::Suppress {
                    assert_eq!(after.status, MessageStatus::Suppressed);
                    assert_eq!(refused, [(SuppressionReason::OptOut, SuppressionSource::Email)]);
                } else {
                    assert_eq!(after.status, MessageStatus::Queued);
                    assert_eq!(refused, []);
                }
                assert!(act(gateway, &row, decision, None).await.is_err(), "decided once");
            }
        },
    )
    .await;
}

/// A letter to somebody that waits for another day.
async fn waiting(gateway: &TestGateway, name: &str) -> touchline::domain::id::MessageId {
    let request = touchline::intake::request::Request {
        at: Some(touchline::domain::Timestamp::from_utc("2026-12-03T15:00:00Z".parse().expect("a time"))),
        again: true,
        ..crate::repeating::request("introduction", name)
    };
    let accepted = touchline::intake::submit(&gateway.intake, &request).await.expect("accepted");
    assert_eq!(accepted.counts.queued, 1, "{accepted:?}");
    gateway.message_of(name, Channel::Email).await.id
}

#[tokio::test]
async fn a_mail_to_the_signed_address_for_opting_out_opts_out() {
    each_gateway_at(
        TUESDAY,
        |settings| settings,
        async |gateway, _, _| {
            gateway.know(&[("Ruiz", None, Some("ana@ruiz.example"))]).await;
            let (letter, _) = mailed(gateway, "introduction", "Ruiz").await;
            let attempt = gateway.attempts_of(letter.id).await[0].id;
            let mailbox =
                touchline::domain::EmailAddress::parse("bounces@lakeside-psychiatry.example").expect("an address");
            let to = gateway.gateway.return_paths.opt_out(&mailbox, attempt).expect("room");
            let mail =
                format!("From: phone@elsewhere.example\r\nTo: <{}>\r\nSubject: unsubscribe\r\n\r\n", to.as_str());
            assert_eq!(take_one(gateway, mail).await, Taken::Answer);
            let refused = suppressions(gateway, &letter).await;
            assert_eq!(
                refused.iter().map(|one| (one.reason, &one.who)).collect::<Vec<_>>(),
                [(SuppressionReason::OptOut, &Actor::Recipient)]
            );
            assert_eq!(returns(gateway).await[0].state, ReturnState::Applied);
        },
    )
    .await;
}
