use std::time::Duration;

use touchline::domain::id::MessageId;
use touchline::domain::message::Message;
use touchline::domain::{Lane, PolicyReason, Timestamp};
use touchline::queue::{self, Opening, Queue, Work};
use touchline::store::records::queue_entries::{Claimed, Entry, Lanes, NewEntry};
use touchline::store::{Store, StoreError, Tx};
use uuid::Uuid;

use super::samples::{Stage, at};
use crate::support::databases::each_db;

const SUBMIT: &str = "submit";
const POLL: &str = "poll";

fn entry(kind: &'static str, rank: i64, due: Timestamp) -> NewEntry {
    NewEntry {
        kind,
        subject: Uuid::now_v7(),
        lane: Lane::OneOff,
        pool: String::new(),
        flow: Uuid::from_u128(7),
        rank,
        due_ms: due,
    }
}

async fn put(store: &Store, entries: &[NewEntry]) {
    let mut tx = store.write().await.expect("tx");
    tx.queue_insert(entries, at(0)).await.expect("queued");
    tx.commit().await.expect("committed");
}

async fn claim(tx: &mut Tx, owner: &str, until: i64, limit: usize) -> Vec<Claimed> {
    tx.queue_claim(SUBMIT, Lanes::All, "", owner, at(until), limit).await.expect("claimed")
}

async fn of(tx: &mut Tx, subject: Uuid) -> Entry {
    tx.queue_entry(subject).await.expect("read").expect("an entry")
}

#[tokio::test]
async fn it_is_known_which_subjects_have_an_entry() {
    each_db(async |store| {
        let entries = [entry(SUBMIT, 1, at(0)), entry(POLL, 2, at(90))];
        put(&store, &entries).await;
        let mut tx = store.read().await.expect("tx");
        let (first, second, nobody) = (entries[0].subject, entries[1].subject, Uuid::now_v7());
        let present = tx.queue_present(&[first, second, nobody]).await.expect("read");
        assert_eq!(present, [first, second].into());
        assert!(tx.queue_present(&[]).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_due_is_claimed_in_the_order_of_its_ranks_and_only_its_kind() {
    each_db(async |store| {
        let entries = [
            entry(SUBMIT, 30, at(0)),
            entry(SUBMIT, 10, at(0)),
            entry(POLL, 1, at(0)),
            entry(SUBMIT, 20, at(0)),
            entry(SUBMIT, 10, at(0)),
            entry(SUBMIT, 5, at(90)),
        ];
        put(&store, &entries).await;
        let mut tx = store.write().await.expect("tx");
        let claimed = claim(&mut tx, "a", 100, 3).await;
        let subjects: Vec<Uuid> = claimed.iter().map(|one| one.subject).collect();
        assert_eq!(subjects, [entries[1].subject, entries[4].subject, entries[3].subject]);
        assert!(claimed.iter().all(|one| (one.fence, one.claims, one.kind.as_str()) == (1, 1, SUBMIT)));
        let rest = claim(&mut tx, "a", 100, 100).await;
        assert_eq!(rest.iter().map(|one| (one.subject, one.rank)).collect::<Vec<_>>(), [(entries[0].subject, 30)]);
        assert!(claim(&mut tx, "a", 100, 100).await.is_empty(), "what waits is not claimed, nor what is leased");
        let leased = of(&mut tx, entries[1].subject).await;
        assert_eq!((leased.state.as_str(), leased.owner.as_deref()), ("leased", Some("a")));
        assert_eq!((leased.lease_until_ms, leased.fence, leased.due_ms), (Some(at(100)), 1, at(0)));
        assert_eq!(tx.queue_depth().await.expect("read"), 6);
    })
    .await;
}

#[tokio::test]
async fn a_stale_fence_changes_nothing() {
    each_db(async |store| {
        put(&store, &[entry(SUBMIT, 1, at(0))]).await;
        let mut tx = store.write().await.expect("tx");
        let old = claim(&mut tx, "a", 10, 1).await.remove(0);
        assert_eq!(tx.queue_reap(at(10)).await.expect("looked"), 0, "the lease lasts to its last moment");
        assert_eq!(tx.queue_reap(at(11)).await.expect("given back"), 1);
        assert!(!tx.queue_holds(old.id, old.fence).await.expect("read"), "given back");
        let new = claim(&mut tx, "b", 100, 1).await.remove(0);
        assert_eq!((new.id, new.fence, new.claims), (old.id, 2, 2));

        assert!(!tx.queue_holds(old.id, old.fence).await.expect("read"));
        assert!(!tx.queue_finish(old.id, old.fence).await.expect("tried"));
        assert!(!tx.queue_snooze(old.id, old.fence, POLL, at(50)).await.expect("tried"));
        assert!(!tx.queue_release(old.id, old.fence).await.expect("tried"));
        let standing = of(&mut tx, old.subject).await;
        assert_eq!((standing.state.as_str(), standing.owner.as_deref()), ("leased", Some("b")));
        assert!(tx.queue_holds(new.id, new.fence).await.expect("read"));
        assert!(tx.queue_finish(new.id, new.fence).await.expect("finished"));
        assert_eq!(tx.queue_entry(old.subject).await.expect("read"), None);
        assert!(!tx.queue_finish(new.id, new.fence).await.expect("tried"), "once");
    })
    .await;
}

#[tokio::test]
async fn an_entry_is_put_off_given_back_brought_forward_and_removed() {
    each_db(async |store| {
        put(&store, &[entry(SUBMIT, 1, at(0))]).await;
        let mut tx = store.write().await.expect("tx");
        let first = claim(&mut tx, "a", 100, 1).await.remove(0);
        assert!(tx.queue_release(first.id, first.fence).await.expect("released"));
        assert!(!tx.queue_release(first.id, first.fence).await.expect("tried"), "it is not leased any more");
        let second = claim(&mut tx, "a", 100, 1).await.remove(0);
        assert_eq!(second.fence, 2);
        assert!(tx.queue_snooze(second.id, second.fence, POLL, at(60)).await.expect("put off"));
        let waiting = of(&mut tx, first.subject).await;
        assert_eq!((waiting.kind.as_str(), waiting.state.as_str(), waiting.due_ms), (POLL, "waiting", at(60)));
        assert_eq!((waiting.owner, waiting.lease_until_ms, waiting.fence), (None, None, 2));

        assert_eq!(tx.queue_promote(at(59)).await.expect("looked"), 0);
        tx.queue_hasten(first.subject, at(40)).await.expect("brought forward");
        assert_eq!(tx.queue_next_due().await.expect("read"), Some(at(40)));
        tx.queue_hasten_all(SUBMIT, &[first.subject], at(39)).await.expect("of another kind");
        tx.queue_hasten_all(POLL, &[first.subject], at(50)).await.expect("sooner already");
        assert_eq!(tx.queue_next_due().await.expect("read"), Some(at(40)));
        tx.queue_hasten_all(POLL, &[Uuid::now_v7(), first.subject], at(38)).await.expect("brought forward");
        assert_eq!(tx.queue_next_due().await.expect("read"), Some(at(38)));
        assert_eq!(tx.queue_oldest_ready().await.expect("read"), None);
        assert_eq!(tx.queue_promote(at(40)).await.expect("due"), 1);
        assert_eq!(tx.queue_oldest_ready().await.expect("read"), Some(at(38)));
        assert_eq!(tx.queue_next_due().await.expect("read"), None);
        assert!(claim(&mut tx, "a", 100, 9).await.is_empty(), "it is of another kind now");
        tx.queue_remove_all(&[first.subject, Uuid::now_v7()]).await.expect("removed");
        assert_eq!(tx.queue_depth().await.expect("read"), 0);
    })
    .await;
}

#[tokio::test]
async fn evidence_about_a_subject_sets_its_next_step_and_outdates_whoever_holds_it() {
    each_db(async |store| {
        put(&store, &[entry(SUBMIT, 1, at(0))]).await;
        let mut tx = store.write().await.expect("tx");
        let held = claim(&mut tx, "a", 100, 1).await.remove(0);
        let unknown = Uuid::now_v7();
        let steps = [(held.subject, POLL, at(70)), (unknown, POLL, at(1))];
        assert_eq!(tx.queue_next_steps(&steps).await.expect("set"), [held.subject].into(), "no entry, no step");
        let next = of(&mut tx, held.subject).await;
        assert_eq!((next.kind.as_str(), next.state.as_str(), next.fence), (POLL, "waiting", held.fence + 1));
        assert_eq!((next.owner, next.lease_until_ms, next.due_ms), (None, None, at(70)));
        assert!(!tx.queue_snooze(held.id, held.fence, SUBMIT, at(1)).await.expect("tried"), "outdated");
        assert!(tx.queue_held(&[(held.id, held.fence)]).await.expect("asked").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_subject_has_one_entry_and_ids_are_never_used_again() {
    each_db(async |store| {
        let only = entry(SUBMIT, 1, at(0));
        put(&store, std::slice::from_ref(&only)).await;
        let mut tx = store.write().await.expect("tx");
        let twice = tx.queue_insert(&[NewEntry { kind: POLL, ..only.clone() }], at(0)).await;
        assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
        drop(tx);
        let mut tx = store.write().await.expect("tx");
        let first = of(&mut tx, only.subject).await;
        tx.queue_remove(only.subject).await.expect("removed");
        tx.queue_insert(std::slice::from_ref(&only), at(0)).await.expect("queued anew");
        assert!(of(&mut tx, only.subject).await.id > first.id);
    })
    .await;
}

#[tokio::test]
async fn only_the_owners_leases_are_lengthened() {
    each_db(async |store| {
        put(&store, &[entry(SUBMIT, 1, at(0)), entry(SUBMIT, 2, at(0)), entry(SUBMIT, 3, at(0))]).await;
        let mut tx = store.write().await.expect("tx");
        let (a, b) = (claim(&mut tx, "a", 10, 2).await, claim(&mut tx, "b", 10, 1).await);
        assert_eq!(tx.queue_extend("a", &[a[0].id, b[0].id], at(90)).await.expect("lengthened"), 1);
        let mut ends = Vec::new();
        for one in a.iter().chain(&b) {
            ends.push(of(&mut tx, one.subject).await.lease_until_ms);
        }
        assert_eq!(ends, [Some(at(90)), Some(at(10)), Some(at(10))]);
        assert_eq!(tx.queue_extend("a", &[], at(99)).await.expect("nothing to do"), 0);
    })
    .await;
}

#[tokio::test]
async fn an_idle_queue_is_seen_to_be_idle_without_a_write() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        assert!(!tx.queue_has_work(SUBMIT, at(0)).await.expect("read"));
        tx.queue_insert(&[entry(SUBMIT, 1, at(5))], at(0)).await.expect("queued");
        assert!(!tx.queue_has_work(SUBMIT, at(4)).await.expect("read"), "it waits");
        assert!(tx.queue_has_work(POLL, at(5)).await.expect("read"), "something is to be made ready");
        tx.queue_promote(at(5)).await.expect("ready");
        assert!(tx.queue_has_work(SUBMIT, at(5)).await.expect("read"));
        assert!(!tx.queue_has_work(POLL, at(5)).await.expect("read"), "of another kind");
        claim(&mut tx, "a", 20, 1).await;
        assert!(!tx.queue_has_work(SUBMIT, at(20)).await.expect("read"), "leased");
        assert!(tx.queue_has_work(SUBMIT, at(21)).await.expect("read"), "its lease has ended");
    })
    .await;
}

#[tokio::test]
async fn turns_grow_with_each_entry_and_never_go_back() {
    each_db(async |store| {
        let flow = Uuid::from_u128(9);
        let mut tx = store.write().await.expect("tx");
        let (row, time) = (Uuid::from_u128(10), Uuid::from_u128(11));
        assert_eq!(tx.queue_ranks(row, time, at(1)).await.expect("read"), (0, 0));
        tx.queue_set_rank(row, 500, at(1)).await.expect("set");
        tx.queue_set_rank(row, 400, at(2)).await.expect("not set back");
        tx.queue_set_rank(Uuid::nil(), 70, at(2)).await.expect("set");
        assert_eq!(tx.queue_ranks(row, time, at(3)).await.expect("read"), (500, 70), "the time from before");
        tx.queue_set_rank(time, 60, at(3)).await.expect("set");
        assert_eq!(tx.queue_ranks(row, time, at(3)).await.expect("read"), (500, 60));

        let work = |subject: u128| Work {
            kind: SUBMIT,
            subject: Uuid::from_u128(subject),
            lane: Lane::Broadcast,
            pool: String::new(),
            flow,
            cost: 1,
            due: at(0),
        };
        queue::put(&mut tx, &[work(1), work(2)], at(3)).await.expect("queued");
        let claimed = claim(&mut tx, "a", 100, 2).await;
        assert_eq!(claimed.iter().map(|one| one.subject.as_u128()).collect::<Vec<_>>(), [1, 2]);
        assert!(claimed[0].rank > 70 && claimed[1].rank > claimed[0].rank);
        queue::put(&mut tx, &[work(3)], at(4)).await.expect("queued");
        assert!(claim(&mut tx, "a", 100, 1).await[0].rank > claimed[1].rank, "the flow goes on where it left off");
    })
    .await;
}

#[tokio::test]
async fn each_pool_is_claimed_by_itself_and_several_share_the_room_by_their_ranks() {
    each_db(async |store| {
        let of = |pool: &str, rank| NewEntry { pool: pool.to_owned(), ..entry(SUBMIT, rank, at(0)) };
        put(&store, &[of("fax/a", 1), of("fax/b", 2), of("fax/a", 3), of("email/c", 4), of("fax/b", 5)]).await;
        put(&store, &[NewEntry { kind: POLL, ..of("poll/d", 1) }, NewEntry { due_ms: at(90), ..of("late/e", 1) }])
            .await;
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.queue_pools(SUBMIT).await.expect("read"), ["email/c", "fax/a", "fax/b"]);
        let waiting = [("email/c", 1), ("fax/a", 2), ("fax/b", 2), ("late/e", 1)];
        let waiting = waiting.map(|(pool, count)| (pool.to_owned(), count));
        assert_eq!(tx.queue_waiting(SUBMIT).await.expect("read"), waiting);
        let fax = ["fax/a", "fax/b"].map(str::to_owned);
        let heads = tx.queue_heads(SUBMIT, Lanes::All, &fax, 3).await.expect("read");
        let heads: Vec<(&str, i64)> = heads.iter().map(|head| (head.pool.as_str(), head.rank)).collect();
        assert_eq!(heads, [("fax/a", 1), ("fax/b", 2), ("fax/a", 3)]);
        let claimed = tx.queue_claim(SUBMIT, Lanes::All, "email/c", "a", at(100), 9).await.expect("claimed");
        assert_eq!(claimed.iter().map(|one| one.rank).collect::<Vec<_>>(), [4]);
        assert_eq!(tx.queue_pools(SUBMIT).await.expect("read"), fax);
        tx.commit().await.expect("committed");
        let node = Queue::new(store.clone(), "b".to_owned(), Duration::from_millis(100));
        let open = |pools: Vec<String>| vec![Opening { pools, lanes: Lanes::All, limit: 3 }];
        let claimed = node.claim_openings(SUBMIT, 9, open, at(0)).await.expect("claimed");
        assert_eq!(claimed.iter().map(|one| one.rank).collect::<Vec<_>>(), [1, 2, 3]);
    })
    .await;
}

#[tokio::test]
async fn of_those_that_wait_for_a_number_the_first_becomes_due_and_nobody_else() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let busy = Message { reason: Some(PolicyReason::NumberBusy.into()), ..stage.message() };
        let (first, second) = (Message { id: MessageId::new(), ..busy.clone() }, busy);
        let otherwise = Message { reason: Some(PolicyReason::RateReached.into()), ..stage.message() };
        let all = [second.clone(), first.clone(), otherwise.clone()];
        stage.store(&store, &all).await;
        let of = |one: &Message, rank| NewEntry { subject: one.id.0, ..entry(SUBMIT, rank, at(900)) };
        put(&store, &[of(&second, 2), of(&first, 1), of(&otherwise, 0)]).await;
        let mut tx = store.write().await.expect("tx");
        tx.queue_hasten_numbers(&[first.address.key()], at(30)).await.expect("written");
        let mut dues = Vec::new();
        for one in [&first, &second, &otherwise] {
            dues.push(tx.queue_entry(one.id.0).await.expect("read").expect("there").due_ms);
        }
        assert_eq!(dues, [at(30), at(900), at(900)]);
    })
    .await;
}

/// A step that failed must not keep its entry: the node's own lengthening of leases would hide it from everybody.
#[tokio::test]
async fn a_lease_is_lengthened_while_somebody_works_and_runs_out_once_the_work_is_dropped() {
    each_db(async |store| {
        put(&store, &[entry(SUBMIT, 1, at(0)), entry(SUBMIT, 2, at(0))]).await;
        let node = Queue::new(store.clone(), "a".to_owned(), Duration::from_millis(100));
        let mut work = node.claim(SUBMIT, Lanes::All, 2, at(0)).await.expect("claimed");
        let (dropped, kept) = (work.remove(0).subject, work.remove(0));
        node.extend(at(50)).await.expect("lengthened");
        let mut tx = store.read().await.expect("tx");
        let ends = (of(&mut tx, dropped).await.lease_until_ms, of(&mut tx, kept.subject).await.lease_until_ms);
        assert_eq!(ends, (Some(at(100)), Some(at(150))));
        drop(tx);
        let other = Queue::new(store.clone(), "b".to_owned(), Duration::from_millis(100));
        let found = other.claim(SUBMIT, Lanes::All, 2, at(120)).await.expect("claimed");
        assert_eq!(found.iter().map(|one| (one.subject, one.fence)).collect::<Vec<_>>(), [(dropped, 2)]);
    })
    .await;
}

#[tokio::test]
async fn urgent_work_is_claimed_past_a_broadcast_that_goes_before_it() {
    each_db(async |store| {
        let entries = [Lane::Broadcast, Lane::OneOff, Lane::Broadcast, Lane::Treatment];
        let entries: Vec<NewEntry> = entries
            .iter()
            .zip(1..)
            .map(|(lane, rank)| NewEntry { lane: *lane, ..entry(SUBMIT, rank, at(0)) })
            .collect();
        put(&store, &entries).await;
        let mut tx = store.write().await.expect("tx");
        let urgent = tx.queue_claim(SUBMIT, Lanes::Urgent, "", "a", at(100), 9).await.expect("claimed");
        assert_eq!(urgent.iter().map(|one| one.rank).collect::<Vec<_>>(), [2, 4]);
        let rest = claim(&mut tx, "a", 100, 9).await;
        assert_eq!(rest.iter().map(|one| one.rank).collect::<Vec<_>>(), [1, 3]);
        let claims: Vec<(i64, i64)> = rest.iter().map(|one| (one.id, one.fence)).collect();
        let stale = (urgent[0].id, urgent[0].fence + 1);
        let held = tx.queue_held(&[claims[0], claims[1], stale]).await.expect("asked");
        assert_eq!(held, [claims[0].0, claims[1].0].into());
        let later = [(claims[0].0, claims[0].1, at(50)), (stale.0, stale.1, at(50))];
        let snoozed = tx.queue_snooze_all(SUBMIT, &later).await.expect("put off");
        assert_eq!(snoozed, [claims[0].0].into(), "a stale fence touches nothing");
    })
    .await;
}
