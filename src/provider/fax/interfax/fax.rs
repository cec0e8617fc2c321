//! A fax as InterFAX describes it: a record in an answer, or the fields of a callback.

use serde_json::Value;

use super::{InterFax, faults};
use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::{Billed, Fact, Report};
use crate::domain::fault::Failure;
use crate::provider::kit::fields::Fields;
use crate::provider::kit::reading::{count, delivered, excludes_transmission, failed_after, progress, text, words};

/// What we read of a fax. It holds a number, so it does not print itself.
pub struct Fax {
    pub id: ProviderReference,
    /// Below 0 it is under way, 0 is sent, above 0 it failed for good.
    pub status: i64,
    pub pages_submitted: Option<u32>,
    pub pages_sent: Option<u32>,
    /// How often it was dialed; not in callbacks.
    pub attempts: Option<u32>,
    pub units: Option<f64>,
    pub cost_per_unit: Option<f64>,
    /// Only in records.
    pub to: Option<String>,
    pub reference: Option<String>,
    pub submitted_ms: Option<Timestamp>,
}

impl Fax {
    /// A record, whose id and status must be readable.
    pub fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: reference(&words(&value["id"])?)?,
            status: words(&value["status"])?.parse().ok()?,
            pages_submitted: count(&value["pagesSubmitted"]),
            pages_sent: count(&value["pagesSent"]),
            attempts: count(&value["attemptsMade"]),
            units: decimal(words(&value["units"]).as_deref()),
            cost_per_unit: decimal(words(&value["costPerUnit"]).as_deref()),
            to: text(value, "destinationFax"),
            reference: text(value, "reference"),
            submitted_ms: text(value, "submitTime").as_deref().and_then(gmt),
        })
    }

    /// The fields of a callback.
    pub fn of_fields(fields: &Fields) -> Option<Self> {
        Some(Self {
            id: reference(fields.get(&["TransactionID"])?)?,
            status: fields.get(&["Status"])?.parse().ok()?,
            pages_submitted: fields.count(&["PagesSubmitted"]),
            pages_sent: fields.count(&["PagesSent"]),
            attempts: None,
            units: decimal(fields.get(&["Units"])),
            cost_per_unit: decimal(fields.get(&["CostPerUnit"])),
            to: None,
            reference: None,
            submitted_ms: None,
        })
    }

    /// What its status says.
    pub fn fact(&self) -> Fact {
        match self.status {
            status @ ..0 => progress(faults::stage(status)),
            0 => delivered(self.pages_sent, self.pages_submitted),
            status => {
                let fault = faults::of_status(status);
                let failure = Failure::new(fault).code(status.to_string());
                // A line that was busy at the only attempt has sent nothing; at the last of several, an earlier one may.
                let excluded = excludes_transmission(fault) && self.attempts.is_none_or(|attempts| attempts <= 1);
                failed_after(failure, if excluded { Some(0) } else { self.pages_sent })
            }
        }
    }
}

impl InterFax {
    pub(super) fn report(&self, fax: &Fax) -> Report {
        Report { billed: self.charge(fax), ..Report::new(fax.id.clone(), fax.fact()) }
    }

    /// What a finished fax cost: money if the account's currency is known, else InterFAX' own units.
    pub(super) fn charge(&self, fax: &Fax) -> Option<Billed> {
        let units = fax.units.filter(|_| fax.status >= 0)?;
        match &self.currency {
            Some(currency) => Billed::new(&plain(units * fax.cost_per_unit?), currency),
            None => Billed::new(&plain(units), "units"),
        }
    }
}

/// A transaction's number.
pub fn reference(text: &str) -> Option<ProviderReference> {
    let is_number = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { ProviderReference::new(text) } else { None }
}

/// A time without a zone, which is GMT in the documentation.
pub fn gmt(text: &str) -> Option<Timestamp> {
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%d/%m/%Y %H:%M:%S"];
    let mut read = formats.iter().filter_map(|format| chrono::NaiveDateTime::parse_from_str(text, format).ok());
    read.next().and_then(|time| Timestamp::written(time.and_utc()))
}

fn decimal(text: Option<&str>) -> Option<f64> {
    text?.parse().ok().filter(|number: &f64| number.is_finite() && (0.0..1e9).contains(number))
}

/// At most four decimals, as InterFAX gives them, without empty ones.
fn plain(number: f64) -> String {
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_is_written_without_empty_decimals() {
        assert_eq!([plain(1.0), plain(0.15), plain(0.45 * 3.0), plain(10.0)], ["1", "0.15", "1.35", "10"]);
    }

    #[test]
    fn times_are_gmt_in_both_of_their_forms() {
        assert_eq!(gmt("2026-11-23T15:00:00"), gmt("23/11/2026 15:00:00"));
        assert_eq!(
            gmt("2026-11-23T15:00:00").map(|time| time.to_string()),
            Some("2026-11-23T15:00:00.000Z".to_owned())
        );
        assert_eq!(gmt("yesterday"), None);
    }
}
