//! Damage, settings under which a power cut could erase commits, and a stalled queue are detected.

use std::path::Path;

use sqlx::{Connection, Executor, PgConnection};
use touchline::domain::Actor;
use touchline::domain::event::{EventKind, EventSource};
use touchline::domain::id::MessageId;
use touchline::domain::message::Message;
use touchline::store::StoreError;
use touchline::store::engine::soundness::Late;
use touchline::store::records::events::Event;
use touchline::store::records::queue_entries::Lanes;

use super::samples::{Stage, at};
use crate::support::databases::{Database, each_db};

#[tokio::test]
async fn a_sound_database_says_so_with_its_version_and_schema() {
    each_db(async |store| {
        let found = store.soundness().await.expect("asked");
        assert_eq!((found.damage.len(), found.risks.len()), (0, 0), "{found:?}");
        assert!(found.engine.starts_with("SQLite 3.") || found.engine.starts_with("PostgreSQL 1"), "{found:?}");
        assert_eq!(store.read().await.expect("tx").schema_number().await.expect("read"), found.schema);
        assert_eq!(found.schema, touchline::store::engine::migrate::newest());
        if found.engine.starts_with("SQLite") {
            let room = found.room.expect("a file");
            assert!(room.used > 4096 && room.free.is_some_and(|free| free > 0), "{room:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_try_at_writing_leaves_nothing_and_tells_when_it_fails() {
    each_db(async |store| {
        store.check_writable().await.expect("it can be written to");
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.setting_or("write_check", "not there before").await.expect("kept"), "not there before");
    })
    .await;
    let database = Database::sqlite().await;
    let store = database.open().await;
    store.migrate().await.expect("made");
    let mut connection = sqlx::SqliteConnection::connect(&database.url).await.expect("connected");
    let full = "CREATE TRIGGER full BEFORE INSERT ON setting BEGIN SELECT RAISE(ABORT, 'no room'); END";
    connection.execute(full).await.expect("done");
    assert!(store.check_writable().await.is_err());
}

#[tokio::test]
async fn what_is_written_to_prove_it_is_committed_and_damage_is_remembered() {
    each_db(async |store| {
        for _ in 0..2 {
            store.prove_writable().await.expect("it can be written to");
        }
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.setting_or("write_check", "not there").await.expect("kept"), "");
        drop(tx);
        assert_eq!(store.room().is_some(), store.soundness().await.expect("asked").room.is_some());
        store.note(&StoreError::Unavailable("locked".to_owned()));
        assert!(!store.was_found_damaged());
        store.note(&StoreError::Unusable("damaged".to_owned()));
        assert!(store.was_found_damaged() && store.clone().was_found_damaged());
    })
    .await;
    let database = Database::sqlite().await;
    let store = database.open().await;
    store.note_damage();
    assert!(store.was_found_damaged());
}

#[tokio::test]
async fn a_file_with_broken_pages_is_found_to_be_damaged() {
    let database = Database::sqlite().await;
    let store = database.open().await;
    store.migrate().await.expect("made");
    let stage = Stage::set(&store).await;
    stage
        .store(&store, &(0..300).map(|_| Message { id: MessageId::new(), ..stage.message() }).collect::<Vec<_>>())
        .await;
    store.close().await;
    let file = Path::new(database.url.strip_prefix("sqlite:").expect("a file"));
    let mut octets = std::fs::read(file).expect("read");
    let end = octets.len();
    octets[end - 9000..end - 1000].fill(0xa5);
    std::fs::write(file, octets).expect("written");

    let store = database.open().await;
    let found = store.soundness().await.expect("damage is a finding, not an error");
    assert!(!found.damage.is_empty(), "{found:?}");
    store.close().await;
}

#[tokio::test]
async fn rows_that_refer_to_nothing_are_found() {
    let database = Database::sqlite().await;
    let store = database.open().await;
    store.migrate().await.expect("made");
    let stage = Stage::set(&store).await;
    stage.store(&store, &[stage.message()]).await;
    let mut connection = sqlx::SqliteConnection::connect(&database.url).await.expect("connected");
    connection.execute("PRAGMA foreign_keys = OFF").await.expect("done");
    connection.execute("DELETE FROM referrer").await.expect("done");
    connection.close().await.expect("closed");
    let found = store.soundness().await.expect("asked");
    assert!(found.damage.iter().any(|words| words.contains("message") && words.contains("touch")), "{found:?}");
    store.close().await;
}

#[tokio::test]
async fn a_server_that_does_not_wait_for_its_disk_is_named() {
    let Some(database) = Database::postgres().await else { return };
    let name = database.url.rsplit('/').next().expect("a name");
    let mut connection = PgConnection::connect(&database.url).await.expect("connected");
    let lax = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    connection.execute(sqlx::AssertSqlSafe(lax)).await.expect("done");
    connection.close().await.expect("closed");
    let store = database.open().await;
    store.migrate().await.expect("made");
    let found = store.soundness().await.expect("asked");
    assert!(found.risks.len() == 1 && found.risks[0].contains("synchronous_commit"), "{found:?}");
    store.close().await;
    database.remove().await;
}

#[tokio::test]
async fn entries_that_should_have_moved_are_counted() {
    each_db(async |store| {
        let entry = |rank| touchline::store::records::queue_entries::NewEntry {
            kind: "submit",
            subject: uuid::Uuid::new_v4(),
            lane: touchline::domain::Lane::OneOff,
            pool: String::new(),
            flow: uuid::Uuid::nil(),
            rank,
            due_ms: at(rank * 10),
        };
        let mut tx = store.write().await.expect("tx");
        tx.queue_insert(&[entry(1), entry(2), entry(3)], at(15)).await.expect("stored");
        let claimed = tx.queue_claim("submit", Lanes::All, "", "a node", at(40), 1).await.expect("claimed");
        assert_eq!(claimed.len(), 1);
        assert_eq!(tx.queue_due_past(at(25)).await.expect("read"), Late { entries: 1, since: Some(at(20)) });
        assert_eq!(tx.queue_due_past(at(15)).await.expect("read"), Late { entries: 0, since: None });
        assert_eq!(tx.queue_leases_past(at(41)).await.expect("read"), Late { entries: 1, since: Some(at(40)) });
        assert_eq!(tx.queue_leases_past(at(40)).await.expect("read"), Late { entries: 0, since: None });
    })
    .await;
}

#[tokio::test]
async fn a_clock_behind_the_newest_record_is_told_and_one_that_is_right_is_not() {
    each_db(async |store| {
        let behind = async |now| touchline::upkeep::time::behind(&store, now).await.expect("asked");
        assert_eq!(behind(at(0)).await, None, "nothing was recorded yet");
        let stage = Stage::set(&store).await;
        let message = stage.message();
        stage.store(&store, std::slice::from_ref(&message)).await;
        let latest = at(7_200_000);
        let event =
            |when| Event::new(message.id, EventKind::Queued, EventSource::Operator, &Actor::operator("dana"), when);
        let mut tx = store.write().await.expect("tx");
        tx.events_insert(&[event(at(1)), event(latest)]).await.expect("stored");
        assert_eq!(tx.event_latest().await.expect("read"), Some(latest));
        tx.commit().await.expect("committed");
        let minute = std::time::Duration::from_secs(60);
        assert_eq!(behind(latest.before(minute)).await, None, "clocks are not exact");
        assert_eq!(behind(latest.before(minute * 60)).await, Some(minute * 60));
    })
    .await;
}
