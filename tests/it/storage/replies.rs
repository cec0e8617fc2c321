//! The sealed texts of answers, and what a return was read in: kept for a time, and since when they are gone.

use touchline::domain::callback::CallbackState;
use touchline::domain::id::{ReturnId, SuppressionId};
use touchline::domain::returned::ReturnKind;
use touchline::domain::{Actor, Timestamp};
use touchline::store::StoreError;
use touchline::store::records::replies::SealedReply;
use touchline::store::records::returns::ReturnRow;

use super::samples::at;
use crate::support::databases::each_db;
use crate::support::returned::{keep_callback, keep_mail, unknown};

#[tokio::test]
async fn the_text_of_an_answer_goes_and_that_it_was_there_stays() {
    each_db(async |store| {
        let ids = [0; 3].map(|_| ReturnId::new());
        let mut tx = store.write().await.expect("tx");
        for (id, received) in ids.iter().zip([30, 10, 20]) {
            tx.reply_insert(*id, &[1, 0, 255], 7, at(received)).await.expect("stored");
        }
        let whole =
            |id: ReturnId| SealedReply { return_id: id, sealed: Some(vec![1, 0, 255]), octets: 7, purged_ms: None };
        assert_eq!(tx.reply(ids[0]).await.expect("read"), Some(whole(ids[0])));
        assert_eq!(tx.reply(ReturnId::new()).await.expect("read"), None);
        assert!(!tx.replies_have_older(at(10)).await.expect("read"));
        assert!(tx.replies_have_older(at(11)).await.expect("read"));
        assert_eq!(tx.replies_forget(at(30), 1, at(50)).await.expect("deleted"), 1, "the oldest first");
        let gone = SealedReply { sealed: None, purged_ms: Some(at(50)), ..whole(ids[1]) };
        assert_eq!(tx.reply(ids[1]).await.expect("read"), Some(gone));
        assert_eq!(tx.replies_forget(at(30), 9, at(51)).await.expect("deleted"), 1);
        assert_eq!(tx.reply(ids[0]).await.expect("read"), Some(whole(ids[0])), "not old enough");
        tx.commit().await.expect("committed");
        let mut tx = store.write().await.expect("tx");
        let again = tx.reply_insert(ids[0], &[2], 1, at(1)).await;
        assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn what_a_return_was_read_in_goes_save_what_was_called_no_bounce() {
    each_db(async |store| {
        let mail = keep_mail(&store, b"a mail", at(10)).await;
        let (callback, wrong) = (keep_callback(&store, b"1", at(10)).await, keep_callback(&store, b"2", at(9)).await);
        let row = |received: Timestamp| unknown(ReturnKind::Bounce, received);
        let of_mail = ReturnRow { arrival_id: Some(mail), ..row(at(10)) };
        let of_callback = ReturnRow { inbox_id: Some(callback), ..row(at(10)) };
        let corrected = ReturnRow { inbox_id: Some(wrong), ..row(at(9)) };
        let mut tx = store.write().await.expect("tx");
        tx.returns_insert(&[of_mail.clone(), of_callback.clone(), corrected.clone()]).await.expect("stored");
        tx.return_finish(corrected.id, "not_a_bounce", &Actor::operator("dana"), at(12)).await.expect("noted");
        for one in [&of_mail, &of_callback, &corrected] {
            assert_eq!(tx.return_purged(one.id).await.expect("read"), None);
        }
        assert!(tx.inbox_has_older(at(11)).await.expect("asked"));
        assert_eq!(tx.inbox_remove_old(at(11), 9, at(60)).await.expect("removed"), 1);
        assert!(!tx.inbox_has_older(at(11)).await.expect("asked"), "what is kept as evidence is not looked for again");
        assert_eq!(tx.arrivals_forget(at(11), 9, at(61)).await.expect("forgotten"), 1);
        for (one, purged) in [(&of_mail, Some(at(61))), (&of_callback, Some(at(60))), (&corrected, None)] {
            assert_eq!(tx.return_purged(one.id).await.expect("read"), purged);
        }
        let kept = tx.inbox_callbacks(&[callback, wrong]).await.expect("read");
        assert_eq!(kept.iter().map(|one| (one.id, one.state)).collect::<Vec<_>>(), [(wrong, CallbackState::Applied)]);
        assert_eq!(tx.suppression(SuppressionId::new()).await.expect("read"), None);
    })
    .await;
}
