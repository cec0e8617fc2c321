//! Migrations forward: records of the first schema reach the present one complete, and a migration that fails leaves
//! nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use touchline::domain::attempt::AttemptStatus;
use touchline::domain::callback::CallbackForm;
use touchline::domain::id::{AttemptId, MessageId};
use touchline::domain::{MessageStatus, Timestamp};
use touchline::store::StoreError;
use touchline::store::engine::migrate;
use touchline::store::views::inbox::CallbacksOf;
use touchline::store::views::ledger::LedgerOf;
use uuid::Uuid;

use crate::support::databases::{Database, each_empty_database};

const RECORDS: &str = include_str!("../fixtures/schema/0001.sql");
/// Of the engines and of the migrator itself.
const NOT_OURS: [&str; 2] = ["_sqlx_migrations", "sqlite_sequence"];

/// The identifier with that number in the fixture.
pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0193_5000_0000_7000_8000_0000_0000_0000 + number)
}

/// The fixture in an engine's words.
pub fn records(database: &Database) -> String {
    let mut text = String::new();
    for (place, part) in RECORDS.split('~').enumerate() {
        match (place % 2, database.is_sqlite()) {
            (0, _) => text.push_str(part),
            (_, true) => text.push_str(&format!("X'{}'", id(part.parse().expect("a number")).simple())),
            (_, false) => text.push_str(&format!("'{}'", id(part.parse().expect("a number")))),
        }
    }
    let octets = |hex: &str| if database.is_sqlite() { format!("X'{hex}'") } else { format!("'\\x{hex}'") };
    let parts = text.split('^').enumerate();
    parts.map(|(place, part)| if place % 2 == 0 { part.to_owned() } else { octets(part) }).collect()
}

pub fn migrations(database: &Database) -> PathBuf {
    let engine = if database.is_sqlite() { "sqlite" } else { "postgres" };
    Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine)
}

/// Runs a folder's migrations up to a number, by the migrator alone.
pub async fn migrate_to(database: &Database, folder: &Path, number: i64) -> Result<(), sqlx::migrate::MigrateError> {
    let migrator = Migrator::new(folder).await.expect("the folder is read");
    if database.is_sqlite() {
        let url = format!("{}?mode=rwc", database.url);
        let mut connection = SqliteConnection::connect(&url).await.expect("connected");
        migrator.run_to(number, &mut connection).await
    } else {
        let mut connection = PgConnection::connect(&database.url).await.expect("connected");
        migrator.run_to(number, &mut connection).await
    }
}

/// Runs statements on a database, by a connection of its own.
pub async fn execute(database: &Database, sql: String) {
    if database.is_sqlite() {
        let mut connection = SqliteConnection::connect(&database.url).await.expect("connected");
        connection.execute(AssertSqlSafe(sql)).await.expect("done");
        connection.close().await.expect("closed");
    } else {
        let mut connection = PgConnection::connect(&database.url).await.expect("connected");
        connection.execute(AssertSqlSafe(sql)).await.expect("done");
    }
}

/// How many rows each table has.
async fn rows(database: &Database) -> BTreeMap<String, i64> {
    async fn count<'c, C: Connection>(names: Vec<String>, connection: &'c mut C) -> BTreeMap<String, i64>
    where
        for<'e> &'e mut C: Executor<'e, Database = C::Database>,
        for<'q> <C::Database as sqlx::Database>::Arguments: sqlx::IntoArguments<C::Database>,
        (i64,): for<'r> sqlx::FromRow<'r, <C::Database as sqlx::Database>::Row>,
    {
        let mut counts = BTreeMap::new();
        for name in names.into_iter().filter(|name| !NOT_OURS.contains(&name.as_str())) {
            let ask = AssertSqlSafe(format!("SELECT COUNT(*) FROM {name}"));
            let (rows,): (i64,) = sqlx::query_as(ask).fetch_one(&mut *connection).await.expect("counted");
            counts.insert(name, rows);
        }
        counts
    }
    if database.is_sqlite() {
        let mut connection = SqliteConnection::connect(&database.url).await.expect("connected");
        let names = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'");
        let names = names.fetch_all(&mut connection).await.expect("read");
        count(names, &mut connection).await
    } else {
        let mut connection = PgConnection::connect(&database.url).await.expect("connected");
        let names = sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()");
        let names = names.fetch_all(&mut connection).await.expect("read");
        count(names, &mut connection).await
    }
}

#[tokio::test]
async fn records_of_the_first_schema_reach_the_present_one_whole() {
    each_empty_database(async |database| {
        migrate_to(database, &migrations(database), 1).await.expect("the first schema");
        execute(database, records(database)).await;
        let before = rows(database).await;
        let bare: Vec<_> = before.iter().filter(|(_, rows)| **rows == 0).collect();
        assert!(bare.is_empty() && before.len() >= 22, "the fixture has rows in every table: {bare:?}");

        let store = database.open().await;
        store.migrate().await.expect("brought forward");
        store.migrate().await.expect("nothing to do");
        let after = rows(database).await;
        for (table, count) in &before {
            // The form of the keys of mailboxes is noted as a setting.
            let expected = if table == "setting" { count + 1 } else { *count };
            assert_eq!(after.get(table), Some(&expected), "{table}");
        }
        assert_eq!(store.soundness().await.expect("asked").damage, [] as [String; 0]);
        let mut tx = store.read().await.expect("tx");
        assert_eq!(tx.schema_number().await.expect("read"), migrate::newest());
        read_back(&mut tx).await;
        drop(tx);
        store.close().await;
    })
    .await;
}

/// What was written under the first schema is read by the present code, with every word and number.
async fn read_back(tx: &mut touchline::store::Tx) {
    let ledger = tx.ledger(LedgerOf::Everything).await.expect("read");
    assert_eq!((ledger.total, ledger.delivered, ledger.in_doubt, ledger.queued), (10, 1, 1, 3), "{ledger:?}");
    let ids: Vec<MessageId> = (60..70).map(|number| MessageId(id(number))).collect();
    let messages = tx.messages(&ids, false).await.expect("read");
    assert_eq!(messages.len(), 10);
    assert_eq!((messages[2].status, messages[2].pages), (MessageStatus::Delivered, Some(2)));
    assert_eq!(messages[2].variables, "{\"a\":\"“x”\"}");
    let called = tx.attempt(AttemptId(id(76))).await.expect("read").expect("there");
    assert_eq!((called.status, called.opened_ms), (AttemptStatus::Calling, Timestamp(1_795_000_000_021)));
    assert_eq!(tx.attempts_of(MessageId(id(65))).await.expect("read").len(), 2);
    assert_eq!(tx.events_of(MessageId(id(60))).await.expect("read").len(), 2);
    let entry = tx.queue_entry(id(69)).await.expect("read").expect("there");
    assert_eq!((entry.state.as_str(), entry.fence), ("leased", 3));
    let waiting = tx.inbox_waiting(9).await.expect("read");
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0].form, waiting[0].dedupe.as_str(), waiting[0].looks), (CallbackForm::Event, "e1", 3));
    assert_eq!(waiting[0].content.as_deref(), Some(b"{}".as_slice()));
    let lines = tx.callback_lines(&CallbacksOf::default(), 9).await.expect("read");
    let sizes: Vec<(i64, i64)> = lines.iter().map(|line| (line.octets, line.facts)).collect();
    assert_eq!(sizes, [(2, 1); 3]);
    let facts = tx.inbox_facts_of(&lines.iter().map(|line| line.id).collect::<Vec<_>>()).await.expect("read");
    assert_eq!(facts.len(), 3, "what an earlier version was told is not told anew");
    assert!(facts.iter().all(|fact| fact.said.is_none() && fact.applied_ms.is_none()));
    assert_eq!(tx.campaigns_list().await.expect("read").len(), 2);
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_and_is_tried_again() {
    each_empty_database(async |database| {
        let store = database.open().await;
        store.migrate().await.expect("made");
        store.close().await;
        execute(database, "INSERT INTO setting (name, value) VALUES ('a', 'b')".to_owned()).await;
        let folder = tempfile::tempdir().expect("a folder");
        for file in std::fs::read_dir(migrations(database)).expect("a folder").flatten() {
            std::fs::copy(file.path(), folder.path().join(file.file_name())).expect("copied");
        }
        let next = folder.path().join("9000_half_way.sql");
        let half = "CREATE TABLE half (id INTEGER);\nUPDATE setting SET value = 'changed';\n";
        std::fs::write(&next, format!("{half}INSERT INTO no_such_table VALUES (1);\n")).expect("written");
        let before = rows(database).await;

        migrate_to(database, folder.path(), 9000).await.expect_err("it cannot be done");
        assert_eq!(rows(database).await, before, "no table of it is left");
        let store = database.open().await;
        store.migrate().await.expect("the database is as it was, and ours");
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.setting_or("a", "c").await.expect("read"), "b");
        drop(tx);

        std::fs::write(&next, half).expect("mended");
        migrate_to(database, folder.path(), 9000).await.expect("done");
        let refused = store.migrate().await.expect_err("the program does not know it");
        assert!(matches!(&refused, StoreError::Unusable(words) if words.contains("9000") && words.contains("newer")));
        store.close().await;
    })
    .await;
}

#[test]
fn every_migration_is_one_transaction() {
    for engine in ["sqlite", "postgres"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
        for file in std::fs::read_dir(folder).expect("a folder").flatten() {
            let text = std::fs::read_to_string(file.path()).expect("a file").to_lowercase();
            for word in ["no-transaction", "commit;", "begin;", "vacuum", "concurrently", "pragma"] {
                assert!(!text.contains(word), "{}: {word} breaks it in two", file.path().display());
            }
        }
    }
}
