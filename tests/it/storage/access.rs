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
        tx.token_used(id, at(4)).await.expect("an earlier use");
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
