use touchline::domain::{Clock, SystemClock};

use crate::support::databases::each_db;

#[tokio::test]
async fn a_server_tells_its_time_and_a_file_has_none() {
    each_db(async |store| {
        let before = SystemClock.now();
        let told = store.read().await.expect("a transaction").server_time().await.expect("read");
        let after = SystemClock.now();
        match told {
            Some(time) => assert!(before.0 - 1 <= time.0 && time.0 <= after.0 + 1, "{before} {time} {after}"),
            None => assert_eq!(store.dialect(), touchline::store::dialect::Dialect::Sqlite),
        }
    })
    .await;
}
