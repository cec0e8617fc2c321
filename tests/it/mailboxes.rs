//! Mailboxes to which returns come: read by one node at a time, each mail once, whatever happens in between; and what is no return of
//! ours stays as it is, octet for octet.

mod checking;
pub mod dovecot;
mod dying;
mod enduring;
mod in_memory;
mod reading;
mod stand_in;
mod stepping;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::DateTime;
use secrecy::SecretString;
use touchline::domain::Clock;
use touchline::domain::return_path::ReturnPaths;
use touchline::feedback::Parts;
use touchline::feedback::mailboxes::{Round, Trouble, claim, read_once};
use touchline::provider::Account;
use touchline::provider::mailbox::{After, Mailbox, MailboxKind, MailboxTls, Settings, mailbox};
use touchline::provider::sign_in::Unkept;
use touchline::queue::Queue;
use touchline::store::Store;
use touchline::store::records::mailboxes::MailboxState;

use crate::returning::TUESDAY;
use crate::support::soon;

/// The name of the mailbox in these tests.
const NAME: &str = "returns";

/// What all mailboxes of these tests have in common.
fn settings(kind: MailboxKind) -> Settings {
    Settings {
        kind,
        host: None,
        port: None,
        tls: MailboxTls::Implicit,
        username: None,
        folders: vec!["INBOX".to_owned()],
        path: None,
        since: None,
        after: After::Keep,
        move_to: None,
        accept_ca_file: None,
    }
}

/// A mailbox, as the composition root makes it.
fn built(
    name: &str,
    settings: Settings,
    oauth: toml::Table,
    secrets: &[(&str, &str)],
    clock: &Arc<dyn Clock>,
) -> Arc<dyn Mailbox> {
    let account = Account {
        name: name.to_owned(),
        settings: oauth,
        secrets: secrets
            .iter()
            .map(|(key, value)| ((*key).to_owned(), SecretString::from(*value)))
            .collect::<BTreeMap<_, _>>(),
        http: touchline::http::client().expect("a client"),
        timeout: Duration::from_secs(60),
        concurrency: 1,
        sender: None,
        callback_url: None,
        documents_url: None,
        baa: false,
        clock: clock.clone(),
        tokens: Arc::new(Unkept),
        returns: ReturnPaths::new(&[]),
    };
    mailbox(account, settings).unwrap_or_else(|error| panic!("{error}"))
}

fn maildir(path: &Path, after: After, clock: &Arc<dyn Clock>) -> Arc<dyn Mailbox> {
    let settings = Settings { path: Some(path.to_owned()), after, ..settings(MailboxKind::Maildir) };
    built(NAME, settings, toml::Table::new(), &[], clock)
}

/// An empty maildir.
fn empty_maildir() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("touchline-maildir").tempdir().expect("a folder");
    for name in ["new", "cur", "tmp"] {
        std::fs::create_dir(folder.path().join(name)).expect("made");
    }
    folder
}

/// Delivers a mail by the clock of these tests, which stands still.
fn deliver(maildir: &Path, unique: &str, mail: &str) {
    let at = DateTime::parse_from_rfc3339(TUESDAY).expect("a time");
    deliver_at(maildir, unique, mail, at.into());
}

/// Delivers a mail at a time.
fn deliver_at(maildir: &Path, unique: &str, mail: &str, at: SystemTime) {
    let path = maildir.join("tmp").join(unique);
    std::fs::write(&path, mail).expect("written");
    std::fs::File::options().write(true).open(&path).expect("opened").set_modified(at).expect("dated");
    std::fs::rename(maildir.join("tmp").join(unique), maildir.join("new").join(unique)).expect("delivered");
}

/// Every file of a maildir with its content.
fn files(maildir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let folders = ["new", "cur"].map(PathBuf::from);
    let paths = folders.iter().flat_map(|folder| {
        let entries = std::fs::read_dir(maildir.join(folder)).expect("read").flatten();
        entries.map(|entry| folder.join(entry.file_name())).collect::<Vec<_>>()
    });
    paths.map(|path| (path.clone(), std::fs::read(maildir.join(&path)).expect("read"))).collect()
}

/// Another node on the same database.
fn other_node(parts: &Parts) -> Parts {
    let queue = Queue::new(parts.store.clone(), "another-node".to_owned(), Duration::from_secs(60));
    Parts { queue: Arc::new(queue), ..parts.clone() }
}

/// Claims a mailbox and reads it once, over a session of its own. Apart from the caller's frame, which the stack of a test has to hold.
fn read<'a>(
    parts: &'a Parts,
    mailbox: &'a Arc<dyn Mailbox>,
) -> Pin<Box<dyn Future<Output = Result<Round, Trouble>> + 'a>> {
    Box::pin(read_claimed(parts, mailbox))
}

async fn read_claimed(parts: &Parts, mailbox: &Arc<dyn Mailbox>) -> Result<Round, Trouble> {
    assert!(claim(parts, mailbox.name()).await.expect("asked"), "another node has it");
    let mut session = mailbox.open().await.expect("opened");
    let round = soon("a round", Box::pin(read_once(parts, mailbox.as_ref(), session.as_mut()))).await;
    session.close().await;
    round
}

/// What a round found when it went well.
const fn found(read: usize, ours: usize) -> Round {
    Round { read, ours, old: 0, stepped: 0, missing: 0, is_left: false }
}

/// The same, when it must go well.
async fn read_well(parts: &Parts, mailbox: &Arc<dyn Mailbox>) -> Round {
    read(parts, mailbox).await.unwrap_or_else(|trouble| panic!("{trouble:?}"))
}

async fn state(store: &Store, name: &str) -> MailboxState {
    let states = store.read().await.expect("tx").mailbox_states().await.expect("read");
    states.into_iter().find(|state| state.name == name).expect("on record")
}
