//! What the cells of refusal columns say: yes and no as people and programs write them, and the words that mailing
//! tools have for the status of a mailbox.

use chrono::NaiveDate;

use super::field::Field;
use super::refusal_dates::{by_date, by_number, day};

/// Yes, in a column that asks whether somebody refused.
const YES: &[&str] = &["yes", "y", "true", "t", "1", "-1", "x", "on", "checked", "✓", "✔", "☑", "si", "1.0"];
/// No. An empty cell says the same.
const NO: &[&str] = &[
    "no",
    "n",
    "false",
    "f",
    "0",
    "off",
    "unchecked",
    "none",
    "null",
    "nil",
    "n/a",
    "na",
    "#n/a",
    "-",
    "--",
    "never",
    "not set",
    "(blank)",
    "0.0",
    "☐",
];

/// The words for the status of a mailbox, as [`plain`], with what they say.
const STATUSES: &[(Said, &[&str])] = &[
    (
        Said::Nothing,
        &[
            "active",
            "subscribed",
            "enabled",
            "confirmed",
            "opted in",
            "opt in",
            "optin",
            "valid",
            "ok",
            "good",
            "deliverable",
            "mailable",
            "express",
            "implied",
            "implicit",
            "explicit",
            "granted",
            "allowed",
            "current",
            "verified",
            "resubscribed",
            "soft bounce",
            "soft bounced",
            "softbounced",
        ],
    ),
    (
        Said::Unconfirmed,
        &[
            "unconfirmed",
            "pending",
            "awaiting confirmation",
            "non subscribed",
            "nonsubscribed",
            "non subscriber",
            "not subscribed",
            "never subscribed",
            "transactional",
            "no permissions set",
            "no permission set",
            "not set",
            "unverified",
        ],
    ),
    (
        Said::Refuses(Field::EmailOptedOut),
        &[
            "unsubscribed",
            "unsubscribe",
            "unsub",
            "blocklisted",
            "blacklisted",
            "blocked",
            "disabled",
            "suppressed",
            "do not email",
            "do not e mail",
            "no email",
            "removed",
            "archived unsubscribed",
            "temp hold",
            "temporary hold",
            "on hold",
            "withdrawn",
            "revoked",
            "declined",
            "denied",
        ],
    ),
    (
        Said::Refuses(Field::OptedOut),
        &["opted out", "opt out", "optout", "optedout", "do not mail", "do not send", "do not solicit", "no mail"],
    ),
    (Said::Refuses(Field::FaxOptedOut), &["do not fax", "no fax", "no faxes"]),
    (
        Said::Refuses(Field::Bounced),
        &[
            "bounced",
            "bounce",
            "hard bounce",
            "hard bounced",
            "hardbounced",
            "hardbounce",
            "cleaned",
            "undeliverable",
            "undelivered",
            "invalid",
            "invalid email",
            "dead",
        ],
    ),
    (
        Said::Refuses(Field::Complained),
        &["complained", "complaint", "spam", "spam complaint", "spam report", "marked as spam", "abuse", "junk"],
    ),
    (Said::Refuses(Field::DoNotContact), &["do not contact", "donotcontact", "dnc", "no contact", "never contact"]),
    (Said::Refuses(Field::DoNotCall), &["do not call", "donotcall", "no calls"]),
];
/// Of those, what counts as a label too: words that say nothing else.
const LABEL_FIELDS: &[&str] = &[
    "unsubscribed",
    "unsubscribe",
    "unsub",
    "blocklisted",
    "blacklisted",
    "do not email",
    "do not e mail",
    "no email",
    "opted out",
    "opt out",
    "optout",
    "optedout",
    "do not mail",
    "do not send",
    "do not solicit",
    "do not fax",
    "no fax",
    "no faxes",
    "bounced",
    "hard bounce",
    "hard bounced",
    "do not contact",
    "donotcontact",
    "dnc",
    "no contact",
    "never contact",
    "do not call",
    "donotcall",
];

/// Channels that letters do not use, as texts call them.
const OTHER_CHANNELS: &[&str] = &["sms", "text", "texts", "texting", "whatsapp"];
/// Words that turn a refusal round when they stand before it.
const TURNS: &[&str] = &["not", "never", "non", "no", "without", "soft"];
/// Words that may stand between the two.
const BETWEEN: &[&str] = &["been", "ever", "yet", "on", "the"];
/// Words that may stand beside a refusal without changing what it says.
const ASIDES: &[&str] = &["please", "pls", "since", "on", "in", "as", "of"];
/// Longest cell that can be a refusal and nothing else, in bytes.
const REFUSAL_BYTES_MAX: usize = 60;

/// What a status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// Letters may be sent.
    Nothing,
    /// The mailbox has not confirmed anything, and has not refused either.
    Unconfirmed,
    /// It refuses: which column would say so.
    Refuses(Field),
}

/// The answer of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It happened, perhaps on a known day.
    Yes(Option<NaiveDate>),
    /// It did not.
    No,
}

/// Lower case, words apart by one space, nothing else.
pub(super) fn plain(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let text = spaced.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("don t ", "do not ").replace("dont ", "do not ")
}

/// Reads a cell that answers whether, or when, something happened. None: it says neither.
pub(super) fn answer(text: &str) -> Option<Answer> {
    let word = text.trim().to_lowercase();
    if word.is_empty() || NO.contains(&word.as_str()) || word.starts_with("0000-00-00") {
        return Some(Answer::No);
    }
    if YES.contains(&word.as_str()) {
        return Some(Answer::Yes(None));
    }
    if let Some(day) = day(text) {
        return Some(Answer::Yes(Some(day)));
    }
    match status(text)? {
        Said::Nothing | Said::Unconfirmed => Some(Answer::No),
        Said::Refuses(_) => Some(Answer::Yes(None)),
    }
}

/// Reads a cell of a column that says since when somebody refused. As [`answer`], but a number above 1 and whatever looks
/// like a date say that it happened, with the day where it can be read: who refused must not be lost over the way in which
/// a program writes its dates.
pub(super) fn happened(text: &str) -> Option<Answer> {
    answer(text).or_else(|| by_number(text.trim())).or_else(|| by_date(text))
}

/// Reads a word for the status of a mailbox. None: it is not known.
pub(super) fn status(text: &str) -> Option<Said> {
    let word = plain(text);
    STATUSES.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(said, _)| *said)
}

/// What a label says about refusals, such as `Do not contact` among the labels of an address book.
pub(super) fn label(text: &str) -> Option<Field> {
    let word = plain(text);
    let is_clear = LABEL_FIELDS.contains(&word.as_str());
    match status(text).filter(|_| is_clear)? {
        Said::Refuses(field) => Some(field),
        Said::Nothing | Said::Unconfirmed => None,
    }
}

/// What a text says about refusals, in any of its words: `unsubscribed 2024`, `please do not contact`. What is turned round
/// (`never unsubscribed`), or concerns a channel that letters do not use, says nothing.
pub(super) fn labels(text: &str) -> Vec<Field> {
    if let Some(field) = label(text) {
        return vec![field];
    }
    let plain = plain(text);
    let words: Vec<&str> = plain.split(' ').collect();
    let says = |list: &[&str]| words.iter().any(|word| list.contains(word));
    if says(OTHER_CHANNELS) && !says(&["email", "mail", "fax"]) {
        return Vec::new();
    }
    let mut found: Vec<Field> = Vec::new();
    // `No fax` says inside a text that there is none: `no fax on file`.
    for phrase in LABEL_FIELDS.iter().filter(|phrase| !phrase.starts_with("no ")) {
        let is_said = says_phrase(&words, phrase);
        found.extend(label(phrase).filter(|field| is_said && !found.contains(field)));
    }
    found
}

/// Whether a cell says by itself, without anything beside it but a date, that somebody refused letters.
pub(super) fn is_refusal(cell: &str) -> bool {
    if cell.len() > REFUSAL_BYTES_MAX || !cell.chars().any(char::is_alphabetic) {
        return false;
    }
    let plain = plain(cell);
    let is_said = |word: &&str| !word.bytes().all(|b| b.is_ascii_digit()) && !ASIDES.contains(word);
    label(&plain.split(' ').filter(is_said).collect::<Vec<_>>().join(" ")).is_some()
}

/// Whether the words hold the phrase, and no word before it turns it round.
fn says_phrase(words: &[&str], phrase: &str) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    words.windows(phrase.len()).enumerate().any(|(start, part)| {
        let mut before = words.iter().take(start).rev();
        let is_turned = before.find(|word| !BETWEEN.contains(word)).is_some_and(|word| TURNS.contains(word));
        part == phrase.as_slice() && !is_turned
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_people_and_programs_write_them() {
        let on = |day: &str| Some(Answer::Yes(day.parse().ok()));
        for (text, said) in [
            ("true", Some(Answer::Yes(None))),
            ("TRUE", Some(Answer::Yes(None))),
            (" x ", Some(Answer::Yes(None))),
            ("Unsubscribed", Some(Answer::Yes(None))),
            ("2026-02-02", on("2026-02-02")),
            ("2026-02-02 10:22:33", on("2026-02-02")),
            ("2026-02-02T10:22:33Z", on("2026-02-02")),
            ("2/3/2026 4:05 PM", on("2026-02-03")),
            ("Feb 3, 2026", on("2026-02-03")),
            ("3 February 2026 10:00", on("2026-02-03")),
            ("", Some(Answer::No)),
            ("No", Some(Answer::No)),
            ("0", Some(Answer::No)),
            ("0000-00-00 00:00:00", Some(Answer::No)),
            ("Subscribed", Some(Answer::No)),
            ("perhaps", None),
            ("2", None),
            ("Spring", None),
        ] {
            assert_eq!(answer(text), said, "{text}");
        }
    }

    #[test]
    fn the_words_of_mailing_tools_are_known_and_no_others() {
        for (text, said) in [
            ("enabled", Some(Said::Nothing)),
            ("Blocklisted", Some(Said::Refuses(Field::EmailOptedOut))),
            ("UNSUBSCRIBED", Some(Said::Refuses(Field::EmailOptedOut))),
            ("Opted-out", Some(Said::Refuses(Field::OptedOut))),
            ("Hard bounced", Some(Said::Refuses(Field::Bounced))),
            ("cleaned", Some(Said::Refuses(Field::Bounced))),
            ("Awaiting confirmation", Some(Said::Unconfirmed)),
            ("Don't contact", Some(Said::Refuses(Field::DoNotContact))),
            ("NEW", None),
            ("", None),
        ] {
            assert_eq!(status(text), said, "{text}");
        }
        assert_eq!(label("Do Not Contact"), Some(Field::DoNotContact));
        assert_eq!(label("DNC"), Some(Field::DoNotContact));
        assert_eq!((label("removed"), label("vip"), label("active")), (None, None, None));
    }

    #[test]
    fn a_refusal_is_found_among_other_words_unless_they_turn_it_round() {
        for (text, fields) in [
            ("Unsubscribed", &[Field::EmailOptedOut][..]),
            ("unsubscribed 2024", &[Field::EmailOptedOut][..]),
            ("please don't contact", &[Field::DoNotContact][..]),
            ("do not fax, do not email", &[Field::EmailOptedOut, Field::FaxOptedOut][..]),
            ("on the DNC list", &[Field::DoNotContact][..]),
            ("never unsubscribed", &[][..]),
            ("has not been unsubscribed", &[][..]),
            ("not on the DNC list", &[][..]),
            ("soft bounced", &[][..]),
            ("no fax on file", &[][..]),
            ("opted out of texts", &[][..]),
            ("opted out of texts and email", &[Field::OptedOut][..]),
            ("adopted outside", &[][..]),
            ("", &[][..]),
        ] {
            assert_eq!(labels(text), fields, "{text}");
        }
        for (cell, says) in [
            ("Do Not Contact", true),
            ("Opted out 3/2024", true),
            ("Please do not fax", true),
            ("Asked whether we do not fax", false),
            ("2024", false),
            ("Customer", false),
        ] {
            assert_eq!(is_refusal(cell), says, "{cell}");
        }
    }

    #[test]
    fn every_word_says_one_thing() {
        let mut words: Vec<&str> = STATUSES.iter().flat_map(|(_, words)| words.iter().copied()).collect();
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
        assert!(LABEL_FIELDS.iter().all(|word| label(word).is_some()));
        assert!(YES.iter().all(|word| !NO.contains(word)));
    }
}
