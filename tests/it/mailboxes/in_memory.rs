//! A mailbox in memory, of any kind: it outlives whoever reads it, and some of its mails cannot be handed out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use touchline::domain::Timestamp;
use touchline::domain::fault::Failure;
use touchline::provider::mailbox::{
    After, Batch, Count, Mail, Mailbox, MailboxKind, Place, Progress, Refused, Session,
};

const VALIDITY: u32 = 7;

/// What it holds.
#[derive(Debug, Default)]
pub struct Held {
    /// By UID, which is the key as well.
    pub mails: BTreeMap<u32, String>,
    /// Those with which something was done.
    pub finished: BTreeSet<u32>,
    /// Those that are not handed out.
    pub broken: BTreeSet<u32>,
    /// Whether nothing shows that the mails are broken, and not the server.
    pub is_doubtful: bool,
}

#[derive(Debug, Clone)]
pub struct InMemory {
    name: String,
    kind: MailboxKind,
    folders: [String; 1],
    held: Arc<Mutex<Held>>,
}

impl InMemory {
    pub fn new(kind: MailboxKind) -> Arc<Self> {
        let folder = if kind == MailboxKind::Imap { "INBOX" } else { "" };
        Arc::new(Self { name: kind.to_string(), kind, folders: [folder.to_owned()], held: Arc::default() })
    }

    pub fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("not poisoned")
    }

    /// Delivers a mail; its UID.
    pub fn deliver(&self, mail: String) -> u32 {
        let mut held = self.held();
        let uid = held.mails.keys().next_back().map_or(1, |last| last + 1);
        held.mails.insert(uid, mail);
        uid
    }

    fn batch(&self, place: &Place) -> Batch {
        let held = self.held();
        let is_new = |uid: &u32| match place {
            Place::Last { validity, uid: last } => *validity != VALIDITY || uid > last,
            Place::Seen(seen) => !seen.contains(&uid.to_string()),
        };
        let new: Vec<u32> = held.mails.keys().copied().filter(is_new).collect();
        let last = new.iter().rposition(|uid| !held.broken.contains(uid)).map_or(0, |last| last + 1);
        let (done, at_the_end) = new.split_at(last);
        let refused = |uid: &u32| Refused { key: uid.to_string(), words: format!("ana@ruiz.example: {uid} is broken") };
        let mail = |uid: &u32| Mail {
            key: uid.to_string(),
            octets: held.mails[uid].clone().into_bytes(),
            received_ms: None,
            is_cut: false,
        };
        let progress = match place {
            Place::Last { uid, .. } => Progress::Last { validity: VALIDITY, uid: done.last().copied().unwrap_or(*uid) },
            Place::Seen(_) => Progress::Seen { added: done.iter().map(u32::to_string).collect(), gone: Vec::new() },
        };
        Batch {
            mails: done.iter().filter(|uid| !held.broken.contains(uid)).map(mail).collect(),
            passed_over: done.iter().filter(|uid| held.broken.contains(uid)).map(refused).collect(),
            refused: at_the_end.iter().map(refused).collect(),
            is_doubtful: held.is_doubtful && !at_the_end.is_empty(),
            progress,
            ..Batch::default()
        }
    }
}

#[async_trait]
impl Mailbox for InMemory {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> MailboxKind {
        self.kind
    }

    fn folders(&self) -> &[String] {
        &self.folders
    }

    fn after(&self) -> After {
        After::Seen
    }

    async fn open(&self) -> Result<Box<dyn Session>, Failure> {
        Ok(Box::new(self.clone()))
    }
}

/// Whoever reads it may die before and after anything is done.
#[async_trait]
impl Session for InMemory {
    async fn read(&mut self, _: &str, place: &Place, _: Option<Timestamp>) -> Result<Batch, Failure> {
        tokio::task::yield_now().await;
        let batch = self.batch(place);
        tokio::task::yield_now().await;
        Ok(batch)
    }

    async fn finish(&mut self, _: &str, validity: u32, keys: &[String]) -> Result<(), Failure> {
        assert_eq!(validity, if self.kind == MailboxKind::Imap { VALIDITY } else { 0 });
        for key in keys {
            tokio::task::yield_now().await;
            self.held().finished.insert(key.parse().expect("a UID"));
        }
        tokio::task::yield_now().await;
        Ok(())
    }

    async fn count(&mut self, _: &str, _: Option<Timestamp>) -> Result<Count, Failure> {
        Ok(Count { mails: self.held().mails.len() as u64, since: None })
    }

    async fn wait(&mut self, _: Duration) -> Result<(), Failure> {
        Ok(())
    }

    async fn close(&mut self) {}
}
