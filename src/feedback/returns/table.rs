//! What is known of returns, as data: `table/*.toml`, compiled in. `domain::mail_reply` knows what servers reply and is asked first;
//! here stands what mailers write around the replies, how their mails look, and what answers without a person say.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{Automatic, Class};
use crate::domain::mail_reply::{self, Phase, stands_in};
use crate::domain::{About, Fault};

/// One row about why a letter came back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictRow {
    /// Its name, in the answer of `touchline bounce explain`.
    pub id: String,
    /// Phrases of which one must stand in the text.
    pub words: Vec<String>,
    /// What follows for the address.
    pub class: Class,
    /// Why.
    pub fault: Fault,
    /// Whether the phrases of the reply table's rows with this fault count too, save those that need an enhanced code.
    #[serde(default)]
    pub replies: bool,
    /// How far from the recipient the words may stand.
    #[serde(default)]
    pub within: Within,
    /// Where this is known from.
    pub source: String,
    /// A text that it reads.
    pub sample: String,
}

/// Whose words a text is, from the nearest to the recipient to the farthest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Within {
    /// What a server replied.
    Reply,
    /// What a mailer wrote of this recipient.
    Account,
    /// What it wrote of all.
    #[default]
    Whole,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdicts {
    row: Vec<VerdictRow>,
}

/// What a mark says that a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Something did not arrive.
    Bounce,
    /// It has not arrived yet.
    Delay,
    /// It has arrived.
    Delivered,
}

/// Where in a mail a phrase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Its subject.
    Subject,
    /// Its sender.
    Sender,
    /// What it says.
    Text,
    /// Subject or text.
    Any,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MarkRow {
    kind: Mark,
    part: Part,
    words: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Phrases {
    words: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shapes {
    cut: Vec<String>,
    always: Vec<String>,
    mark: Vec<MarkRow>,
    whom: Vec<Phrases>,
    aside: Vec<Phrases>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhaseRow {
    at: Phase,
    words: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Phases {
    phase: Vec<PhaseRow>,
}

/// One row about answers without a person.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutomaticRow {
    /// Its name.
    pub id: String,
    /// What the answer is then.
    pub what: Automatic,
    /// Where the phrase stands.
    pub part: Part,
    /// Phrases of which one must stand there.
    pub words: Vec<String>,
    /// Where this is known from.
    pub source: String,
    /// A text that it reads.
    pub sample: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Until {
    words: Vec<String>,
    /// How many words behind a phrase the day may begin.
    #[serde(default = "day_within")]
    within: usize,
}

const fn day_within() -> usize {
    8
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Automatics {
    row: Vec<AutomaticRow>,
    until: Vec<Until>,
}

static VERDICTS: LazyLock<Verdicts> = LazyLock::new(|| {
    let mut verdicts: Verdicts = read(include_str!("table/verdicts.toml"));
    for row in verdicts.row.iter_mut().filter(|row| row.replies) {
        row.words.extend(phrases_of_replies(row.class, row.fault).map(str::to_owned));
    }
    verdicts
});
static SHAPES: LazyLock<Shapes> = LazyLock::new(|| read(include_str!("table/shapes.toml")));
static PHASES: LazyLock<Phases> = LazyLock::new(|| read(include_str!("table/phases.toml")));
static AUTOMATICS: LazyLock<Automatics> = LazyLock::new(|| read(include_str!("table/automatic.toml")));

/// What the reply table knows of a fault, whatever the codes: of the recipient, or for what is ours of anything else.
fn phrases_of_replies(class: Class, fault: Fault) -> impl Iterator<Item = &'static str> {
    let is_ours = class == Class::Ours;
    let counts = move |row: &&'static mail_reply::Row| {
        row.enhanced == "*" && row.verdict.fault == fault && (row.verdict.about == About::Recipient) != is_ours
    };
    mail_reply::table().filter(counts).flat_map(|row| row.words).copied().filter(|phrase| !phrase.contains(".."))
}

/// The tables are part of the program, and a test reads them.
fn read<T: serde::de::DeserializeOwned>(toml: &str) -> T {
    toml::from_str(toml).expect("a table that a test has read")
}

/// Every row about why letters come back, in the order in which they are read.
pub fn verdict_rows() -> &'static [VerdictRow] {
    &VERDICTS.row
}

/// Every row about answers without a person, in the order in which they are read.
pub fn automatic_rows() -> &'static [AutomaticRow] {
    &AUTOMATICS.row
}

/// The first row that reads a text (as `words::plain` gives it), of those that may count.
pub(super) fn verdict(text: &str, of: Within, may_count: impl Fn(&VerdictRow) -> bool) -> Option<&'static VerdictRow> {
    VERDICTS.row.iter().filter(|row| of <= row.within && may_count(row)).find(|row| has_one(&row.words, text))
}

/// The phases of the dialogue that a text (as `words::plain` gives it) names.
pub(super) fn phases_named(text: &str) -> impl Iterator<Item = Phase> {
    PHASES.phase.iter().filter(move |row| has_one(&row.words, text)).map(|row| row.at)
}

/// A text (as `words::plain` gives it) without what mailers write into every bounce.
pub(super) fn without_what_is_always_said(text: String) -> String {
    SHAPES.always.iter().fold(text, |text, phrase| {
        if text.contains(phrase.as_str()) { text.replace(phrase.as_str(), " ") } else { text }
    })
}

/// The first row that reads an answer: its subject and its text, both plain.
pub(super) fn automatic(subject: &str, text: &str) -> Option<&'static AutomaticRow> {
    AUTOMATICS.row.iter().find(|row| match row.part {
        Part::Subject => has_one(&row.words, subject),
        Part::Text | Part::Sender => has_one(&row.words, text),
        Part::Any => has_one(&row.words, subject) || has_one(&row.words, text),
    })
}

/// Whether a subject, in plain words, begins as those of answers without a person do, or ends so in brackets.
pub(super) fn begins_as_automatic(subject: &str) -> bool {
    let rows = AUTOMATICS.row.iter().filter(|row| row.part == Part::Subject || row.what == Automatic::Absence);
    let mut phrases = rows.flat_map(|row| &row.words).map(String::as_str);
    let is_word = |c: char| c.is_alphanumeric() && c.is_ascii();
    let subject = subject.trim_start_matches(['[', '(', '<', '*', ' ']);
    phrases.any(|phrase| {
        let begins =
            subject.strip_prefix(phrase).is_some_and(|rest| !phrase.ends_with(is_word) || !rest.starts_with(is_word));
        begins || subject.ends_with(&format!("({phrase})")) || (phrase.starts_with('(') && subject.ends_with(phrase))
    })
}

/// The places behind phrases that stand before the day on which somebody returns, and how many words further it may begin.
pub(super) fn behind_until(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let phrases = AUTOMATICS.until.iter().flat_map(|until| until.words.iter().map(|phrase| (phrase, until.within)));
    phrases.flat_map(move |(phrase, within)| {
        let places = text.match_indices(phrase.as_str()).map(|(place, _)| place);
        places.filter_map(move |place| {
            let before = text.get(..place)?.chars().next_back();
            let behind = text.get(place + phrase.len()..)?;
            let is_end = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            (is_end(before) && is_end(behind.chars().next())).then_some((behind, within))
        })
    })
}

/// Whether a part of a mail, in plain words, bears such a mark.
pub(super) fn has_mark(kind: Mark, part: Part, text: &str) -> bool {
    SHAPES.mark.iter().any(|row| row.kind == kind && row.part == part && has_one(&row.words, text))
}

/// Whether a line, in plain words, says that the returned letter comes behind it.
pub(super) fn is_cut(line: &str) -> bool {
    let phrase = SHAPES.cut.iter().find(|phrase| line.contains(phrase.as_str()));
    let is_ruled = line.starts_with(['-', '=', '*', '_', '|', '[', '#', '>']);
    phrase.is_some_and(|phrase| {
        is_ruled || (line.len() < 100 && (line.ends_with(':') || line.starts_with(phrase.as_str())))
    })
}

/// Whether words before an address say that the bounce is about it.
pub(super) fn introduces(text: &str) -> bool {
    SHAPES.whom.iter().any(|phrases| has_one(&phrases.words, text))
}

/// Whether words before an address say that it is somebody else's.
pub(super) fn is_aside(text: &str) -> bool {
    SHAPES.aside.iter().any(|phrases| has_one(&phrases.words, text))
}

fn has_one(phrases: &[String], text: &str) -> bool {
    phrases.iter().any(|phrase| stands_in(phrase, text))
}

#[cfg(test)]
mod tests {
    use super::super::words::plain;
    use super::*;

    #[test]
    fn every_row_reads_its_sample_and_no_row_before_it_does() {
        for row in verdict_rows() {
            let read = verdict(&plain(&row.sample), Within::Reply, |_| true).expect("read");
            assert_eq!(read.id, row.id, "{}", row.sample);
            assert!(!row.source.is_empty());
        }
        for row in automatic_rows() {
            let read = automatic(&plain(&row.sample), &plain(&row.sample)).expect("read");
            assert_eq!(read.id, row.id, "{}", row.sample);
            assert!(!row.source.is_empty());
        }
    }

    #[test]
    fn every_phrase_is_written_as_texts_are_compared() {
        let of_verdicts = verdict_rows().iter().flat_map(own);
        let of_answers = automatic_rows().iter().flat_map(|row| &row.words);
        let of_phases = PHASES.phase.iter().flat_map(|row| &row.words);
        for phrase in of_verdicts.chain(of_answers).chain(of_phases).chain(&SHAPES.always) {
            assert_eq!(*phrase, plain(phrase), "in lower case, without an address, single spaces");
            assert!(phrase.chars().count() > 1, "{phrase}");
        }
    }

    /// The phrases that stand in the file.
    fn own(row: &VerdictRow) -> &[String] {
        let of_replies = if row.replies { phrases_of_replies(row.class, row.fault).count() } else { 0 };
        row.words.get(..row.words.len() - of_replies).unwrap_or_default()
    }

    #[test]
    fn no_phrase_stands_twice_here_or_in_the_reply_table() {
        let mut seen = std::collections::BTreeSet::new();
        for (row, phrase) in verdict_rows().iter().flat_map(|row| own(row).iter().map(move |phrase| (row, phrase))) {
            assert!(seen.insert(phrase), "{phrase} of {}", row.id);
            let known = phrases_of_replies(row.class, row.fault).find(|known| row.replies && phrase.contains(known));
            assert_eq!(known, None, "the reply table knows what stands in {phrase} of {}", row.id);
        }
    }
}
