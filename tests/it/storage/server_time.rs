use touchline::domain::{Clock, SystemClock};
use touchline::store;

use crate::support::databases::each_db;

#[tokio::test]
async fn a_server_tells_its_time_and_a_file_has_none() {
    each_db(async |store| {
        let before = SystemClock.now();
        let told = store.read().await.expect("a transaction").server_time().await.expect("read");
        let after = SystemClock.now();
        match told {
            Some(time) => assert!(before.0 - 1 <= time.0 && time.0 <= after.0 + 1, "{before} {time} {after}"),
            None => assert_eq!(store.dialect(), store::engine::dialect::Dialect::Sqlite),
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn work_that_gets_no_answer_is_given_up_and_may_be_tried_again() {
    let silent = store::in_time(std::future::pending::<Result<(), store::StoreError>>()).await;
    assert!(silent.expect_err("given up").is_passing());
    assert!(store::in_time(async { Ok(()) }).await.is_ok());
}
