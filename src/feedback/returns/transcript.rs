//! The text of a bounce that is written for people: where the returned letter begins, who is meant, and what is said of each.

use std::cell::OnceCell;

use super::mime::Fields;
use super::table::{introduces, is_aside, is_cut};
use super::words::{Found, addresses, is_same, plain};

/// How many lines are looked at.
const LINES_MAX: usize = 2_000;
/// How many lines before an address may introduce it.
const INTRODUCTION_LINES: usize = 3;
/// How many addresses in a text are looked at.
const MENTIONS_MAX: usize = 300;
/// The least that must speak for an address.
const WEIGHT_MIN: i32 = 2;
/// How much less may speak for an address than for the one that most speaks for.
const WEIGHT_SPREAD: i32 = 4;
/// The least length of a rule, at the beginning of a line.
const RULE_LENGTH: usize = 8;
/// The longest account of one recipient, in octets.
const ACCOUNT_OCTETS_MAX: usize = 4_000;

/// A text in two: what it reports, and what it returns.
#[derive(Debug, Default)]
pub(super) struct Transcript<'a> {
    lines: Vec<&'a str>,
    /// Which of the lines introduce those who are meant, as far as it was asked.
    introducing: Vec<OnceCell<bool>>,
    /// What comes behind the report.
    pub returned: &'a str,
}

/// One of whom the text speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meant {
    /// Whom we wrote to.
    pub recipient: String,
    /// Where it went from there, if that is another address.
    pub forwarded_to: Option<String>,
    /// What is said of it.
    pub account: String,
}

/// What is known from elsewhere.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Our own addresses.
    pub ours: Vec<String>,
    /// The mailer's.
    pub mailers: Vec<String>,
    /// Whom the returned letter was sent to, or who is named as having failed.
    pub recipients: Vec<String>,
}

impl Known {
    fn is_ours(&self, address: &str) -> bool {
        self.ours.iter().chain(&self.mailers).any(|ours| is_same(ours, address)) && !self.is_recipient(address)
    }

    fn is_recipient(&self, address: &str) -> bool {
        self.recipients.iter().any(|known| is_same(known, address))
    }
}

/// An address in the report.
struct Mention {
    address: String,
    line: usize,
    start: usize,
    end: usize,
    weight: i32,
    /// The address that this one stands for, which stands behind it.
    is_origin: bool,
}

impl<'a> Transcript<'a> {
    pub fn of(text: &'a str) -> Self {
        let mut lines = Vec::new();
        let mut place = 0;
        let mut seen_address = false;
        for line in text.split_inclusive('\n') {
            let next = text.get(place + line.len()..).unwrap_or_default();
            if lines.len() > LINES_MAX || is_end(line, next, lines.len(), seen_address) {
                return Self::new(lines, text.get(place..).unwrap_or_default());
            }
            seen_address |= line.contains('@');
            lines.push(line.trim_end());
            place += line.len();
        }
        Self::new(lines, "")
    }

    fn new(lines: Vec<&'a str>, returned: &'a str) -> Self {
        let introducing = vec![OnceCell::new(); lines.len()];
        Self { lines, introducing, returned }
    }

    /// The report alone.
    pub fn report(&self) -> String {
        self.lines.join("\n")
    }

    /// What is said before the first of those who are meant: of all of them.
    pub fn preamble(&self, meant: &[Meant]) -> String {
        let names_one = |line: &&&str| {
            addresses(line).iter().any(|found| meant.iter().any(|one| is_same(&one.recipient, &found.address)))
        };
        self.lines.iter().take_while(|line| !names_one(line)).copied().collect::<Vec<_>>().join("\n")
    }

    /// The header of the letter that came back, as far as it did.
    pub fn header(&self) -> Fields {
        header_in(self.returned)
    }

    /// Who is meant, in the order of the text, with what is said of each.
    pub fn meant(&self, known: &Known) -> Vec<Meant> {
        let mentions = self.mentions(known);
        let most = mentions.iter().filter(|one| !one.is_origin).map(|one| one.weight).max().unwrap_or(0);
        let counts = |one: &&Mention| !one.is_origin && one.weight >= WEIGHT_MIN.max(most - WEIGHT_SPREAD);
        let mut meant: Vec<Meant> = Vec::new();
        for mention in mentions.iter().filter(counts) {
            if meant.iter().all(|one| {
                !is_same(&one.recipient, &mention.address)
                    && !one.forwarded_to.as_ref().is_some_and(|to| is_same(to, &mention.address))
            }) {
                let origin = self.origin_of(mention, &mentions);
                let forwarded_to = origin.is_some().then(|| mention.address.clone());
                let recipient = origin.unwrap_or_else(|| mention.address.clone());
                meant.push(Meant { recipient, forwarded_to, account: String::new() });
            }
        }
        if meant.is_empty() {
            let origins = mentions.iter().filter(|one| one.is_origin);
            meant.extend(origins.map(|one| Meant {
                recipient: one.address.clone(),
                forwarded_to: None,
                account: String::new(),
            }));
        }
        self.tell(&mut meant, &mentions);
        meant
    }

    /// The only word in a line behind an introduction, where a mailer names its own users without a domain.
    pub fn local_user(&self) -> Option<&'a str> {
        let is_name = |line: &str| {
            !line.is_empty()
                && line.len() <= 64
                && line.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"._-+".contains(&octet))
        };
        self.lines.windows(2).find_map(|pair| {
            let [before, line] = pair else { return None };
            let name = line.trim();
            (before.trim_end().ends_with(':') && introduces(&plain(before)) && is_name(name)).then_some(name)
        })
    }

    fn mentions(&self, known: &Known) -> Vec<Mention> {
        let mut mentions = Vec::new();
        for (line, text) in self.lines.iter().enumerate() {
            for found in addresses(text) {
                if mentions.len() >= MENTIONS_MAX {
                    return mentions;
                }
                let weight = self.weight(known, line, text, &found);
                let is_origin = is_origin(text.get(..found.start).unwrap_or_default());
                mentions.push(Mention {
                    address: found.address,
                    line,
                    start: found.start,
                    end: found.end,
                    weight,
                    is_origin,
                });
            }
        }
        mentions
    }

    /// How much speaks for it that the bounce is about this address.
    fn weight(&self, known: &Known, line: usize, text: &str, found: &Found) -> i32 {
        let before = text.get(..found.start).unwrap_or_default();
        let behind = text.get(found.end..).unwrap_or_default();
        // X.400 names the mailbox at the end of its address.
        let leads = before.chars().all(|c| !c.is_alphanumeric()) || ends_with(before, "dda:smtp=");
        let near: String = before.chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
        let near = near.to_lowercase();
        let mut weight = 0;
        weight += if known.is_recipient(&found.address) { 5 } else { 0 };
        // qmail's `<dana@clinic.example>:` is meant even where we wrote to ourselves.
        let is_introduced = introduces(&near) || (leads && self.is_introduced(line));
        let against_ours = if leads && is_introduced && behind.starts_with(">:") { 3 } else { 6 };
        weight -= if known.is_ours(&found.address) { against_ours } else { 0 };
        weight += if leads { 2 } else { 0 };
        weight += if is_introduced { 3 } else { 0 };
        weight += i32::from(
            behind.starts_with([':', '>']) || behind.trim_start_matches(['>', '"', '\'', ')']).starts_with("..."),
        );
        weight += if is_replied_to(behind) { WEIGHT_MIN } else { 0 };
        weight -= if !leads && is_aside(&near) { 5 } else { 0 };
        weight -= if is_a_mailers(&found.address) { 4 } else { 0 };
        // A name in a header line of the report tells whom the letter was for at best.
        let start = text.trim_start().get(..3).unwrap_or_default();
        let is_field = ["to:", "cc:"].iter().any(|name| start.eq_ignore_ascii_case(name));
        if is_field { weight.min(WEIGHT_MIN - 1) } else { weight }
    }

    /// Whether a line before it says that those who are meant come now; lines with other addresses may stand between.
    fn is_introduced(&self, line: usize) -> bool {
        let lines = self.lines.iter().zip(&self.introducing).take(line);
        let before = lines.rev().filter(|(line, _)| !line.trim().is_empty());
        let between = |line: &str| {
            line.contains('@') && line.trim_start().starts_with(['<', '"', '\'', '*', '-', '('])
                || line.split_whitespace().count() == 1 && line.contains('@')
        };
        let mut others = 0;
        for (text, introducing) in before.take(60) {
            if *introducing.get_or_init(|| introduces(&plain(text))) {
                return true;
            }
            if !between(text) {
                others += 1;
            }
            if others >= INTRODUCTION_LINES {
                return false;
            }
        }
        false
    }

    /// The address that stands behind one as its origin: `(generated from …)`, `(expanded from: …)`.
    fn origin_of(&self, mention: &Mention, mentions: &[Mention]) -> Option<String> {
        let next = mentions.iter().find(|one| (one.line, one.start) >= (mention.line, mention.end))?;
        (next.is_origin && next.line <= mention.line + 4 && !is_same(&next.address, &mention.address))
            .then(|| next.address.clone())
    }

    /// Gives to each what is said behind its address, until another's comes.
    fn tell(&self, meant: &mut [Meant], mentions: &[Mention]) {
        let owner = |address: &str, meant: &[Meant]| {
            meant.iter().position(|one| {
                is_same(&one.recipient, address) || one.forwarded_to.as_ref().is_some_and(|to| is_same(to, address))
            })
        };
        if let [only] = meant {
            let first = mentions.iter().find(|one| {
                is_same(&one.address, &only.recipient)
                    || only.forwarded_to.as_ref().is_some_and(|to| is_same(to, &one.address))
            });
            if let Some(first) = first {
                only.account = self.between((first.line, first.end), (usize::MAX, 0));
            }
            return;
        }
        let placed: Vec<(usize, &Mention)> =
            mentions.iter().filter_map(|one| owner(&one.address, meant).map(|owner| (owner, one))).collect();
        for (place, (owner, mention)) in placed.iter().enumerate() {
            let end = placed.get(place + 1..).unwrap_or_default().iter().find(|(other, _)| other != owner);
            let end = end.map_or((usize::MAX, 0), |(_, other)| (other.line, other.start));
            if let Some(one) = meant.get_mut(*owner).filter(|one| one.account.len() < ACCOUNT_OCTETS_MAX) {
                one.account.push_str(&self.between((mention.line, mention.end), end));
                one.account.push('\n');
            }
        }
    }

    fn between(&self, (line, place): (usize, usize), (line_end, place_end): (usize, usize)) -> String {
        let mut text = String::new();
        for (number, words) in self.lines.iter().enumerate().skip(line) {
            if number > line_end || text.len() > ACCOUNT_OCTETS_MAX {
                break;
            }
            let from = if number == line { place } else { 0 };
            let to = if number == line_end { place_end } else { words.len() };
            text.push_str(words.get(from..to).unwrap_or_default());
            text.push('\n');
        }
        text
    }
}

/// Whether a line ends the report: a separator, or the first field of the returned letter's header.
fn is_end(line: &str, next: &str, number: usize, seen_address: bool) -> bool {
    let lower = line.trim_end().to_ascii_lowercase();
    let begins_a_header = lower.starts_with("received: from ")
        || lower.starts_with("received: by ")
        || lower.starts_with("return-path: <")
        || lower.starts_with("received: (");
    if number > 1 && begins_a_header {
        return true;
    }
    let is_field = |line: &str| {
        ["date:", "from:", "to:", "subject:", "mime-version:"]
            .iter()
            .any(|name| line.to_ascii_lowercase().starts_with(name))
    };
    if seen_address
        && (lower.starts_with("message-id:") || lower.starts_with("from:"))
        && next.lines().take(2).any(is_field)
        && next.lines().take(3).filter(|line| is_field(line)).count() > 1
    {
        return true;
    }
    let words = plain(line);
    // Behind a rule stands what every mail of that house ends with.
    let is_rule = words.bytes().take_while(|octet| matches!(octet, b'_' | b'~')).count() >= RULE_LENGTH;
    number > 0 && ((is_cut(&words) && !introduces(&words)) || (is_rule && seen_address))
}

/// Whether what stands before an address says that another was made of it.
fn is_origin(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '<', '"', ':']);
    ["generated from", "expanded from", "originally addressed to", "forwarded from", "alias of"]
        .iter()
        .any(|words| ends_with(before, words))
}

/// Whether a text ends with those words, in either case.
fn ends_with(text: &str, words: &str) -> bool {
    let end = text.len().checked_sub(words.len()).and_then(|start| text.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(words))
}

/// Whether a server's reply stands behind an address: `<dana@clinic.example>: 550 …`.
fn is_replied_to(behind: &str) -> bool {
    let code = behind.strip_prefix(">:").map(str::trim_start).unwrap_or_default().get(..4).unwrap_or_default();
    code.starts_with(['4', '5'])
        && code.ends_with([' ', '-'])
        && code.bytes().take(3).all(|octet| octet.is_ascii_digit())
}

/// Whether a mailbox is of mailers and those who look after them.
fn is_a_mailers(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
    ["postmaster", "mailer-daemon", "abuse", "hostmaster", "noreply", "no-reply", "mdaemon"].contains(&local.as_str())
}

/// The header in what a mailer returns: behind separators and empty lines, and without what quotes it.
pub(super) fn header_in(returned: &str) -> Fields {
    let is_header = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default();
        line.contains(':') && !name.is_empty() && name.len() < 60 && !name.contains(char::is_whitespace)
    };
    let unquoted = |line: &'_ str| -> String {
        line.strip_prefix("> ").or_else(|| line.strip_prefix('>')).unwrap_or(line).to_owned()
    };
    let lines: Vec<String> = returned.lines().take(LINES_MAX).map(unquoted).collect();
    let start =
        lines.iter().take(60).position(|line| is_header(&line.trim_start().trim_start_matches('|').trim_start()));
    let Some(start) = start else { return Fields::default() };
    let indent = lines.get(start).map_or(0, |line| line.len() - line.trim_start().len());
    let rest = lines.get(start..).unwrap_or_default();
    let kept: Vec<&str> = rest.iter().map(|line| line.get(indent.min(line.len())..).unwrap_or(line.as_str())).collect();
    Fields::of_text(&kept.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, ours: &[&str], recipients: &[&str]) -> Vec<(String, Option<String>)> {
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        let known = Known { ours: owned(ours), recipients: owned(recipients), ..Known::default() };
        Transcript::of(text).meant(&known).into_iter().map(|one| (one.recipient, one.forwarded_to)).collect()
    }

    fn alone(address: &str) -> Vec<(String, Option<String>)> {
        vec![(address.to_owned(), None)]
    }

    #[test]
    fn the_one_who_is_meant_is_told_from_those_who_are_only_named() {
        for text in [
            "Hi. This is the qmail-send program at mx.\nI wasn't able to deliver your message to the following addresses.\n\n<dana@clinic.example>:\nSorry.\n\n--- Below this line is a copy of the message.\n\nReceived: from x\nTo: <else@b.example>\n",
            "Contact postmaster@relay.example for help.\nThe following recipient(s) could not be reached:\n\n      dana@clinic.example on 4/29/01\n            Recipient Not Found\n",
            "This message, from letters@harbor.example,\naddressed to 'dana@clinic.example',\nfailed because it has not been collected",
            "Failed Recipient: dana@clinic.example\nReason: Remote host said: 550 unknown user <dana@clinic.example>",
            "Failed to deliver to 'dana@clinic.example'\nLOCAL module(account dana) reports:\n account dana@clinic.example is unknown",
            "Benutzer unbekannt für <dana@clinic.example>: 550 5.1.1 unbekannter Benutzer",
            "The email sent to dana@clinic.example could not be delivered.",
            "The message you sent to dana@clinic.example was blocked by our gateway.",
            "받는사람 : dana@clinic.example\n발송 실패 원인 : 존재하지 않는 수신자 (User unknown)",
            "There was an error delivering your mail to <dana@clinic.example>.\n",
        ] {
            assert_eq!(read(text, &["letters@harbor.example"], &[]), alone("dana@clinic.example"), "{text}");
        }
    }

    #[test]
    fn we_are_meant_where_we_wrote_to_ourselves() {
        let text =
            "I wasn't able to deliver your message to the following addresses.\n\n<letters@harbor.example>:\nSorry.\n";
        assert_eq!(read(text, &["letters@harbor.example"], &[]), alone("letters@harbor.example"));
    }

    #[test]
    fn an_origin_is_whom_we_wrote_to() {
        let exim = "The following address(es) failed:\n\n  final@b.example\n    (generated from dana@clinic.example)\n    no such user\n";
        assert_eq!(read(exim, &[], &[]), [("dana@clinic.example".to_owned(), Some("final@b.example".to_owned()))]);
        let hidden =
            "The following address(es) failed:\n\n  an undisclosed address\n    (generated from dana@clinic.example)\n";
        assert_eq!(read(hidden, &[], &[]), alone("dana@clinic.example"));
    }

    #[test]
    fn each_recipient_has_what_is_said_of_it() {
        let text = "The following address failed:\n\n\"one@b.example\":\n5.2.1 <one@b.example>... User Unknown\n\"two@b.example\":\n5.2.2 Mailbox Full\n";
        let meant = Transcript::of(text).meant(&Known::default());
        assert!(meant[0].account.contains("Unknown") && !meant[0].account.contains("Full"), "{meant:?}");
        assert!(meant[1].account.contains("Full"), "{meant:?}");
    }

    #[test]
    fn the_returned_header_is_found_behind_separators_and_quotes() {
        for text in [
            "failed\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <a@b.example>\nMessage-ID: <1@x>\n\nbody",
            "failed\n\nOriginal message follows:\n=====\n>Received: by x\n>Message-ID: <1@x>\n",
            "failed for dana@b.example\n\nMessage-ID: <1@x>\nDate: now\nFrom: a\nTo: b\n",
        ] {
            assert_eq!(Transcript::of(text).header().get("message-id"), "<1@x>", "{text}");
        }
    }
}
