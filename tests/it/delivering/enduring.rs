//! The database disappears in the middle of the work and comes back: what was given up is found again, and no answer
//! that was already given is lost.

use std::collections::HashMap;

use sqlx::{Connection, Executor, PgConnection};
use touchline::domain::{Channel, MessageStatus};
use touchline::store::Store;

use crate::support::databases::Database;
use crate::support::gateway::{FarSide, TestGateway};
use crate::support::proxy::{FINAL_DOT, Proxy, Then};
use crate::support::soon;

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_while_the_database_is_locked_is_recorded_when_it_is_free() {
    let (database, far) = (Database::sqlite().await, FarSide::start().await);
    let relay = Proxy::before(far.catcher.address()).await;
    let by_wire = |settings: String| far.with_mail_by(relay.address().port(), &settings);
    let gateway = TestGateway::start(&database, &far, by_wire).await;
    gateway.know(&[("Reader", None, Some("reader@far.example"))]).await;
    let heard = relay.at(FINAL_DOT, Then::HoldAnswer);
    let id = gateway.send_via("introduction", "Reader", &[Channel::Email]).await.messages[0].id;
    heard.seen().await;
    let other = Store::open(&database.url, 2).await.expect("another program opens it");
    let lock = other.write().await.expect("and takes the lock");
    relay.release();
    let refused = gateway.try_send("introduction", "Reader", &[Channel::Email]).await.expect_err("locked");
    assert!(refused.to_string().contains("locked by another program"), "{refused}");
    soon("the mail to arrive meanwhile", far.catcher.caught(1)).await;
    assert_eq!(gateway.attempts_of(id).await[0].status.as_str(), "calling", "nobody could write down the answer");
    drop(lock);
    gateway.settled().await;
    assert_eq!(gateway.message(id).await.status, MessageStatus::Delivered);
    assert_eq!((gateway.attempts_of(id).await.len(), far.catcher.total()), (1, 1));
    gateway.finish(&far).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_in_the_middle_of_a_broadcast_lose_nothing_and_double_nothing() {
    const CUTS: usize = 6;
    let Some(database) = Database::postgres().await else { return };
    let far = FarSide::start().await;
    let briefly = |settings: String| settings.replace("lease_seconds = 3600", "lease_seconds = 60");
    let gateway = TestGateway::start(&database, &far, briefly).await;
    let people: Vec<(String, String, String)> =
        (0..30).map(|n| (format!("Number{n}"), format!("01{}", 50 + n), format!("number{n}@far.example"))).collect();
    let people: Vec<_> = people.iter().map(|(a, b, c)| (a.as_str(), Some(b.as_str()), Some(c.as_str()))).collect();
    gateway.know(&people).await;
    let total = i64::try_from(gateway.send("introduction", "all").await.messages.len()).expect("few");
    for cut in 0..CUTS {
        let before = gateway.ledger().await;
        gateway
            .until("some more to be done", async || {
                let now = gateway.ledger().await;
                (now.delivered > before.delivered || now.is_settled()).then_some(())
            })
            .await;
        let mut server =
            PgConnection::connect(&database.url).await.unwrap_or_else(|error| panic!("cut {cut}: {error}"));
        server
            .execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await
            .expect("cut");
    }
    let ledger = gateway.settled().await;
    // A mail whose gate was cut at its commit may be in doubt; it was not lost, and was not sent twice.
    assert_eq!((ledger.delivered + ledger.in_doubt, ledger.failed), (total, 0), "{ledger:?}");
    let mut copies: HashMap<String, usize> = HashMap::new();
    for fax in far.line.faxes() {
        *copies.entry(fax.to_hash).or_default() += 1;
    }
    for mail in far.catcher.messages() {
        *copies.entry(mail.to.join(",")).or_default() += 1;
    }
    assert!(copies.values().all(|count| *count == 1), "{copies:?}");
    gateway.finish(&far).await;
    database.remove().await;
}
