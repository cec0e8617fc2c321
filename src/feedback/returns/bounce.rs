//! Bounces: by a report, by a receipt that says no, by the words of a mailer.

use super::automatic::is_marked;
use super::material::Material;
use super::mime::Fields;
use super::parties::Parties;
use super::report::{self, Action, RECIPIENTS_MAX, Report, Reported};
use super::table::{Mark, Part, automatic, has_mark};
use super::transcript::{Known, Meant, Transcript};
use super::verdict::{Evidence, Whole, weigh};
use super::words::{addresses, is_same, plain};
use super::{Automatic, Class, Kind, Recipient, Return};
use crate::domain::Fault;

/// How many recipients a header may name as failed.
const FAILED_MAX: usize = 100;
/// How many addresses of headers a text is compared with.
const KNOWN_MAX: usize = 500;
/// How many recipients a text without a report may name. A letter of ours has one; whoever writes a mail decides how much work it is.
const NAMED_MAX: usize = 50;
/// How much of what is said of recipients is weighed in one mail, in octets. What is behind it counts as if nothing were said.
const WEIGHED_OCTETS_MAX: usize = 16 * 1024;

/// What may still be weighed of a mail.
struct Budget(usize);

impl Budget {
    /// As much of a text as may still be weighed.
    fn of<'a>(&mut self, text: &'a str) -> &'a str {
        let end = (0..=text.len().min(self.0)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.0 -= end;
        text.get(..end).unwrap_or_default()
    }
}

/// By a delivery status report (RFC 3464), in its own part or within the text.
pub(super) fn by_report(material: &Material<'_>) -> Option<Return> {
    let mut whole = Report::default();
    let of_parts = material.reports.iter().map(|text| report::read(text));
    let within = if material.reports.is_empty() { report::within(&material.text) } else { None };
    let end = within.as_ref().map_or(material.text.len(), |(_, start)| *start);
    for one in of_parts.chain(within.map(|(report, _)| report)) {
        whole.recipients.extend(one.recipients);
        whole.recipients.truncate(RECIPIENTS_MAX);
        if whole.envelope_id.is_empty() {
            whole.envelope_id = one.envelope_id;
        }
    }
    let failed = |one: &Reported| one.action != Action::Delivered;
    let kind = match &whole.recipients {
        all if all.is_empty() => return None,
        all if all.iter().any(|one| one.action == Action::Failed) => Kind::Bounce,
        all if all.iter().any(failed) => Kind::Delay,
        _ => Kind::Delivered,
    };
    let transcript = Transcript::of(material.text.get(..end).unwrap_or_default());
    let known = known(material, &transcript);
    let accounts = transcript.meant(&known);
    let parties = Parties::of(&known.ours, &transcript.report());
    let only_one = whole.recipients.iter().filter(|one| failed(one)).count() == 1;
    let text = Whole::of(if only_one { transcript.report() } else { transcript.preamble(&accounts) });
    let mut budget = Budget(WEIGHED_OCTETS_MAX);
    let recipients =
        each_once(&whole.recipients).into_iter().map(|one| of_report(one, &accounts, &text, &parties, &mut budget));
    let read = Return { kind, recipients: recipients.collect(), ..Return::none() };
    Some(about_the_letter(read.naming_attempt(&whole.envelope_id), material, &transcript))
}

/// Every recipient once, each with its own action. Of one that went on to several, it counts that it arrived at one of them, or that
/// it is still tried there.
fn each_once(reported: &[Reported]) -> Vec<&Reported> {
    let hope = |one: &Reported| match one.action {
        Action::Delivered => 2,
        Action::Delayed => 1,
        Action::Failed => 0,
    };
    let mut each: Vec<&Reported> = Vec::new();
    for one in reported {
        match each.iter_mut().find(|other| is_same(&other.recipient, &one.recipient)) {
            Some(other) if hope(one) > hope(other) => *other = one,
            Some(_) => {}
            None => each.push(one),
        }
    }
    each
}

fn of_report(one: &Reported, accounts: &[Meant], text: &Whole, parties: &Parties, budget: &mut Budget) -> Recipient {
    if one.action == Action::Delivered {
        return Recipient::reached(one.recipient.clone());
    }
    let is_one = |meant: &&Meant| {
        is_about(meant, &one.recipient) || one.forwarded_to.as_ref().is_some_and(|to| is_about(meant, to))
    };
    let meant = accounts.iter().find(is_one);
    let evidence = Evidence {
        diagnostic: budget.of(&one.diagnostic),
        status: one.status,
        comment: budget.of(&one.comment),
        account: budget.of(meant.map_or("", |meant| meant.account.as_str())),
        whole: Some(text),
        host: &one.host,
        parties: Some(parties),
        is_delay: one.action == Action::Delayed,
    };
    weigh(one.recipient.clone(), one.forwarded_to.clone(), &evidence)
}

fn is_about(meant: &Meant, address: &str) -> bool {
    is_same(&meant.recipient, address) || meant.forwarded_to.as_ref().is_some_and(|to| is_same(to, address))
}

/// Who is named in the header as having failed, as Exim and Google do.
fn failed(material: &Material<'_>) -> Vec<String> {
    material.fields.all("x-failed-recipients").flat_map(addresses).map(|found| found.address).take(FAILED_MAX).collect()
}

/// By a receipt (RFC 8098): it was read or deleted, unless it says that it was refused.
pub(super) fn by_receipt(material: &Material<'_>) -> Option<Return> {
    let receipt = Fields::of_text(material.receipt?.trim_start());
    let named = ["original-recipient", "final-recipient"].iter().flat_map(|name| addresses(receipt.get(name))).next();
    let recipient = named.map(|found| found.address)?;
    let text = plain(&material.text);
    let is_refused =
        ["rejected", "refused", "could not be"].iter().any(|word| text.contains(word)) || receipt.has("failure");
    let transcript = Transcript::of(&material.text);
    let read = if is_refused {
        let whole = Whole::of(format!("{} {}", transcript.report(), receipt.get("failure")));
        let evidence = Evidence { whole: Some(&whole), ..Evidence::default() };
        Return { kind: Kind::Bounce, recipients: vec![weigh(recipient, None, &evidence)], ..Return::none() }
    } else {
        Return { kind: Kind::Delivered, recipients: vec![Recipient::reached(recipient)], ..Return::none() }
    };
    Some(about_the_letter(read.naming(receipt.get("original-message-id")), material, &transcript))
}

/// By the words of a mailer.
pub(super) fn by_text(material: &Material<'_>) -> Option<Return> {
    let transcript = Transcript::of(&material.text);
    let report = transcript.report();
    let words = plain(&report);
    let kind = kind(material, &words)?;
    let known = known(material, &transcript);
    let mut meant = transcript.meant(&known);
    let unsaid = if meant.is_empty() { without_a_name(material, &transcript, &known) } else { failed(material) };
    for recipient in unsaid {
        if !meant.iter().any(|one| is_about(one, &recipient)) {
            meant.push(Meant { recipient, forwarded_to: None, account: String::new() });
        }
    }
    meant.truncate(NAMED_MAX);
    if meant.is_empty() && !bears_a_mailers_mark(material) {
        return None;
    }
    let parties = Parties::of(&known.ours, &report);
    let whole = Whole::of(if meant.len() == 1 { report } else { transcript.preamble(&meant) });
    let mut budget = Budget(WEIGHED_OCTETS_MAX);
    let told = |one: Meant| {
        let evidence = Evidence {
            account: budget.of(&one.account),
            whole: Some(&whole),
            parties: Some(&parties),
            is_delay: kind == Kind::Delay,
            ..Evidence::default()
        };
        weigh(one.recipient, one.forwarded_to, &evidence)
    };
    let mut recipients: Vec<Recipient> = match kind {
        Kind::Delivered => meant.into_iter().map(|one| Recipient::reached(one.recipient)).collect(),
        _ => meant.into_iter().map(told).collect(),
    };
    let ran_out = |one: &Recipient| one.reason == Some(Fault::Expired) && one.class == Some(Class::Soft);
    let kind = if kind == Kind::Delay && recipients.iter().any(ran_out) && !says_more_tries(&words) {
        Kind::Bounce
    } else {
        kind
    };
    recipients.iter_mut().for_each(|one| one.kind = kind);
    Some(about_the_letter(Return { kind, recipients, ..Return::none() }, material, &transcript))
}

fn says_more_tries(words: &str) -> bool {
    has_mark(Mark::Delay, Part::Text, words)
}

/// What the marks of a mail make it. Two of sender, subject, text and form must speak for a bounce.
fn kind(material: &Material<'_>, text: &str) -> Option<Kind> {
    let subject = material.subject();
    let marked = |kind: Mark, part: Part, words: &str| has_mark(kind, part, words);
    let is_from_a_mailer = material.is_from_a_mailer();
    let names_failures = material.fields.has("x-failed-recipients");
    let is_answer =
        !is_from_a_mailer && (material.fields.has("in-reply-to") || material.fields.has("list-unsubscribe"));
    // An absence may have an empty return path too.
    let sender = material.sender();
    let is_automatic = automatic(&subject, "").is_some() && !has_mark(Mark::Bounce, Part::Sender, &sender);
    if is_answer || is_automatic || is_notice_of_absence(material, &subject, text) {
        return None;
    }
    let by_subject = marked(Mark::Bounce, Part::Subject, &subject) || marked(Mark::Delay, Part::Subject, &subject);
    let by_text = marked(Mark::Bounce, Part::Text, text) || marked(Mark::Delay, Part::Text, text);
    let marks = [is_from_a_mailer, by_subject, by_text, material.is_report, names_failures];
    if marks.iter().filter(|mark| **mark).count() < 2 {
        return None;
    }
    let delays = marked(Mark::Delay, Part::Subject, &subject) || marked(Mark::Delay, Part::Text, text);
    let arrived = marked(Mark::Delivered, Part::Subject, &subject) && !marked(Mark::Bounce, Part::Text, text);
    Some(if arrived {
        Kind::Delivered
    } else if delays {
        Kind::Delay
    } else {
        Kind::Bounce
    })
}

/// Whether more than its words says that a mailer wrote it. People write of returned mail too, and so do those who are after passwords.
fn bears_a_mailers_mark(material: &Material<'_>) -> bool {
    material.is_from_a_mailer() || material.is_report || material.fields.has("x-failed-recipients")
}

/// Whether a responder says that somebody is away or has left, whatever its subject calls that: the server's code is missing. A postmaster
/// may write so too, where the subject says it.
fn is_notice_of_absence(material: &Material<'_>, subject: &str, text: &str) -> bool {
    let is_one = |subject: &str, text: &str| {
        automatic(subject, text).is_some_and(|row| matches!(row.what, Automatic::Absence | Automatic::Moved))
    };
    let is_code = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_of_codes = word.starts_with(['4', '5']) && word.chars().all(|c| c.is_ascii_digit() || c == '.');
        is_of_codes && (word.len() == 3 || word.matches('.').count() == 2)
    };
    let is_of_a_mailer = has_mark(Mark::Bounce, Part::Sender, &material.sender());
    let says_it = if is_of_a_mailer { is_one(subject, "") && is_one("", text) } else { is_one(subject, text) };
    let is_a_report = material.is_report || material.fields.has("x-failed-recipients");
    says_it && !is_a_report && is_marked(material) && !text.split_whitespace().any(is_code)
}

/// What is known of addresses from the headers of the mail and of the returned letter.
fn known(material: &Material<'_>, transcript: &Transcript<'_>) -> Known {
    let returned = header(material, transcript);
    let of = |fields: &Fields, names: &[&str]| -> Vec<String> {
        names.iter().flat_map(|name| fields.all(name)).flat_map(addresses).map(|found| found.address).collect()
    };
    let mut ours = material.addressees();
    let mut mailers = of(&material.fields, &["from", "sender", "reply-to"]);
    ours.extend(of(&returned, &["from", "return-path", "sender", "reply-to"]));
    let mut recipients = of(&material.fields, &["x-failed-recipients"]);
    let of_letter =
        of(&returned, &["to", "cc", "bcc", "x-failed-recipients", "envelope-to", "delivered-to", "x-original-to"]);
    recipients.extend(of_letter.into_iter().take(50));
    recipients.extend(returned.all("received").filter_map(received_for));
    ours.truncate(KNOWN_MAX);
    mailers.truncate(KNOWN_MAX);
    recipients.truncate(KNOWN_MAX);
    Known { ours, mailers, recipients }
}

/// The header of the returned letter: its own part's, else that within the text.
fn header(material: &Material<'_>, transcript: &Transcript<'_>) -> Fields {
    if material.returned.count() > 0 { material.returned.clone() } else { transcript.header() }
}

/// `for <dana@clinic.example>` of a trace line.
fn received_for(value: &str) -> Option<String> {
    let (_, rest) = value.split_once(" for ")?;
    addresses(rest.get(..rest.len().min(300)).unwrap_or(rest)).into_iter().next().map(|found| found.address)
}

/// The recipient where the text names none: who is named as failed, a user of the mailer's own, or the only addressee of the letter.
fn without_a_name(material: &Material<'_>, transcript: &Transcript<'_>, known: &Known) -> Vec<String> {
    let failed = failed(material);
    if !failed.is_empty() {
        return failed;
    }
    let domain = addresses(material.fields.get("from")).into_iter().next();
    let domain = domain.and_then(|found| found.address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase()));
    if let (Some(user), Some(domain)) = (transcript.local_user(), domain) {
        return vec![format!("{user}@{domain}")];
    }
    let returned = header(material, transcript);
    let to: Vec<String> = returned.all("to").flat_map(addresses).map(|found| found.address).collect();
    let of_text = || -> Vec<String> {
        let line = transcript
            .returned
            .lines()
            .chain(material.text.lines())
            .find(|line| line.trim_start().to_ascii_lowercase().starts_with("to:"));
        line.map(addresses).unwrap_or_default().into_iter().map(|found| found.address).collect()
    };
    let to = if to.is_empty() { of_text() } else { to };
    let is_ours = |address: &String| known.ours.iter().chain(&known.mailers).any(|ours| is_same(ours, address));
    match to.as_slice() {
        [only] if !is_ours(only) || returned.count() > 0 => vec![only.clone()],
        _ => Vec::new(),
    }
}

/// With the letter that came back.
fn about_the_letter(read: Return, material: &Material<'_>, transcript: &Transcript<'_>) -> Return {
    let read = read.naming(header(material, transcript).get("message-id"));
    let of_text = || {
        let line = material.text.lines().find(|line| {
            line.trim_start().trim_start_matches('>').trim_start().to_ascii_lowercase().starts_with("message-id:")
        });
        line.and_then(|line| line.split_once(':')).map(|(_, id)| id.trim())
    };
    let read = if read.message_id.is_none() { read.naming(of_text().unwrap_or_default()) } else { read };
    let answers = material.fields.get("in-reply-to");
    if read.message_id.is_none() { read.naming(answers) } else { read.naming_attempt(answers) }
}
