use touchline::domain::health::Health;
use touchline::domain::{Address, Channel, EmailAddress, MessageStatus};

use super::pausing::{pause, resume};
use crate::support::gateway::{each_gateway, each_gateway_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_suppressed_number_is_never_dialled() {
    each_gateway(async |gateway, far| {
        gateway.know(&[("Before", Some("0150"), None), ("Between", Some("0151"), None)]).await;
        gateway.opt_out("0150").await;
        pause(gateway, "fax-sandbox").await;
        gateway.send("introduction", "all").await;
        assert_eq!(gateway.opt_out("0151").await, 1, "what waits is ended");
        resume(gateway, "fax-sandbox").await;
        let ledger = gateway.settled().await;
        assert_eq!((ledger.suppressed, ledger.total), (2, 2));
        for name in ["Before", "Between"] {
            let message = gateway.message_of(name, Channel::Fax).await;
            assert_eq!(message.reason.map(touchline::domain::Reason::as_str), Some("opted_out"), "{name}");
        }
        assert!(far.line.faxes().is_empty(), "nobody was called");
        let mut tx = gateway.store().read().await.expect("tx");
        let number = touchline::domain::FaxNumber::parse("(312) 555-0151").expect("a number");
        assert!(
            tx.basis_among(&[touchline::domain::AddressKey::from(&number)]).await.expect("read").is_empty(),
            "its basis ended"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_between_two_attempts_stops_the_retry() {
    let patiently = |settings: String| {
        settings.replace("retry_scale_percent = 1\nretry_wait_max_seconds = 1", "retry_scale_percent = 1000")
    };
    each_gateway_with(patiently, async |gateway, far| {
        gateway.know(&[("Carter", Some("0118"), None)]).await;
        let id = gateway.send("introduction", "Carter").await.messages[0].id;
        gateway
            .message_until(id, "the first call to fail", |one| {
                one.reason.map(touchline::domain::Reason::as_str) == Some("no_answer")
            })
            .await;
        assert_eq!(gateway.opt_out("0118").await, 1);
        let message = gateway.message(id).await;
        assert_eq!(
            (message.status, message.reason.map(touchline::domain::Reason::as_str)),
            (MessageStatus::Suppressed, Some("opted_out"))
        );
        gateway.settled().await;
        assert_eq!(far.faxes_to("0118").len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_mailbox_fails_once_and_is_not_written_to_again() {
    each_gateway(async |gateway, far| {
        gateway.know(&[("Fielding", None, Some("unknown.fielding@cedarwell.example"))]).await;
        let id = gateway.send_via("introduction", "Fielding", &[Channel::Email]).await.messages[0].id;
        gateway.settled().await;
        let message = gateway.message(id).await;
        assert_eq!(
            (message.status, message.reason.map(touchline::domain::Reason::as_str)),
            (MessageStatus::Failed, Some("mailbox_unknown"))
        );
        assert_eq!(gateway.attempts_of(id).await.len(), 1);

        let mailbox = EmailAddress::parse("unknown.fielding@cedarwell.example").expect("an address");
        let mut tx = gateway.store().read().await.expect("tx");
        let known = tx.address_health(&Address::Email(mailbox)).await.expect("read").expect("known");
        assert_eq!(known.health, Health::Dead);
        drop(tx);
        let again = gateway.send_via("introduction", "Fielding", &[Channel::Email]).await;
        assert_eq!(again.messages[0].reason.map(touchline::domain::Reason::as_str), Some("dead_address"));
        assert!(far.catcher.messages().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_says_what_it_lacks_is_not_accepted_and_nothing_of_it_is_kept() {
    each_gateway(async |gateway, _| {
        gateway.know(&[("Whitfield", Some("0150"), None)]).await;
        let refused = gateway.try_send("capacity-update", "all", &[Channel::Fax]).await;
        let words = refused.expect_err("its variables are missing").to_string();
        assert!(words.contains("Whitfield"), "{words}");
        let nobody = gateway.try_send("introduction", "tag:nobody", &[Channel::Fax]).await;
        assert!(nobody.expect_err("nobody is there").to_string().contains("tag:nobody"));
        assert_eq!(gateway.ledger().await.total, 0);
        gateway.send("introduction", "all").await;
        gateway.settled().await;
    })
    .await;
}
