use touchline::domain::referrer::ReferrerState;
use touchline::domain::{Channel, EmailAddress, FaxNumber, MessageStatus};
use touchline::operator::Act;
use touchline::sandbox::fax::FaxStatus;

use super::pausing::{pause, resume};
use crate::support::databases::each_database;
use crate::support::gateway::{FarSide, TestGateway, each_gateway};

/// Changes a referrer, as a person does on the screen.
async fn change(gateway: &TestGateway, last_name: &str, how: impl FnOnce(&mut touchline::domain::referrer::Referrer)) {
    let mut tx = gateway.store().write().await.expect("tx");
    let mut found = tx.referrers_page(Some(last_name), None, 1).await.expect("read").remove(0);
    how(&mut found);
    tx.referrer_put(&found).await.expect("stored");
    tx.commit().await.expect("committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_is_held_released_and_cancelled_by_a_person() {
    each_gateway(async |gateway, far| {
        gateway.know(&[("Held", Some("0150"), None), ("Gone", Some("0151"), None)]).await;
        pause(gateway, "fax-sandbox").await;
        let held = gateway.send("introduction", "Held").await.messages[0].id;
        let gone = gateway.send("introduction", "Gone").await.messages[0].id;
        let message = gateway.act(held, Act::Hold).await.expect("held");
        assert_eq!(
            (message.status, message.reason.map(touchline::domain::Reason::as_str)),
            (MessageStatus::Held, Some("held_by_operator"))
        );
        assert!(gateway.act(held, Act::Hold).await.is_err(), "it is held already");
        assert!(gateway.act(gone, Act::Release).await.is_err(), "it is not held");
        let message = gateway.act(gone, Act::Cancel).await.expect("withdrawn");
        assert_eq!(message.status, MessageStatus::Cancelled);
        resume(gateway, "fax-sandbox").await;
        let ledger = gateway.settled().await;
        assert_eq!((ledger.held, ledger.cancelled), (1, 1));
        assert!(far.line.faxes().is_empty(), "neither goes by itself");

        gateway.act(held, Act::Release).await.expect("released");
        gateway.settled().await;
        assert_eq!(gateway.message(held).await.status, MessageStatus::Delivered);
        gateway.act(gone, Act::Retry).await.expect("it should go out after all");
        let ledger = gateway.settled().await;
        assert_eq!(ledger.delivered, 2);
        let mut tx = gateway.store().read().await.expect("tx");
        let acts: Vec<_> =
            tx.audit_page(&[], 0, 10).await.expect("read").into_iter().map(|line| (line.who, line.action)).collect();
        for act in ["hold", "cancel", "release", "retry"] {
            assert!(
                acts.contains(&(touchline::domain::Actor::operator("sam"), act.parse().expect("an act"))),
                "{act}: {acts:?}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fax_under_way_is_stopped_at_the_provider() {
    each_database(async |database| {
        let far = FarSide::start_slow().await;
        let gateway = TestGateway::start(database, &far, |settings| settings).await;
        gateway.know(&[("Slow", Some("0123"), None)]).await;
        let id = gateway.send("introduction", "Slow").await.messages[0].id;
        gateway.message_until(id, "the line to take it", |one| one.status == MessageStatus::Accepted).await;
        gateway.act(id, Act::Cancel).await.expect("stopped");
        gateway.settled().await;
        assert_eq!(gateway.message(id).await.status, MessageStatus::Cancelled);
        assert_eq!(far.faxes_to("0123")[0].status, FaxStatus::Cancelled);
        let late = gateway.act(id, Act::Cancel).await.expect_err("it has ended");
        assert!(late.to_string().contains("ended"), "{late}");
        gateway.finish(&far).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_goes_to_the_corrected_address_when_it_is_tried_again() {
    each_gateway(async |gateway, far| {
        gateway.know(&[("Moved", Some("0120"), Some("unknown.moved@old.example"))]).await;
        gateway.send("introduction", "Moved").await;
        let ledger = gateway.settled().await;
        assert_eq!(ledger.failed, 2);
        let fax = gateway.message_of("Moved", Channel::Fax).await;
        let mail = gateway.message_of("Moved", Channel::Email).await;

        gateway.know(&[("Neighbour", Some("0152"), None)]).await;
        change(gateway, "Moved", |referrer| {
            referrer.fax = FaxNumber::parse("(312) 555-0152").ok();
            referrer.email = EmailAddress::parse("moved@new.example").ok();
        })
        .await;
        gateway.act(fax.id, Act::Retry).await.expect("tried again");
        gateway.act(mail.id, Act::Retry).await.expect("tried again");
        let ledger = gateway.settled().await;
        assert_eq!((ledger.delivered, ledger.failed), (2, 0));
        assert_eq!((far.faxes_to("0152").len(), far.mails_to("moved@new.example").len()), (1, 1));
        assert_eq!(gateway.attempts_of(fax.id).await.len(), 2, "its history stays");
        assert!(gateway.act(fax.id, Act::Retry).await.is_err(), "it has arrived");
    })
    .await;
}

/// A person let it go; that the provider happened to be paused at that moment must not put it back on hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_stands_until_the_letter_goes() {
    each_gateway(async |gateway, _| {
        gateway.know(&[("Resting", Some("0150"), None)]).await;
        change(gateway, "Resting", |referrer| referrer.state = ReferrerState::Paused).await;
        let id = gateway.send("introduction", "Resting").await.messages[0].id;
        let message = gateway.message(id).await;
        assert_eq!(
            (message.status, message.reason.map(touchline::domain::Reason::as_str)),
            (MessageStatus::Held, Some("referrer_paused"))
        );
        pause(gateway, "fax-sandbox").await;
        gateway.act(id, Act::Release).await.expect("released");
        gateway
            .until("it to be put off", async || {
                let mut tx = gateway.store().read().await.expect("tx");
                let entry = tx.queue_entry(id.0).await.expect("read");
                entry.filter(|entry| entry.state.as_str() == "waiting")
            })
            .await;
        resume(gateway, "fax-sandbox").await;
        gateway.settled().await;
        assert_eq!(gateway.message(id).await.status, MessageStatus::Delivered);
    })
    .await;
}
