//! The disk under a SQLite database fills up in the middle of a broadcast, and space is freed later.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use touchline::store::Store;

use crate::support::reckoning::Reckoning;
use crate::support::require;
use crate::support::small_disk::SmallDisk;
use crate::support::stage::{self, Setup, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_in_the_middle_of_a_broadcast_loses_nothing_and_work_goes_on_when_there_is_room() {
    let scratch = tempfile::tempdir().expect("a folder");
    let Some(disk) = SmallDisk::mount(scratch.path(), 48) else {
        return require::skip("the right to mount a small file system");
    };
    let url = format!("sqlite:{}", scratch.path().join("touchline.db").display());
    let stage = Stage::build(Setup { faxes: 60, mails: 140, ..Setup::default() }).await;
    stage.send_to_all(&url);
    let store = Store::open(&url, 2).await.expect("the store opens");
    let node = stage.node(1, &url);
    let share = stage.total() / 4;
    stage.until(&store, "a quarter delivered", |ledger| ledger.delivered >= share).await;

    let ballast = fill(scratch.path());
    // It says what is wrong, and goes on trying while every call under way ends and nothing can be written down.
    stage.hears(1, "disk is full", 4).await;
    let full = stage::ledger(&store).await;
    assert_eq!((full.total, full.failed), (stage.total(), 0), "{full:?}");
    assert!(full.delivered < full.total, "there was work left: {full:?}");

    std::fs::remove_file(ballast).expect("room again");
    let all = stage.total();
    stage.until(&store, "all delivered, every answer kept over the time", |ledger| ledger.delivered == all).await;
    stage.settled(&store).await;
    assert!(node.drain().await.success(), "{}", stage.logs());
    Reckoning::of(&store, stage.folder()).await.check(stage.total());
    store.close().await;
    drop(disk);
}

/// Takes all the room that is left.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("ballast");
    let mut file = File::create(&path).expect("a file");
    for piece in [64 * 1024, 4096, 1] {
        let zeros = vec![0; piece];
        while file.write_all(&zeros).is_ok() {}
    }
    path
}
