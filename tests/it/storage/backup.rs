//! A copy of a running database is complete; a file that is not a copy is refused; what a restore replaces is kept.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};
use touchline::domain::id::MessageId;
use touchline::domain::message::Message;
use touchline::store::engine::backup::BackupFile;
use touchline::store::engine::peers::Company;
use touchline::store::views::ledger::LedgerOf;
use touchline::store::{Store, StoreError};

use super::samples::{Stage, at};
use crate::support::databases::Database;

async fn open(database: &Database) -> Store {
    let store = database.open().await;
    store.migrate().await.expect("the schema is made");
    store
}

fn file_of(database: &Database) -> &Path {
    Path::new(database.url.strip_prefix("sqlite:").expect("a file"))
}

async fn write_until(store: &Store, stage: &Stage, stop: &AtomicBool) -> usize {
    let mut written = 0;
    while !stop.load(Ordering::Relaxed) {
        let new = || Message { id: MessageId::new(), ..stage.message() };
        stage.store(store, &[new(), new(), new()]).await;
        written += 3;
    }
    written
}

async fn change(file: &Path, sql: &str) {
    let url = format!("sqlite:{}?mode=rwc", file.display());
    let mut connection = SqliteConnection::connect(&url).await.expect("connected");
    connection.execute(AssertSqlSafe(sql.to_owned())).await.expect("done");
    connection.close().await.expect("closed");
}

async fn refused(file: &Path) -> String {
    match BackupFile::at(file).inspect().await {
        Err(StoreError::Unusable(words)) => words,
        other => panic!("it should be refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_while_letters_are_written_is_whole_and_only_its_owner_can_read_it() {
    let (database, scratch) = (Database::sqlite().await, tempfile::tempdir().expect("a folder"));
    let store = open(&database).await;
    let stage = Stage::set(&store).await;
    let stop = AtomicBool::new(false);
    let copying = async {
        let mut copies = Vec::new();
        for number in 0..5 {
            let file = scratch.path().join(format!("copy-{number}.db"));
            let before = store.read().await.expect("tx").ledger(LedgerOf::Everything).await;
            let contents = store.backup(&file).await.expect("copied");
            let before = before.expect("read").total;
            assert!(contents.messages >= before, "what was committed before is in it");
            assert_eq!(contents.messages % 3, 0, "a transaction is in it whole or not at all");
            copies.push((file, contents));
        }
        stop.store(true, Ordering::Relaxed);
        copies
    };
    let (copies, written) = tokio::join!(copying, write_until(&store, &stage, &stop));
    assert!(written > 0, "the writer went on");
    for (file, contents) in &copies {
        assert_eq!(&BackupFile::at(file).inspect().await.expect("sound"), contents);
        let mode = std::fs::metadata(file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    }
    let names = std::fs::read_dir(scratch.path()).expect("a folder").count();
    assert_eq!(names, copies.len(), "nothing is left lying about");
    store.close().await;
}

#[tokio::test]
async fn a_file_is_never_overwritten_and_a_copy_that_cannot_be_made_leaves_nothing() {
    let (database, scratch) = (Database::sqlite().await, tempfile::tempdir().expect("a folder"));
    let store = open(&database).await;
    let file = scratch.path().join("letters.txt");
    std::fs::write(&file, "Dear colleague").expect("written");
    let clash = store.backup(&file).await.expect_err("it exists");
    assert!(matches!(&clash, StoreError::Conflict(words) if words.contains("letters.txt")), "{clash}");
    assert_eq!(std::fs::read_to_string(&file).expect("there"), "Dear colleague");
    let nowhere = store.backup(&scratch.path().join("no/folder/copy.db")).await.expect_err("no folder");
    assert!(nowhere.to_string().contains("no such"), "{nowhere}");
    assert_eq!(std::fs::read_dir(scratch.path()).expect("a folder").count(), 1);
    store.close().await;
}

#[tokio::test]
async fn postgresql_is_not_copied_by_us() {
    let Some(database) = Database::postgres().await else { return };
    let store = open(&database).await;
    let refused = store.backup(Path::new("/nowhere/copy.db")).await.expect_err("refused");
    assert!(matches!(&refused, StoreError::Unusable(words) if words.contains("its own programs")), "{refused}");
    store.close().await;
    database.remove().await;
}

#[tokio::test]
async fn what_is_no_sound_copy_of_ours_is_refused_with_the_reason() {
    let (database, scratch) = (Database::sqlite().await, tempfile::tempdir().expect("a folder"));
    let store = open(&database).await;
    let stage = Stage::set(&store).await;
    stage
        .store(&store, &(0..300).map(|_| Message { id: MessageId::new(), ..stage.message() }).collect::<Vec<_>>())
        .await;
    let good = scratch.path().join("good.db");
    store.backup(&good).await.expect("copied");
    store.close().await;
    let octets = std::fs::read(&good).expect("read");
    let variant = |name: &str, octets: &[u8]| {
        let file = scratch.path().join(name);
        std::fs::write(&file, octets).expect("written");
        file
    };

    let mut scratched = octets.clone();
    let middle = scratched.len() / 2;
    // Ten pages: whatever the schema puts in the middle of the file, some of it is in use.
    scratched[middle..middle + 10 * 4096].fill(0xa5);
    let words = refused(&variant("scratched.db", &scratched)).await;
    assert!(words.contains("damaged"), "{words}");
    let words = refused(&variant("cut.db", &octets[..octets.len() / 2])).await;
    assert!(words.contains("damaged"), "{words}");
    let words = refused(&variant("letter.db", &b"Dear colleague,\n".repeat(300))).await;
    assert!(words.contains("not a SQLite database"), "{words}");
    let words = refused(&variant("empty.db", b"")).await;
    assert!(words.contains("no touchline records"), "{words}");

    let future = variant("future.db", &octets);
    change(
        &future,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        SELECT 9001, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
    )
    .await;
    let words = refused(&future).await;
    assert!(words.contains("9001") && words.contains("newer"), "{words}");

    let running = variant("running.db", &octets);
    std::fs::write(scratch.path().join("running.db-wal"), b"the newest commits").expect("written");
    let words = refused(&running).await;
    assert!(words.contains("-wal") && words.contains("touchline backup"), "{words}");
    assert!(BackupFile::at(&good).inspect().await.is_ok());
}

#[tokio::test]
async fn a_copy_takes_the_place_of_a_database_that_nobody_uses_and_the_old_one_is_kept() {
    let (database, scratch) = (Database::sqlite().await, tempfile::tempdir().expect("a folder"));
    let store = open(&database).await;
    let stage = Stage::set(&store).await;
    let copy = scratch.path().join("copy.db");
    store.backup(&copy).await.expect("copied");
    stage.store(&store, &[stage.message()]).await;

    let in_use = Company::of(&database.url).refuse().await.expect_err("the store is open");
    assert!(matches!(&in_use, StoreError::InUse(words) if words.contains("touchline serve")), "{in_use}");
    let staged = BackupFile::at(&copy).stage(file_of(&database)).await.expect("room");
    let in_use = staged.take_its_place(at(0)).await.expect_err("the store is open");
    assert!(matches!(in_use, StoreError::InUse(_)), "{in_use}");
    assert_eq!(store.read().await.expect("tx").messages_waiting(9).await.expect("read").len(), 1, "as it was");
    store.close().await;

    Company::of(&database.url).refuse().await.expect("nobody uses it now");
    let staged = BackupFile::at(&copy).stage(file_of(&database)).await.expect("room");
    let kept = staged.take_its_place(at(0)).await.expect("replaced").expect("the old one");
    let restored = open(&database).await;
    assert!(restored.read().await.expect("tx").messages_waiting(9).await.expect("read").is_empty());
    restored.close().await;
    let old = BackupFile::at(&kept).inspect().await.expect("the old one is whole, its log folded in");
    assert_eq!(old.messages, 1);
}

#[tokio::test]
async fn a_damaged_database_and_its_log_are_put_aside_together() {
    let (database, scratch) = (Database::sqlite().await, tempfile::tempdir().expect("a folder"));
    let store = open(&database).await;
    let copy = scratch.path().join("copy.db");
    store.backup(&copy).await.expect("copied");
    store.close().await;
    let file = file_of(&database);
    std::fs::write(file, "not a database any more".repeat(99)).expect("written");
    let log = Path::new(database.url.strip_prefix("sqlite:").expect("a file")).with_extension("db-wal");
    std::fs::write(&log, "frames of the old one").expect("written");

    let staged = BackupFile::at(&copy).stage(file).await.expect("room");
    let kept = staged.take_its_place(at(0)).await.expect("replaced").expect("the old one");
    assert!(!log.exists(), "the new database never meets the old one's log");
    assert!(std::fs::read_to_string(&kept).expect("kept").starts_with("not a database"));
    let restored = open(&database).await;
    restored.read().await.expect("tx").referrer_count().await.expect("it works");
    restored.close().await;
}

#[tokio::test]
async fn where_there_was_no_database_nothing_is_put_aside() {
    let (database, scratch) = (Database::sqlite().await, tempfile::tempdir().expect("a folder"));
    let store = open(&database).await;
    let copy = scratch.path().join("copy.db");
    store.backup(&copy).await.expect("copied");
    store.close().await;
    let target = scratch.path().join("new.db");
    let kept = BackupFile::at(&copy).stage(&target).await.expect("room").take_its_place(at(0)).await.expect("placed");
    assert_eq!(kept, None);
    assert!(BackupFile::at(&target).inspect().await.is_ok());
}
