//! What must hold of a description beyond its types. Every mistake is found at once.

use super::description::{Description, Exactly, Meaning, Proof};
use crate::domain::fault::AddressEvidence;
use crate::domain::returned::ReturnClass;
use crate::provider::kit::problem::{DescriptionError, Problem, place};
use crate::provider::kit::signature::{Piece, pieces};

/// Longest name.
const NAME_CHARS_MAX: usize = 40;

/// Reads a description and checks it.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn parse(file: &str, text: &str) -> Result<Description, DescriptionError> {
    let description: Description = toml::from_str(text).map_err(|error| {
        let place = error.span().map(|span| place(text, span.start));
        let message = error.message().replace('\n', " ");
        DescriptionError { file: file.to_owned(), problems: vec![Problem { place, message }] }
    })?;
    let messages: Vec<String> =
        [head(&description), proof(&description), event(&description), words(&description)].concat();
    if messages.is_empty() {
        return Ok(description);
    }
    let problems = messages.into_iter().map(|message| Problem { place: None, message }).collect();
    Err(DescriptionError { file: file.to_owned(), problems })
}

fn noted(checks: &[(bool, &str)]) -> Vec<String> {
    checks.iter().filter(|(is_wrong, _)| *is_wrong).map(|(_, message)| (*message).to_owned()).collect()
}

fn head(description: &Description) -> Vec<String> {
    let name = description.name.as_str();
    let is_word = (1..=NAME_CHARS_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
    noted(&[
        (!is_word, "name must be 1 to 40 of: a-z, 0-9, hyphen, underscore"),
        (
            description.title.trim().is_empty() || description.sources.is_empty(),
            "title and sources must say which provider this is, and where its facts come from",
        ),
    ])
}

fn proof(description: &Description) -> Vec<String> {
    let proof = &description.proof;
    let mut wrong =
        noted(&[(!(30..=86_400).contains(&proof.tolerance_seconds), "[proof] tolerance_seconds is from 30 to 86,400")]);
    let needs_header = !matches!(proof.kind, Proof::Basic | Proof::StandardWebhooks);
    let is_header =
        |name: &String| reqwest::header::HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes()).is_ok();
    wrong.extend(noted(&[
        (
            needs_header && !proof.header.as_ref().is_some_and(is_header),
            "[proof] header must name the header that holds the signature or the secret",
        ),
        (!needs_header && proof.header.is_some(), "[proof] header is not used by this kind: remove it"),
    ]));
    let Some(signature) = proof.signature() else { return wrong };
    let has_time = proof.timestamp_header.is_some() || proof.timestamp_part.is_some();
    match pieces(signature.signed) {
        Err(why) => wrong.push(format!("[proof] signed: {why}")),
        Ok(pieces) => wrong.extend(noted(&[
            (!pieces.contains(&Piece::Body), "[proof] signed must hold {body}: anything else could be changed"),
            (
                pieces.contains(&Piece::Timestamp) != has_time,
                "[proof] a time counts only if it is signed: give timestamp_header or timestamp_part, and {timestamp} in signed",
            ),
        ])),
    }
    wrong
}

fn event(description: &Description) -> Vec<String> {
    let event = &description.event;
    noted(&[
        (event.word.is_empty(), "[event] word must say where the word for what happened stands"),
        (event.recipient.is_empty(), "[event] recipient must say where the address stands"),
        (
            event.attempt.is_empty() && event.message_id.is_empty() && event.reference.is_empty(),
            "nothing says which letter an event is about: give [event] attempt, message_id or reference",
        ),
    ])
}

fn words(description: &Description) -> Vec<String> {
    let mut wrong = noted(&[(description.words.is_empty(), "[words] lists no word: nothing would ever be a fact")]);
    for (word, meaning) in &description.words {
        if let Meaning::Exactly(Exactly { class, fault, .. }) = meaning
            && *class != ReturnClass::Hard
            && fault.evidence() == AddressEvidence::Dead
        {
            wrong.push(format!(
                "[words] {word}: the fault {} says that the address is bad: write class = \"hard\"",
                fault.as_str()
            ));
        }
    }
    wrong
}
