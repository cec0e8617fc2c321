//! The copies that providers are asked to delete.

use touchline::domain::id::{AttemptId, MessageId};
use touchline::store::records::purges::Purge;

use super::samples::at;
use crate::support::databases::each_db;

fn copy(due: i64) -> Purge {
    Purge {
        attempt_id: AttemptId::new(),
        message_id: MessageId::new(),
        provider: "fax".to_owned(),
        due_ms: at(due),
        tries: 0,
        given_up_ms: None,
    }
}

#[tokio::test]
async fn a_copy_is_taken_once_when_it_is_due_and_again_later_unless_it_is_gone_or_given_up() {
    each_db(async |store| {
        let (first, second, later) = (copy(10), copy(20), copy(90));
        let mut tx = store.write().await.expect("tx");
        tx.purges_insert(&[second.clone(), first.clone(), later]).await.expect("noted");
        tx.purges_insert(&[copy_due(&first, 1)]).await.expect("it is noted already");
        assert!(!tx.purges_are_due(at(9)).await.expect("read"));
        assert!(tx.purges_are_due(at(20)).await.expect("read"));
        let taken = tx.purges_claim(at(20), at(50), 1).await.expect("taken");
        assert_eq!(taken, [Purge { due_ms: at(50), tries: 1, ..first.clone() }]);
        let taken = tx.purges_claim(at(20), at(50), 9).await.expect("taken");
        assert_eq!(taken.iter().map(|one| one.attempt_id).collect::<Vec<_>>(), [second.attempt_id]);
        assert!(tx.purges_claim(at(49), at(60), 9).await.expect("taken").is_empty());

        tx.purge_done(first.attempt_id).await.expect("gone");
        tx.purge_put_off(second.attempt_id, at(70)).await.expect("put off");
        assert!(tx.purges_claim(at(69), at(99), 9).await.expect("taken").is_empty());
        assert_eq!(tx.purges_claim(at(70), at(99), 9).await.expect("taken")[0].tries, 2);
        tx.purge_give_up(second.attempt_id, at(71)).await.expect("given up");
        assert_eq!(tx.purges_given_up().await.expect("read"), 1);
        assert_eq!(tx.purges_claim(at(200), at(300), 9).await.expect("taken").len(), 1, "only what is left");
        tx.purges_anew(&[copy_due(&second, 80)]).await.expect("a person wants it");
        assert_eq!(tx.purges_given_up().await.expect("read"), 0);
        let taken = tx.purges_claim(at(200), at(300), 9).await.expect("taken");
        assert_eq!(taken, [Purge { due_ms: at(300), tries: 1, ..second }]);
    })
    .await;
}

fn copy_due(copy: &Purge, due: i64) -> Purge {
    Purge { due_ms: at(due), ..copy.clone() }
}
