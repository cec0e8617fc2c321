//! SIGTERM: calls in progress finish and are recorded; what was not started is available to all nodes immediately.

use std::time::Instant;

use touchline::domain::Channel;
use touchline::store::views::lists::LinesOf;

use crate::support::databases::Database;
use crate::support::proxy::Proxy;
use crate::support::reckoning::Reckoning;
use crate::support::stage::{self, Setup, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_told_to_stop_ends_its_calls_and_gives_back_the_rest_at_once() {
    let Some(database) = Database::postgres().await else { return };
    // With such leases, whoever waited for one to end would still be waiting when the test gives up.
    let setup = Setup { faxes: 40, mails: 160, lease_seconds: 3_600, rate: 1_800, ..Setup::default() };
    let stage = Stage::build(setup).await;
    stage.send_to_all(&database.url);
    let store = database.open().await;
    let relay = Proxy::before(stage.catcher.address()).await;
    let port = ("TOUCHLINE_PROVIDERS__MAIL_SANDBOX__PORT", relay.address().port().to_string());
    let one = stage.node_with(1, &database.url, &[port]);
    stage.catcher.caught(30).await;

    // It is told to stop while the relay is silent: calls that have begun are waited for.
    relay.hold();
    stage::calls_under_way(&store, Channel::Email, 4).await;
    let draining = tokio::spawn(one.drain());
    stage.hears(1, "Stopping", 1).await;
    assert!(!draining.is_finished(), "calls under way are let end");
    relay.release();
    assert!(draining.await.expect("drained").success(), "{}", stage.logs());

    let mut tx = store.read().await.expect("readable");
    for line in tx.message_lines(LinesOf::default(), 1_000).await.expect("read") {
        let entry = tx.queue_entry(line.id.0).await.expect("read");
        assert!(entry.is_none_or(|entry| entry.owner.is_none()), "nothing is kept from the others");
    }
    drop(tx);
    let before = Reckoning::of(&store, stage.folder()).await;
    assert!(before.attempts.values().all(|attempt| attempt.status.as_str() != "calling"), "every call was recorded");

    let began = Instant::now();
    let two = stage.node(2, &database.url);
    let ledger = stage.settled(&store).await;
    println!("the other node took {:?} for the rest", began.elapsed());
    assert_eq!(ledger.delivered, stage.total(), "and nothing is in doubt: {ledger:?}");
    assert!(two.drain().await.success(), "{}", stage.logs());
    Reckoning::of(&store, stage.folder()).await.check(stage.total());
    store.close().await;
    database.remove().await;
}
