use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::super::{After, BATCH_MAX, MAIL_OCTETS_MAX, MailboxKind, Place, Progress, Session};
use super::on;

fn maildir() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["new", "cur", "tmp"] {
        fs::create_dir(folder.path().join(name)).expect("made");
    }
    folder
}

async fn session(path: &Path, after: After) -> Box<dyn Session> {
    let mailbox = on(MailboxKind::Maildir, 0, |settings| {
        settings.path = Some(path.to_owned());
        settings.after = after;
    });
    mailbox.open().await.expect("opened")
}

/// Every file with its content.
fn files(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let in_folder = |folder: &str| {
        let entries = fs::read_dir(path.join(folder)).expect("read");
        let name = |entry: &fs::DirEntry| format!("{folder}/{}", entry.file_name().to_string_lossy());
        entries.flatten().map(|entry| (name(&entry), fs::read(entry.path()).expect("read"))).collect::<Vec<_>>()
    };
    ["new", "cur"].into_iter().flat_map(in_folder).collect()
}

#[tokio::test]
async fn both_folders_are_read_and_no_file_is_touched() {
    let folder = maildir();
    let path = folder.path();
    fs::write(path.join("new/1.a.host"), "one").expect("written");
    fs::write(path.join("cur/2.b.host:2,RS"), "two").expect("written");
    fs::write(path.join("new/.hidden"), "no").expect("written");
    fs::create_dir(path.join("new/folder")).expect("made");
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/hostname", path.join("new/3.link")).expect("linked");
    fs::remove_file(path.join("new/3.link")).expect("removed");
    fs::remove_dir(path.join("new/folder")).expect("removed");
    let before = files(path);
    let mut session = session(path, After::Delete).await;
    let batch = session.read("", &Place::Seen(BTreeSet::from(["9.z".to_owned()])), None).await.expect("read");
    let octets: Vec<&[u8]> = batch.mails.iter().map(|mail| mail.octets.as_slice()).collect();
    assert_eq!(octets, [b"one", b"two"]);
    let added = ["1.a.host", "2.b.host"].map(str::to_owned);
    assert_eq!(batch.progress, Progress::Seen { added: added.to_vec(), gone: vec!["9.z".to_owned()] });
    let again = session.read("", &Place::Seen(BTreeSet::from(added)), None).await.expect("read");
    assert_eq!(again.mails.len(), 0);
    assert_eq!(files(path), before);
}

#[tokio::test]
async fn what_is_named_is_marked_or_deleted_under_whatever_name_it_has_by_then() {
    for (after, left) in [
        (After::Keep, vec!["cur/2.b:2,RS", "new/1.a"]),
        (After::Seen, vec!["cur/1.a:2,S", "cur/2.b:2,RS"]),
        (After::Delete, vec!["cur/2.b:2,RS"]),
    ] {
        let folder = maildir();
        fs::write(folder.path().join("new/1.a"), "one").expect("written");
        fs::write(folder.path().join("cur/2.b:2,RS"), "two").expect("written");
        let mut session = session(folder.path(), after).await;
        for _ in 0..2 {
            session.finish("", 0, &["1.a".to_owned(), "7.gone".to_owned()]).await.expect("done");
        }
        assert_eq!(files(folder.path()).into_keys().collect::<Vec<_>>(), left, "{after}");
    }
}

#[tokio::test]
async fn large_mails_are_cut_and_many_come_in_batches() {
    let folder = maildir();
    fs::write(folder.path().join("new/0.large"), vec![b'x'; MAIL_OCTETS_MAX + 10]).expect("written");
    for number in 0..BATCH_MAX {
        fs::write(folder.path().join(format!("new/1.{number:03}")), "small").expect("written");
    }
    let mut session = session(folder.path(), After::Keep).await;
    let batch = session.read("", &Place::Seen(BTreeSet::new()), None).await.expect("read");
    assert_eq!((batch.mails.len(), batch.more), (BATCH_MAX, true));
    assert_eq!((batch.mails[0].octets.len(), batch.mails[0].is_cut), (MAIL_OCTETS_MAX, true));
    assert_eq!(session.count("", None).await.ok().map(|count| count.mails), Some(51));
}

#[tokio::test]
async fn what_was_delivered_before_a_day_is_not_read() {
    let folder = maildir();
    let since = crate::domain::Timestamp(1_793_523_600_000);
    for (name, seconds_later) in [("1.old", -1), ("2.new", 0), ("3.new", 1)] {
        let file = fs::File::create(folder.path().join("new").join(name)).expect("made");
        let at = std::time::UNIX_EPOCH
            + std::time::Duration::from_millis(u64::try_from(since.0 + seconds_later * 1_000).expect("later"));
        file.set_modified(at).expect("dated");
    }
    let mut session = session(folder.path(), After::Delete).await;
    let batch = session.read("", &Place::Seen(BTreeSet::new()), Some(since)).await.expect("read");
    let read: Vec<&str> = batch.mails.iter().map(|mail| mail.key.as_str()).collect();
    assert_eq!((read, batch.old), (vec!["2.new", "3.new"], 1));
    let added = ["1.old", "2.new", "3.new"].map(str::to_owned).to_vec();
    assert_eq!(batch.progress, Progress::Seen { added, gone: Vec::new() }, "it is not looked at again");
    let count = session.count("", Some(since)).await.expect("counted");
    assert_eq!((count.mails, count.since), (3, Some(2)));
}

#[tokio::test]
async fn a_folder_that_is_no_maildir_is_said_to_be_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let mailbox = on(MailboxKind::Maildir, 0, |settings| settings.path = Some(folder.path().to_owned()));
    let failure = mailbox.open().await.err().expect("refused");
    assert!(failure.raw_text.is_some_and(|words| words.contains("maildir")));
}
