//! A fax as SRFax describes it: the record in answers about the state, in the outbox, and in its notifications.

use serde_json::Value;

use super::faults;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::{Fact, Report};
use crate::domain::fault::Failure;
use crate::domain::id::AttemptId;
use crate::provider::kit::fields::Fields;
use crate::provider::kit::reading;
use crate::provider::kit::reading::{count, failed_with, progress, text, words};

/// Characters of `sAccountCode`.
const ACCOUNT_CODE_CHARS: usize = 20;

/// What we read of a fax. Its error may repeat a number, so it does not print itself.
pub struct Record {
    /// The id alone or the part of the file's name after its bar.
    pub reference: Option<ProviderReference>,
    pub sent_status: String,
    pub error: Option<String>,
    pub pages: Option<u32>,
    pub account_code: Option<String>,
}

impl Record {
    /// A record of an answer, if it tells a state.
    pub fn read(value: &Value) -> Option<Self> {
        let named = || text(value, "FileName").as_deref().and_then(id_in_name);
        Some(Self {
            reference: reading::reference(&value["FaxDetailsID"]).or_else(named),
            sent_status: text(value, "SentStatus")?,
            error: text(value, "ErrorCode"),
            pages: count(&value["Pages"]),
            account_code: words(&value["AccountCode"]),
        })
    }

    /// The fields of a notification, if they name a fax and tell its state.
    pub fn of_fields(fields: &Fields) -> Option<Self> {
        let id = fields.get(&["FaxDetailsID", "sFaxDetailsID"]).map(|id| Value::from(id.to_owned()));
        let named = || fields.get(&["FileName", "FaxFileName", "sFaxFileName"]).and_then(id_in_name);
        let record = Self {
            reference: id.as_ref().and_then(reading::reference).or_else(named),
            sent_status: fields.get(&["SentStatus"])?.to_owned(),
            error: fields.get(&["ErrorCode"]).map(str::to_owned),
            pages: fields.count(&["Pages"]),
            account_code: fields.get(&["AccountCode"]).map(str::to_owned),
        };
        record.reference.is_some().then_some(record)
    }

    /// Whether it carries the reference of an attempt.
    pub fn is_of(&self, attempt: AttemptId) -> bool {
        self.account_code.as_ref().is_some_and(|code| code.eq_ignore_ascii_case(&account_code(attempt)))
    }

    /// What its state says. Only `Sent` and `Failed` are final; anything unknown is progress.
    pub fn fact(&self) -> Fact {
        match self.sent_status.to_ascii_lowercase().as_str() {
            "sent" => Fact::Delivered { pages: self.pages },
            "failed" => self.failed(),
            _ => progress(&self.sent_status),
        }
    }

    pub fn report(&self, reference: ProviderReference) -> Report {
        Report::new(reference, self.fact())
    }

    /// Why it failed. Whether `Pages` of a failed fax counts pages sent is nowhere told: where the error does not
    /// exclude that a page went out, some may have arrived, and then the whole is never repeated.
    fn failed(&self) -> Fact {
        let error = self.error.as_deref().unwrap_or_default();
        let failure = Failure::new(faults::of_error(error));
        failed_with(if error.is_empty() { failure } else { failure.code(error) }, self.pages)
    }
}

/// Our reference, as far as it fits: the first digits of the attempt's id.
pub fn account_code(attempt: AttemptId) -> String {
    attempt.0.simple().to_string().chars().take(ACCOUNT_CODE_CHARS).collect()
}

/// `20180101230101-8812-34_0|31524120`: the id stands after the bar.
fn id_in_name(name: &str) -> Option<ProviderReference> {
    let (_, id) = name.rsplit_once('|')?;
    reading::reference(&Value::from(id.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_stands_after_the_bar_of_the_name() {
        assert_eq!(id_in_name("20180101230101-8812-34_0|31524120"), ProviderReference::new("31524120"));
        for name in ["20180101230101", "31524120|", "|", "", "a|../b"] {
            assert_eq!(id_in_name(name), None, "{name}");
        }
    }

    #[test]
    fn the_account_code_is_as_long_as_it_may_be() {
        let attempt = "0199c0de-7a11-7000-8000-00000000c0de".parse().expect("a constant UUID");
        assert_eq!(account_code(attempt), "0199c0de7a1170008000");
    }
}
