//! Taking mails from a mailbox: each is read, before any transaction; then it is matched with the letter it is about, and what follows
//! is written in the caller's transaction, where the caller also saves its place in the mailbox. A mail that was taken before changes
//! nothing.

use std::pin::Pin;
use std::time::Duration;

use ring::digest::{SHA256, digest};

use super::follow::{self, Evidence, Finding};
use super::matching::{self, Letter, Letters, Named};
use super::replies::ReplyText;
use super::{Class, Kind, Particulars, Recipient, Return, ReturnRules, read_with_particulars};
use crate::domain::event::{EventSource, Fact};
use crate::domain::fault::Failure;
use crate::domain::id::{ArrivalId, AttemptId, ReferrerId};
use crate::domain::returned::{Automatic, MatchedBy, Returned};
use crate::domain::{About, AddressKey, EmailAddress, Fault, Timestamp};
use crate::feedback::Parts;
use crate::settle::{self, Origin, Update};
use crate::store::records::returns::{ARRIVAL_OCTETS_MAX, Arrival};
use crate::store::{StoreError, Tx};

/// A mail in a mailbox.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// The mail as received; of a larger one, its first 4 MiB.
    pub octets: Vec<u8>,
    /// When the mailbox received it.
    pub received_ms: Timestamp,
}

/// What a mail turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It came back for one of our letters: it may be marked or moved.
    Ours,
    /// A person's answer, of which nothing is kept but its first line, or something about one of our letters that cannot be read:
    /// recorded, and the mail stays as it is.
    Answer,
    /// It did not come back for anything of ours: it must stay as it is.
    NotOurs,
    /// It is a return, but it is not known of which letter. A person sees it among the returns; the mail stays as it is.
    Unmatched,
    /// It was taken before.
    Known,
}

/// How much is kept of a failure that names no letter of ours, in octets: anybody can send such mails.
const UNMATCHED_OCTETS_MAX: usize = 256 * 1024;
/// How many failures that name no letter of ours wait for a person, of those that came within a day. More of them are not recorded.
const UNMATCHED_A_DAY_MAX: i64 = 500;
const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// How long one mail is read at most. Each takes some milliseconds, whatever is in it: what takes longer than this is a fault of ours.
const READING_MAX: Duration = Duration::from_secs(30);

/// A mail that was read, before anything of it is recorded: reading takes time that nobody who waits for the database should wait for.
#[derive(Debug)]
pub struct Reading {
    mail: Arrived,
    fingerprint: String,
    read: Return,
    particulars: Particulars,
    named: Option<Named>,
    /// All of it, where it may be an answer that is to be kept.
    reply: Option<ReplyText>,
}

impl Reading {
    fn of(mail: Arrived, rules: &ReturnRules) -> Self {
        let octets = mail.octets.get(..ARRIVAL_OCTETS_MAX).unwrap_or(&mail.octets);
        let (read, particulars) = read_with_particulars(octets);
        let named = matching::named(&rules.paths, &read, &particulars);
        let fingerprint = fingerprint(octets, &read, &particulars);
        let is_a_return = matches!(read.kind, Kind::Bounce | Kind::Delay | Kind::Complaint | Kind::Delivered);
        let reply = (rules.keeps_replies && !is_a_return).then(|| ReplyText::of(&mail.octets));
        Self { mail, fingerprint, read, particulars, named, reply }
    }
}

impl Reading {
    /// Whether its header says that no person wrote it.
    fn is_marked(&self) -> bool {
        self.read.answer.is_some_and(|answer| answer.is_marked)
    }
}

/// Reads mails, away from the threads on which everything else runs, and in no transaction. The answers stand in the order of the mails;
/// none for one that cannot be read to its end, which is a fault of ours: the others are read all the same.
pub async fn read_each(rules: &ReturnRules, mails: Vec<Arrived>) -> Vec<Option<Reading>> {
    let mut readings = Vec::with_capacity(mails.len());
    for mail in mails {
        let rules = rules.clone();
        let reading = tokio::task::spawn_blocking(move || Reading::of(mail, &rules));
        readings.push(tokio::time::timeout(READING_MAX, reading).await.ok().and_then(Result::ok));
    }
    readings
}

/// The same mail has the same one. An answer may come by several ways, each of which adds lines of its own: it is known by its writer
/// and its `Message-ID`.
fn fingerprint(octets: &[u8], read: &Return, particulars: &Particulars) -> String {
    let is_an_answer =
        matches!(read.kind, Kind::Reply | Kind::AutoReply) || (read.kind == Kind::None && particulars.asks_to_stop);
    let named = particulars.own_id.as_deref().zip(particulars.sender.as_deref()).filter(|_| is_an_answer);
    match named {
        Some((id, sender)) => hex::encode(digest(&SHA256, format!("{sender}\n{id}").as_bytes())),
        None => hex::encode(digest(&SHA256, octets)),
    }
}

/// Reads mails and takes them. The answers stand in the order of the mails. The caller commits.
///
/// # Errors
/// The database cannot be used; then nothing follows from any of them.
pub async fn take(
    tx: &mut Tx,
    parts: &Parts,
    mailbox: &str,
    mails: &[Arrived],
    now: Timestamp,
) -> Result<Vec<Taken>, StoreError> {
    let readings: Vec<Reading> = mails.iter().map(|mail| Reading::of(mail.clone(), &parts.returns)).collect();
    let readings: Vec<&Reading> = readings.iter().collect();
    Ok(Box::pin(take_each(tx, parts, mailbox, &readings, now)).await?.into_iter().map(|(taken, _)| taken).collect())
}

/// What mails turned out to be, each with what kind of mail it is.
pub type Each<'a> = Pin<Box<dyn Future<Output = Result<Vec<(Taken, Kind)>, StoreError>> + Send + 'a>>;

/// Takes mails that were read: the same, each with what kind of mail it is. What follows from a mail is large: it lies apart from the
/// frames of those who wait for it.
///
/// # Errors
/// As [`take`].
pub fn take_each<'a>(
    tx: &'a mut Tx,
    parts: &'a Parts,
    mailbox: &'a str,
    readings: &'a [&'a Reading],
    now: Timestamp,
) -> Each<'a> {
    Box::pin(take_read(tx, parts, mailbox, readings, now))
}

async fn take_read(
    tx: &mut Tx,
    parts: &Parts,
    mailbox: &str,
    readings: &[&Reading],
    now: Timestamp,
) -> Result<Vec<(Taken, Kind)>, StoreError> {
    let fingerprints: Vec<String> = readings.iter().map(|reading| reading.fingerprint.clone()).collect();
    let mut known = tx.arrivals_known(&fingerprints).await?;
    let ids: Vec<AttemptId> = readings.iter().filter_map(|reading| Some(reading.named?.attempt)).collect();
    let letters = Letters::read(tx, &ids).await?;
    let (mut answers, mut updates, mut findings) = (Vec::with_capacity(readings.len()), Vec::new(), Vec::new());
    for reading in readings {
        if !known.insert(reading.fingerprint.clone()) {
            answers.push(Taken::Known);
            continue;
        }
        let found = about(tx, &parts.returns, reading, &letters, now).await?;
        let taken = kind_of(reading, &found);
        answers.push(taken);
        if taken == Taken::NotOurs {
            continue;
        }
        let is_a_strangers = taken == Taken::Unmatched || found.is_to_opt_out;
        let names_nothing = is_a_strangers && found.letter.is_none() && found.referrer.is_none();
        if names_nothing && is_enough(tx, mailbox, now).await? {
            continue;
        }
        let arrival = arrival(mailbox, reading, names_nothing);
        tx.arrival_insert(&arrival, now).await?;
        let said = Said { mailbox, arrival: arrival.id, reading, found, rules: &parts.returns };
        let finding = said.finding(tx).await?;
        updates.extend(said.update(&finding, now));
        findings.push(finding);
    }
    follow::lock(tx, &findings).await?;
    settle::apply_all(tx, &parts.rules, &updates, now).await?;
    follow::record(tx, &parts.returns, &findings, now).await?;
    Ok(answers.into_iter().zip(readings.iter().map(|reading| reading.read.kind)).collect())
}

/// Whether so many failures that name no letter of ours, and mails of people whom nobody knows to the mailbox for opting out, came within a
/// day that no more are kept: a wave of forged mail must fill neither the database nor the list of a person. The mails stay in the mailbox.
async fn is_enough(tx: &mut Tx, mailbox: &str, now: Timestamp) -> Result<bool, StoreError> {
    let is_enough = tx.returns_of_no_letter_since(now.before(A_DAY)).await? >= UNMATCHED_A_DAY_MAX;
    if is_enough {
        tracing::warn!(mailbox, "too many returns in a day that name no letter of ours: no more of them are recorded");
        metrics::counter!("touchline_returns_left_out_total", "mailbox" => mailbox.to_owned()).increment(1);
    }
    Ok(is_enough)
}

/// What a mail is about.
#[derive(Debug, Default)]
struct Found {
    letter: Option<Letter>,
    by: Option<MatchedBy>,
    referrer: Option<ReferrerId>,
    /// To the signed address for it.
    opts_out: bool,
    /// A person's mail to the mailbox that letters name for it, whatever it says.
    is_to_opt_out: bool,
}

async fn about(
    tx: &mut Tx,
    rules: &ReturnRules,
    reading: &Reading,
    letters: &Letters,
    now: Timestamp,
) -> Result<Found, StoreError> {
    if let Some((named, letter)) = reading.named.and_then(|named| Some((named, letters.get(named.attempt)?.clone()))) {
        return Ok(Found { letter: Some(letter), by: Some(named.by), opts_out: named.opts_out, ..Found::default() });
    }
    if let Some(letter) = matching::proposed(tx, &reading.read, now).await? {
        return Ok(Found { letter: Some(letter), by: Some(MatchedBy::Recipient), ..Found::default() });
    }
    // Our signature proves the request even where the letter is not on record, as after a restore.
    if reading.named.is_some_and(|named| named.opts_out) {
        return Ok(Found { by: Some(MatchedBy::ReturnPath), opts_out: true, ..Found::default() });
    }
    let is_to_opt_out =
        reading.particulars.is_from_a_person && is_to(&reading.particulars, rules.opt_out_mailbox.as_ref());
    let may_be_an_answer = match reading.read.kind {
        Kind::Reply | Kind::AutoReply => true,
        Kind::None => reading.particulars.asks_to_stop || is_to_opt_out,
        _ => false,
    };
    if !may_be_an_answer {
        return Ok(Found::default());
    }
    let referrer = matching::sender(tx, &reading.particulars, reading.mail.received_ms).await?;
    Ok(Found { referrer, by: referrer.map(|_| MatchedBy::Sender), is_to_opt_out, ..Found::default() })
}

/// Whether a mail was sent to a mailbox.
fn is_to(particulars: &Particulars, mailbox: Option<&EmailAddress>) -> bool {
    let Some(key) = mailbox.map(AddressKey::from) else { return false };
    let is_it = |address: &String| EmailAddress::parse(address).is_ok_and(|address| AddressKey::from(&address) == key);
    particulars.addressees.iter().any(is_it)
}

/// Whether a mail is a return at all, and of a letter of ours.
fn kind_of(reading: &Reading, about: &Found) -> Taken {
    let is_sure = about.letter.is_some() && about.by.is_some_and(MatchedBy::is_sure);
    match reading.read.kind {
        _ if about.opts_out || about.is_to_opt_out => Taken::Answer,
        // What comes to a signed address is about its letter, though it cannot be read.
        Kind::Reply | Kind::None if is_sure || about.referrer.is_some() => Taken::Answer,
        // What no header marks as automatic may be a person's all the same: it stays, and a person sees it.
        Kind::AutoReply if about.referrer.is_some() && !is_sure => Taken::Answer,
        Kind::AutoReply if is_sure && !reading.is_marked() => Taken::Answer,
        _ if is_sure => Taken::Ours,
        Kind::Bounce | Kind::Complaint => Taken::Unmatched,
        _ => Taken::NotOurs,
    }
}

/// Answers of people are not kept as they came: only who answered, when, and the first line, or the text, sealed.
fn arrival(mailbox: &str, reading: &Reading, names_nothing: bool) -> Arrival {
    // To a signed address, a mail that cannot be read is kept so that a person can look at it.
    let is_by_signature = reading.named.is_some_and(|named| named.by == MatchedBy::ReturnPath && !named.opts_out)
        && !reading.particulars.asks_to_stop;
    let is_an_answer = match reading.read.kind {
        Kind::Reply => true,
        Kind::AutoReply => !reading.is_marked(),
        Kind::None => !is_by_signature,
        _ => false,
    };
    let octets = &reading.mail.octets;
    let most = if names_nothing { UNMATCHED_OCTETS_MAX } else { ARRIVAL_OCTETS_MAX };
    let body = octets.get(..most).unwrap_or(octets);
    Arrival {
        id: ArrivalId::new(),
        mailbox: mailbox.to_owned(),
        fingerprint: reading.fingerprint.clone(),
        kind: reading.read.kind,
        body: (!is_an_answer).then(|| body.to_vec()),
        octets: i64::try_from(octets.len()).unwrap_or(i64::MAX),
        received_ms: reading.mail.received_ms,
    }
}

/// A return with all that is known about it.
struct Said<'a> {
    mailbox: &'a str,
    arrival: ArrivalId,
    reading: &'a Reading,
    found: Found,
    rules: &'a ReturnRules,
}

impl Said<'_> {
    /// The recipient of a report who is the letter's; of several, nobody else is touched. Where the letter is not known, the first for
    /// whom the report is what it is.
    fn recipient(&self) -> Option<&Recipient> {
        let Return { kind, recipients, .. } = &self.reading.read;
        let Some(letter) = &self.found.letter else {
            return recipients.iter().find(|one| one.kind == *kind).or_else(|| recipients.first());
        };
        let is_theirs = |address: &str| {
            EmailAddress::parse(address).is_ok_and(|address| AddressKey::from(&address) == letter.address)
        };
        let own = recipients.iter().find(|one| is_theirs(&one.recipient));
        // Where the letter is known, a report about one other address is about where it went from there.
        own.or_else(|| recipients.first().filter(|_| recipients.len() == 1))
    }

    /// Whether a report about our letter names several others and not its recipient: it is about none that is known.
    fn is_about_others(&self) -> bool {
        self.found.letter.is_some() && self.recipient().is_none() && !self.reading.read.recipients.is_empty()
    }

    /// What came back for the letter: of a report about several recipients, what became of it for the letter's own. That it failed for
    /// others says nothing of a letter that arrived, or that is still tried.
    fn kind(&self) -> Kind {
        let is_a_return =
            matches!(self.reading.read.kind, Kind::Bounce | Kind::Delay | Kind::Complaint | Kind::Delivered);
        if is_a_return && let Some(own) = self.recipient() {
            return own.kind;
        }
        // To the mailbox for it, a mail without a word asks.
        let particulars = &self.reading.particulars;
        let asks = particulars.asks_to_stop || (self.found.is_to_opt_out && particulars.is_empty);
        if !is_a_return && (self.found.opts_out || asks) { Kind::OptOut } else { self.reading.read.kind }
    }

    async fn finding(&self, tx: &mut Tx) -> Result<Finding, StoreError> {
        let (read, particulars, kind) = (&self.reading.read, &self.reading.particulars, self.kind());
        let recipient = self.recipient();
        let is_an_answer = matches!(kind, Kind::Reply | Kind::AutoReply | Kind::OptOut) || self.found.is_to_opt_out;
        let sender =
            if is_an_answer { particulars.sender.clone() } else { self.found.letter.as_ref().and_then(domain) };
        let row = recipient.and_then(|one| one.row.clone());
        let letter = self.found.letter.as_ref();
        let is_own = letter.zip(recipient).is_some_and(|(letter, one)| names_the_mailbox_of(letter, &one.recipient));
        let class = match recipient.and_then(|one| one.class) {
            Some(Class::Hard) if self.found.letter.is_some() && !is_own => Some(Class::Soft),
            Some(Class::Hard) if was_corrected(tx, row.as_deref(), sender.as_deref()).await? => Some(Class::Soft),
            class => class,
        };
        let words = particulars.first_line.clone().filter(|_| is_an_answer && self.rules.keeps_first_lines);
        Ok(Finding {
            evidence: Evidence::Mail(self.arrival),
            source: self.mailbox.to_owned(),
            returned: Returned {
                kind,
                class: class.filter(|_| kind == Kind::Bounce),
                recipient: recipient.map(|one| one.recipient.clone()),
                status: recipient.and_then(|one| one.status.clone()),
                diagnostic: recipient.map(|one| one.diagnostic.clone()).unwrap_or_default(),
                row,
            },
            reason: recipient.and_then(|one| one.reason),
            answer: read.answer.filter(|_| kind == Kind::AutoReply).map(|answer| (answer.what, answer.until)),
            sender,
            first_line: words,
            reply: self.reply(kind),
            may_be_a_persons: !self.reading.is_marked(),
            asks_to_stop: kind == Kind::OptOut && !self.found.opts_out,
            matched_by: if self.is_about_others() { Some(MatchedBy::Recipient) } else { self.found.by },
            letter: self.found.letter.clone(),
            referrer: self.found.referrer,
            received_ms: self.reading.mail.received_ms,
        })
    }

    /// All of a person's answer, where that is to be kept. A mail to the signed address for opting out is none.
    fn reply(&self, kind: Kind) -> Option<ReplyText> {
        let is_an_answer = matches!(kind, Kind::Reply | Kind::OptOut) && !self.found.opts_out;
        self.reading.reply.clone().filter(|_| is_an_answer)
    }

    /// What the return proves about the attempt; nothing where the match is weak.
    fn update(&self, finding: &Finding, now: Timestamp) -> Option<Update> {
        let letter = finding.letter.as_ref().filter(|_| finding.matched_by.is_some_and(MatchedBy::is_sure))?;
        let fact = fact(finding)?;
        let origin = Origin::provider(EventSource::Bounce, self.mailbox);
        let occurred = Some(finding.received_ms.min(now));
        Some(Update {
            attempt: letter.attempt,
            evidence: settle::Evidence::Fact(fact, None),
            origin: Origin { occurred, ..origin },
        })
    }
}

/// Whether the recipient of a report is the letter's own mailbox: by its address, or by its name at another host of theirs. Of a list
/// that it stands for, one member may be gone while the others get the letter.
pub(super) fn names_the_mailbox_of(letter: &Letter, recipient: &str) -> bool {
    let Ok(named) = EmailAddress::parse(recipient) else { return false };
    let name = |key: &AddressKey| key.mailbox().map(|(name, _)| name.to_owned());
    name(&AddressKey::from(&named)) == name(&letter.address)
}

/// The domain that a letter was sent to.
pub(super) fn domain(letter: &Letter) -> Option<String> {
    letter.address.mailbox().map(|(_, domain)| domain.to_owned())
}

/// Whether a person said that this row misreads the servers of this domain.
pub(super) async fn was_corrected(tx: &mut Tx, row: Option<&str>, domain: Option<&str>) -> Result<bool, StoreError> {
    match row.zip(domain) {
        Some((row, domain)) => tx.return_is_corrected(row, domain).await,
        None => Ok(false),
    }
}

/// What a return says about the letter. An answer proves that it arrived; a challenge does not.
pub(super) fn fact(finding: &Finding) -> Option<Fact> {
    match finding.returned.kind {
        Kind::Bounce => {
            let failure = Failure::new(finding.reason.unwrap_or(Fault::Unknown));
            let about = match finding.returned.class {
                Some(Class::Ours) => About::Account,
                Some(Class::Hard) => About::Recipient,
                Some(Class::Soft) | None => return Some(Fact::Failed(worded(soft(failure), finding))),
            };
            Some(Fact::Failed(worded(failure.about(about), finding)))
        }
        Kind::Delay => Some(Fact::Progress { stage: "delayed".to_owned() }),
        Kind::Delivered | Kind::Complaint | Kind::OptOut | Kind::Reply => Some(Fact::Delivered { pages: None }),
        Kind::AutoReply => match finding.answer {
            Some((Automatic::Absence | Automatic::Other, _)) => Some(Fact::Delivered { pages: None }),
            _ => None,
        },
        Kind::None => None,
    }
}

/// A failure that proves nothing against the address, whatever its fault is called.
fn soft(failure: Failure) -> Failure {
    failure.about(About::Letter)
}

/// With the code and the words, which may quote the letter's subject: of a letter that identifies a patient, the code alone.
fn worded(failure: Failure, finding: &Finding) -> Failure {
    let failure = match finding.returned.status.as_deref() {
        Some(status) => failure.code(status),
        None => failure,
    };
    match finding.returned.diagnostic.as_str() {
        "" => failure,
        _ if finding.is_about_a_patient() => failure,
        words => failure.text(words),
    }
}
