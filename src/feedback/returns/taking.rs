//! Taking mails from a mailbox: each is read, matched with the letter it is about, and what follows is written in the caller's
//! transaction, where the caller also saves its place in the mailbox. A mail that was taken before changes nothing.

use ring::digest::{SHA256, digest};

use super::follow::{self, Evidence, Finding};
use super::matching::{self, Letter, Letters, Named};
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

/// A mail that was read.
struct Reading<'a> {
    mail: &'a Arrived,
    fingerprint: String,
    read: Return,
    particulars: Particulars,
    named: Option<Named>,
}

impl<'a> Reading<'a> {
    fn of(mail: &'a Arrived, rules: &ReturnRules) -> Self {
        let octets = mail.octets.get(..ARRIVAL_OCTETS_MAX).unwrap_or(&mail.octets);
        let (read, particulars) = read_with_particulars(octets);
        let named = matching::named(&rules.paths, &read, &particulars);
        let fingerprint = fingerprint(octets, &read, &particulars);
        Self { mail, fingerprint, read, particulars, named }
    }
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

/// Takes mails. The answers stand in the order of the mails. The caller commits.
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
    let readings: Vec<Reading<'_>> = mails.iter().map(|mail| Reading::of(mail, &parts.returns)).collect();
    let fingerprints: Vec<String> = readings.iter().map(|reading| reading.fingerprint.clone()).collect();
    let mut known = tx.arrivals_known(&fingerprints).await?;
    let ids: Vec<AttemptId> = readings.iter().filter_map(|reading| Some(reading.named?.attempt)).collect();
    let letters = Letters::read(tx, &ids).await?;
    let (mut answers, mut updates, mut findings) = (Vec::with_capacity(mails.len()), Vec::new(), Vec::new());
    for reading in &readings {
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
        let arrival = arrival(mailbox, reading);
        tx.arrival_insert(&arrival, now).await?;
        let said = Said { mailbox, arrival: arrival.id, reading, found, rules: &parts.returns };
        let finding = said.finding(tx).await?;
        updates.extend(said.update(&finding, now));
        findings.push(finding);
    }
    follow::lock(tx, &findings).await?;
    settle::apply_all(tx, &parts.rules, &updates, now).await?;
    follow::record(tx, &parts.returns, &findings, now).await?;
    Ok(answers)
}

/// What a mail is about.
#[derive(Debug, Default)]
struct Found {
    letter: Option<Letter>,
    by: Option<MatchedBy>,
    referrer: Option<ReferrerId>,
    /// To the signed address for it.
    opts_out: bool,
    /// In words, to the mailbox that letters name for it.
    is_to_opt_out: bool,
}

async fn about(
    tx: &mut Tx,
    rules: &ReturnRules,
    reading: &Reading<'_>,
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
    let asks = reading.particulars.asks_to_stop;
    let may_be_an_answer = match reading.read.kind {
        Kind::Reply | Kind::AutoReply => true,
        Kind::None => asks,
        _ => false,
    };
    if !may_be_an_answer {
        return Ok(Found::default());
    }
    let referrer = matching::sender(tx, &reading.particulars, reading.mail.received_ms).await?;
    let is_to_opt_out = asks && is_to(&reading.particulars, rules.opt_out_mailbox.as_ref());
    Ok(Found { referrer, by: referrer.map(|_| MatchedBy::Sender), is_to_opt_out, ..Found::default() })
}

/// Whether a mail was sent to a mailbox.
fn is_to(particulars: &Particulars, mailbox: Option<&EmailAddress>) -> bool {
    let Some(key) = mailbox.map(AddressKey::from) else { return false };
    let is_it = |address: &String| EmailAddress::parse(address).is_ok_and(|address| AddressKey::from(&address) == key);
    particulars.addressees.iter().any(is_it)
}

/// Whether a mail is a return at all, and of a letter of ours.
fn kind_of(reading: &Reading<'_>, about: &Found) -> Taken {
    let is_sure = about.letter.is_some() && about.by.is_some_and(MatchedBy::is_sure);
    match reading.read.kind {
        _ if about.opts_out || about.is_to_opt_out => Taken::Answer,
        // What comes to a signed address is about its letter, though it cannot be read.
        Kind::Reply | Kind::None if is_sure || about.referrer.is_some() => Taken::Answer,
        Kind::AutoReply if about.referrer.is_some() && !is_sure => Taken::Answer,
        _ if is_sure => Taken::Ours,
        Kind::Bounce | Kind::Complaint => Taken::Unmatched,
        _ => Taken::NotOurs,
    }
}

/// Answers of people are not kept: only who answered, when, and the first line.
fn arrival(mailbox: &str, reading: &Reading<'_>) -> Arrival {
    // To a signed address, a mail that cannot be read is kept so that a person can look at it.
    let is_by_signature = reading.named.is_some_and(|named| named.by == MatchedBy::ReturnPath && !named.opts_out)
        && !reading.particulars.asks_to_stop;
    let is_an_answer = match reading.read.kind {
        Kind::Reply => true,
        Kind::None => !is_by_signature,
        _ => false,
    };
    let octets = &reading.mail.octets;
    let body = octets.get(..ARRIVAL_OCTETS_MAX).unwrap_or(octets);
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
    reading: &'a Reading<'a>,
    found: Found,
    rules: &'a ReturnRules,
}

impl Said<'_> {
    /// The recipient of a report who is the letter's; of several, nobody else is touched.
    fn recipient(&self) -> Option<&Recipient> {
        let recipients = &self.reading.read.recipients;
        let Some(letter) = &self.found.letter else { return recipients.first() };
        let is_theirs = |address: &str| {
            EmailAddress::parse(address).is_ok_and(|address| AddressKey::from(&address) == letter.address)
        };
        let own = recipients.iter().find(|one| is_theirs(&one.recipient));
        // Where the letter is known, a report about one other address is about where it went from there.
        own.or_else(|| recipients.first().filter(|_| recipients.len() == 1))
    }

    /// Whether the report speaks of the letter's own mailbox: by its address, or by its name at another host of theirs. Of a list that
    /// it stands for, one member may be gone while the others get the letter.
    fn is_own(&self, recipient: &Recipient) -> bool {
        let Some(letter) = &self.found.letter else { return false };
        let Ok(named) = EmailAddress::parse(&recipient.recipient) else { return false };
        let name = |key: &AddressKey| key.mailbox().map(|(name, _)| name.to_owned());
        name(&AddressKey::from(&named)) == name(&letter.address)
    }

    /// Whether a report about our letter names several others and not its recipient: it is about none that is known.
    fn is_about_others(&self) -> bool {
        self.found.letter.is_some() && self.recipient().is_none() && !self.reading.read.recipients.is_empty()
    }

    fn kind(&self) -> Kind {
        let is_a_return =
            matches!(self.reading.read.kind, Kind::Bounce | Kind::Delay | Kind::Complaint | Kind::Delivered);
        let may_ask = matches!(self.reading.read.kind, Kind::Reply | Kind::None);
        let asks = self.found.is_to_opt_out || (self.reading.particulars.asks_to_stop && may_ask);
        if !is_a_return && (self.found.opts_out || asks) { Kind::OptOut } else { self.reading.read.kind }
    }

    async fn finding(&self, tx: &mut Tx) -> Result<Finding, StoreError> {
        let (read, particulars, kind) = (&self.reading.read, &self.reading.particulars, self.kind());
        let recipient = self.recipient();
        let is_an_answer = matches!(kind, Kind::Reply | Kind::AutoReply | Kind::OptOut);
        let sender =
            if is_an_answer { particulars.sender.clone() } else { self.found.letter.as_ref().and_then(domain) };
        let row = recipient.and_then(|one| one.row.clone());
        let is_own = recipient.is_some_and(|one| self.is_own(one));
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
            asks_to_stop: kind == Kind::OptOut && !self.found.opts_out,
            matched_by: if self.is_about_others() { Some(MatchedBy::Recipient) } else { self.found.by },
            letter: self.found.letter.clone(),
            referrer: self.found.referrer,
            received_ms: self.reading.mail.received_ms,
        })
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

/// The domain that a letter was sent to.
pub(super) fn domain(letter: &Letter) -> Option<String> {
    letter.address.mailbox().map(|(_, domain)| domain.to_owned())
}

/// Whether a person said that this row misreads the servers of this domain.
async fn was_corrected(tx: &mut Tx, row: Option<&str>, domain: Option<&str>) -> Result<bool, StoreError> {
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

fn worded(failure: Failure, finding: &Finding) -> Failure {
    let failure = match finding.returned.status.as_deref() {
        Some(status) => failure.code(status),
        None => failure,
    };
    match finding.returned.diagnostic.as_str() {
        "" => failure,
        words => failure.text(words),
    }
}
