//! Three nodes drain one broadcast, while one of them is killed and another joins.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use touchline::store::Store;

use crate::support::PATIENCE;
use crate::support::databases::Database;
use crate::support::reckoning::Reckoning;
use crate::support::stage::{Setup, Stage};

/// Long enough that the rate, and not the machine, says how long it takes.
#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_drain_a_broadcast_while_one_is_killed_and_one_joins() {
    drain(60, 900, 2_400, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes two minutes"]
async fn three_nodes_drain_a_broadcast_of_five_thousand_while_one_is_killed_and_one_joins() {
    drain(150, 4_700, 2_400, Duration::from_secs(900)).await;
}

/// Two letters to everybody with a fax number, so that each number has two calls to come; one to everybody by mail.
async fn drain(faxes: usize, mails: usize, rate: u32, within: Duration) {
    let Some(database) = Database::postgres().await else { return };
    let url = &database.url;
    let setup = Setup { faxes, mails, rate, call_takes: Duration::from_millis(300), ..Setup::default() };
    let stage = Stage::build(setup).await;
    stage.send_to_all(url);
    let second = ["--to", "all", "--via", "fax", "--set", "treatment=TMS", "--set", "openings=three"];
    let dated = ["--set", "as_of=2026-12-01", "--yes"];
    stage.run(url, &[&["send", "capacity-update"][..], &second, &dated].concat());
    let total = stage.total() + i64::try_from(faxes).expect("few");
    let store = Store::open(url, 2).await.expect("the store opens");

    let began = Instant::now();
    let [one, two, three] = [1, 2, 3].map(|number| stage.node(number, url));
    stage.until(&store, "a fifth delivered", |ledger| ledger.delivered >= total / 5).await;
    two.kill();
    stage.until(&store, "two fifths delivered", |ledger| ledger.delivered >= total * 2 / 5).await;
    let four = stage.node(4, url);
    let ledger = stage.settled_within(&store, within).await;
    println!("{total} messages in {:?}: {ledger:?}", began.elapsed());
    for node in [one, three, four] {
        assert!(node.drain().await.success(), "{}", stage.logs());
    }

    let reckoning = Reckoning::of(&store, stage.folder()).await;
    reckoning.check(total);
    assert_eq!((ledger.delivered + ledger.in_doubt, ledger.failed), (total, 0), "{ledger:?}");
    assert!(ledger.in_doubt <= 6, "only what the killed node had under way: {ledger:?}");
    reckoning.check_rate("fax-sandbox", rate);
    reckoning.check_rate("mail-sandbox", rate);
    two_letters_each(&reckoning, faxes);
    store.close().await;
    database.remove().await;
}

/// Every number got two different letters, one after the other.
fn two_letters_each(reckoning: &Reckoning, faxes: usize) {
    let mut letters: HashMap<&str, HashSet<&str>> = HashMap::new();
    let arrivals = reckoning.arrivals();
    for message in reckoning.messages.values().filter(|one| arrivals.contains_key(&one.id)) {
        if message.channel().as_str() == "fax" {
            letters.entry(message.address.as_str()).or_default().insert(&message.letter);
        }
    }
    assert_eq!(letters.len(), faxes);
    assert!(letters.values().all(|letters| letters.len() == 2), "{letters:?}");
}
