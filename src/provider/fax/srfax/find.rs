//! Looking for a fax whose creation got no answer: the outbox of the days around the attempt, compared by our reference.
//!
//! The outbox is documented as the list of faxes sent; one that still waits or sends may stand elsewhere. So a fax that
//! is found is ours for certain, and one that is not found proves nothing: then looking did not work, and a person
//! decides in the end.

use std::time::Duration;

use serde_json::{Value, json};

use super::SrFax;
use super::record::Record;
use crate::domain::Timestamp;
use crate::domain::fault::{Failure, Fault};
use crate::provider::kit::reading::unreadable;
use crate::provider::{FindQuery, FindResult};

/// Days are those of the account's own time zone, which is at most a day off.
const DAY: Duration = Duration::from_secs(24 * 3600);

impl SrFax {
    pub(super) async fn find_in_outbox(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        let (first, last) = (day(query.opened_ms.before(DAY)), day(query.opened_ms.after(DAY)));
        let days = json!({ "sPeriod": "RANGE", "sStartDate": first, "sEndDate": last });
        let result = self.ask("Get_Fax_Outbox", days).await?;
        let mut listed = records(&result)?.iter().filter_map(Record::read);
        if let Some(record) = listed.find(|record| record.is_of(query.attempt)) {
            let reference = record.reference.clone().ok_or_else(|| unreadable("the outbox names our fax by no id"))?;
            return Ok(FindResult::Found(record.report(reference)));
        }
        Err(Failure::new(Fault::Unknown).text("not in the outbox, which need not list a fax before it is finished"))
    }
}

/// The records of the outbox; an empty one may come as an empty text.
fn records(result: &Value) -> Result<&[Value], Failure> {
    match result {
        Value::Array(records) => Ok(records),
        Value::Null => Ok(&[]),
        Value::String(text) if text.trim().is_empty() => Ok(&[]),
        _ => Err(unreadable("the outbox is no list")),
    }
}

/// `YYYYMMDD`.
fn day(at: Timestamp) -> String {
    at.to_utc().format("%Y%m%d").to_string()
}
