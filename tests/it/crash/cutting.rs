//! One of two nodes is cut off from the database, or frozen, while its calls are in progress. The other takes
//! over; what the first learned is recorded when it is back; nobody is called twice.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use touchline::domain::attempt::AttemptStatus;
use touchline::domain::{Channel, Clock, SystemClock};
use touchline::store::Store;
use touchline::store::records::queue_entries::Entry;

use crate::support::PATIENCE;
use crate::support::databases::Database;
use crate::support::proxy::{Proxy, Then};
use crate::support::reckoning::Reckoning;
use crate::support::stage::{self, Node, Setup, Stage};

const LOOK: Duration = Duration::from_millis(50);

/// A stage on PostgreSQL of which the first node has wires that can be cut.
struct Divided {
    stage: Stage,
    database: Database,
    store: Store,
    /// From node 1 to the database.
    base: Proxy,
    /// From node 1 to the fax line.
    fax: Proxy,
    /// From node 1 to the relay.
    relay: Proxy,
}

impl Divided {
    async fn build(setup: Setup) -> Option<Self> {
        let database = Database::postgres().await?;
        let stage = Stage::build(setup).await;
        stage.send_to_all(&database.url);
        let store = database.open().await;
        let base = Proxy::before(address_of(&database.url)).await;
        let fax = Proxy::before(stage.fax_address()).await;
        let relay = Proxy::before(stage.catcher.address()).await;
        Some(Self { stage, database, store, base, fax, relay })
    }

    /// Node 1, whose wires are ours.
    fn wired(&self) -> Node {
        let url =
            self.database.url.replace(&address_of(&self.database.url).to_string(), &self.base.address().to_string());
        let settings = [
            ("TOUCHLINE_PROVIDERS__FAX_SANDBOX__BASE_URL", format!("http://{}", self.fax.address())),
            ("TOUCHLINE_PROVIDERS__MAIL_SANDBOX__PORT", self.relay.address().port().to_string()),
        ];
        self.stage.node_with(1, &url, &settings)
    }

    /// Node 2, which nothing happens to.
    fn other(&self) -> Node {
        // What is in doubt is looked up at once, and at once again.
        let settle = ("TOUCHLINE_SENDING__DOUBT_SETTLE_SECONDS", "0".to_owned());
        self.stage.node_with(2, &self.database.url, &[settle])
    }

    async fn until(&self, what: &str, look: impl AsyncFn() -> bool) {
        let began = Instant::now();
        while !look().await {
            assert!(began.elapsed() < PATIENCE, "waited in vain: {what}\n{}", self.stage.logs());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits for the end, and holds every promise against it. Returns how many are in doubt.
    async fn end(self, nodes: impl IntoIterator<Item = Node>) -> i64 {
        self.stage.settled(&self.store).await;
        for node in nodes {
            assert!(node.drain().await.success(), "{}", self.stage.logs());
        }
        let reckoning = Reckoning::of(&self.store, self.stage.folder()).await;
        reckoning.check(self.stage.total());
        let ledger = reckoning.ledger;
        assert_eq!((ledger.delivered + ledger.in_doubt, ledger.failed), (ledger.total, 0), "{ledger:?}");
        self.store.close().await;
        self.database.remove().await;
        ledger.in_doubt
    }
}

fn address_of(url: &str) -> SocketAddr {
    let (_, rest) = url.split_once('@').expect("a user");
    rest.split('/').next().expect("an address").parse().expect("an address")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_learns_while_it_is_cut_off_from_the_database_is_recorded_when_it_is_back() {
    let setup = Setup { faxes: 0, mails: 60, ..Setup::default() };
    let Some(divided) = Divided::build(setup).await else { return };
    divided.relay.hold();
    let one = divided.wired();
    stage::calls_under_way(&divided.store, Channel::Email, 4).await;
    divided.base.refuse();
    let two = divided.other();
    // The other node finishes all the rest, and finds that nobody makes those four calls any more.
    let others = divided.stage.total() - 4;
    divided
        .stage
        .until(&divided.store, "the rest delivered, four in doubt", |ledger| {
            (ledger.delivered, ledger.in_doubt) == (others, 4)
        })
        .await;
    divided.relay.release();
    divided.stage.catcher.caught(60).await;
    divided.base.release();
    let all = divided.stage.total();
    divided.stage.until(&divided.store, "every answer recorded", |ledger| ledger.delivered == all).await;
    assert_eq!(divided.end([one, two]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fax_is_not_taken_for_absent_while_a_node_that_is_cut_off_may_still_hand_it_over() {
    let setup = Setup { faxes: 2, mails: 0, fax: "timeout_seconds = 30", ..Setup::default() };
    let Some(divided) = Divided::build(setup).await else { return };
    divided.fax.hold();
    let one = divided.wired();
    stage::calls_under_way(&divided.store, Channel::Fax, 2).await;
    divided.base.refuse();
    let two = divided.other();
    divided
        .until("the other node to look", async || {
            stage::open_attempts(&divided.store, AttemptStatus::InDoubt).await == 2
        })
        .await;
    // It has found nothing, and looks again only when those calls must be over; then they reach the line after all.
    let put_off = |entries: &[Entry]| {
        let waits = |one: &Entry| one.owner.is_none() && one.due_ms > SystemClock.now();
        entries.len() == 2 && entries.iter().all(waits)
    };
    divided.stage.queue_until(&divided.store, "both put off", put_off).await;
    divided.fax.release();
    divided.base.release();
    assert_eq!(divided.end([one, two]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_record_is_confirmed_only_after_its_lease_has_ended_is_not_made() {
    let setup = Setup { faxes: 1, mails: 0, fax: "timeout_seconds = 1", ..Setup::default() };
    let Some(divided) = Divided::build(setup).await else { return };
    let confirmed = divided.base.at(&["INSERT INTO attempt", "COMMIT"], Then::HoldAnswer);
    let one = divided.wired();
    confirmed.seen().await;
    divided.base.hold();
    let two = divided.other();
    divided.stage.until(&divided.store, "the other node to send it", |ledger| ledger.delivered == 1).await;
    divided.base.release();
    // If it were to be called a second time, that would be now.
    divided.stage.hears(1, "not called: its turn was over", 1).await;
    assert_eq!(divided.end([one, two]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_frozen_in_the_middle_and_wakes_later_repeats_nothing() {
    let setup = Setup { faxes: 60, mails: 240, ..Setup::default() };
    let Some(divided) = Divided::build(setup).await else { return };
    let nodes = [divided.wired(), divided.other()];
    let share = divided.stage.total() / 6;
    divided.stage.until(&divided.store, "a share", |ledger| ledger.delivered >= share).await;
    nodes[0].freeze();
    // Until its leases have ended and the other has taken over what the sleeper holds.
    let sleeper = |one: &Entry| one.owner.as_deref().is_some_and(|owner| owner.starts_with("node-1"));
    let taken_over = |entries: &[Entry]| !entries.iter().any(sleeper);
    divided.stage.queue_until(&divided.store, "the sleeper's work taken over", taken_over).await;
    nodes[0].wake();
    let in_doubt = divided.end(nodes).await;
    println!("{in_doubt} in doubt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_frozen_in_a_transaction_does_not_keep_the_others_from_working() {
    let Some(divided) = Divided::build(Setup { faxes: 0, mails: 40, ..Setup::default() }).await else { return };
    // Node 1 holds the locks of its gate, the accounts' row among them, and says nothing more.
    let locked = divided.base.at(&["INSERT INTO attempt"], Then::HoldAnswer);
    let one = divided.wired();
    locked.seen().await;
    one.freeze();
    let two = divided.other();
    divided.stage.until(&divided.store, "the other node to do it all", |ledger| ledger.delivered == 40).await;
    divided.base.release();
    one.wake();
    assert_eq!(divided.end([one, two]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "waits for a minute"]
async fn a_node_whose_connections_have_gone_silent_for_ever_makes_new_ones_and_goes_on() {
    let Some(divided) = Divided::build(Setup { faxes: 20, mails: 100, ..Setup::default() }).await else { return };
    let one = divided.wired();
    let share = divided.stage.total() / 6;
    divided.stage.until(&divided.store, "a share", |ledger| ledger.delivered >= share).await;
    divided.base.swallow();
    let in_doubt = divided.end([one]).await;
    println!("{in_doubt} in doubt");
    assert!(in_doubt <= 6, "only what was at its gate at that moment: {in_doubt}");
}
