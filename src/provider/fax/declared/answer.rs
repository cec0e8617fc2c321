//! From an HTTP answer to what it means.

use secrecy::SecretString;
use serde_json::Value;

use super::description::Send;
use super::replies::{Answers, Rule, Signs};
use crate::domain::Outcome;
use crate::domain::attempt::ProviderReference;
use crate::domain::fault::{Failure, Fault};
use crate::http::{Answer, Verdict};
use crate::provider::kit::client::{REDIRECTED, without};
use crate::provider::kit::reading;
use crate::provider::kit::reading::unreadable;

/// Longest id of theirs.
const ID_CHARS_MAX: usize = 100;

/// Reads answers of one provider.
pub struct Reader<'a> {
    /// How it says that something is wrong.
    pub answers: &'a Answers,
    /// What must not be repeated.
    pub secrets: &'a [SecretString],
}

impl Reader<'_> {
    /// What the answer to the call that dials means.
    #[must_use]
    pub fn outcome(&self, answer: &Answer, send: &Send) -> Outcome {
        match answer.verdict() {
            Verdict::No => Outcome::Refused(self.failure(answer, send.signs())),
            Verdict::Open => Outcome::Unknown(self.failure(answer, send.signs())),
            Verdict::Done => self.accepted(answer, send),
        }
    }

    fn accepted(&self, answer: &Answer, send: &Send) -> Outcome {
        let json = answer.json().unwrap_or_default();
        let code = answer.status.to_string();
        match self.is_success(&json, send.signs()) {
            Some(true) => {}
            Some(false) => return Outcome::Refused(self.failure(answer, send.signs())),
            None => return Outcome::Unknown(unreadable("the answer does not say whether it was taken").code(code)),
        }
        match send.reference.word_of(answer, &json).and_then(|word| reference(&word)) {
            Some(reference) => Outcome::Accepted { reference },
            None => Outcome::Unknown(unreadable("accepted, but the answer holds no reference").code(code)),
        }
    }

    /// Whether a 2xx is a success after all; `None` if it does not say.
    fn is_success(&self, json: &Value, signs: Signs<'_>) -> Option<bool> {
        if self.refusal(json, signs).is_some() {
            return Some(false);
        }
        let Some(success) = signs.success.or(self.answers.success.as_ref()) else { return Some(true) };
        let word = success.at.word(json)?;
        Some(success.is.iter().any(|good| good.eq_ignore_ascii_case(&word)))
    }

    /// What the word means with which a 2xx refuses, if it holds one.
    fn refusal(&self, json: &Value, signs: Signs<'_>) -> Option<Fault> {
        let refused = signs.refused.or(self.answers.refused.as_ref())?;
        let said = refused.at.word(json)?;
        refused.is.iter().find(|(word, _)| word.eq_ignore_ascii_case(&said)).map(|(_, fault)| *fault)
    }

    /// The JSON of a success.
    ///
    /// # Errors
    /// It is none, or not JSON.
    pub fn json(&self, answer: &Answer, signs: Signs<'_>) -> Result<Value, Failure> {
        let failed = || self.failure(answer, signs);
        if !answer.is_success() {
            return Err(failed());
        }
        let json = reading::json(answer)?;
        match self.is_success(&json, signs) {
            Some(true) => Ok(json),
            Some(false) => Err(failed()),
            None => Err(unreadable("the answer does not say whether it was a success")),
        }
    }

    /// A success, whatever its body; but where a success says so in its body, it must say so.
    ///
    /// # Errors
    /// It is none.
    pub fn done(&self, answer: &Answer, signs: Signs<'_>) -> Result<(), Failure> {
        let says_so = signs.success.or(self.answers.success.as_ref()).is_some();
        if says_so && answer.is_success() && !answer.body.is_empty() {
            return self.json(answer, signs).map(|_| ());
        }
        let is_refused = || answer.json().is_some_and(|json| self.refusal(&json, signs).is_some());
        if answer.is_success() && !is_refused() { Ok(()) } else { Err(self.failure(answer, signs)) }
    }

    /// An answer that is not a success, as a failure.
    #[must_use]
    pub fn failure(&self, answer: &Answer, signs: Signs<'_>) -> Failure {
        let json = answer.json().unwrap_or_default();
        let code = self.answers.code.word_of(answer, &json).unwrap_or_else(|| answer.status.to_string());
        let failure = Failure::new(self.fault(answer, &json, signs)).code(self.clean(&code));
        let failure = failure.retry_after(answer.retry_after_seconds);
        match self.words(answer, &json) {
            words if words.is_empty() => failure,
            words => failure.text(words),
        }
    }

    /// The status where it is clear by itself; otherwise the rules for the body; otherwise its word for a refusal;
    /// otherwise what the description says of the status.
    fn fault(&self, answer: &Answer, json: &Value, signs: Signs<'_>) -> Fault {
        let said = signs.statuses.get(answer.status.to_string().as_str()).copied();
        let plain = if answer.is_success() { Fault::Unknown } else { answer.fault() };
        if plain != Fault::Unknown {
            return said.unwrap_or(plain);
        }
        let refusal = || self.refusal(json, signs).filter(|_| answer.is_success());
        of_rules(&self.answers.faults, json).or_else(refusal).or(said).unwrap_or(Fault::Unknown)
    }

    fn words(&self, answer: &Answer, json: &Value) -> String {
        if matches!(answer.status, 300..=399) {
            return REDIRECTED.to_owned();
        }
        self.clean(&self.answers.text.words(json).join("; "))
    }

    /// Their words without our secrets.
    #[must_use]
    pub fn clean(&self, words: &str) -> String {
        without(words, self.secrets)
    }
}

/// What the first rule that fits says.
#[must_use]
pub fn of_rules(rules: &[Rule], json: &Value) -> Option<Fault> {
    rules.iter().find_map(|rule| of_rule(rule, json))
}

fn of_rule(rule: &Rule, json: &Value) -> Option<Fault> {
    let meant = |(at, word): (&crate::provider::kit::pointer::Pointer, &String)| {
        let said = at.word(json);
        if word.is_empty() { said.is_none() } else { said.is_some_and(|said| said.eq_ignore_ascii_case(word)) }
    };
    if !rule.when.iter().all(meant) {
        return None;
    }
    let said = rule.at.word(json)?.to_lowercase();
    let whole = rule.is.iter().find(|(word, _)| word.to_lowercase() == said).map(|(_, fault)| *fault);
    let part = || {
        let fitting = rule.has.iter().filter(|(piece, _)| holds(&said, &piece.to_lowercase()));
        fitting.max_by_key(|(piece, _)| piece.len()).map(|(_, fault)| *fault)
    };
    whole.or_else(part)
}

/// Whether the parts of a piece, between its asterisks, follow each other in the text.
fn holds(text: &str, piece: &str) -> bool {
    let mut rest = text;
    piece.split('*').all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

/// A reference of theirs, if the word can be one: it will stand in URLs.
#[must_use]
pub fn reference(word: &str) -> Option<ProviderReference> {
    if is_one_part(word) { ProviderReference::new(word) } else { None }
}

/// Whether a word can stand as one part of a path without changing its meaning.
#[must_use]
pub fn is_one_part(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    (1..=ID_CHARS_MAX).contains(&word.len()) && word.chars().all(plain) && word.chars().any(|c| c != '.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_rule_that_fits_counts_and_the_longest_piece_of_it() {
        let rules = "[[rule]]\nat = '/id'\nwhen = { '/type' = 'faxError' }\nis = { 133 = 'blocked' }\n\
                     [[rule]]\nat = '/id'\nis = { 133 = 'document_error' }\n\
                     [[rule]]\nat = '/text'\nhas = { 'busy' = 'busy', 'busy signal lost' = 'line_error' }";
        let rules: std::collections::BTreeMap<String, Vec<Rule>> = toml::from_str(rules).expect("rules");
        let fault = |json: Value| of_rules(&rules["rule"], &json);
        assert_eq!(fault(json!({ "id": 133, "type": "FaxError" })), Some(Fault::Blocked));
        assert_eq!(fault(json!({ "id": "133", "type": "documentConversionError" })), Some(Fault::DocumentError));
        assert_eq!(fault(json!({ "text": "Line Busy." })), Some(Fault::Busy));
        assert_eq!(fault(json!({ "text": "busy signal lost" })), Some(Fault::LineError));
        assert_eq!(fault(json!({ "id": 7, "text": "none" })), None);
        assert!(holds("number +1 is invalid", "number*invalid") && !holds("invalid number", "number*invalid"));
    }

    #[test]
    fn a_reference_that_would_change_a_path_is_none() {
        for bad in ["", ".", "..", "a/b", "a b", "a%2fb", "a?b", "<html>", "é"] {
            assert!(reference(bad).is_none(), "{bad}");
        }
        assert!(reference("0ccc7b54-4df3").is_some() && reference("a.b~c_1").is_some());
    }
}
