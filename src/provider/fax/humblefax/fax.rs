//! A fax as HumbleFax describes it: the same object in answers and callbacks. Numbers come as numbers or as texts, and a
//! status alone or in a list of one.

use serde_json::Value;

use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::{Fact, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::AttemptId;
use crate::provider::kit::listing::Window;
use crate::provider::kit::numbers;
use crate::provider::kit::reading;
use crate::provider::kit::reading::{count, failed_after, progress, reference, text, words};

/// What we read of a fax. Only the id must be there. It holds numbers, so it does not print itself.
pub struct Fax {
    pub id: ProviderReference,
    pub status: String,
    uuid: Option<String>,
    pages: Option<u32>,
    begun_ms: Option<Timestamp>,
    recipients: Vec<Value>,
}

impl Fax {
    /// Reads a sent fax.
    pub fn read(value: &Value) -> Option<Self> {
        let status = if value["status"].is_array() { &value["status"][0] } else { &value["status"] };
        Some(Self {
            id: reference(&value["id"])?,
            status: status.as_str().unwrap_or_default().trim().to_lowercase(),
            uuid: text(value, "uuid"),
            pages: count(&value["numPages"]),
            begun_ms: words(&value["timestamp"]).and_then(|seconds| seconds.parse().ok()).map(of_seconds),
            recipients: value["recipients"].as_array().cloned().unwrap_or_default(),
        })
    }

    /// Our attempt, if it carries one.
    pub fn attempt(&self) -> Option<AttemptId> {
        self.uuid.as_deref()?.parse().ok()
    }

    /// Whether it carries no reference at all, and number and time fit.
    pub fn may_be_of(&self, number: &str, window: Window) -> bool {
        self.uuid.is_none()
            && window.holds(self.begun_ms)
            && self.recipients.iter().any(|one| numbers::is_same(&one["toNumber"], number))
    }

    /// Its state under its own id.
    pub fn report(&self) -> Report {
        Report::new(self.id.clone(), self.fact())
    }

    /// What its status says; anything unknown is progress.
    pub fn fact(&self) -> Fact {
        match self.status.as_str() {
            "success" => reading::delivered(self.arrived_in_all(), self.pages),
            "failure" => failed_after(self.failed(), self.arrived_at_most()),
            "partial success" => {
                let failure = Failure::new(Fault::PartialSend).code(&self.status);
                Fact::Failed(failure.pages(self.arrived_at_most()))
            }
            "image failure" => Fact::Failed(Failure::new(Fault::DocumentError).code(&self.status).pages(Some(0))),
            "cancelled" => failed_after(Failure::new(Fault::Cancelled).code(&self.status), self.arrived_at_most()),
            other => progress(other),
        }
    }

    /// Why it failed, by the last reason given for any call.
    fn failed(&self) -> Failure {
        match self.reason() {
            Some(reason) => Failure::new(of_reason(&reason)).code(reason),
            None => Failure::new(Fault::Unknown).code(&self.status),
        }
    }

    fn reason(&self) -> Option<String> {
        let of = |one: &Value| text(one, "failureReason");
        let of_attempt = |attempt: &Value| of(attempt).or_else(|| list(attempt, "calls").filter_map(of).next_back());
        self.recipients
            .iter()
            .find_map(|one| of(one).or_else(|| list(one, "attempts").filter_map(of_attempt).next_back()))
    }

    /// Pages that each attempt sent, where told.
    fn sent(&self) -> impl Iterator<Item = u32> {
        self.recipients
            .iter()
            .flat_map(|one| list(one, "attempts"))
            .filter_map(|attempt| count(&attempt["numPagesSent"]).or_else(|| sent_by_calls(attempt)))
    }

    /// The most pages that any one attempt sent: later attempts may have begun anew.
    fn arrived_at_most(&self) -> Option<u32> {
        self.sent().max()
    }

    /// Pages of all attempts together, for a fax that went well: later attempts may have gone on where others stopped.
    fn arrived_in_all(&self) -> Option<u32> {
        let all = self.sent().reduce(u32::saturating_add).filter(|all| *all > 0)?;
        Some(self.pages.map_or(all, |pages| all.min(pages)))
    }
}

/// The items of a list. A customer's program reads a lone attempt as an object, which is a list of one.
fn list<'a>(value: &'a Value, key: &str) -> std::slice::Iter<'a, Value> {
    match &value[key] {
        Value::Array(items) => items.iter(),
        one @ Value::Object(_) => std::slice::from_ref(one).iter(),
        _ => [].iter(),
    }
}

/// The most pages that one call of an attempt sent, for an attempt that does not tell itself.
fn sent_by_calls(attempt: &Value) -> Option<u32> {
    list(attempt, "calls").filter_map(|call| count(&call["pagesSent"])).max()
}

fn of_seconds(seconds: i64) -> Timestamp {
    Timestamp(seconds.saturating_mul(1000))
}

/// `failureReason`, in the words that are known second-hand. No word here says that a number does not exist: what
/// might declare a number dead is not guessed.
fn of_reason(reason: &str) -> Fault {
    let reason = reason.to_lowercase();
    let says = |words: &str| reason.contains(words);
    if says("busy") {
        Fault::Busy
    } else if says("did not pick up") || says("no answer") {
        Fault::NoAnswer
    } else if says("no fax machine") {
        Fault::NotAFax
    } else {
        Fault::Unknown
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fact(status: &str, sent: &[u32]) -> Fact {
        let attempts: Vec<Value> = sent.iter().map(|pages| json!({ "numPagesSent": pages })).collect();
        let fax = json!({ "id": 7, "status": status, "numPages": "3", "recipients": [{ "attempts": attempts }] });
        Fax::read(&fax).expect("it has an id").fact()
    }

    #[test]
    fn pages_sent_over_several_attempts_count_together_only_if_all_went_well() {
        assert_eq!(fact("success", &[1, 2]), Fact::Delivered { pages: Some(3) });
        assert_eq!(fact("success", &[1, 3]), Fact::Delivered { pages: Some(3) });
        assert_eq!(fact("success", &[]), Fact::Delivered { pages: None });
        let Fact::Failed(failure) = fact("failure", &[1, 1]) else { panic!("it failed") };
        assert_eq!((failure.fault, failure.pages_confirmed), (Fault::PartialSend, Some(1)));
    }

    #[test]
    fn a_success_of_which_pages_are_missing_is_a_partial_send() {
        let Fact::Failed(failure) = fact("success", &[2]) else { panic!("a page is missing") };
        assert_eq!((failure.fault, failure.pages_confirmed), (Fault::PartialSend, Some(2)));
    }
}
