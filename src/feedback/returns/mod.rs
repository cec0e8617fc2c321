//! Returns: what comes back for an email, read from its octets alone. By standard first (RFC 3464 reports at any depth, RFC 5965
//! complaints, RFC 8098 receipts), then by the words of real mailers. Reading is pure; `taking` matches what was read with the letters it is
//! about, and `follow` does what follows.
//!
//! - `mime`: a mail taken apart
//! - `material`: its parts, sorted by what they are for
//! - `report`: delivery status reports
//! - `transcript`: the text of a bounce that is written for people
//! - `said`: what servers said, within a text
//! - `opening`: where in the dialogue a letter was refused; `parties`: whom and what a refusal names
//! - `verdict`: why, and what follows for the address
//! - `automatic`: answers without a person
//! - `particulars`: who wrote an answer, and what it says first
//! - `notification`: Amazon SES's JSON
//! - `table`: what is known, as data
//! - `matching`, `taking`, `follow`: from a mail to what follows from it; `told`: from a mail provider's event
//! - `working`: what a person does about a return; `asked`: about a request to be sent no more
//! - `replies`: what people answer, kept sealed; `evidence`: the mail or the callback as it came

mod asked;
mod automatic;
mod bounce;
pub mod evidence;
pub(super) mod follow;
mod matching;
mod material;
mod mime;
mod notification;
mod opening;
mod particulars;
mod parties;
pub mod replies;
mod report;
mod said;
mod table;
pub mod taking;
#[cfg(test)]
mod tests;
pub(super) mod told;
mod transcript;
mod verdict;
mod words;
pub mod working;

pub use crate::domain::returned::{Automatic, ReturnClass as Class, ReturnKind as Kind};
pub use automatic::Answer;
pub use particulars::Particulars;
pub use table::{automatic_rows, verdict_rows};

use crate::domain::id::AttemptId;
use crate::domain::return_path::ReturnPaths;
use crate::domain::{EmailAddress, Fault};
use crate::provider::mail::attempt_of;
use crate::sealing::KeyPlace;
use material::Material;
use mime::{Entity, Fields};

/// How deep a return may be enclosed in other mails.
const DEPTH_MAX: usize = 6;
/// How many identifiers of a mail that is answered are looked at.
const REFERENCES_MAX: usize = 50;
/// The longest `Message-ID` that is kept, in octets.
const MESSAGE_ID_OCTETS_MAX: usize = 500;

/// What reading returns goes by.
#[derive(Debug, Clone)]
pub struct ReturnRules {
    /// The signed addresses that letters are returned to.
    pub paths: ReturnPaths,
    /// Whether the first line of a person's answer is kept. Never of an answer about a patient.
    pub keeps_first_lines: bool,
    /// Whether all of a person's answer is kept, sealed.
    pub keeps_replies: bool,
    /// Where the secret is that answers are sealed with.
    pub key: KeyPlace,
    /// The practice's time zone, in which days begin.
    pub zone: chrono_tz::Tz,
    /// The mailbox that letters name for opting out.
    pub opt_out_mailbox: Option<EmailAddress>,
}

/// One recipient of a return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Whom we wrote to, as the return has it.
    pub recipient: String,
    /// Where it went from there, if that is another address.
    pub forwarded_to: Option<String>,
    /// What became of the letter for this one: in one report it may have failed for one, arrived at another and still be tried for a
    /// third (RFC 3464 section 2.3.3).
    pub kind: Kind,
    /// What follows for the address; none if nothing failed.
    pub class: Option<Class>,
    /// Why; none if nothing failed.
    pub reason: Option<Fault>,
    /// The enhanced code (RFC 3463).
    pub status: Option<String>,
    /// The basic code (RFC 5321).
    pub code: Option<u16>,
    /// The server's or the mailer's words, in one line, at most 500 characters. May hold addresses.
    pub diagnostic: String,
    /// The row of the tables that decided.
    pub row: Option<String>,
}

impl Recipient {
    fn reached(recipient: String) -> Self {
        Self {
            recipient,
            forwarded_to: None,
            kind: Kind::Delivered,
            class: None,
            reason: None,
            status: None,
            code: None,
            diagnostic: String::new(),
            row: None,
        }
    }

    /// An unwanted letter says nothing against the address; that nothing more may be sent to it follows from the kind.
    fn complaining(recipient: String, what: &str) -> Self {
        Self {
            kind: Kind::Complaint,
            class: Some(Class::Ours),
            reason: Some(Fault::Complaint),
            diagnostic: what.chars().take(80).collect(),
            row: Some("complaint".to_owned()),
            ..Self::reached(recipient)
        }
    }
}

/// What a mail is, and whom it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// What it is.
    pub kind: Kind,
    /// Whom it is about, in its order. Empty for answers, and where nobody is named.
    pub recipients: Vec<Recipient>,
    /// The `Message-ID` of the letter that came back or is answered, without its angle brackets.
    pub message_id: Option<String>,
    /// The attempt that this or another identifier in the mail names, if it is one of ours by its form.
    pub attempt: Option<AttemptId>,
    /// What kind of answer, if no person wrote it.
    pub answer: Option<Answer>,
}

impl Return {
    const fn none() -> Self {
        Self { kind: Kind::None, recipients: Vec::new(), message_id: None, attempt: None, answer: None }
    }

    /// With the letter that it is about.
    fn naming(mut self, message_id: &str) -> Self {
        let bare = message_id.trim().trim_matches(['<', '>', ' ']);
        if self.message_id.is_none() && !bare.is_empty() && bare.len() <= MESSAGE_ID_OCTETS_MAX {
            self.message_id = Some(bare.to_owned());
        }
        self.naming_attempt(message_id)
    }

    /// With the attempt that another identifier names.
    fn naming_attempt(mut self, id: &str) -> Self {
        self.attempt = self.attempt.or_else(|| ours(id));
        self
    }
}

/// The attempt that a `Message-ID` or an envelope's identifier names. Other programs make theirs of UUIDs too, but not of version
/// 7 in lower case.
fn ours(id: &str) -> Option<AttemptId> {
    let attempt = attempt_of(id).or_else(|| id.trim().parse().ok())?;
    (attempt.0.get_version_num() == 7 && id.contains(&attempt.to_string())).then_some(attempt)
}

/// Tells what a mail is. Takes any octets, looks at no more than the first 4 MiB, and never fails: what it does not know is
/// [`Kind::None`].
#[must_use]
pub fn read(octets: &[u8]) -> Return {
    read_with_particulars(octets).0
}

/// The same, with who wrote it, whom it was delivered to and what an answer says first.
#[must_use]
pub fn read_with_particulars(octets: &[u8]) -> (Return, Particulars) {
    let start = octets.iter().position(|octet| !octet.is_ascii_whitespace()).unwrap_or(0);
    if octets.get(start) == Some(&b'{') {
        let text = String::from_utf8_lossy(octets.get(..octets.len().min(1 << 20)).unwrap_or_default());
        return (notification::read(&text).unwrap_or(Return::none()), Particulars::default());
    }
    let mail = Entity::parse(octets);
    let material = Material::of(&mail);
    (of_material(&material, 0), Particulars::of(&material))
}

fn of_mail(mail: &Entity, depth: usize) -> Return {
    of_material(&Material::of(mail), depth)
}

/// The first reading that fits; the more a mail says of itself, the earlier.
fn of_material(material: &Material<'_>, depth: usize) -> Return {
    let encloses_a_report = encloses_a_report(material);
    let enclosed = |is_sought: bool| if is_sought { forwarded(material, depth) } else { None };
    complaint(material)
        .or_else(|| challenge(material))
        .or_else(|| bounce::by_report(material))
        .or_else(|| bounce::by_receipt(material))
        .or_else(|| notification::read(&material.text))
        .or_else(|| enclosed(encloses_a_report))
        .or_else(|| bounce::by_text(material))
        .or_else(|| enclosed(!encloses_a_report))
        .or_else(|| answer(material))
        .unwrap_or(Return::none())
}

/// A complaint (RFC 5965, or as Outlook.com has it). That something is not spam is none.
fn complaint(material: &Material<'_>) -> Option<Return> {
    let Some(report) = material.complaint else { return complaint_of_outlook(material) };
    let report = Fields::of_text(report.trim_start());
    let what = report.get("feedback-type").trim().to_ascii_lowercase();
    if matches!(what.as_str(), "not-spam" | "auth-failure" | "dmarc") {
        return Some(Return::none());
    }
    let named =
        ["original-rcpt-to", "removal-recipient"].iter().flat_map(|name| report.all(name)).flat_map(words::addresses);
    let mut recipients: Vec<String> = named.map(|found| found.address).collect();
    if recipients.is_empty() {
        let returned = ["to", "x-original-to", "delivered-to"].iter().flat_map(|name| material.returned.all(name));
        recipients.extend(returned.flat_map(words::addresses).map(|found| found.address).take(1));
    }
    recipients.dedup();
    let recipients = recipients.into_iter().take(100).map(|one| Recipient::complaining(one, &what)).collect();
    let read = Return { kind: Kind::Complaint, recipients, ..Return::none() };
    Some(read.naming(material.returned.get("message-id")).naming(report.get("original-envelope-id")))
}

/// Outlook.com's junk mail reporting: the letter itself, with the recipient in a field of its own (Microsoft: JMRP).
fn complaint_of_outlook(material: &Material<'_>) -> Option<Return> {
    // The letter is a part of the mail, or all of it.
    let fields = [&material.returned, &material.fields];
    let named = fields.iter().map(|fields| fields.get("x-hmxmroriginalrecipient")).find(|named| !named.is_empty())?;
    let recipient = words::addresses(named).into_iter().next()?.address;
    let recipients = vec![Recipient::complaining(recipient, "abuse")];
    let read = Return { kind: Kind::Complaint, recipients, ..Return::none() };
    Some(read.naming(material.returned.get("message-id")))
}

fn challenge(material: &Material<'_>) -> Option<Return> {
    automatic::is_challenge(material).then(|| {
        let answer = Answer { what: Automatic::Challenge, until: None, is_marked: automatic::is_marked(material) };
        answered(material, Return { kind: Kind::AutoReply, answer: Some(answer), ..Return::none() })
    })
}

/// A return that somebody forwarded as an attachment.
fn forwarded(material: &Material<'_>, depth: usize) -> Option<Return> {
    if depth >= DEPTH_MAX {
        return None;
    }
    let read = material.enclosed.iter().take(5).map(|mail| of_mail(mail, depth + 1));
    let mut of_ours =
        read.filter(|read| matches!(read.kind, Kind::Bounce | Kind::Delay | Kind::Complaint | Kind::Delivered));
    of_ours.next()
}

/// Whether a mail within says in the standard form that it is a return.
fn encloses_a_report(material: &Material<'_>) -> bool {
    material.enclosed.iter().any(|mail| matches!(mail.kind.as_str(), "multipart/report"))
}

/// An answer, of a person or of none. One that names a letter of ours is an answer, whatever its header says of lists: some programs for
/// sales and mailing lists put such fields into what one person writes to another.
fn answer(material: &Material<'_>) -> Option<Return> {
    let automatic = automatic::read(material);
    let fields = &material.fields;
    let answers =
        fields.has("in-reply-to") || fields.has("references") || particulars::is_of_an_answer(fields.get("subject"));
    let kind = match automatic {
        Some(_) => Kind::AutoReply,
        None if answers && (!material.is_to_many() || names_ours(fields)) => Kind::Reply,
        None => return None,
    };
    Some(answered(material, Return { kind, answer: automatic, ..Return::none() }))
}

/// Whether a mail answers a letter of ours, as its identifiers say.
fn names_ours(fields: &Fields) -> bool {
    identifiers(fields).any(|id| ours(id).is_some())
}

/// What a mail answers.
fn identifiers(fields: &Fields) -> impl Iterator<Item = &str> {
    let lists = [fields.get("in-reply-to"), fields.get("references")];
    lists.into_iter().flat_map(str::split_whitespace).take(REFERENCES_MAX)
}

/// With the letter that it answers.
fn answered(material: &Material<'_>, read: Return) -> Return {
    identifiers(&material.fields)
        .try_fold(read, |read, id| if read.attempt.is_some() { Err(read) } else { Ok(read.naming(id)) })
        .unwrap_or_else(|read| read)
}
