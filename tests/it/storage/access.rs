use touchline::store::StoreError;

use super::samples::at;
use crate::support::databases::each_db;

#[tokio::test]
async fn a_token_lives_until_it_is_revoked() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let id = tx.token_insert("crm", "hash-1", "send,read", at(1)).await.expect("stored");
        let second = tx.token_insert("crm", "hash-2", "read", at(1)).await.expect("stored");
        let found = tx.token_by_hash("hash-1").await.expect("read").expect("alive");
        let seen = (found.id, found.name.as_str(), found.scopes.as_str(), found.created_ms, found.used_ms);
        assert_eq!(seen, (id, "crm", "send,read", at(1), None));
        tx.token_used(id, at(5)).await.expect("noted");
        assert_eq!(tx.token_revoke("crm", at(6)).await.expect("revoked"), 2);
        assert_eq!(tx.token_revoke("crm", at(7)).await.expect("asked"), 0);
        assert_eq!(tx.token_by_hash("hash-1").await.expect("read"), None);
        let all = tx.tokens().await.expect("read");
        assert_eq!(all.iter().map(|token| token.id).collect::<Vec<_>>(), [id, second]);
        assert_eq!((all[0].used_ms, all[0].revoked_ms), (Some(at(5)), Some(at(6))));
        tx.commit().await.expect("committed");
        let mut tx = store.write().await.expect("tx");
        let same = tx.token_insert("other", "hash-1", "read", at(8)).await;
        assert!(matches!(same, Err(StoreError::Conflict(_))), "{same:?}");
    })
    .await;
}

#[tokio::test]
async fn an_operator_has_one_password_and_sessions_that_end() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.operator_count().await.expect("read"), 0);
        tx.operator_put("dana", "phc-1", at(1)).await.expect("stored");
        let id = tx.operator_named("dana").await.expect("read").expect("known").id;
        tx.operator_put("dana", "phc-2", at(2)).await.expect("changed");
        let dana = tx.operator_named("dana").await.expect("read").expect("known");
        assert_eq!((dana.id, dana.name.as_str(), dana.password_hash.as_str()), (id, "dana", "phc-2"));
        assert!(tx.operator_named("sam").await.expect("read").is_none());
        assert_eq!(tx.operator_count().await.expect("read"), 1);

        tx.session_insert("cookie-1", id, "form-1", at(100)).await.expect("opened");
        tx.session_insert("cookie-2", id, "form-2", at(50)).await.expect("opened");
        let live = tx.session("cookie-1", at(99)).await.expect("read");
        assert_eq!(live, Some(("dana".to_owned(), "form-1".to_owned())));
        assert_eq!(tx.session("cookie-1", at(100)).await.expect("read"), None, "it has run out");
        tx.session_end("cookie-1", at(60)).await.expect("ended");
        assert_eq!(tx.session("cookie-1", at(1)).await.expect("read"), None);
        assert_eq!(tx.session("cookie-2", at(1)).await.expect("read"), None, "those that ran out end too");
    })
    .await;
}
