//! One round through a mailbox: what is new is read, recorded together with the place, and then dealt with in the mailbox.
//!
//! A process may die at any point. Before the commit, nothing was recorded and the place is the old one: the next round reads the
//! same mails. After it, what is to be done in the mailbox is on record: the next round does it first, and asking a server to mark
//! or delete a mail twice changes nothing more. So no return is lost, and none is counted twice.

use std::collections::BTreeSet;

use super::Parts;
use crate::domain::Timestamp;
use crate::domain::fault::Failure;
use crate::feedback::returns::taking::{Arrived, Taken, take};
use crate::provider::mailbox::{
    After, Batch, FINISHED_MAX, Mail, Mailbox, MailboxKind, Place, Progress, Session, is_missing,
};
use crate::store::records::mailboxes::MailCounts;
use crate::store::{StoreError, Tx, in_time};

/// Batches of one folder in a round, at most; what is left then comes after the other folders.
const BATCHES_MAX: usize = 200;

/// What a round found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Mails that were read.
    pub read: usize,
    /// Of these, returns of ours that were not known yet.
    pub ours: usize,
    /// Folders to read that the mailbox does not have; the others were read.
    pub missing: usize,
    /// Whether the mailbox let something not be done that is to be done with returns of ours; it is on record, and is tried again.
    pub is_left: bool,
}

/// Why a round ended early.
#[derive(Debug)]
pub enum Trouble {
    /// The mailbox.
    Mailbox(Failure),
    /// The database.
    Store(StoreError),
    /// Another node has the mailbox: nothing of what was read last is recorded.
    Lost,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Mailbox(failure)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Reads all folders of a mailbox that this node has claimed, to their ends, and passes over those that are missing.
///
/// # Errors
/// See [`Trouble`]; that no folder is there is the mailbox's. What was recorded until then stays.
pub async fn read_once(parts: &Parts, mailbox: &dyn Mailbox, session: &mut dyn Session) -> Result<Round, Trouble> {
    let mut round = Round::default();
    let mut unfinished: Option<Failure> = None;
    let mut missing: Option<Failure> = None;
    for name in mailbox.folders() {
        match (Folder { parts, mailbox, name }).read(session, &mut round).await {
            Ok(left) => unfinished = left.or(unfinished),
            Err(Trouble::Mailbox(failure)) if is_missing(&failure) => {
                round.missing += 1;
                missing = Some(failure);
            }
            Err(trouble) => return Err(trouble),
        }
    }
    if let Some(failure) = missing.filter(|_| round.missing == mailbox.folders().len()) {
        return Err(failure.into());
    }
    note_read(parts, mailbox.name(), unfinished.as_ref()).await?;
    Ok(Round { is_left: unfinished.is_some(), ..round })
}

async fn note_read(parts: &Parts, name: &str, unfinished: Option<&Failure>) -> Result<(), Trouble> {
    let (node, now) = (parts.queue.node(), parts.clock.now());
    let noted = in_time(async {
        let mut tx = parts.store.write().await?;
        let noted = tx.mailbox_read(name, node, unfinished.is_none(), now).await?;
        if let Some(failure) = unfinished {
            tx.mailbox_failed(name, node, failure, now).await?;
        }
        tx.commit().await.map(|()| noted)
    });
    if noted.await? { Ok(()) } else { Err(Trouble::Lost) }
}

/// A folder of a mailbox.
struct Folder<'a> {
    parts: &'a Parts,
    mailbox: &'a dyn Mailbox,
    name: &'a str,
}

impl Folder<'_> {
    /// Reads the folder to its end, and does what is to be done with returns of ours. Returns why that could not be done.
    async fn read(&self, session: &mut dyn Session, round: &mut Round) -> Result<Option<Failure>, Trouble> {
        let mut unfinished = None;
        for _ in 0..BATCHES_MAX {
            // What cannot be marked or moved keeps nobody from reading on.
            unfinished = self.finish(session).await?.or(unfinished);
            if !self.read_batch(session, round).await? {
                break;
            }
        }
        Ok(self.finish(session).await?.or(unfinished))
    }

    /// Reads and records a batch; whether there is more.
    async fn read_batch(&self, session: &mut dyn Session, round: &mut Round) -> Result<bool, Trouble> {
        let place = in_time(self.place()).await?;
        let batch = session.read(self.name, &place).await?;
        let more = batch.more;
        round.read += batch.mails.len();
        round.ours += match in_time(self.record(&place, &batch)).await {
            // One mail that the database cannot hold must not keep back the others.
            Err(StoreError::Refused(_)) => self.record_each(batch).await?,
            other => other?.ok_or(Trouble::Lost)?,
        };
        Ok(more)
    }

    /// How far the folder was read.
    async fn place(&self) -> Result<Place, StoreError> {
        let mut tx = self.parts.store.read().await?;
        let name = self.mailbox.name();
        if self.mailbox.kind() != MailboxKind::Imap {
            return Ok(Place::Seen(tx.mailbox_seen(name, self.name).await?.into_iter().collect()));
        }
        let known = tx.mailbox_place(name, self.name).await?;
        let read = known.and_then(|(validity, uid)| Some((validity.try_into().ok()?, uid.try_into().ok()?)));
        let (validity, uid) = read.unwrap_or((0, 0));
        Ok(Place::Last { validity, uid })
    }

    /// Records a batch and the new place in one transaction. Returns how many returns of ours there were; `None` if another node
    /// has the mailbox by now, and then nothing is recorded.
    async fn record(&self, place: &Place, batch: &Batch) -> Result<Option<usize>, StoreError> {
        if is_nothing(place, batch) {
            return Ok(Some(0));
        }
        let (now, name) = (self.parts.clock.now(), self.mailbox.name());
        let mut tx = self.parts.store.write().await?;
        if !tx.mailbox_hold(name, self.parts.queue.node()).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        let arrived: Vec<Arrived> = batch.mails.iter().map(|mail| arrived(mail, now)).collect();
        // Boxed: what follows from a mail is a large future.
        let taken = Box::pin(take(&mut tx, self.parts, name, &arrived, now)).await?;
        let is_ours = |mail: usize| taken.get(mail) == Some(&Taken::Ours);
        let ours: BTreeSet<&str> =
            batch.mails.iter().enumerate().filter(|(n, _)| is_ours(*n)).map(|(_, mail)| mail.key.as_str()).collect();
        self.save(&mut tx, &batch.progress, &ours, now).await?;
        tx.mailbox_count(name, counts(batch, &taken)).await?;
        tx.commit().await?;
        Ok(Some(ours.len()))
    }

    /// Saves the place, and what is to be done with returns of ours.
    async fn save(
        &self,
        tx: &mut Tx,
        progress: &Progress,
        ours: &BTreeSet<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let name = self.mailbox.name();
        let finish_ms = |key: &str| (self.mailbox.after() != After::Keep && ours.contains(key)).then_some(now);
        match progress {
            Progress::Last { validity, uid } => {
                let validity = i64::from(*validity);
                tx.mailbox_place_save(name, self.name, validity, (*uid).into()).await?;
                let rows: Vec<_> = ours.iter().map(|key| ((*key).to_owned(), finish_ms(key))).collect();
                let rows: Vec<_> = rows.into_iter().filter(|(_, finish)| finish.is_some()).collect();
                tx.mailbox_mails_add(name, self.name, validity, &rows).await
            }
            Progress::Seen { added, gone } => {
                let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
                tx.mailbox_mails_forget(name, self.name, &gone).await?;
                let rows: Vec<_> = added.iter().map(|key| (key.clone(), finish_ms(key))).collect();
                tx.mailbox_mails_add(name, self.name, 0, &rows).await
            }
        }
    }

    /// Records the mails of a batch one by one. One that the database cannot hold is passed over.
    async fn record_each(&self, batch: Batch) -> Result<usize, Trouble> {
        let mut ours = 0;
        for (index, mail) in batch.mails.iter().enumerate() {
            let is_last = index + 1 == batch.mails.len();
            let progress = if is_last { batch.progress.clone() } else { up_to(mail, &batch.progress) };
            let unreadable = if is_last { batch.unreadable } else { 0 };
            let one = Batch { mails: vec![mail.clone()], progress, more: true, unreadable };
            let none = Place::Last { validity: 0, uid: 0 };
            ours += match in_time(self.record(&none, &one)).await {
                Err(StoreError::Refused(why)) => {
                    tracing::warn!(mailbox = self.mailbox.name(), why, "a mail cannot be recorded; it is passed over");
                    let without = Batch { mails: Vec::new(), unreadable: unreadable + 1, ..one };
                    in_time(self.record(&none, &without)).await?.ok_or(Trouble::Lost)?
                }
                other => other?.ok_or(Trouble::Lost)?,
            };
        }
        Ok(ours)
    }

    /// Does in the mailbox what is to be done with returns of ours, which are recorded. Returns why it could not be done.
    async fn finish(&self, session: &mut dyn Session) -> Result<Option<Failure>, StoreError> {
        let name = self.mailbox.name();
        let to_finish = in_time(async { self.parts.store.read().await?.mailbox_to_finish(name, self.name).await });
        let mut to_finish = to_finish.await?;
        while let Some((validity, _)) = to_finish.first() {
            let validity = *validity;
            let (now, later): (Vec<_>, Vec<_>) = to_finish.into_iter().partition(|(of, _)| *of == validity);
            let keys: Vec<String> = now.into_iter().map(|(_, key)| key).collect();
            let validity = u32::try_from(validity).unwrap_or(0);
            for keys in keys.chunks(FINISHED_MAX) {
                if let Err(failure) = session.finish(self.name, validity, keys).await {
                    let why = failure.raw_text.as_deref().unwrap_or_default();
                    tracing::warn!(
                        mailbox = name,
                        why,
                        "returns that are recorded could not be marked or moved; trying again"
                    );
                    return Ok(Some(failure));
                }
                in_time(self.note_finished(keys)).await?;
            }
            to_finish = later;
        }
        Ok(None)
    }

    /// By IMAP the place says what was read, and a mail with which nothing is to be done needs no row.
    async fn note_finished(&self, keys: &[String]) -> Result<(), StoreError> {
        let (name, keys) = (self.mailbox.name(), keys.iter().map(String::as_str).collect::<Vec<_>>());
        let mut tx = self.parts.store.write().await?;
        if self.mailbox.kind() == MailboxKind::Imap {
            tx.mailbox_mails_forget(name, self.name, &keys).await?;
        } else {
            tx.mailbox_mails_finished(name, self.name, &keys).await?;
        }
        tx.commit().await
    }
}

/// Whether there is nothing to record.
fn is_nothing(place: &Place, batch: &Batch) -> bool {
    let is_same = match (&batch.progress, place) {
        (Progress::Last { validity, uid }, Place::Last { validity: old, uid: last }) => (validity, uid) == (old, last),
        (Progress::Seen { added, gone }, _) => added.is_empty() && gone.is_empty(),
        (Progress::Last { .. }, Place::Seen(_)) => false,
    };
    is_same && batch.mails.is_empty() && batch.unreadable == 0
}

fn arrived(mail: &Mail, now: Timestamp) -> Arrived {
    Arrived { octets: mail.octets.clone(), received_ms: mail.received_ms.unwrap_or(now).min(now) }
}

/// The place once this mail is read, and none behind it.
fn up_to(mail: &Mail, progress: &Progress) -> Progress {
    match progress {
        Progress::Last { validity, .. } => {
            Progress::Last { validity: *validity, uid: mail.key.parse().unwrap_or_default() }
        }
        Progress::Seen { .. } => Progress::Seen { added: vec![mail.key.clone()], gone: Vec::new() },
    }
}

fn counts(batch: &Batch, taken: &[Taken]) -> MailCounts {
    let number = |of: usize| i64::try_from(of).unwrap_or(i64::MAX);
    let ours = taken.iter().filter(|one| **one == Taken::Ours).count();
    let others = taken.iter().filter(|one| matches!(one, Taken::Answer | Taken::NotOurs | Taken::Unmatched)).count();
    MailCounts {
        taken: number(ours),
        passed: number(others),
        cut: number(batch.mails.iter().filter(|mail| mail.is_cut).count()),
        unreadable: number(batch.unreadable),
    }
}
