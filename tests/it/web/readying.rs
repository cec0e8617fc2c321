//! `/readyz` says that the node cannot work, and why, as soon as it is asked again.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use sqlx::{Executor, Row};

use super::house::House;
use crate::support::require;
use crate::support::small_disk::SmallDisk;

async fn ready(house: &House) -> (StatusCode, String) {
    let answer = house.request(Method::GET, "/readyz").send().await.expect("an answer");
    (answer.status(), answer.text().await.expect("text"))
}

async fn is_ready(house: &House) {
    assert_eq!(ready(house).await, (StatusCode::OK, "ready".to_owned()));
}

async fn is_not_ready(house: &House, word: &str) {
    let (status, text) = ready(house).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{text}");
    assert!(text.starts_with(&format!("not ready: {word}: ")), "{text}");
}

fn later(house: &House) {
    house.clock.advance(Duration::from_secs(5));
}

#[tokio::test]
async fn a_database_that_another_program_has_locked_is_not_ready() {
    let house = House::open().await;
    is_ready(&house).await;
    let mut other = house.database().await;
    other.execute("BEGIN IMMEDIATE").await.expect("locked");
    is_ready(&house).await;
    later(&house);
    is_not_ready(&house, "slow").await;
    other.execute("ROLLBACK").await.expect("unlocked");
    is_not_ready(&house, "slow").await;
    later(&house);
    is_ready(&house).await;
}

#[tokio::test]
async fn a_database_that_keeps_nothing_is_not_ready() {
    let house = House::open().await;
    let mut other = house.database().await;
    let full = "CREATE TRIGGER full BEFORE INSERT ON setting BEGIN SELECT RAISE(ABORT, 'no room'); END";
    other.execute(full).await.expect("done");
    is_not_ready(&house, "unwritable").await;
}

#[tokio::test]
async fn a_damaged_database_is_not_ready() {
    let house = House::open().await;
    house.introduction(house.referrer("Amara", None).await).await;
    is_ready(&house).await;
    let mut other = house.database().await;
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.expect("folded");
    let size: i64 = other.fetch_one("PRAGMA page_size").await.expect("asked").get(0);
    let file = house.folder().join("touchline-demo.db");
    let mut octets = std::fs::read(&file).expect("read");
    octets.get_mut(usize::try_from(size).expect("a size")..).expect("more than one page").fill(0xa5);
    std::fs::write(&file, octets).expect("written");
    later(&house);
    is_not_ready(&house, "damaged").await;
}

/// What a request or a worker met is remembered, though the check itself may read nothing that is damaged.
#[tokio::test]
async fn damage_that_was_met_elsewhere_is_told() {
    let house = House::open().await;
    is_ready(&house).await;
    house.gateway.store.note_damage();
    is_not_ready(&house, "damaged").await;
}

#[tokio::test]
async fn nobody_who_asks_often_makes_it_write_often_and_nobody_who_does_not_ask_makes_it_write() {
    let house = House::open().await;
    let mut other = house.database().await;
    let counted = "CREATE TABLE counted (n INTEGER);
        CREATE TRIGGER one AFTER INSERT ON setting WHEN new.name = 'write_check' BEGIN INSERT INTO counted VALUES (1); END;
        CREATE TRIGGER two AFTER UPDATE ON setting WHEN new.name = 'write_check' BEGIN INSERT INTO counted VALUES (1); END";
    other.execute(counted).await.expect("done");
    let mut writes = async || -> i64 { other.fetch_one("SELECT COUNT(*) FROM counted").await.expect("asked").get(0) };
    assert_eq!(writes().await, 0);
    for _ in 0..20 {
        is_ready(&house).await;
    }
    assert_eq!(writes().await, 1);
    later(&house);
    is_ready(&house).await;
    assert_eq!(writes().await, 2);
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_is_not_ready_until_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = SmallDisk::mount(folder.path(), 200) else {
        return require::skip("the right to mount a small file system");
    };
    let house = House::open_in(folder).await;
    is_ready(&house).await;
    disk.enlarge(50);
    later(&house);
    is_not_ready(&house, "disk_full").await;
    disk.enlarge(200);
    later(&house);
    is_ready(&house).await;
    house.gateway.store.close().await;
    drop(disk);
}
