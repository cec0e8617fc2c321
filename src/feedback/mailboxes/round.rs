//! One round through a mailbox: what is new is read, recorded together with the place, and then dealt with in the mailbox.
//!
//! A process may die at any point. Before the commit, nothing was recorded and the place is the old one: the next round reads the
//! same mails. After it, what is to be done in the mailbox is on record: the next round does it first, and asking a server to mark
//! or delete a mail twice changes nothing more. So no return is lost, and none is counted twice.

use std::collections::BTreeSet;
use std::time::Duration;

use super::measuring::Numbers;
use super::{Parts, beginning};
use crate::domain::Timestamp;
use crate::domain::fault::{About, Failure, Fault, clean};
use crate::domain::remedy::Remedy;
use crate::domain::returned::ReturnKind;
use crate::feedback::returns::taking::{Arrived, Reading, Taken, read_each, take_each};
use crate::provider::mailbox::{
    After, Batch, FINISHED_MAX, Mail, Mailbox, MailboxKind, Place, Progress, Refused, Session, is_missing,
};
use crate::store::records::mailboxes::{MailCounts, MailOf};
use crate::store::{StoreError, Tx, in_time};

/// Batches of one folder in a round, at most; what is left then comes after the other folders.
const BATCHES_MAX: usize = 200;
/// A mail at the end of a folder that the server does not hand out is asked for so often, and for so long, before it is stepped
/// over; tries within a while count as one. Whatever ails a server passes, or is put right, within a day.
const TRIES_MAX: i64 = 5;
const TRIED_FOR: Duration = Duration::from_secs(24 * 3_600);
const TRY_COUNTS_AFTER: Duration = Duration::from_secs(10 * 60);
/// What is kept of a server's words about one mail, in characters.
const WORDS_CHARS_MAX: usize = 200;

/// What a round found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Mails that were read.
    pub read: usize,
    /// Of these, returns of ours that were not known yet.
    pub ours: usize,
    /// Mails that came too long ago to be read.
    pub old: usize,
    /// Mails that the server does not hand out, and that were stepped over.
    pub stepped: usize,
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
    let since = in_time(beginning::begin(parts, mailbox)).await?;
    for name in mailbox.folders() {
        match (Folder { parts, mailbox, name, since }).read(session, &mut round).await {
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
    since: Option<Timestamp>,
}

/// What was recorded of a batch.
#[derive(Debug, Default)]
struct Recorded {
    /// The kinds of the returns of ours that were new.
    ours: Vec<ReturnKind>,
    /// Mails that were stepped over.
    stepped: usize,
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
        let mut batch = session.read(self.name, &place, self.since).await?;
        let (more, read, old, doubt) = (batch.more, batch.mails.len(), batch.old, doubt(&batch));
        let readings = self.read_mails(&mut batch).await;
        // Boxed, here and below: what follows from a mail is a large future.
        let recorded = match in_time(Box::pin(self.record(&place, &batch, &readings))).await {
            // One mail that the database cannot hold, or that takes too long, must not keep back the others, and the same batch must
            // not be read for ever.
            Err(error) if may_be_of_one_mail(&error) => Box::pin(self.record_each(batch, readings)).await?,
            other => other?.ok_or(Trouble::Lost)?,
        };
        let numbers = Numbers(self.mailbox);
        numbers.read(read);
        numbers.stepped_over(recorded.stepped);
        recorded.ours.iter().for_each(|kind| numbers.returned(*kind));
        round.read += read;
        round.old += old;
        round.ours += recorded.ours.len();
        round.stepped += recorded.stepped;
        match doubt {
            Some(failure) => Err(failure.into()),
            None => Ok(more || recorded.stepped > 0),
        }
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

    /// Reads the mails of a batch, whose octets go into the readings. One that cannot be read to its end is passed over.
    async fn read_mails(&self, batch: &mut Batch) -> Vec<Reading> {
        let now = self.parts.clock.now();
        let arrived = batch.mails.iter_mut().map(|mail| arrived(mail, now)).collect();
        let mut readings = Vec::with_capacity(batch.mails.len());
        let mails = std::mem::take(&mut batch.mails);
        for (mail, reading) in mails.into_iter().zip(read_each(&self.parts.returns, arrived).await) {
            if let Some(reading) = reading {
                batch.mails.push(mail);
                readings.push(reading);
            } else {
                tracing::warn!(mailbox = self.mailbox.name(), "a mail cannot be read to its end; it is passed over");
                batch.passed_over.push(unrecordable(mail));
            }
        }
        readings
    }

    /// Records a batch, of which the mails were read, and the new place in one transaction. `None` if another node has the mailbox by
    /// now, and then nothing is recorded.
    async fn record(&self, place: &Place, batch: &Batch, readings: &[Reading]) -> Result<Option<Recorded>, StoreError> {
        if is_nothing(place, batch) {
            return Ok(Some(Recorded::default()));
        }
        let (now, name) = (self.parts.clock.now(), self.mailbox.name());
        let mut tx = self.parts.store.write().await?;
        if !tx.mailbox_hold(name, self.parts.queue.node()).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        let readings: Vec<&Reading> = readings.iter().collect();
        let taken = Box::pin(take_each(&mut tx, self.parts, name, &readings, now)).await?;
        let is_ours = |mail: &(&Mail, &(Taken, ReturnKind))| mail.1.0 == Taken::Ours;
        let ours: Vec<(&str, ReturnKind)> = batch
            .mails
            .iter()
            .zip(&taken)
            .filter(is_ours)
            .map(|(mail, (_, kind))| (mail.key.as_str(), *kind))
            .collect();
        let stepped = self.note_refused(&mut tx, batch, now).await?;
        let progress = beyond(&batch.progress, &stepped);
        self.save(&mut tx, &progress, &ours.iter().map(|(key, _)| *key).collect(), now).await?;
        let stepped = stepped.len() + batch.passed_over.len();
        tx.mailbox_count(name, counts(batch, &taken, stepped)).await?;
        tx.commit().await?;
        Ok(Some(Recorded { ours: ours.into_iter().map(|(_, kind)| kind).collect(), stepped }))
    }

    /// Notes what the server does not hand out, and what it does after all. Returns what is stepped over: of the mails at the end of
    /// the folder, from the first on, those that were asked for often enough.
    async fn note_refused(&self, tx: &mut Tx, batch: &Batch, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let (name, folder, validity) = (self.mailbox.name(), self.name, validity(&batch.progress));
        let last = now.before(TRY_COUNTS_AFTER);
        let handed_out: Vec<&str> = batch.mails.iter().map(|mail| mail.key.as_str()).collect();
        tx.mailbox_handed_out(name, folder, &handed_out).await?;
        for one in &batch.passed_over {
            let mail = MailOf { mailbox: name, folder, validity, mail: &one.key };
            tx.mailbox_refused(mail, &clean(&one.words, WORDS_CHARS_MAX), last, now).await?;
            tx.mailbox_stepped_over(mail, now).await?;
        }
        let (mut stepped, mut is_first) = (Vec::new(), !batch.is_doubtful);
        for one in batch.refused.iter().filter(|_| !batch.is_doubtful) {
            let mail = MailOf { mailbox: name, folder, validity, mail: &one.key };
            let tried = tx.mailbox_refused(mail, &clean(&one.words, WORDS_CHARS_MAX), last, now).await?;
            is_first &= tried.tries >= TRIES_MAX && now.since(tried.first_ms) >= TRIED_FOR;
            if is_first {
                tx.mailbox_stepped_over(mail, now).await?;
                stepped.push(one.key.clone());
            }
        }
        Ok(stepped)
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

    /// Records the mails of a batch one by one. One that the database cannot hold is passed over, and so is one that takes too long
    /// twice, as long as the database answers otherwise.
    async fn record_each(&self, mut batch: Batch, readings: Vec<Reading>) -> Result<Recorded, Trouble> {
        let mut all = Recorded::default();
        let none = Place::Last { validity: 0, uid: 0 };
        let mails = std::mem::take(&mut batch.mails);
        for (mail, reading) in mails.into_iter().zip(&readings) {
            forget(&mut batch.progress, &mail.key);
            let one = Batch { progress: up_to(&mail, &batch.progress), mails: vec![mail], ..Batch::default() };
            let reading = std::slice::from_ref(reading);
            let recorded = match in_time(Box::pin(self.record(&none, &one, reading))).await {
                Err(error) if error.is_late() => in_time(Box::pin(self.record(&none, &one, reading))).await,
                other => other,
            };
            let recorded = match recorded {
                Err(error) if may_be_of_one_mail(&error) => {
                    tracing::warn!(mailbox = self.mailbox.name(), %error, "a mail cannot be recorded; it is passed over");
                    in_time(Box::pin(self.record(&none, &without_mails(one), &[]))).await?.ok_or(Trouble::Lost)?
                }
                other => other?.ok_or(Trouble::Lost)?,
            };
            all.ours.extend(recorded.ours);
            all.stepped += recorded.stepped;
        }
        let rest = in_time(Box::pin(self.record(&none, &batch, &[]))).await?.ok_or(Trouble::Lost)?;
        all.stepped += rest.stepped;
        Ok(all)
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
    let says_something = !batch.refused.is_empty() && !batch.is_doubtful;
    is_same && batch.mails.is_empty() && batch.passed_over.is_empty() && !says_something
}

/// A server that refuses mails, and nothing shows that it is the mails.
fn doubt(batch: &Batch) -> Option<Failure> {
    let refused = batch.refused.first().filter(|_| batch.is_doubtful)?;
    let failure = Failure::new(Fault::ProviderError).about(About::Path).remedy(Remedy::WaitForRelay);
    Some(failure.text(format!("the mail server hands out no mail: {}", refused.words)))
}

/// Whether the mails may be the reason, so that fewer of them could be recorded.
fn may_be_of_one_mail(error: &StoreError) -> bool {
    matches!(error, StoreError::Refused(_)) || error.is_late()
}

fn arrived(mail: &mut Mail, now: Timestamp) -> Arrived {
    Arrived { octets: std::mem::take(&mut mail.octets), received_ms: mail.received_ms.unwrap_or(now).min(now) }
}

/// A mail that cannot be recorded, as one that was stepped over.
fn unrecordable(mail: Mail) -> Refused {
    Refused { key: mail.key, words: "the mail cannot be recorded".to_owned() }
}

/// A batch whose mails are stepped over.
fn without_mails(one: Batch) -> Batch {
    Batch { passed_over: one.mails.into_iter().map(unrecordable).collect(), mails: Vec::new(), ..one }
}

const fn validity(progress: &Progress) -> i64 {
    match progress {
        Progress::Last { validity, .. } => *validity as i64,
        Progress::Seen { .. } => 0,
    }
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

/// What is recorded already is not recorded again: what is to be done with it would be forgotten.
fn forget(progress: &mut Progress, key: &str) {
    if let Progress::Seen { added, .. } = progress {
        added.retain(|one| one != key);
    }
}

/// The place once these mails are stepped over as well, which come next.
fn beyond(progress: &Progress, keys: &[String]) -> Progress {
    match progress {
        Progress::Last { validity, uid } => {
            let last = keys.last().and_then(|key| key.parse().ok());
            Progress::Last { validity: *validity, uid: last.unwrap_or(*uid) }
        }
        Progress::Seen { added, gone } => {
            Progress::Seen { added: added.iter().chain(keys).cloned().collect(), gone: gone.clone() }
        }
    }
}

fn counts(batch: &Batch, taken: &[(Taken, ReturnKind)], stepped: usize) -> MailCounts {
    let number = |of: usize| i64::try_from(of).unwrap_or(i64::MAX);
    let ours = taken.iter().filter(|(one, _)| *one == Taken::Ours).count();
    let others =
        taken.iter().filter(|(one, _)| matches!(one, Taken::Answer | Taken::NotOurs | Taken::Unmatched)).count();
    MailCounts {
        taken: number(ours),
        passed: number(others),
        cut: number(batch.mails.iter().filter(|mail| mail.is_cut).count()),
        unreadable: number(stepped),
    }
}
