//! Looking for a fax whose creation got no answer: the search by our reference, which only our hand-over carries.

use std::time::Duration;

use super::InterFax;
use super::fax::Fax;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::provider::kit::listing::{Owner, Page};
use crate::provider::kit::reading::unreadable;
use crate::provider::{FindQuery, FindResult};

/// How far the time of a record may be from that of the attempt, either way: no closer than a day, for the records'
/// times carry no zone.
const TIME_TOLERANCE: Duration = Duration::from_secs(24 * 3600);

impl InterFax {
    pub(super) async fn find_by_reference(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        let request = self.client.get(&["outbound", "search"]).query(&[("reference", query.attempt.to_string())]);
        // Records do not repeat the reference, so each is ours if it can be. One that cannot means that the provider did
        // not keep to the reference, and then an empty answer to another question would mean nothing either.
        let page = Page::of(&self.client.ask(request).await?, |item| {
            let fax = Fax::read(item)?;
            Some((Owner::of(false, may_be_ours(&fax, query)), self.report(&fax)))
        })?;
        if page.faxes.iter().any(|(owner, _)| *owner == Owner::Others) {
            return Err(unreadable("the search gave other faxes than the one looked for"));
        }
        let mut reports: Vec<Report> = page.faxes.into_iter().map(|(_, report)| report).collect();
        Ok(match reports.pop() {
            Some(report) if reports.is_empty() => FindResult::Found(report),
            Some(last) => FindResult::Candidates(reports.into_iter().chain([last]).collect()),
            None => FindResult::Absent,
        })
    }
}

fn may_be_ours(fax: &Fax, query: &FindQuery) -> bool {
    let reference_fits = fax.reference.as_ref().is_none_or(|reference| *reference == query.attempt.to_string());
    let number_fits = fax.to.as_deref().is_none_or(|to| national(to) == national(query.to.as_str()));
    let time_fits = fax.submitted_ms.is_none_or(|at| at.distance(query.opened_ms) <= TIME_TOLERANCE);
    reference_fits && number_fits && time_fits
}

/// The digits of an international number; theirs begin with 00, ours with +.
fn national(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').to_owned()
}
