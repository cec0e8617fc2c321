//! Reads the finished introduction as its recipient would, and the practice's entries behind it: what would embarrass the
//! practice, each with what to do.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::init::reading::person;
use super::sample;
use crate::domain::practice::Practice;
use crate::domain::referrer::Referrer;
use crate::domain::{Clock, FaxNumber, SystemClock};
use crate::render::printable::{named, unprintable};
use crate::render::{Job, Renderer, Severity};

/// The letter that is read.
pub const LETTER: &str = "introduction";
/// Domains that nobody can own (RFC 2606).
const RESERVED_DOMAINS: [&str; 6] = [".example", ".test", ".invalid", "example.com", "example.org", "example.net"];

/// Something that a reader would stumble over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// What it is and what to do.
    pub words: String,
    /// Whether it belongs to an invented practice, which is as it should be while nothing leaves the machine.
    pub is_invented: bool,
}

impl Mistake {
    /// One that must not go out in any letter.
    #[must_use]
    pub fn grave(words: impl Into<String>) -> Self {
        Self { words: words.into(), is_invented: false }
    }

    fn invented(words: impl Into<String>) -> Self {
        Self { words: words.into(), is_invented: true }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// The introduction for one recipient, without variables of its own.
#[must_use]
pub fn introduction(referrer: &Referrer) -> Job<'_> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    Job {
        letter: LETTER,
        referrer,
        variables: &NONE,
        now: SystemClock.now(),
        reference: "sample",
        unsubscribe: None,
        automatic: false,
    }
}

/// Mistakes in what the configuration says of the practice.
#[must_use]
pub fn of_practice(practice: &Practice) -> Vec<Mistake> {
    let mut mistakes = names(practice);
    mistakes.extend(lists(practice));
    mistakes.extend(boxes(practice));
    mistakes.extend(invented(practice));
    if practice.phone == practice.fax {
        mistakes.push(Mistake::grave(
            "practice.phone is the fax number: a caller would hear a fax machine. Write the number that people answer",
        ));
    }
    mistakes
}

/// Mistakes in the finished introduction, on paper and as mail: what a reader stumbles over, and every error that the lint finds
/// on the fax. That it cannot be set is one as well. Takes some 25 ms for each page.
#[must_use]
pub fn of_introduction(renderer: &Renderer) -> Vec<Mistake> {
    let referrer = sample::referrer();
    let job = introduction(&referrer);
    let (found, fax) = match (renderer.stumbles(&job), renderer.fax(&job)) {
        (Ok(found), Ok(fax)) => (found, fax),
        (Err(error), _) | (_, Err(error)) => {
            return vec![Mistake::grave(format!(
                "{error}. Leave something out of practice.services, conditions, insurers or medical_director.background"
            ))];
        }
    };
    let found: BTreeSet<String> = found.into_iter().collect();
    let mut mistakes: Vec<Mistake> = found
        .into_iter()
        .map(|words| Mistake::grave(format!("the finished introduction has {words}: correct [practice] or the letter")))
        .collect();
    // Characters in the practice's entries are named there, with the entry.
    let is_told = !boxes(renderer.practice()).is_empty();
    let lint = fax.inspect().unwrap_or_else(|_| fax.lint.clone());
    let errors = lint.into_iter().filter(|finding| finding.severity == Severity::Error);
    mistakes.extend(errors.filter(|finding| !is_told || finding.rule != "unprintable").map(|finding| {
        Mistake::grave(format!(
            "the finished introduction as a fax: {}. Correct [practice] or the letter",
            finding.message
        ))
    }));
    mistakes
}

/// Entries with characters that no fax font has.
fn boxes(practice: &Practice) -> Vec<Mistake> {
    let director = &practice.medical_director;
    let texts = [
        ("name", Some(&practice.name)),
        ("legal_name", Some(&practice.legal_name)),
        ("street", Some(&practice.street)),
        ("city", Some(&practice.city)),
        ("state", Some(&practice.state)),
        ("website", practice.website.as_ref()),
        ("hours", practice.hours.as_ref()),
        ("response_time", Some(&practice.response_time)),
        ("description", practice.description.as_ref()),
        ("medical_director.name", Some(&director.name)),
        ("medical_director.credentials", Some(&director.credentials)),
        ("medical_director.title", Some(&director.title)),
        ("medical_director.background", Some(&director.background)),
        ("opt_out.web", practice.opt_out.web.as_ref()),
    ];
    let texts = texts.into_iter().filter_map(|(key, text)| Some((key, text?.clone())));
    let lists =
        [("services", &practice.services), ("conditions", &practice.conditions), ("insurers", &practice.insurers)];
    let entries = texts.chain(lists.into_iter().map(|(key, list)| (key, list.join(" "))));
    let found = entries.map(|(key, text)| (key, unprintable(&text))).filter(|(_, characters)| !characters.is_empty());
    let told = found.map(|(key, characters)| {
        let characters = named(&characters);
        Mistake::grave(format!("a fax prints {characters} in practice.{key} as empty boxes: write it in Latin letters"))
    });
    told.collect()
}

fn names(practice: &Practice) -> Vec<Mistake> {
    let director = &practice.medical_director;
    let mut mistakes = Vec::new();
    let (name, letters) = person(&director.name, &director.credentials);
    let bare = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    if name != director.name.trim() || bare(&letters) != bare(&director.credentials) {
        mistakes.push(Mistake::grave(format!(
            "letters are signed \"{}, {}\": write name = \"{name}\" and credentials = \"{letters}\" in \
             [practice.medical_director]",
            director.name.trim(),
            director.credentials.trim(),
        )));
    }
    let background = director.background.trim();
    if !background.is_empty() && !background.ends_with(['.', '!', '?']) {
        mistakes.push(Mistake::grave("practice.medical_director.background ends without a period: add it"));
    }
    mistakes
}

/// Entries of lists that cannot be printed as they are.
fn lists(practice: &Practice) -> Vec<Mistake> {
    let lists =
        [("services", &practice.services), ("conditions", &practice.conditions), ("insurers", &practice.insurers)];
    let mut mistakes = Vec::new();
    for (key, list) in lists {
        if list.iter().any(|entry| !entry.chars().any(char::is_alphanumeric)) {
            mistakes.push(Mistake::grave(format!("practice.{key} has an entry without words: remove it")));
        }
        if list.iter().any(|entry| entry.trim().ends_with(['.', ',', ';'])) {
            mistakes.push(Mistake::grave(format!(
                "an entry of practice.{key} ends with a period or comma: letters put their own, so remove it"
            )));
        }
    }
    mistakes
}

/// What is the sample practice's, or cannot belong to anybody.
fn invented(practice: &Practice) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    if let Ok(sample) = sample::practice() {
        let of_sample = [
            ("name", practice.name == sample.name),
            ("legal_name", practice.legal_name == sample.legal_name),
            ("street", practice.street == sample.street),
            ("medical_director.name", practice.medical_director.name == sample.medical_director.name),
            ("medical_director.background", practice.medical_director.background == sample.medical_director.background),
        ];
        let keys: Vec<String> =
            of_sample.iter().filter(|(_, same)| *same).map(|(key, _)| format!("practice.{key}")).collect();
        if !keys.is_empty() {
            mistakes
                .push(Mistake::invented(format!("the sample practice stands in {}: put in your own", keys.join(", "))));
        }
    }
    let opt_out = &practice.opt_out;
    let numbers = [
        ("phone", Some(&practice.phone)),
        ("fax", Some(&practice.fax)),
        ("referral_line", practice.referral_line.as_ref()),
        ("opt_out.phone", Some(&opt_out.phone)),
        ("opt_out.fax", Some(&opt_out.fax)),
    ];
    let keys: Vec<String> = numbers
        .into_iter()
        .filter(|(_, number)| number.is_some_and(FaxNumber::is_fictional))
        .map(|(key, _)| format!("practice.{key}"))
        .collect();
    if !keys.is_empty() {
        mistakes.push(Mistake::invented(format!(
            "a number is from the range reserved for fiction (555-01xx) in {}: put in your own",
            keys.join(", ")
        )));
    }
    let addresses = [
        ("email", Some(practice.email.as_str())),
        ("website", practice.website.as_deref()),
        ("opt_out.web", opt_out.web.as_deref()),
        ("opt_out.email", opt_out.email.as_ref().map(crate::domain::EmailAddress::as_str)),
    ];
    for (key, address) in addresses {
        if address.is_some_and(is_reserved) {
            mistakes.push(Mistake::invented(format!(
                "practice.{key} has a domain that nobody can own (such as .example): put in your own"
            )));
        }
    }
    mistakes
}

/// Whether a mailbox or web address lies in a domain reserved for examples.
fn is_reserved(address: &str) -> bool {
    let address = address.trim_start_matches("https://").trim_start_matches("http://");
    let host = address.rsplit('@').next().unwrap_or(address);
    let host = host.split(['/', ':', '?', '#']).next().unwrap_or(host).to_ascii_lowercase();
    RESERVED_DOMAINS.iter().any(|domain| match domain.strip_prefix('.') {
        Some(_) => host.ends_with(domain),
        None => host == *domain || host.ends_with(&format!(".{domain}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(practice: &Practice) -> String {
        of_practice(practice).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    fn real() -> Practice {
        let mut practice = sample::practice().expect("a sample");
        practice.name = "Birch Clinic".to_owned();
        practice.legal_name = "Birch Clinic, PC".to_owned();
        practice.street = "1 Main Street".to_owned();
        practice.medical_director.name = "Ana Roth".to_owned();
        practice.medical_director.background = "I trained in Dayton.".to_owned();
        let number = |text| FaxNumber::parse(text).expect("a number");
        (practice.phone, practice.fax, practice.referral_line) = (number("937-222-1000"), number("937-222-1001"), None);
        (practice.opt_out.phone, practice.opt_out.fax) = (number("937-222-1000"), number("937-222-1001"));
        practice.email = crate::domain::EmailAddress::parse("office@birchclinic.com").expect("an address");
        (practice.website, practice.opt_out.web, practice.opt_out.email) = (None, None, None);
        practice
    }

    #[test]
    fn a_practice_of_its_own_has_no_mistakes_and_the_sample_has_only_invented_ones() {
        assert_eq!(words(&real()), "");
        let sample = of_practice(&sample::practice().expect("a sample"));
        assert!(!sample.is_empty() && sample.iter().all(|mistake| mistake.is_invented), "{sample:?}");
    }

    #[test]
    fn letters_after_the_name_are_not_printed_twice() {
        for (name, credentials, says) in [
            ("Dr. Ana Roth, MD", "MD", "name = \"Ana Roth\" and credentials = \"MD\""),
            ("Ana Roth", "MD, MD", "credentials = \"MD\""),
            ("Dr. Ana Roth", "DO", "name = \"Ana Roth\""),
        ] {
            let mut practice = real();
            practice.medical_director.name = name.to_owned();
            practice.medical_director.credentials = credentials.to_owned();
            assert!(words(&practice).contains(says), "{name}, {credentials}: {}", words(&practice));
        }
    }

    #[test]
    fn entries_and_sentences_end_as_they_should() {
        let mut practice = real();
        practice.conditions = vec!["depression.".to_owned(), " ".to_owned()];
        practice.medical_director.background = "I trained in Dayton".to_owned();
        let said = words(&practice);
        for part in ["practice.conditions has an entry without", "ends with a period", "ends without a period"] {
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn what_a_fax_prints_as_boxes_is_named_with_its_entry_and_told_once() {
        let mut practice = real();
        practice.name = "Núñez & Łódź — 李 Clinic".to_owned();
        practice.insurers = vec!["Aetna".to_owned(), "診所".to_owned()];
        practice.medical_director.credentials = "MD ⚕龍".to_owned();
        let said = words(&practice);
        assert!(said.contains("`李` in practice.name") && !said.contains('ú'), "{said}");
        assert!(
            said.contains("in practice.insurers") && said.contains("practice.medical_director.credentials"),
            "{said}"
        );
        assert!(of_practice(&practice).iter().all(|mistake| !mistake.is_invented), "{said}");
        let renderer = Renderer::load(practice, None).expect("letters");
        let of_letter = of_introduction(&renderer).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(!of_letter.contains('李'), "{of_letter}");
        practice_prints("Núñez & Łódź Clinic");
    }

    fn practice_prints(name: &str) {
        let practice = Practice { name: name.to_owned(), ..real() };
        assert_eq!(words(&practice), "");
        assert_eq!(of_introduction(&Renderer::load(practice, None).expect("letters")), []);
    }

    /// The letters with an introduction of the house, which says this after the salutation.
    fn with_introduction(practice: Practice, body: &str) -> Renderer {
        let folder = tempfile::tempdir().expect("a folder");
        let letter = folder.path().join(LETTER);
        std::fs::create_dir(&letter).expect("made");
        let text = "+++\ntitle = \"t\"\nabout = \"a\"\nsubject = \"s\"\npurpose = \"advertisement\"\nphi = \"none\"\n\
                    category = \"introduction\"\nfax = { pages_max = 1 }\n+++\nDear {{referrer.salutation}},\n\n";
        std::fs::write(letter.join("letter.md"), format!("{text}{body}")).expect("written");
        Renderer::load(practice, Some(folder.path())).expect("letters")
    }

    #[test]
    fn what_the_lint_refuses_in_a_letter_of_the_house_is_told() {
        let renderer = with_introduction(real(), "Our clinic is called 龍 at home.\n");
        let said = of_introduction(&renderer);
        assert!(said.iter().any(|mistake| mistake.words.contains('龍') && !mistake.is_invented), "{said:?}");
    }

    #[test]
    fn domains_for_examples_are_told_from_real_ones() {
        for (address, reserved) in [
            ("office@lakeside.example", true),
            ("https://www.example.com/opt-out", true),
            ("office@myexample.com", false),
            ("https://birch.clinic/example.com", false),
        ] {
            assert_eq!(is_reserved(address), reserved, "{address}");
        }
    }

    #[test]
    fn empty_lists_leave_neither_a_heading_nor_a_lone_period() {
        let mut practice = real();
        (practice.services, practice.conditions, practice.insurers) = (Vec::new(), Vec::new(), Vec::new());
        practice.medical_director.background = String::new();
        let renderer = Renderer::load(practice, None).expect("letters");
        assert_eq!(of_introduction(&renderer), []);
    }

    #[test]
    fn a_letter_that_embarrasses_is_found_out() {
        let mut practice = real();
        practice.conditions = Vec::new();
        let body = "**We offer**\n\n**We treat** {{list practice.conditions}}.\n\nOur [phone number] is TBD..\n";
        let renderer = with_introduction(practice, body);
        let said = of_introduction(&renderer).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        for part in ["nothing under it", "no words before a period", "two periods", "left to fill in"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
