//! SIGKILL at random moments: while idle, during a call, and just when an answer is on its way back.

use std::time::Duration;

use crate::support::databases::Database;
use crate::support::reckoning::Reckoning;
use crate::support::stage::{self, Node, Setup, Stage};

/// No moment is waited for longer than this.
const MOMENT_MAX: Duration = Duration::from_millis(1_500);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_arrives_twice_however_often_the_program_is_killed() {
    let database = Database::sqlite().await;
    survive(&database, 1, 10).await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_postgresql() {
    let Some(database) = Database::postgres().await else { return };
    survive(&database, 1, 5).await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_with_three_nodes_of_which_one_after_another_dies() {
    let Some(database) = Database::postgres().await else { return };
    survive(&database, 3, 6).await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes several minutes"]
async fn a_hundred_and_twenty_kills_on_both_databases_with_one_node_and_with_three() {
    for (nodes, kills) in [(1, 30), (3, 30)] {
        let database = Database::sqlite().await;
        survive(&database, nodes, kills).await;
        database.remove().await;
        let Some(database) = Database::postgres().await else { return };
        survive(&database, nodes, kills).await;
        database.remove().await;
    }
}

/// The whole trial on one database.
async fn survive(database: &Database, nodes: usize, kills: usize) {
    let url = database.url.as_str();
    let mut random = fastrand::Rng::with_seed(stage::seed());
    let stage = Stage::build(Setup::default()).await;
    stage.send_to_all(url);
    let store = database.open().await;
    assert_eq!(stage::ledger(&store).await.total, stage.total(), "everything was accepted before the first start");

    let mut running: Vec<Node> = (1..=nodes).map(|number| stage.node(number, url)).collect();
    for kill in 0..kills {
        a_moment(&stage, &mut random).await;
        let victim = running.swap_remove(random.usize(..running.len()));
        let number = victim.number;
        victim.kill();
        assert_eq!(stage::ledger(&store).await.total, stage.total(), "after kill {kill}");
        running.push(stage.node(number, url));
    }

    let ledger = stage.settled(&store).await;
    println!("{} with {nodes} nodes, {kills} kills: {ledger:?}", database.engine());
    drop(running);
    let reckoning = Reckoning::of(&store, stage.folder()).await;
    reckoning.check(stage.total());
    assert_eq!(ledger.delivered + ledger.in_doubt, ledger.total, "{ledger:?}");
    let doubt_max = i64::try_from(kills * stage.setup.slots).expect("a count");
    assert!(ledger.in_doubt <= doubt_max, "a kill leaves no more in doubt than calls were under way: {ledger:?}");
    assert!(ledger.delivered > stage.total() / 2, "some mail went out between the kills: {ledger:?}");
    store.close().await;
}

/// The moment of a kill is the experiment itself: any moment, or one just after something has reached the far side, when
/// the answer is still on its way or not yet written down.
async fn a_moment(stage: &Stage, random: &mut fastrand::Rng) {
    let anywhere = Duration::from_millis(random.u64(200..1_100));
    let just_after = Duration::from_micros(random.u64(0..4_000));
    let which = random.u8(0..3);
    let skipped = random.u64(0..12);
    let wait = async {
        match which {
            0 => tokio::time::sleep(anywhere).await,
            1 => {
                let mut changed = stage.line.changed();
                for _ in 0..=skipped {
                    changed.changed().await.expect("the line lives");
                }
                tokio::time::sleep(just_after).await;
            }
            _ => {
                stage.catcher.caught(stage.catcher.total() + 1 + skipped).await;
                tokio::time::sleep(just_after).await;
            }
        }
    };
    // When everything is handed over, nothing reaches the far side any more.
    let _ = tokio::time::timeout(MOMENT_MAX, wait).await;
}
