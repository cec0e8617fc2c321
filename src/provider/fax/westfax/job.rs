//! A job as WestFax describes it: one fax to one number, with the calls that were made for it. The answer about a state
//! and the description in a listing have different names for the same things.

use serde_json::Value;

use super::faults::{self, CallResult, JobState};
use crate::domain::attempt::ProviderReference;
use crate::domain::event::Fact;
use crate::domain::fault::{Failure, Fault};
use crate::provider::kit::reading;
use crate::provider::kit::reading::{count, delivered, excludes_transmission, progress, text};

/// The id that stands for none.
const NO_ID: &str = "00000000-0000-0000-0000-000000000000";

/// One dialed call.
struct Call {
    result: String,
    number: Option<String>,
    pages_sent: Option<u32>,
    pages: Option<u32>,
}

/// What we read of a job. It holds a number, so it does not print itself.
pub struct Job {
    pub id: ProviderReference,
    pub name: Option<String>,
    pub is_inbound: bool,
    state: String,
    calls: Vec<Call>,
}

impl Job {
    /// A job of `Fax_GetFaxStatus`.
    pub fn of_status(value: &Value) -> Option<Self> {
        let id = reference(&value["JobId"]).or_else(|| reference(&value["Id"]))?;
        let call = |call: &Value| Call {
            result: text(call, "CallResult").unwrap_or_default(),
            number: text(call, "PhoneNumber"),
            pages_sent: count(&call["PagesSent"]),
            pages: count(&call["JobPages"]),
        };
        let calls = calls(&value["Calls"], call)?;
        Some(Self { id, name: None, is_inbound: false, state: text(value, "JobState")?, calls })
    }

    /// A job of a listing.
    pub fn of_description(value: &Value) -> Option<Self> {
        let pages = count(&value["DocPageCount"]).filter(|pages| *pages > 0).or_else(|| count(&value["PageCount"]));
        let call = |call: &Value| Call {
            result: text(call, "Result").unwrap_or_default(),
            number: text(call, "TermNumber"),
            pages_sent: count(&call["CallPageCount"]),
            pages,
        };
        Some(Self {
            id: reference(&value["Id"])?,
            name: text(value, "JobName"),
            is_inbound: text(value, "Direction").is_some_and(|word| faults::plain(&word) == "inbound"),
            state: text(value, "Status")?,
            calls: calls(&value["FaxCallInfoList"], call)?,
        })
    }

    /// Whether one of its calls went to that number, or none tells where it went.
    pub fn may_have_gone_to(&self, ten_digits: &str) -> bool {
        let mut numbers = self.calls.iter().filter_map(|call| call.number.as_deref()).peekable();
        let digits = |number: &str| number.chars().filter(char::is_ascii_digit).collect::<String>();
        numbers.peek().is_none() || numbers.any(|number| digits(number).ends_with(ten_digits))
    }

    /// What became of it: a call that was sent counts whatever came before or after it, else the last one says why not.
    /// `None` for a job that is complete without a word of its calls.
    pub fn fact(&self) -> Option<Fact> {
        let state = faults::of_job(&self.state);
        if state == JobState::UnderWay {
            return Some(progress(&self.state));
        }
        if let Some(sent) = self.calls.iter().find(|call| faults::of_call(&call.result) == CallResult::Sent) {
            return Some(delivered(sent.pages_sent, sent.pages));
        }
        let last = self.calls.last().map(|call| (faults::of_call(&call.result), call.result.as_str()));
        match (state, last) {
            (JobState::Cancelled, _) => Some(Fact::Failed(self.failed(Fault::Cancelled, &self.state))),
            (_, Some((CallResult::Failed(fault), word))) => Some(Fact::Failed(self.failed(fault, word))),
            (JobState::Failed, _) => Some(Fact::Failed(self.failed(Fault::Unknown, &self.state))),
            (_, Some((_, word))) => Some(progress(word)),
            (_, None) => None,
        }
    }

    /// A failure in which some pages may have gone out is partial: then the whole is never repeated by itself.
    fn failed(&self, fault: Fault, code: &str) -> Failure {
        let may_have_carried = |call: &&Call| match faults::of_call(&call.result) {
            CallResult::Failed(fault) => !excludes_transmission(fault),
            CallResult::Sent | CallResult::UnderWay => true,
        };
        let carriers: Vec<&Call> = self.calls.iter().filter(may_have_carried).collect();
        let sent = carriers.iter().filter_map(|call| call.pages_sent).max();
        let broke_off = carriers.iter().any(|call| faults::broke_off(&call.result) && call.pages_sent.is_none());
        let fault = if broke_off || sent.is_some_and(|pages| pages > 0) { Fault::PartialSend } else { fault };
        let pages = if carriers.is_empty() { Some(0) } else { sent };
        Failure::new(fault).code(code).pages(pages)
    }
}

/// A job's id, in lower case, as ids are compared.
pub fn reference(value: &Value) -> Option<ProviderReference> {
    let ours = |id: &ProviderReference| id.0 != NO_ID;
    reading::reference(value).map(|id| ProviderReference(id.0.to_ascii_lowercase())).filter(ours)
}

/// The calls; none are there yet while a job waits. `None` if they are no list.
fn calls(value: &Value, read: impl Fn(&Value) -> Call) -> Option<Vec<Call>> {
    match value {
        Value::Null => Some(Vec::new()),
        value => Some(value.as_array()?.iter().map(read).collect()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A description as WestFax publishes them (westfax/snippets, Fax_GetFaxDescriptionsUsingIds-Responses.md @a02251f).
    fn fact(status: &str, doc_pages: u32, calls: &[(&str, u32)]) -> Fact {
        let call =
            |(result, pages): &(&str, u32)| json!({ "Result": result, "CallPageCount": pages, "TermNumber": "" });
        let calls: Vec<Value> = calls.iter().map(call).collect();
        let job = json!({
            "FaxCallInfoList": calls, "Id": "c5d6e7f8-b1a2-4456-8def-789012345678", "Direction": "Outbound",
            "PageCount": 3, "Status": status, "JobName": "Invoice_Q3_2026", "DocPageCount": doc_pages,
        });
        Job::of_description(&job).and_then(|job| job.fact()).expect("it can be read")
    }

    #[test]
    fn a_fax_that_was_sent_after_a_busy_call_is_delivered_wherever_its_pages_are_counted() {
        for (doc_pages, calls) in [(3, &[("Sent", 3)][..]), (3, &[("Busy", 0), ("Sent", 3)]), (0, &[("Sent", 3)])] {
            assert_eq!(fact("Complete", doc_pages, calls), Fact::Delivered { pages: Some(3) }, "{calls:?}");
        }
    }

    #[test]
    fn a_complete_job_failed_as_its_call_did() {
        for (status, result, pages, fault) in [
            ("Complete", "NoAnswer", 0, Fault::NoAnswer),
            ("Complete", "Busy", 0, Fault::Busy),
            ("Complete", "NoFaxDevice", 0, Fault::NotAFax),
            ("Complete", "InvalidNumber", 0, Fault::InvalidNumber),
            ("Complete", "ConnectionInterrupt", 1, Fault::PartialSend),
            ("Cancelled", "Cancelled", 0, Fault::Cancelled),
        ] {
            let Fact::Failed(failure) = fact(status, 3, &[(result, pages)]) else { panic!("{result} is a failure") };
            assert_eq!((failure.fault, failure.pages_confirmed), (fault, Some(pages)), "{result}");
        }
    }

    #[test]
    fn a_job_that_is_dialled_is_under_way() {
        assert_eq!(fact("Production", 3, &[("Sending", 0)]), progress("Production"));
    }
}
