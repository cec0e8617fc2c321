//! Transactions that nobody waits for any more: a request is cancelled, a timeout expires, a process continues without
//! the answer. What was asked of the database may still happen, but never in part, and never after a later change.

use std::future::poll_fn;
use std::task::Poll;

use touchline::store::{Store, StoreError};

use crate::support::databases::each_db;

/// Two rows in one transaction, of which the commit is polled so often and then dropped.
async fn abandon(store: &Store, name: &str, polls: usize) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    for part in ["first", "second"] {
        tx.setting_or(&format!("{name}, {part}"), "abandoned").await?;
    }
    let mut commit = Box::pin(tx.commit());
    for _ in 0..polls {
        if poll_fn(|context| Poll::Ready(commit.as_mut().poll(context).is_ready())).await {
            break;
        }
    }
    Ok(())
}

/// The next transaction's view of those rows.
async fn next(store: &Store, name: &str) -> Result<[String; 2], StoreError> {
    let mut tx = store.write().await?;
    let first = tx.setting_or(&format!("{name}, first"), "next").await?;
    let second = tx.setting_or(&format!("{name}, second"), "next").await?;
    tx.commit().await?;
    Ok([first, second])
}

#[tokio::test]
async fn a_commit_that_nobody_waits_for_stands_or_falls_as_a_whole_before_the_next_change() {
    each_db(async |store| {
        for round in 0..60 {
            let (name, polls) = (format!("round {round}"), round % 3);
            abandon(&store, &name, polls).await.expect("begun");
            let seen = next(&store, &name).await.expect("the next one works");
            assert_eq!(seen[0], seen[1], "{name}, {polls} polls: in part");
            if polls == 0 {
                assert_eq!(seen[0], "next", "{name}: what was never told to commit is rolled back");
            }
            assert_eq!(next(&store, &name).await.expect("read"), seen, "{name}: nothing arrives later");
        }
    })
    .await;
}
