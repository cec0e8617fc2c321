//! A database that is not whole is noticed before anything is begun on it.

use std::path::Path;

use touchline::store::{Store, StoreError};

use super::execute;
use crate::support::databases::{Database, each_empty_database};

/// Opens it as the daemon does, up to the point where it would begin.
async fn start(database: &Database) -> Result<(), StoreError> {
    let store = Store::open(&database.url, 2).await?;
    let done = async {
        store.migrate().await?;
        store.check_start().await
    };
    let done = done.await;
    store.close().await;
    done
}

async fn refused(database: &Database) -> String {
    match start(database).await {
        Err(StoreError::Unusable(words)) => words,
        other => panic!("it should be unusable: {other:?}"),
    }
}

#[tokio::test]
async fn a_whole_database_is_begun_on_while_another_program_uses_it() {
    each_empty_database(async |database| {
        start(database).await.expect("it is new");
        let busy = database.open().await;
        let mut tx = busy.write().await.expect("tx");
        tx.setting_or("write_check", "").await.expect("written");
        tx.commit().await.expect("committed");
        start(database).await.expect("what is in the log only is there all the same");
        busy.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_missing_column_and_a_missing_table_are_named_whatever_the_list_of_migrations_says() {
    each_empty_database(async |database| {
        start(database).await.expect("it is new");
        execute(database, "ALTER TABLE session DROP COLUMN seen_ms".to_owned()).await;
        let words = refused(database).await;
        assert!(words.contains("session.seen_ms") && words.contains("backup"), "{words}");
        execute(database, "DROP TABLE session".to_owned()).await;
        let words = refused(database).await;
        assert!(words.contains("session.") && words.contains("and others"), "{words}");
    })
    .await;
}

#[tokio::test]
async fn a_file_that_was_cut_off_or_whose_header_is_gone_is_refused() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 3] = [
        ("cut off", |octets| octets.truncate(octets.len() / 2)),
        ("no header", |octets| octets[..100].fill(0)),
        ("another program's header", |octets| octets[..15].copy_from_slice(b"another program")),
    ];
    for (what, damage) in damages {
        let database = Database::empty_sqlite();
        start(&database).await.expect("it is new");
        let file = Path::new(database.url.strip_prefix("sqlite:").expect("a file"));
        let mut octets = std::fs::read(file).expect("read");
        damage(&mut octets);
        std::fs::write(file, octets).expect("written");
        let words = refused(&database).await;
        assert!(!words.is_empty(), "{what}");
    }
}
