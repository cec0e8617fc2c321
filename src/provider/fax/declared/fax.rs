//! A fax as the provider describes it: the same words in answers, listings and callbacks.

use serde::Deserialize;
use serde_json::Value;

use super::answer::{Reader, of_rules, reference};
use super::description::FaxShape;
use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::{Billed, Fact};
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::AttemptId;
use crate::provider::kit::reading::{count, delivered, excludes_transmission, failed_after, moment, progress};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// What a word for a state means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum State {
    /// On its way.
    Progress,
    /// All of it arrived.
    Delivered,
    /// It did not arrive; why, the rules for faults say.
    Failed,
    /// It did not arrive, for this reason.
    Fault(Fault),
}

impl TryFrom<String> for State {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "progress" => Ok(Self::Progress),
            "delivered" => Ok(Self::Delivered),
            "failed" => Ok(Self::Failed),
            word => {
                let fault: Result<Fault, String> = word.parse();
                fault
                    .map(Self::Fault)
                    .map_err(|known| format!("write progress, delivered, failed, or why it failed: {known}"))
            }
        }
    }
}

impl FaxShape {
    /// Their reference.
    #[must_use]
    pub fn reference(&self, json: &Value) -> Option<ProviderReference> {
        self.reference.word(json).and_then(|word| reference(&word))
    }

    /// Our attempt, if it stands there whole: as a UUID, or that in base64.
    #[must_use]
    pub fn attempt(&self, json: &Value) -> Option<AttemptId> {
        let word = self.ours.word(json)?;
        let decoded = || String::from_utf8(BASE64.decode(&word).ok()?).ok()?.parse().ok();
        word.parse().ok().or_else(decoded)
    }

    /// Whether it is one that we do not send: received, or of another kind.
    #[must_use]
    pub fn is_skipped(&self, json: &Value) -> bool {
        self.skip.iter().any(|(at, words)| {
            at.word(json).is_some_and(|said| words.iter().any(|word| word.eq_ignore_ascii_case(&said)))
        })
    }

    /// What its own word for its state says; `None` if there is no such word.
    #[must_use]
    pub fn fact(&self, json: &Value, reader: &Reader<'_>) -> Option<Fact> {
        let word = self.state.word(json)?;
        Some(self.fact_of(self.meaning(&word), &word, json, reader))
    }

    fn meaning(&self, word: &str) -> State {
        let known = self.states.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
        known.map_or(State::Progress, |(_, state)| *state)
    }

    /// What it means for the fax to be in a state that is called so.
    #[must_use]
    pub fn fact_of(&self, state: State, word: &str, json: &Value, reader: &Reader<'_>) -> Fact {
        let (pages, total) = (self.pages.value(json).and_then(count), self.pages_total.value(json).and_then(count));
        match state {
            State::Progress => progress(&reader.clean(self.stage.word(json).as_deref().unwrap_or(word))),
            // Where nobody counts what was confirmed, "delivered" means all of it.
            State::Delivered if self.pages.is_empty() => delivered(total, None),
            State::Delivered => delivered(pages, total),
            State::Failed => {
                let fault = of_rules(&self.faults, json).unwrap_or(Fault::Unknown);
                ended(self.failure(fault, json, reader), pages)
            }
            State::Fault(fault) => {
                let failure = self.failure(fault, json, reader);
                let has_code = failure.raw_code.is_some();
                ended(if has_code { failure } else { failure.code(reader.clean(word)) }, pages)
            }
        }
    }

    fn failure(&self, fault: Fault, json: &Value, reader: &Reader<'_>) -> Failure {
        let failure = Failure::new(fault);
        let failure = match self.code.words(json) {
            words if words.is_empty() => failure,
            words => failure.code(reader.clean(&words.join(" "))),
        };
        match self.text.words(json) {
            words if words.is_empty() => failure,
            words => failure.text(reader.clean(&words.join("; "))),
        }
    }

    /// The charge. Before the end the sum may change.
    #[must_use]
    pub fn billed(&self, json: &Value, fact: &Fact) -> Option<Billed> {
        if matches!(fact, Fact::Progress { .. }) {
            return None;
        }
        Billed::new(&self.cost.word(json)?, self.cost_unit.as_deref()?)
    }

    /// When it was made.
    #[must_use]
    pub fn created(&self, json: &Value) -> Option<Timestamp> {
        self.created.word(json).as_deref().and_then(moment)
    }
}

/// A failure with what was confirmed. Where the fault itself excludes that a page was sent, none was.
fn ended(failure: Failure, pages: Option<u32>) -> Fact {
    failed_after(failure.clone(), pages.or_else(|| excludes_transmission(failure.fault).then_some(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::fax::declared::replies::Answers;
    use serde_json::json;

    const SHAPE: &str = "state = '/status'\npages = '/sent'\npages_total = '/pages'\ncode = '/code'\n\
                         states = { ok = 'delivered', bad = 'failed', part = 'partial_send', off = 'cancelled' }\n\
                         cost = '/cost'\ncost_unit = 'USD'\n[[faults]]\nat = '/code'\nis = { E1 = 'busy', E2 = 'line_error' }";

    fn fact(json: Value) -> Option<Fact> {
        let shape: FaxShape = toml::from_str(SHAPE).expect("a shape");
        shape.fact(&json, &Reader { answers: &Answers::default(), secrets: &[] })
    }

    fn failure(json: Value) -> (Fault, Option<String>, Option<u32>) {
        match fact(json) {
            Some(Fact::Failed(failure)) => (failure.fault, failure.raw_code, failure.pages_confirmed),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_for_states_mean_what_the_description_says_and_others_are_progress() {
        assert_eq!(fact(json!({ "status": "OK", "sent": "2", "pages": 2 })), Some(Fact::Delivered { pages: Some(2) }));
        assert_eq!(fact(json!({ "status": "pondering" })), Some(Fact::Progress { stage: "pondering".to_owned() }));
        assert_eq!(fact(json!({ "state": "ok" })), None);
        assert_eq!(failure(json!({ "status": "off" })).0, Fault::Cancelled);
    }

    #[test]
    fn fewer_pages_than_there_are_make_a_partial_send_whatever_it_is_called() {
        assert_eq!(failure(json!({ "status": "ok", "sent": 1, "pages": 2 })), (Fault::PartialSend, None, Some(1)));
        let part = (Fault::PartialSend, Some("part".to_owned()), Some(1));
        assert_eq!(failure(json!({ "status": "part", "sent": 1 })), part);
        let dropped = failure(json!({ "status": "bad", "code": "E2", "sent": 1 }));
        assert_eq!(dropped, (Fault::PartialSend, Some("E2".to_owned()), Some(1)));
    }

    #[test]
    fn a_code_nobody_described_is_unknown_and_kept() {
        assert_eq!(failure(json!({ "status": "bad", "code": "E9" })), (Fault::Unknown, Some("E9".to_owned()), None));
        assert_eq!(failure(json!({ "status": "bad", "code": "e1" })), (Fault::Busy, Some("e1".to_owned()), Some(0)));
    }

    #[test]
    fn times_are_read_as_text_seconds_or_milliseconds() {
        let at = Some(Timestamp(1_795_446_000_000));
        assert_eq!(moment("2026-11-23T15:00:00Z"), at);
        assert_eq!(moment("1795446000"), at);
        assert_eq!(moment("1795446000000"), at);
        assert_eq!(moment("yesterday"), None);
    }
}
