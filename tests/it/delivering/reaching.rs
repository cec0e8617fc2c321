use touchline::domain::message::Confidence;
use touchline::domain::touch::Disposition;
use touchline::domain::{Channel, MessageStatus};
use touchline::sandbox::fax::FaxStatus;

use crate::support::gateway::{TestGateway, each_gateway};

const SAMPLE: &str = include_str!("../../../config/sample-referrers.csv");

async fn end_of(gateway: &TestGateway, name: &str, channel: Channel) -> (MessageStatus, Option<String>) {
    let message = gateway.message_of(name, channel).await;
    (message.status, message.reason.map(|reason| reason.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_introduction_to_the_sample_list_reaches_everybody_it_may_and_says_why_it_does_not_reach_others() {
    each_gateway(async |gateway, far| {
        assert_eq!(gateway.import(SAMPLE).await.added, 14);
        let accepted = gateway.send("introduction", "all").await;
        assert_eq!(accepted.messages.len(), 25, "two channels for each, but no fax, no mailbox, and one shared number");
        assert_eq!(accepted.skipped.len(), 3);
        let ledger = gateway.settled().await;

        use Channel::{Email, Fax};
        use MessageStatus::{Delivered, Failed, Suppressed};
        for (name, channel, status, reason) in [
            ("Whitfield", Fax, Delivered, None),
            ("Whitfield", Email, Delivered, None),
            ("Bielak", Fax, Suppressed, Some("no_basis")),
            ("Fielding", Fax, Delivered, None),
            ("Fielding", Email, Failed, Some("mailbox_unknown")),
            ("Okonkwo", Fax, Delivered, None),
            ("Carranza", Fax, Delivered, None),
            ("Adeyemi", Fax, Delivered, None),
            ("Nakamura", Email, Delivered, None),
            ("Vasquez", Fax, Delivered, None),
            ("Szymanski", Fax, Suppressed, Some("no_basis")),
            ("Goldfarb", Fax, Failed, Some("not_a_fax")),
            ("Baptiste", Fax, Failed, Some("invalid_number")),
        ] {
            let end = end_of(gateway, name, channel).await;
            assert_eq!(end, (status, reason.map(str::to_owned)), "{channel} to {name}");
        }
        assert_eq!((ledger.total, ledger.delivered, ledger.failed, ledger.suppressed), (25, 19, 4, 2), "{ledger:?}");
        for (tail, calls) in [("0103", 0), ("0115", 0), ("0112", 1), ("0117", 3), ("0120", 0), ("0119", 2)] {
            assert_eq!(far.faxes_to(tail).len(), calls, "calls to {tail}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_letter_by_both_channels_is_one_touch_with_two_messages() {
    each_gateway(async |gateway, far| {
        gateway.know(&[("Whitfield", Some("0150"), Some("whitfield@ridge.example"))]).await;
        let accepted = gateway.send("introduction", "Whitfield").await;
        assert!(accepted.broadcast.is_none(), "one letter to one referrer is no broadcast");
        assert_eq!(accepted.messages[0].touch, accepted.messages[1].touch);
        gateway.settled().await;

        let faxed = gateway.message_of("Whitfield", Channel::Fax).await;
        let mailed = gateway.message_of("Whitfield", Channel::Email).await;
        assert_eq!(faxed.confidence, Some(Confidence::Confirmed), "the far machine confirmed the pages");
        assert_eq!(mailed.confidence, Some(Confidence::Presumed), "no bounce came");
        let mut tx = gateway.store().read().await.expect("tx");
        let history = tx.touches_of(faxed.referrer_id, 10).await.expect("read");
        assert_eq!((history.len(), history[0].disposition), (1, Disposition::Delivered));
        assert_eq!(tx.touches_delivered(faxed.referrer_id).await.expect("read"), 1);
        for message in [&faxed, &mailed] {
            let hash = message.document_hash.as_deref().expect("what was sent is kept");
            assert!(tx.document(hash).await.expect("read").is_some_and(|(_, body)| !body.is_empty()));
        }
        drop(tx);
        assert_eq!(far.mails_to("whitfield@ridge.example").len(), 1);
        let faxes = far.faxes_to("0150");
        assert_eq!((faxes.len(), faxes[0].status), (1, FaxStatus::Delivered));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_fax_number_gets_one_copy_of_a_broadcast_and_each_mailbox_its_own() {
    each_gateway(async |gateway, far| {
        gateway
            .know(&[
                ("Nakamura", Some("0150"), Some("nakamura@dempster.example")),
                ("Adeyemi", Some("0150"), Some("adeyemi@dempster.example")),
            ])
            .await;
        let accepted = gateway.send("introduction", "all").await;
        assert_eq!(accepted.messages.len(), 3);
        assert!(accepted.skipped[0].why.contains("one copy"), "{}", accepted.skipped[0].why);
        gateway.settled().await;
        assert_eq!(far.faxes_to("0150").len(), 1);
        assert_eq!(far.catcher.messages().len(), 2);
    })
    .await;
}
