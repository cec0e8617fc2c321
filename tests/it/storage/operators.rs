use super::samples::at;
use crate::support::databases::each_db;

#[tokio::test]
async fn an_operator_has_one_password_and_may_be_disabled_and_removed() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.operator_count().await.expect("read"), 0);
        assert!(tx.operator_insert("dana", "phc-1", at(1)).await.expect("stored"));
        assert!(!tx.operator_insert("dana", "phc-2", at(2)).await.expect("asked"), "the name is taken");
        assert!(tx.operator_insert("anna", "phc-3", at(3)).await.expect("stored"));
        let dana = tx.operator_named("dana").await.expect("read").expect("known");
        assert_eq!((dana.name.as_str(), dana.password_hash.as_str(), dana.created_ms), ("dana", "phc-1", at(1)));
        assert!(tx.operator_named("sam").await.expect("read").is_none());

        tx.operator_password(dana.id, "phc-4").await.expect("changed");
        tx.operator_disabled(dana.id, Some(at(5))).await.expect("changed");
        let locked = tx.operator_unchanging(dana.id).await.expect("read").expect("known");
        assert_eq!((locked.password_hash.as_str(), locked.disabled_ms), ("phc-4", Some(at(5))));
        assert_eq!(tx.operator_count().await.expect("read"), 1, "one of them may log in");
        tx.operator_disabled(dana.id, None).await.expect("changed");
        let all = tx.operators().await.expect("read");
        let all: Vec<_> = all.iter().map(|one| (one.name.as_str(), one.disabled_ms)).collect();
        assert_eq!(all, [("anna", None), ("dana", None)]);

        tx.session_insert("cookie", dana.id, "form", at(1), at(100)).await.expect("opened");
        tx.operator_remove(dana.id).await.expect("removed");
        assert!(tx.operator_named("dana").await.expect("read").is_none());
        assert!(tx.session("cookie", at(2)).await.expect("read").is_none(), "their sessions go with them");
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_by_its_time_by_a_logout_and_with_its_operator() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        tx.operator_insert("dana", "phc", at(1)).await.expect("stored");
        let id = tx.operator_named("dana").await.expect("read").expect("known").id;
        for (cookie, expires) in [("cookie-1", 100), ("cookie-2", 50), ("cookie-3", 100), ("cookie-4", 100)] {
            tx.session_insert(cookie, id, "form", at(10), at(expires)).await.expect("opened");
        }
        let live = tx.session("cookie-1", at(99)).await.expect("read").expect("live");
        assert_eq!((live.name.as_str(), live.form_key.as_str(), live.seen_ms), ("dana", "form", at(10)));
        for (seen, expected) in [(20, 20), (15, 20)] {
            tx.session_seen("cookie-1", at(seen)).await.expect("noted");
            let live = tx.session("cookie-1", at(30)).await.expect("read").expect("live");
            assert_eq!(live.seen_ms, at(expected), "the latest counts");
        }
        assert!(tx.session("cookie-1", at(100)).await.expect("read").is_none(), "it has run out");
        tx.session_end("cookie-1", at(60)).await.expect("ended");
        assert!(tx.session("cookie-1", at(1)).await.expect("read").is_none());
        assert!(tx.session("cookie-2", at(1)).await.expect("read").is_none(), "those that ran out end too");

        tx.operator_disabled(id, Some(at(61))).await.expect("changed");
        assert!(tx.session("cookie-3", at(62)).await.expect("read").is_none(), "the operator may not log in");
        tx.operator_disabled(id, None).await.expect("changed");
        assert!(tx.session("cookie-3", at(62)).await.expect("read").is_some());
        assert_eq!(tx.sessions_end_of(id).await.expect("ended"), 2);
        assert!(tx.session("cookie-4", at(62)).await.expect("read").is_none());
    })
    .await;
}
