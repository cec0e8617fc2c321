use std::collections::HashMap;

use touchline::domain::Channel;

use crate::support::databases::each_database;
use crate::support::gateway::{FarSide, TestGateway, each_gateway};

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_called_for_one_letter_at_a_time() {
    each_gateway(async |gateway, far| {
        gateway.know(&[("Shared", Some("0150"), None)]).await;
        for _ in 0..3 {
            gateway.send_via("introduction", "Shared", &[Channel::Fax]).await;
        }
        gateway.settled().await;
        let mut calls: Vec<_> = far.faxes_to("0150").iter().map(|fax| (fax.received_ms, fax.ended_ms)).collect();
        calls.sort_unstable();
        assert_eq!(calls.len(), 3);
        for pair in calls.windows(2) {
            let end = pair[0].1.expect("ended");
            assert!(end <= pair[1].0, "a second call began before the first had ended: {calls:?}");
        }
    })
    .await;
}

/// Two nodes on one database (two programs, as far as the store can tell) divide a broadcast between them.
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_share_a_broadcast_and_nobody_gets_two_copies() {
    each_database(async |database| {
        let far = FarSide::start().await;
        // Two programs on one SQLite file: what one of them gives up because it is locked is found again in time.
        let briefly = |settings: String| settings.replace("lease_seconds = 3600", "lease_seconds = 600");
        let one = TestGateway::start(database, &far, briefly).await;
        let two = TestGateway::start(database, &far, briefly).await;
        let names: Vec<String> = (0..40).map(|number| format!("Number{number}")).collect();
        let tails: Vec<String> = (0..40).map(|number| format!("01{}", 40 + number)).collect();
        let mailboxes: Vec<String> = (0..40).map(|number| format!("number{number}@far.example")).collect();
        let people: Vec<_> = names
            .iter()
            .zip(tails.iter().zip(&mailboxes))
            .map(|(name, (tail, mailbox))| (name.as_str(), Some(tail.as_str()), Some(mailbox.as_str())))
            .collect();
        one.know(&people).await;
        let accepted = two.send("introduction", "all").await;
        assert_eq!(accepted.messages.len(), 80);
        let ledger = one.settled().await;
        assert_eq!((ledger.delivered, ledger.total), (80, 80), "{ledger:?}");
        let mut copies: HashMap<String, usize> = HashMap::new();
        for fax in far.line.faxes() {
            *copies.entry(fax.to_hash).or_default() += 1;
        }
        for mail in far.catcher.messages() {
            *copies.entry(mail.to.join(",")).or_default() += 1;
        }
        assert_eq!(copies.len(), 80);
        assert!(copies.values().all(|count| *count == 1), "{copies:?}");
        one.finish(&far).await;
        two.finish(&far).await;
    })
    .await;
}
