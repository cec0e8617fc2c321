//! Many programs send the same letter at the same moment, one by one and to lists: every referrer gets it once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use touchline::intake::request::Request;
use touchline::intake::{self, IntakeError, Parts, unfold};
use touchline::store::engine::dialect::Dialect;

use super::{request, touches};
use crate::campaigns::clinic::{Clinic, put, referrer};
use crate::support::databases::each_database;

/// Rounds of the race; a gap between looking and writing shows in the first few.
const ROUNDS: usize = 4;
/// How often a program sends again where the others kept the file locked.
const SENDS_MAX: usize = 20;
/// A list without progress for so long is anybody's to go on with.
const ABANDONED: Duration = Duration::from_secs(61);

/// How many letters are queued by a request. On SQLite a program may wait too long for the others: then it sends again.
async fn send(parts: &Parts, request: &Request) -> usize {
    let may_wait = parts.store.dialect() == Dialect::Sqlite;
    for _ in 0..SENDS_MAX {
        match intake::submit(parts, request).await {
            Ok(accepted) => return accepted.counts.queued,
            Err(IntakeError::Store(error)) if may_wait && error.is_passing() => {}
            Err(error) => panic!("not accepted: {error}"),
        }
    }
    panic!("the file is locked for good");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_sends_at_the_same_moment_one_reaches_each_referrer() {
    each_database(async |database| {
        for round in 0..ROUNDS {
            let clinic = Clinic::at(database, "2026-11-23T15:00:00Z");
            // Each has connections and a batch of its own, as two programs have.
            let nodes = [clinic.node().await, clinic.node().await, clinic.node().await];
            let numbers = u32::try_from(round * 10).expect("few");
            let people: Vec<_> = (1..=3).map(|number| referrer(numbers + number)).collect();
            put(&nodes[0], &people).await;
            let mut requests = vec![request("introduction", "all"); 3];
            for person in &people {
                requests.extend(vec![request("introduction", &person.id.to_string()); 3]);
            }
            let start = Arc::new(Barrier::new(requests.len()));
            let mut sends = JoinSet::new();
            for (place, request) in requests.into_iter().enumerate() {
                let (parts, start) = (nodes[place % nodes.len()].clone(), start.clone());
                sends.spawn(async move {
                    start.wait().await;
                    send(&parts, &request).await
                });
            }
            let queued: usize = sends.join_all().await.into_iter().sum();
            clinic.clock.advance(ABANDONED);
            let left = unfold::resume(&nodes[0]).await.expect("nobody else writes now");
            assert!(left == 0 || database.is_sqlite(), "{left} lists were left");
            assert_eq!(queued, people.len(), "round {round} on {}", database.engine());
            for person in &people {
                let history = touches(&nodes[0], person.id).await;
                assert_eq!(history.len(), 1, "{:?}", history.iter().map(|(touch, _)| touch.id).collect::<Vec<_>>());
            }
        }
    })
    .await;
}
