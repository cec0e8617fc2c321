//! Exactly once: at the planned moment, across daylight-saving changes, restarts and any number of nodes.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use touchline::campaign::{self, NewCampaign, runner};
use touchline::domain::MessageStatus;
use touchline::intake::{Parts, unfold};
use touchline::store::engine::dialect::Dialect;

use super::clinic::{Clinic, broadcasts, plan, planned, put, referrer, row, staffed};
use crate::support::databases::each_database;
use crate::support::soon;

const HOUR: Duration = Duration::from_secs(3600);
/// Between two looks in the long run, and how many lie between two restarts.
const STEP: Duration = Duration::from_secs(3 * 3600);
const LOOKS_PER_RESTART: usize = 20 * 8;
/// A list without progress for so long is anybody's to go on with.
const ABANDONED: Duration = Duration::from_secs(61);

/// How often a node looks again where the others kept the file locked.
const LOOKS_MAX: usize = 20;

/// The broadcasts that nodes say they made.
struct Said {
    made: usize,
    /// Whether that is all: a look that ended early does not say what it had made.
    is_whole: bool,
}

/// Lets every node look for due campaigns, all at the same time.
async fn all_look(nodes: &[Parts]) -> Said {
    let mut looks = JoinSet::new();
    for parts in nodes {
        let parts = parts.clone();
        looks.spawn(async move { look(&parts).await });
    }
    let said = looks.join_all().await;
    let made = said.iter().map(|one| one.made).sum();
    Said { made, is_whole: said.iter().all(|one| one.is_whole) }
}

/// Looks until nothing is left undone. On SQLite a node may wait too long for the others, and finds it the next time.
async fn look(parts: &Parts) -> Said {
    let may_wait = parts.store.dialect() == Dialect::Sqlite;
    for looks in 0..LOOKS_MAX {
        match runner::fire_due(parts).await {
            Ok(made) => return Said { made, is_whole: looks == 0 },
            Err(error) => assert!(may_wait && error.is_passing(), "no node fails: {error}"),
        }
    }
    panic!("the file is locked for good");
}

/// Lets lists go on that waited too long for another node, which happens on SQLite.
async fn unfold_the_rest(parts: &Parts) {
    if parts.store.dialect() == Dialect::Sqlite {
        unfold::resume(parts).await.expect("nobody else writes now");
    }
}

async fn depth(parts: &Parts) -> i64 {
    parts.store.read().await.expect("a transaction").queue_depth().await.expect("read")
}

#[tokio::test]
async fn a_campaign_fires_at_its_moment_and_not_before() {
    each_database(async |database| {
        let clinic = Clinic::at(database, "2026-12-01T14:59:59Z");
        let parts = staffed(&clinic).await;
        campaign::add(&parts, plan("monthly", "first tuesday 09:00")).await.expect("made");
        clinic.clock.advance(Duration::from_millis(999));
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 0);
        clinic.clock.advance(Duration::from_millis(1));
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 0);

        let made = broadcasts(&parts).await;
        assert_eq!((made.len(), made[0].name.as_str(), made[0].total), (1, "monthly", 2));
        assert_eq!((made[0].planned_ms, made[0].created_ms), (Some(clinic.now()), clinic.now()));
        let mut tx = parts.store.read().await.expect("a transaction");
        assert_eq!(tx.queue_depth().await.expect("read"), 2);
        assert_eq!(tx.messages_in(MessageStatus::Queued, 10).await.expect("read").len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_monthly_campaign_fires_once_each_month_whatever_restarts_and_however_many_nodes() {
    each_database(async |database| {
        let clinic = Clinic::at(database, "2027-02-01T12:20:00Z");
        let mut nodes = [staffed(&clinic).await, clinic.node().await];
        campaign::add(&nodes[0], plan("monthly", "first tuesday 09:00")).await.expect("made");
        let mut said = 0;
        for look in 0..(5 * 30 * 8) {
            clinic.clock.advance(STEP);
            // What there is to make is one broadcast, so a look that ended early had made none.
            said += all_look(&[nodes[0].clone(), nodes[1].clone(), nodes[0].clone()]).await.made;
            if look % LOOKS_PER_RESTART == 0 {
                nodes[look / LOOKS_PER_RESTART % 2] = clinic.node().await;
            }
        }
        assert_eq!(
            planned(&nodes[0]).await,
            [
                "2027-02-02 09:00 -0600",
                "2027-03-02 09:00 -0600",
                "2027-04-06 09:00 -0500",
                "2027-05-04 09:00 -0500",
                "2027-06-01 09:00 -0500",
            ]
        );
        assert_eq!(said, 5);
        unfold_the_rest(&nodes[0]).await;
        for run in broadcasts(&nodes[0]).await {
            let waited = run.created_ms.since(run.planned_ms.expect("planned"));
            assert!(waited < STEP, "{waited:?} late");
            assert_eq!(run.total, 2);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_look_at_the_same_time_make_each_broadcast_once() {
    each_database(async |database| {
        let clinic = Clinic::at(database, "2026-11-23T15:00:00Z");
        // All of them send one letter to the same people, so it is one that may always be repeated.
        clinic.write_letter_with("bulletin", "category = \"operations\"\npurpose = \"informational\"\nrepeat_days = 0");
        let bulletin = |name: &str| NewCampaign {
            letter: "bulletin".to_owned(),
            variables: [("what".to_owned(), "some news".into())].into_iter().collect(),
            ..plan(name, "daily 09:30")
        };
        let nodes = [staffed(&clinic).await, clinic.node().await, clinic.node().await];
        for number in 0..12 {
            campaign::add(&nodes[0], bulletin(&format!("plan {number}"))).await.expect("made");
        }
        // One of them goes to a single referrer: a run is a broadcast whomever it is for.
        let mut single = bulletin("single");
        single.to = "Amara Whitfield2".parse().expect("an audience");
        campaign::add(&nodes[0], single).await.expect("made");
        for day in 1..=3 {
            clinic.clock.advance(24 * HOUR);
            let all = [nodes.clone(), nodes.clone()].concat();
            let said = all_look(&all).await;
            assert!(said.made == 13 || (said.made < 13 && !said.is_whole), "{}", said.made);
            assert_eq!(broadcasts(&nodes[0]).await.len(), day * 13);
            let letters = day as i64 * 25;
            if depth(&nodes[0]).await < letters {
                clinic.clock.advance(ABANDONED);
                unfold_the_rest(&nodes[0]).await;
            }
            assert_eq!(depth(&nodes[0]).await, letters);
        }
    })
    .await;
}

#[tokio::test]
async fn a_moment_that_has_its_broadcast_already_is_only_moved_past() {
    each_database(async |database| {
        let clinic = Clinic::at(database, "2026-11-23T15:00:00Z");
        let parts = staffed(&clinic).await;
        campaign::add(&parts, plan("daily", "daily 10:00")).await.expect("made");
        let before = row(&parts, "daily").await;
        clinic.clock.advance(HOUR);
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 1);
        let after = row(&parts, "daily").await;
        // As after a restored backup of that one row.
        let mut tx = parts.store.write().await.expect("a transaction");
        tx.campaign_move(before.id, touchline::domain::campaign::CampaignState::Active, before.next_ms, clinic.now())
            .await
            .expect("set back");
        tx.commit().await.expect("committed");
        assert_eq!(runner::fire_due(&parts).await.expect("looked"), 0);
        assert_eq!(row(&parts, "daily").await.next_ms, after.next_ms);
        assert_eq!(broadcasts(&parts).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_audience_is_read_anew_for_every_run() {
    each_database(async |database| {
        let clinic = Clinic::at(database, "2026-11-23T15:00:00Z");
        let parts = staffed(&clinic).await;
        campaign::add(&parts, plan("daily", "daily 10:00")).await.expect("made");
        clinic.clock.advance(HOUR);
        runner::fire_due(&parts).await.expect("looked");
        put(&parts, &[referrer(3)]).await;
        clinic.clock.advance(24 * HOUR);
        runner::fire_due(&parts).await.expect("looked");
        assert_eq!(broadcasts(&parts).await.iter().map(|run| run.total).collect::<Vec<_>>(), [2, 3]);
    })
    .await;
}

#[tokio::test]
async fn the_service_fires_what_is_due_and_ends_when_told() {
    each_database(async |database| {
        let clinic = Clinic::at(database, "2026-11-23T15:00:00Z");
        let parts = staffed(&clinic).await;
        campaign::add(&parts, plan("once", "once 2026-11-23 10:00")).await.expect("made");
        clinic.clock.advance(HOUR);
        let stop = CancellationToken::new();
        let service = tokio::spawn(runner::run(parts.clone(), stop.clone()));
        soon("a broadcast to wake the queue", parts.queue.wait(HOUR)).await;
        assert_eq!(planned(&parts).await, ["2026-11-23 10:00 -0600"]);
        stop.cancel();
        // Well below its pause between two looks, which it must not sit out.
        tokio::time::timeout(Duration::from_secs(25), service).await.expect("it ends").expect("without a panic");
    })
    .await;
}
