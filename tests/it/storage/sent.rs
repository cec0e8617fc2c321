//! What went to whom, and the lock that two senders of one letter take.

use std::time::Duration;

use touchline::domain::id::{MessageId, ReferrerId, SubmissionId, TouchId};
use touchline::domain::message::Message;
use touchline::domain::touch::Touch;
use touchline::domain::{MessageStatus, Purpose};

use super::samples::{Stage, at, referrer, touch};
use crate::support::databases::each_db;

#[tokio::test]
async fn what_went_to_a_referrer_is_found_by_letter_and_time_and_what_never_went_is_not() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let who = stage.referrer.id;
        let mut wanted = Vec::new();
        for status in MessageStatus::ALL {
            let settled_ms = status.is_terminal().then_some(at(9));
            let message = Message { id: MessageId::new(), status: *status, settled_ms, ..stage.message() };
            if !status.is_terminal() || *status == MessageStatus::Delivered {
                wanted.push(message.status);
            }
            stage.store(&store, &[message]).await;
        }
        let other = referrer("Bielak");
        let mut tx = store.write().await.expect("tx");
        tx.referrer_put(&other).await.expect("stored");
        let older = Touch { id: TouchId::new(), occurred_ms: at(1), ..touch(other.id) };
        tx.touches_insert(std::slice::from_ref(&older)).await.expect("stored");
        let report = Message {
            id: MessageId::new(),
            touch_id: older.id,
            referrer_id: other.id,
            letter: "report".into(),
            purpose: Purpose::Treatment,
            variables: r#"{"a":1}"#.into(),
            ..stage.message()
        };
        tx.messages_insert(std::slice::from_ref(&report)).await.expect("stored");

        let both = [who, other.id];
        let mut found: Vec<_> = tx.letters_sent("introduction", &[], &both, at(2)).await.expect("read");
        found.sort_by_key(|one| one.status);
        wanted.sort_unstable();
        assert_eq!(found.iter().map(|one| one.status).collect::<Vec<_>>(), wanted);
        let first = &found[0];
        assert_eq!((first.referrer_id, first.touch_id, first.occurred_ms), (who, stage.touch.id, at(2)));
        assert_eq!((first.submission_id, first.campaign_id), (stage.submission.id, None));
        assert_eq!((&first.address, &first.variables), (&stage.message().address, &None));
        assert!(
            tx.letters_sent("introduction", &[], &both, at(3)).await.expect("read").is_empty(),
            "before that moment"
        );
        assert!(tx.letters_sent("introduction", &[], &[other.id], at(0)).await.expect("read").is_empty());
        assert!(tx.letters_sent("introduction", &[], &[], at(0)).await.expect("read").is_empty());
        assert!(tx.letters_sent("direct-ask", &[], &[who, ReferrerId::new()], at(0)).await.expect("read").is_empty());
        let reports = tx.letters_sent("report", &[], &both, at(1)).await.expect("read");
        assert_eq!(reports.iter().map(|one| one.variables.as_deref()).collect::<Vec<_>>(), [Some(r#"{"a":1}"#)]);
        assert_ne!(reports[0].submission_id, SubmissionId::new());
        let copies = tx.letters_sent("direct-ask", &["introduction"], &[who], at(2)).await.expect("read");
        assert_eq!(copies.len(), wanted.len());
        assert!(copies.iter().all(|one| one.letter == "introduction" && one.variables.is_some()), "{copies:?}");
    })
    .await;
}

#[tokio::test]
async fn the_names_under_which_a_content_was_sent_add_up() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        assert!(tx.letter_names(&["c0ffee", "decaf"]).await.expect("read").is_empty());
        for name in ["introduction", "hello-2"] {
            tx.letter_name_note("c0ffee", name).await.expect("noted");
        }
        tx.letter_name_note("other", "report").await.expect("noted");
        let names = tx.letter_names(&["c0ffee", "decaf"]).await.expect("read");
        let both = ["hello-2", "introduction"].map(str::to_owned).into();
        assert_eq!(names, [("c0ffee".to_owned(), both)].into());
    })
    .await;
}

#[tokio::test]
async fn one_transaction_at_a_time_decides_about_a_letter() {
    each_db(async |store| {
        let mut first = store.write().await.expect("tx");
        first.letters_lock(&["introduction", "direct-ask", "introduction"]).await.expect("locked");
        let others = store.clone();
        let waiting = tokio::spawn(async move {
            let mut second = others.write().await.expect("tx");
            second.letters_lock(&["capacity-update", "introduction"]).await.expect("locked");
            second.rollback().await.expect("ended");
        });
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        let early = tokio::time::timeout(Duration::from_millis(100), async {
            while !waiting.is_finished() {
                tokio::task::yield_now().await
            }
        });
        assert!(early.await.is_err(), "the second waits for the first");
        first.rollback().await.expect("ended");
        waiting.await.expect("it goes on");
    })
    .await;
}
