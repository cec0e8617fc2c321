//! The labeled samples (tests/it/fixtures/bounces, with their license): whom, and whether the address is bad, is firm; the table that
//! is printed shows the rest.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::super::{Class, Kind, Recipient, Return, read};

/// A label. The SES notifications have other fields for the recipients.
#[derive(Debug, Deserialize)]
struct Label {
    file: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    recipients: Vec<Labeled>,
}

#[derive(Debug, Deserialize)]
struct Labeled {
    recipient: String,
    alias: Option<String>,
    reason: Option<String>,
    hard_bounce: Option<bool>,
    original_message_id: Option<String>,
}

/// Where the reading differs from the label, and why.
const KNOWN: &[(&str, &str)] = &[
    (
        "eml/arf-12.eml",
        "the label is an invented name for a recipient that the complaint hides, and we read the one that it gives",
    ),
    (
        "eml/lhost-domino-03.eml",
        "the label names a mailbox that is not in the mail: neko.example.com for neko.example.org",
    ),
    (
        "eml/lhost-exchange2007-04.eml",
        "the mail has two identifiers, and the label has that of the text, not of the returned letter",
    ),
    (
        "eml/lhost-exim-37.eml",
        "the domain that `does not exist` is the sender's own, so that nothing is proved of the recipient's",
    ),
    (
        "eml/rfc3464-35.eml",
        "the server of the third recipient says `550 user unknown`, which proves an unknown mailbox",
    ),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/bounces")
}

fn labels() -> Vec<Label> {
    let text = std::fs::read_to_string(folder().join("expected.jsonl")).expect("the labels");
    let labels = text.lines().map(|line| serde_json::from_str(line).expect("a label"));
    labels.filter(|label: &Label| label.file.starts_with("eml/")).collect()
}

fn reading(file: &str) -> Return {
    read(&std::fs::read(folder().join(file)).expect("a sample"))
}

fn found<'a>(read: &'a Return, labeled: &Labeled) -> Option<&'a Recipient> {
    let is_one = |address: &String| {
        address.eq_ignore_ascii_case(&labeled.recipient)
            || labeled.alias.as_ref().is_some_and(|alias| alias.eq_ignore_ascii_case(address))
    };
    read.recipients.iter().find(|one| is_one(&one.recipient) || one.forwarded_to.as_ref().is_some_and(is_one))
}

#[test]
fn the_labeled_samples_are_read_as_they_are_labeled() {
    let mut confusion: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut wrong = String::new();
    for label in labels() {
        let read = reading(&label.file);
        let is_known = KNOWN.iter().any(|(file, _)| *file == label.file);
        let kind_fits = read.kind.as_str() == label.kind || (label.kind == "bounce" && read.kind == Kind::Delay);
        if !kind_fits {
            let _ = writeln!(wrong, "{}: {} was read as {}", label.file, label.kind, read.kind);
        }
        for labeled in &label.recipients {
            let one = found(&read, labeled);
            let class = one.and_then(|one| one.class).map_or("not found", Class::as_str);
            let reason = labeled.reason.clone().unwrap_or_else(|| label.kind.clone());
            *confusion.entry((reason, class.to_owned())).or_default() += 1;
            let is_hard = one.is_some_and(|one| one.class == Some(Class::Hard));
            let fits = one.is_some() && labeled.hard_bounce.is_none_or(|hard| hard == is_hard);
            if !fits && !is_known {
                let _ = writeln!(wrong, "{}: {} is {class}: {one:?}", label.file, labeled.recipient);
            }
            let wants = labeled.original_message_id.as_deref();
            if wants.is_some() && read.message_id.as_deref() != wants && !is_known {
                let _ = writeln!(wrong, "{}: the letter is {wants:?}, read {:?}", label.file, read.message_id);
            }
        }
    }
    println!("{:<24}{:>10}", "label", "read as");
    for ((reason, class), count) in &confusion {
        println!("{reason:<24}{class:>10}{count:>6}");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn notifications_of_ses_are_read_as_files() {
    for (file, kind, recipient) in [
        ("ses-json/json-amazonses-02.json", Kind::Bounce, "bounce@simulator.amazonses.com"),
        ("ses-json/json-amazonses-03.json", Kind::Complaint, "complaint@simulator.amazonses.com"),
        ("ses-json/json-amazonses-05.json", Kind::Delivered, "complaint@simulator.amazonses.com"),
    ] {
        let read = reading(file);
        assert_eq!(read.kind, kind, "{file}");
        assert_eq!(read.recipients.iter().map(|one| one.recipient.as_str()).collect::<Vec<_>>(), [recipient], "{file}");
    }
    assert_eq!(reading("ses-json/json-amazonses-02.json").recipients[0].class, Some(Class::Hard));
}
