//! Nodes whose machines' clocks differ by minutes: the time that counts is the database's, so leases are not taken from the
//! living, rates hold, and nothing is repeated. And a machine whose clock is set back under a running node.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use touchline::app::{Gateway, Running};
use touchline::config::Config;
use touchline::domain::attempt::AttemptStatus;
use touchline::domain::{Channel, Clock, SystemClock, Timestamp};
use touchline::store::records::queue_entries::Entry;

use crate::support::databases::Database;
use crate::support::proxy::Proxy;
use crate::support::reckoning::Reckoning;
use crate::support::stage::{self, Setup, Stage};

/// A machine's clock that is wrong by so much.
#[derive(Debug)]
struct WrongClock {
    minutes: i64,
}

impl Clock for WrongClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.minutes * 60_000)
    }
}

/// A machine's clock that somebody sets.
#[derive(Debug, Default)]
struct SetClock {
    ahead_ms: AtomicI64,
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.ahead_ms.load(Ordering::Relaxed))
    }
}

/// A node in this process, on a machine whose clock is wrong.
async fn node(stage: &Stage, database: &Database, relay: &Proxy, minutes: i64) -> (Gateway, Running) {
    node_by(stage, database, relay, Arc::new(WrongClock { minutes })).await
}

async fn node_by(stage: &Stage, database: &Database, relay: &Proxy, clock: Arc<dyn Clock>) -> (Gateway, Running) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let text = stage.config(stage.fax_address(), relay.address());
    let text = text.replace("sqlite:touchline-demo.db", &database.url);
    let secret = |_: &str| Some("key-of-the-stage".to_owned());
    let config = Config::parse_with_env(&text, "skewed.toml", stage.folder(), &secret).expect("a configuration");
    let gateway = Gateway::join(config, clock).await.expect("a gateway");
    let running = gateway.start();
    (gateway, running)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_clock_is_ahead_takes_nothing_from_one_that_is_alive_and_behind() {
    let Some(database) = Database::postgres().await else { return };
    // Calls wait for the relay longer than it takes the living node to lengthen such leases.
    let setup = Setup { faxes: 0, mails: 40, lease_seconds: 15, relay: "timeout_seconds = 300", ..Setup::default() };
    let stage = Stage::build(setup).await;
    stage.send_to_all(&database.url);
    let store = database.open().await;
    let slow = Proxy::before(stage.catcher.address()).await;
    let quick = Proxy::before(stage.catcher.address()).await;
    slow.hold();
    let behind = node(&stage, &database, &slow, -4).await;
    stage::calls_under_way(&store, Channel::Email, 4).await;
    let ahead = node(&stage, &database, &quick, 6).await;
    // The others are done long before. Then the living node lengthens its leases until they reach beyond where those of now
    // would have ended, and nothing may be taken all the while.
    stage.until(&store, "the rest delivered", |ledger| ledger.delivered == 36).await;
    let leased = |entries: &[Entry]| entries.iter().filter_map(|one| one.lease_until_ms).collect::<Vec<_>>();
    let now = leased(&stage::entries(&store).await);
    let ended = now.iter().max().expect("calls are leased").after(Duration::from_secs(stage.setup.lease_seconds));
    stage
        .queue_until(&store, "every lease lengthened", |entries| leased(entries).iter().all(|until| *until > ended))
        .await;
    let under_way = stage::open_attempts(&store, AttemptStatus::Calling).await;
    assert_eq!(under_way, 4, "calls of a living node are nobody else's");
    slow.release();
    let ledger = stage.settled(&store).await;
    assert_eq!((ledger.delivered, ledger.in_doubt), (40, 0), "{ledger:?}");
    end([behind, ahead]).await;
    let reckoning = Reckoning::of(&store, stage.folder()).await;
    reckoning.check(stage.total());
    assert_eq!(reckoning.attempts.len(), 40, "each was called for once");
    store.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_whose_clocks_differ_by_minutes_keep_every_promise_and_every_rate() {
    let Some(database) = Database::postgres().await else { return };
    let rate = 1_200;
    let setup = Setup { faxes: 60, mails: 240, rate, call_takes: Duration::from_millis(200), ..Setup::default() };
    let stage = Stage::build(setup).await;
    stage.send_to_all(&database.url);
    let store = database.open().await;
    let relay = Proxy::before(stage.catcher.address()).await;
    let mut nodes = Vec::new();
    for minutes in [-5, 0, 7] {
        nodes.push(node(&stage, &database, &relay, minutes).await);
    }
    let ledger = stage.settled(&store).await;
    assert_eq!((ledger.delivered, ledger.in_doubt), (stage.total(), 0), "{ledger:?}");
    end(nodes).await;
    let reckoning = Reckoning::of(&store, stage.folder()).await;
    reckoning.check(stage.total());
    reckoning.check_rate("fax-sandbox", rate);
    reckoning.check_rate("mail-sandbox", rate);
    store.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_by_an_hour_under_a_running_node_does_not_stop_the_letters() {
    let database = Database::sqlite().await;
    let stage = Stage::build(Setup { faxes: 5, mails: 20, ..Setup::default() }).await;
    let store = database.open().await;
    let relay = Proxy::before(stage.catcher.address()).await;
    let machine = Arc::new(SetClock::default());
    let running = node_by(&stage, &database, &relay, machine.clone()).await;
    machine.ahead_ms.store(-3_600_000, Ordering::Relaxed);
    stage.send_to_all(&database.url);
    let ledger = stage.settled(&store).await;
    assert_eq!((ledger.delivered, ledger.in_doubt), (25, 0), "{ledger:?}");
    let back = running.0.clock_set_back().expect("it was noticed").as_secs();
    assert!((3_590..=3_610).contains(&back), "{back}");
    end([running]).await;
    let reckoning = Reckoning::of(&store, stage.folder()).await;
    reckoning.check(stage.total());
    store.close().await;
    database.remove().await;
}

async fn end(nodes: impl IntoIterator<Item = (Gateway, Running)>) {
    for (gateway, running) in nodes {
        running.drain().await;
        gateway.store.close().await;
    }
}
