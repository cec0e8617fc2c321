//! A database that belongs to another program is recognized, with words that say what to do.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use touchline::store::{Store, StoreError};

use crate::support::databases::{Database, each_empty_database};
use crate::support::ports;

async fn execute(database: &Database, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    if database.is_sqlite() {
        let url = format!("{}?mode=rwc", database.url);
        let mut connection = SqliteConnection::connect(&url).await.expect("connected");
        connection.execute(sql).await.expect("done");
        connection.close().await.expect("closed");
    } else {
        let mut connection = PgConnection::connect(&database.url).await.expect("connected");
        connection.execute(sql).await.expect("done");
    }
}

fn unusable(result: Result<(), StoreError>) -> String {
    match result {
        Err(StoreError::Unusable(words)) => words,
        other => panic!("it should be unusable: {other:?}"),
    }
}

#[tokio::test]
async fn the_schema_is_made_once_however_often_and_by_however_many_it_is_asked_for() {
    each_empty_database(async |database| {
        let (a, b) = (database.open().await, database.open().await);
        let (first, second) = tokio::join!(a.migrate(), b.migrate());
        first.expect("made");
        second.expect("made");
        a.migrate().await.expect("nothing to do");
        assert_eq!(a.read().await.expect("tx").referrer_count().await.expect("read"), 0);
        a.close().await;
        b.close().await;
        let closed = a.read().await.expect_err("closed");
        assert!(matches!(&closed, StoreError::Unavailable(_)) && closed.is_passing(), "{closed}");
    })
    .await;
}

#[tokio::test]
async fn a_database_of_a_later_version_is_left_alone() {
    each_empty_database(async |database| {
        let store = database.open().await;
        store.migrate().await.expect("made");
        let applied = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            SELECT 9001, 'from the future', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
        execute(database, applied).await;
        let words = unusable(store.migrate().await);
        assert!(words.contains("9001") && words.contains("newer"), "{words}");
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_migration_that_was_changed_after_it_was_applied_is_named() {
    each_empty_database(async |database| {
        let store = database.open().await;
        store.migrate().await.expect("made");
        let empty = if database.is_sqlite() { "x'00'" } else { "'\\x00'" };
        execute(database, &format!("UPDATE _sqlx_migrations SET checksum = {empty} WHERE version = 1")).await;
        let words = unusable(store.migrate().await);
        assert!(words.contains("migration 1 was changed"), "{words}");
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn nothing_is_put_into_another_programs_database() {
    each_empty_database(async |database| {
        execute(database, "CREATE TABLE appointments (id INTEGER)").await;
        let store = database.open().await;
        let words = unusable(store.migrate().await);
        assert!(words.contains("another program") && words.contains("appointments"), "{words}");
        let refused = store.read().await.expect("tx").referrer_count().await;
        assert!(refused.is_err(), "no table of ours was made");
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_no_database_and_a_url_that_is_none_are_said_to_be_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("letter.txt");
    std::fs::write(&file, "Dear colleague,\n".repeat(200)).expect("written");
    let opened = Store::open(&format!("sqlite:{}", file.display()), 2).await.map(|_| ());
    let words = unusable(opened);
    assert!(words.contains("not a SQLite database"), "{words}");

    let words = unusable(Store::open("mysql://localhost/x", 2).await.map(|_| ()));
    assert!(words.contains("sqlite:") && words.contains("postgres://"), "{words}");
    let words = unusable(Store::open("postgres://[", 2).await.map(|_| ()));
    assert!(words.contains("store.url"), "{words}");
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_may_be_tried_again_and_no_password_is_told() {
    let nowhere = tempfile::tempdir().expect("a folder").path().join("gone/touchline.db");
    let error = Store::open(&format!("sqlite:{}", nowhere.display()), 2).await.expect_err("no folder");
    assert!(error.is_passing() && error.to_string().contains("folder"), "{error}");

    let (_socket, closed) = ports::closed();
    let url = format!("postgres://dana:canary-password@{closed}/x");
    let error = Store::open(&url, 2).await.expect_err("nobody listens");
    assert!(error.is_passing() && error.to_string().contains("store.url"), "{error}");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
}
