//! No letter that comes with the program says of a practice what its profile does not, and every one says what it is.

use serde_json::{Map, Value, json};
use touchline::domain::channel::Purpose;
use touchline::domain::practice::Practice;
use touchline::render::{Kind, Letter, Renderer};

use super::{built_in, job, practice, referrer, text_of};

/// A practice that names these and has no line about itself.
fn naming(conditions: &[&str], services: &[&str]) -> Renderer {
    let texts = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
    let mut naming = practice();
    (naming.name, naming.legal_name) = ("Birch Clinic".to_owned(), "Birch Clinic".to_owned());
    (naming.description, naming.medical_director.background) = (None, String::new());
    (naming.conditions, naming.services) = (texts(conditions), texts(services));
    load(naming)
}

fn load(practice: Practice) -> Renderer {
    Renderer::load(practice, None).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// Values for what has no default, which say nothing of anybody.
fn saying_nothing(letter: &Letter) -> Map<String, Value> {
    let filled = letter.variables.iter().filter(|variable| variable.default.is_none()).map(|variable| {
        let value = match variable.kind {
            Kind::Date => json!("2026-12-01"),
            Kind::Number => json!(40),
            Kind::List => json!(["peers.example"]),
            _ => json!("peers.example"),
        };
        (variable.name.clone(), value)
    });
    filled.collect()
}

/// Everything that a recipient of the letter reads, on paper and as mail, on one line.
fn said(renderer: &Renderer, letter: &str, variables: &Map<String, Value>) -> [String; 2] {
    let referrer = referrer();
    let job = job(letter, &referrer, variables);
    let fax = renderer.fax(&job).unwrap_or_else(|error| panic!("{letter}: {error}"));
    let (mail, _) = renderer.mail(&job).unwrap_or_else(|error| panic!("{letter}: {error}"));
    [text_of(&fax), format!("{}\n{}", mail.subject, mail.text)].map(|text| text.replace(['\n', '\u{a0}'], " "))
}

#[test]
fn no_built_in_letter_names_a_condition_or_treatment_that_the_practice_does_not_name() {
    let (none, words): (&[&str], [&str; 4]) = (&[], ["depress", "ocd", "tms", "ketamine"]);
    for (conditions, services, named) in [
        (none, none, none),
        (&["depression"], &["medication management"], &["depress"]),
        (&["generalized anxiety disorder"], &["accelerated TMS"], &["tms"]),
        (&["obsessive-compulsive disorder (OCD)"], &["psychotherapy"], &["ocd"]),
        (&["major depressive disorder"], &["IV ketamine (off-label)"], &["depress", "ketamine"]),
    ] {
        let renderer = naming(conditions, services);
        for letter in renderer.letters().filter(|letter| letter.purpose != Purpose::Treatment) {
            for text in said(&renderer, &letter.name, &saying_nothing(letter)) {
                let text = text.to_lowercase();
                for word in words.iter().filter(|word| !named.contains(word)) {
                    assert!(!text.contains(word), "{}, {conditions:?}, {services:?}: {word} in {text}", letter.name);
                }
            }
        }
    }
}

#[test]
fn what_the_practice_names_is_said_in_its_introduction_and_its_quick_reference() {
    let nothing = Map::new();
    for (conditions, line) in [
        (&["depression"][..], "depression that persists after two adequate antidepressant trials"),
        (&["OCD"], "OCD that persists despite medication and exposure therapy"),
        (&["OCD"], "symptoms that persist after two adequate medication trials"),
        (&[], "side effects that keep ending medication trials early"),
    ] {
        for text in said(&naming(conditions, &[]), "introduction", &nothing) {
            assert!(text.contains(line), "{conditions:?}: {line} in {text}");
        }
    }
    let renderer = naming(&["depression"], &["IV ketamine for depression (off-label)"]);
    let checked = saying_nothing(renderer.letter("quick-reference").expect("built in"));
    let [page, _] = said(&renderer, "quick-reference", &checked);
    assert!(page.contains("blood pressure, psychosis") && page.contains("Ketamine: a ride home"), "{page}");
    assert!(!page.contains("Esketamine") && !page.contains("the same, and"), "{page}");
    let own = json!({ "candidates": ["sleep that does not return"] });
    for text in said(&renderer, "introduction", own.as_object().expect("an object")) {
        assert!(text.contains("sleep that does not return") && !text.contains("side effects"), "{text}");
    }
}

#[test]
fn a_practice_without_a_line_about_itself_says_what_it_is_in_the_first_sentence() {
    let renderer = naming(&[], &[]);
    for letter in ["article", "insurer", "evening-hours", "coordinator"] {
        let what = "an interventional psychiatry practice in Evanston";
        let sample = &renderer.letter(letter).expect("built in").sample;
        for text in said(&renderer, letter, sample) {
            assert_eq!(text.matches(what).count(), 1, "{letter}: {text}");
        }
        for text in said(built_in(), letter, sample) {
            assert!(!text.contains(what), "{letter}: its line under the name says it: {text}");
        }
    }
}

#[test]
fn a_story_asks_for_one_thing() {
    let sample = &built_in().letter("success-story").expect("built in").sample;
    for text in said(built_in(), "success-story", sample) {
        assert_eq!(text.matches("One request:").count(), 1, "{text}");
    }
}
