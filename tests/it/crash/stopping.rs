//! PostgreSQL itself is stopped as a crash would stop it, in the middle of a broadcast, and comes back.

use touchline::domain::Channel;
use touchline::store::Store;

use crate::support::postgres::own_server;
use crate::support::proxy::Proxy;
use crate::support::reckoning::Reckoning;
use crate::support::soon;
use crate::support::stage::{self, Setup, Stage};

const STOPS: i64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_ride_through_a_database_that_is_stopped_and_comes_back() {
    let Some(server) = own_server().await else { return };
    let url = server.fresh_database().await;
    // So many that mails are left to be sent at every stop, however long their outcome takes to be recorded.
    let stage = Stage::build(Setup { faxes: 60, mails: 480, ..Setup::default() }).await;
    stage.send_to_all(&url);
    let store = Store::open(&url, 2).await.expect("the store opens");
    let relay = Proxy::before(stage.catcher.address()).await;
    stage.write_config(stage.fax_address(), relay.address());
    let nodes = [stage.node(1, &url), stage.node(2, &url)];
    for stop in 1..=STOPS {
        let share = stage.total() * stop / (STOPS + 2);
        stage.until(&store, "a share of the broadcast", |ledger| ledger.delivered >= share).await;
        // Calls under way end while nobody can write down what became of them.
        relay.hold();
        stage::calls_under_way(&store, Channel::Email, 4).await;
        tokio::task::block_in_place(|| server.stop_at_once());
        let caught = stage.catcher.total();
        relay.release();
        soon("a call to end", stage.catcher.caught(caught + 1)).await;
        tokio::task::block_in_place(|| server.start_again());
    }
    let ledger = stage.settled(&store).await;
    println!("{ledger:?}");
    for node in nodes {
        assert!(node.drain().await.success(), "no node gave up: {}", stage.logs());
    }
    Reckoning::of(&store, stage.folder()).await.check(stage.total());
    assert_eq!((ledger.delivered + ledger.in_doubt, ledger.failed), (ledger.total, 0), "{ledger:?}");
    let doubt_max = STOPS * 2 * i64::try_from(stage.setup.slots).expect("few");
    assert!(ledger.in_doubt <= doubt_max, "only what was at its gate when the database went: {ledger:?}");
    store.close().await;
}
