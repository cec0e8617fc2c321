//! What the cells of refusal columns say: yes and no as people and programs write them, dates, and the words that mailing
//! tools have for the status of a mailbox.

use chrono::NaiveDate;

use super::field::Field;

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
fn plain(text: &str) -> String {
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

/// A day as ISO, as Americans write it, or with the month in words; a time of day after it is left out.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let first = text.split(['T', ' ']).next().unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().take(3).collect();
    let in_words = words.join(" ").replace(',', "");
    let is_likely = |day: &NaiveDate| (1990..=2100).contains(&chrono::Datelike::year(day));
    let reads = |text: &str, form: &str| NaiveDate::parse_from_str(text, form).ok().filter(is_likely);
    let of_figures = ["%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%d.%m.%Y", "%d-%b-%Y"];
    let of_words = ["%B %d %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y"];
    let by_words = || of_words.iter().find_map(|form| reads(&in_words, form));
    of_figures.iter().find_map(|form| reads(first, form)).or_else(by_words)
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
