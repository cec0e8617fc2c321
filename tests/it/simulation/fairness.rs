//! Invariant 13: two backlogged flows of equal weight take turns, and a single letter is claimed within a constant.

use std::collections::BTreeMap;
use std::time::Duration;

use touchline::domain::id::MessageId;
use touchline::domain::{Lane, Timestamp};
use touchline::queue::{self, Lanes, Queue, Work};
use touchline::settle::SUBMIT;
use touchline::store::{Store, StoreError};
use uuid::Uuid;

use super::chooser::Chooser;
use super::house::{House, runtime};

/// Entries of each broadcast.
const BACKLOG: usize = 60;
/// Claimed at once at most.
const BATCH: usize = 5;
/// Entries of broadcasts that may still be claimed before a single letter: those whose turns came before its own.
const BEFORE_A_LETTER: usize = 12;
/// What is put wrong by the broken twin: everything of one flow goes first.
const ONE_FLOW_FIRST: &str = "UPDATE queue_entry SET rank = rank - 1000000000 WHERE subject IN
    (SELECT subject FROM queue_entry ORDER BY id LIMIT 60)";

fn work(flow: Uuid, lane: Lane) -> Work {
    Work { kind: SUBMIT, subject: MessageId::new().0, lane, pool: String::new(), flow, cost: 1, due: Timestamp(0) }
}

async fn put(store: &Store, work: &[Work]) {
    let mut tx = store.write().await.expect("a transaction");
    queue::put(&mut tx, work, Timestamp(1)).await.expect("queued");
    tx.commit().await.expect("committed");
}

/// Two broadcasts of the same length are put in, one after the other. Answers which entry is of which.
async fn put_backlogs(store: &Store) -> BTreeMap<Uuid, usize> {
    let mut flow_of = BTreeMap::new();
    for place in 0..2 {
        let flow = Uuid::now_v7();
        let backlog: Vec<Work> = (0..BACKLOG).map(|_| work(flow, Lane::Broadcast)).collect();
        put(store, &backlog).await;
        flow_of.extend(backlog.iter().map(|one| (one.subject, place)));
    }
    flow_of
}

/// Claims everything in random batches by two nodes, a letter coming in halfway. What was unfair, if anything.
async fn claim_all(store: &Store, seed: u64, flow_of: &BTreeMap<Uuid, usize>) -> Result<(), String> {
    let mut chooser = Chooser::new(seed);
    let nodes = ["A", "B"].map(|name| Queue::new(store.clone(), name.to_owned(), Duration::from_secs(60)));
    let mut counts = [0_usize; 2];
    let letter = work(Uuid::now_v7(), Lane::OneOff);
    let (mut asked, mut since) = (false, 0);
    while counts.iter().sum::<usize>() < 2 * BACKLOG {
        let batch = 1 + chooser.below(BATCH);
        let node = &nodes[chooser.below(2)];
        let claimed = node.claim(SUBMIT, Lanes::All, batch, Timestamp(2)).await.map_err(|error| error.to_string())?;
        if claimed.is_empty() {
            return Err("nothing more is claimed".to_owned());
        }
        for lease in claimed {
            finish(store, lease.id, lease.fence).await.map_err(|error| error.to_string())?;
            since += usize::from(asked && lease.subject != letter.subject);
            asked &= lease.subject != letter.subject;
            if let Some(place) = flow_of.get(&lease.subject) {
                counts[*place] += 1;
            }
        }
        let (least, most) = (counts[0].min(counts[1]), counts[0].max(counts[1]));
        if most < BACKLOG && most - least > BATCH + 1 {
            return Err(format!("one flow got {most} turns and the other {least}"));
        }
        if since > BEFORE_A_LETTER {
            return Err(format!("a letter waited for {since} entries of broadcasts"));
        }
        if !asked && since == 0 && most > BACKLOG / 2 {
            put(store, std::slice::from_ref(&letter)).await;
            asked = true;
        }
    }
    Ok(())
}

async fn finish(store: &Store, id: i64, fence: i64) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    tx.queue_finish(id, fence).await?;
    tx.commit().await
}

/// Some seeds on one engine; between the putting in and the claiming something may be put wrong.
fn unfair(house: &mut House, seeds: std::ops::Range<u64>, wrong: Option<&str>) -> Option<String> {
    for seed in seeds {
        house.spy.wipe();
        let runtime = runtime();
        let store = runtime.block_on(Store::open(&house.url, 2)).expect("the store opens");
        let flow_of = runtime.block_on(put_backlogs(&store));
        if let Some(sql) = wrong {
            house.spy.tamper(sql);
        }
        let done = runtime.block_on(claim_all(&store, seed, &flow_of));
        runtime.block_on(store.close());
        if let Err(words) = done {
            return Some(format!("seed {seed} on {}: {words}", house.engine()));
        }
    }
    None
}

#[test]
fn two_broadcasts_take_turns_and_a_letter_goes_between_them() {
    for mut house in [Some(House::sqlite()), House::postgres()].into_iter().flatten() {
        assert_eq!(unfair(&mut house, 0..4, None), None);
    }
}

#[test]
fn the_checker_for_fairness_catches_one_flow_that_goes_first() {
    let mut house = House::sqlite();
    assert!(unfair(&mut house, 0..1, Some(ONE_FLOW_FIRST)).is_some());
}
