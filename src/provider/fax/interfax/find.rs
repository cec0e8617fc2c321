//! Looking for a fax whose creation got no answer: the search by our reference, which only our hand-over carries.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::InterFax;
use super::fax::Fax;
use crate::domain::fault::Failure;
use crate::provider::kit::reading::unreadable;
use crate::provider::{Lookup, Search};

/// How far the time of a record may be from that of the attempt, either way: no closer than a day, for the records'
/// times carry no zone.
const TIME_TOLERANCE: Duration = Duration::from_secs(24 * 3600);

impl InterFax {
    pub(super) async fn search(&self, search: &Search) -> Result<Lookup, Failure> {
        let query = [("reference", search.attempt.to_string())];
        let answer = self.ask(self.request(Method::GET, &["outbound", "search"]).query(&query)).await?;
        let body = self.body(&answer)?;
        let records = body.as_array().ok_or_else(|| unreadable("the search gave no list"))?;
        let faxes: Option<Vec<Fax>> = records.iter().map(Fax::read).collect();
        let faxes = faxes.ok_or_else(|| unreadable("the search gave a record that cannot be read"))?;
        // Records do not repeat the reference. One that cannot be ours means that the search did not keep to it, and
        // then an empty answer to another would mean nothing either.
        if !faxes.iter().all(|fax| may_be_ours(fax, search)) {
            return Err(unreadable("the search gave other faxes than the one looked for"));
        }
        let mut reports = faxes.iter().map(|fax| self.report(fax));
        Ok(match (reports.next(), faxes.len()) {
            (None, _) => Lookup::Absent,
            (Some(report), 1) => Lookup::Found(report),
            (Some(first), _) => Lookup::Candidates(std::iter::once(first).chain(reports).collect()),
        })
    }

    /// The body of a success; anything else as a failure.
    pub(super) fn body(&self, answer: &crate::http::Answer) -> Result<Value, Failure> {
        if answer.is_success() { crate::provider::kit::reading::json(answer) } else { Err(self.failure(answer)) }
    }
}

fn may_be_ours(fax: &Fax, search: &Search) -> bool {
    let reference_fits = fax.reference.as_ref().is_none_or(|reference| *reference == search.attempt.to_string());
    let number_fits = fax.to.as_deref().is_none_or(|to| national(to) == national(search.to.as_str()));
    let distance = |at: crate::domain::Timestamp| at.since(search.opened_ms).max(search.opened_ms.since(at));
    let time_fits = fax.submitted_ms.is_none_or(|at| distance(at) <= TIME_TOLERANCE);
    reference_fits && number_fits && time_fits
}

/// The digits of an international number; theirs begin with 00, ours with +.
fn national(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').to_owned()
}
