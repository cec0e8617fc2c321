//! Group commit: what arrives while a transaction runs goes together into the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use touchline::store::StoreError;
use touchline::store::engine::batch::Batcher;

use crate::support::databases::each_db;

#[tokio::test]
async fn what_is_asked_at_once_shares_transactions_and_each_gets_its_own_answer() {
    each_db(async |store| {
        let transactions = Arc::new(AtomicUsize::new(0));
        let counter = transactions.clone();
        let batcher = Batcher::start(move |names: Vec<String>| {
            let (store, counter) = (store.clone(), counter.clone());
            async move {
                counter.fetch_add(1, Ordering::Relaxed);
                let mut tx = store.write().await?;
                let mut kept = Vec::new();
                for name in &names {
                    kept.push(tx.setting_or(name, name).await?);
                }
                tx.commit().await?;
                Ok(kept)
            }
        });
        let asked = (0..100).map(|number| batcher.ask(format!("name {number}")));
        let answers = futures_util::future::join_all(asked).await;
        for (number, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.expect("kept"), format!("name {number}"));
        }
        assert!(transactions.load(Ordering::Relaxed) <= 3, "{transactions:?}");
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_fails_fails_for_everybody_in_it_and_the_next_one_works() {
    let batcher = Batcher::start(async |numbers: Vec<i32>| {
        if numbers.contains(&13) { Err(StoreError::Corrupt("thirteen".to_owned())) } else { Ok(numbers) }
    });
    let (one, thirteen) = tokio::join!(batcher.ask(1), batcher.ask(13));
    for failed in [one, thirteen] {
        assert_eq!(failed, Err(StoreError::Corrupt("thirteen".to_owned())), "of the same class");
    }
    assert_eq!(batcher.ask(2).await.expect("answered"), 2);
}
