//! Who waits for whom. On SQLite there is one writer, so all wait for it; on PostgreSQL rows are locked, and the
//! rest does not wait.

use std::time::Duration;

use touchline::domain::Lane;
use touchline::store::engine::dialect::Dialect;
use touchline::store::records::queue_entries::{Lanes, NewEntry};
use touchline::store::{Store, Tx};
use uuid::Uuid;

use super::samples::{Stage, at};
use crate::support::databases::each_db;

/// Long enough to see that something waits.
const A_WHILE: Duration = Duration::from_millis(300);
/// Long enough for anything that does not.
const FOREVER: Duration = Duration::from_secs(60);

async fn writing(store: &Store) -> Tx {
    store.write().await.expect("a transaction")
}

/// Whoever does `second` while `first` is not committed waits for that commit.
async fn waits(store: &Store, first: impl AsyncFnOnce(&mut Tx), second: impl AsyncFnOnce(&mut Tx)) {
    let mut tx = writing(store).await;
    first(&mut tx).await;
    let other = async {
        let mut tx = writing(store).await;
        second(&mut tx).await;
        tx.commit().await.expect("committed");
    };
    let mut other = Box::pin(other);
    assert!(tokio::time::timeout(A_WHILE, &mut other).await.is_err(), "it should have waited");
    tx.commit().await.expect("committed");
    tokio::time::timeout(FOREVER, other).await.expect("it goes on after the commit");
}

#[tokio::test]
async fn an_address_a_message_and_an_account_are_locked_until_the_commit() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let message = stage.message();
        stage.store(&store, std::slice::from_ref(&message)).await;
        let mut tx = writing(&store).await;
        tx.addresses_ensure(&[message.address.key()], at(1)).await.expect("made");
        tx.provider_ensure("fax", at(1)).await.expect("made");
        tx.commit().await.expect("committed");

        let address = [message.address.key()];
        let lock_address = async |tx: &mut Tx| drop(tx.addresses_lock(&address).await.expect("locked"));
        waits(&store, lock_address, lock_address).await;
        let lock_message = async |tx: &mut Tx| drop(tx.message(message.id, true).await.expect("locked"));
        waits(&store, lock_message, lock_message).await;
        let lock_account = async |tx: &mut Tx| drop(tx.provider_states(true).await.expect("locked"));
        waits(&store, lock_account, lock_account).await;
        let lock_touch = async |tx: &mut Tx| {
            tx.touches_lock(&[stage.touch.id]).await.expect("locked");
        };
        waits(&store, lock_touch, lock_touch).await;
    })
    .await;
}

#[tokio::test]
async fn of_two_with_the_same_key_the_second_waits_and_is_told_that_there_is_one() {
    each_db(async |store| {
        let first = super::samples::submission(Some("key"));
        let second = super::samples::submission(Some("key"));
        waits(
            &store,
            async |tx| tx.submissions_insert(std::slice::from_ref(&first)).await.expect("stored"),
            async |tx| {
                let conflict = tx.submissions_insert(std::slice::from_ref(&second)).await;
                assert!(matches!(conflict, Err(touchline::store::StoreError::Conflict(_))), "{conflict:?}");
            },
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn claims_pass_by_what_another_node_is_claiming_and_never_take_the_same() {
    each_db(async |store| {
        let entries: Vec<NewEntry> = (0..6).map(entry).collect();
        let mut tx = writing(&store).await;
        tx.queue_insert(&entries, at(0)).await.expect("queued");
        tx.commit().await.expect("committed");

        let mut a = writing(&store).await;
        let first = a.queue_claim("submit", Lanes::All, "", "a", at(100), 2).await.expect("claimed");
        if store.dialect() == Dialect::Sqlite {
            a.commit().await.expect("committed");
            a = writing(&store).await;
        }
        let second = if store.dialect() == Dialect::Postgres {
            let mut b = writing(&store).await;
            let claim = b.queue_claim("submit", Lanes::All, "", "b", at(100), 2);
            let claimed = tokio::time::timeout(FOREVER, claim).await.expect("without waiting").expect("claimed");
            b.commit().await.expect("committed");
            claimed
        } else {
            a.queue_claim("submit", Lanes::All, "", "b", at(100), 2).await.expect("claimed")
        };
        a.commit().await.expect("committed");
        let ranks = |claimed: &[touchline::store::records::queue_entries::Claimed]| -> Vec<i64> {
            claimed.iter().map(|one| one.rank).collect()
        };
        assert_eq!((ranks(&first), ranks(&second)), (vec![0, 1], vec![2, 3]));
    })
    .await;
}

/// What nodes do to the queue as a whole must not wait for single entries that somebody works on: two such waits in
/// opposite order would be a circle.
#[tokio::test]
async fn upkeep_of_the_queue_never_waits_for_an_entry_that_is_being_changed() {
    each_db(async |store| {
        if store.dialect() == Dialect::Sqlite {
            return;
        }
        let (leased, waiting) = (entry(1), NewEntry { due_ms: at(5), ..entry(2) });
        let mut tx = writing(&store).await;
        tx.queue_insert(&[leased.clone(), waiting.clone()], at(0)).await.expect("queued");
        let claimed = tx.queue_claim("submit", Lanes::All, "", "a", at(10), 1).await.expect("claimed").remove(0);
        tx.commit().await.expect("committed");

        let mut gate = writing(&store).await;
        assert!(gate.queue_holds(claimed.id, claimed.fence).await.expect("read"));
        assert_eq!(gate.queue_next_steps(&[(waiting.subject, "poll", at(50))]).await.expect("set").len(), 1);
        let mut other = writing(&store).await;
        let upkeep = async {
            let reaped = other.queue_reap(at(100)).await.expect("reaped");
            let promoted = other.queue_promote(at(100)).await.expect("promoted");
            let extended = other.queue_extend("a", &[claimed.id], at(200)).await.expect("extended");
            (reaped, promoted, extended)
        };
        assert_eq!(tokio::time::timeout(FOREVER, upkeep).await.expect("without waiting"), (0, 0, 0));
        other.commit().await.expect("committed");
        gate.commit().await.expect("committed");
        let mut tx = writing(&store).await;
        assert_eq!(tx.queue_reap(at(100)).await.expect("reaped"), 1, "the next round finds it");
        assert_eq!(tx.queue_promote(at(100)).await.expect("promoted"), 1);
    })
    .await;
}

fn entry(rank: i64) -> NewEntry {
    NewEntry {
        kind: "submit",
        subject: Uuid::now_v7(),
        lane: Lane::OneOff,
        pool: String::new(),
        flow: Uuid::from_u128(7),
        rank,
        due_ms: at(0),
    }
}
