//! Looking for a fax whose creation got no answer: the descriptions of all outbound jobs since the day before, compared
//! by the job's name, which is our attempt's id.

use std::time::Duration;

use super::WestFax;
use super::job::Job;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::domain::{Address, Timestamp};
use crate::provider::kit::letter::ten_digits;
use crate::provider::kit::listing;
use crate::provider::kit::listing::{Owner, Page};
use crate::provider::kit::reading::{progress, unreadable};
use crate::provider::{Lookup, Search};

/// The date is told without a time zone, which is at most a day off.
const DAY: Duration = Duration::from_secs(24 * 3600);

impl WestFax {
    pub(super) async fn look(&self, search: &Search) -> Result<Lookup, Failure> {
        let form = self.form().text("StartDate", date(search.opened_ms.before(DAY))).text("FaxDirection", "Outbound");
        let result = self.ask("Fax_GetFaxDescriptions", form).await?;
        let listed = result.as_array().ok_or_else(|| unreadable("the listing is no list"))?;
        // One that cannot be read might be ours.
        let jobs: Option<Vec<Job>> = listed.iter().map(Job::of_description).collect();
        let jobs = jobs.ok_or_else(|| unreadable("the listing holds a job that cannot be read"))?;
        let faxes = jobs.iter().map(|job| (owner(job, search), report(job))).collect();
        let mut listing = listing::Search::default();
        listing.read(Page { faxes, is_last: true }).ok_or_else(listing::too_long)
    }
}

/// A job that is over without a word of its calls is asked about again.
fn report(job: &Job) -> Report {
    Report::new(job.id.clone(), job.fact().unwrap_or_else(|| progress("over")))
}

fn owner(job: &Job, search: &Search) -> Owner {
    let digits = match &search.to {
        Address::Fax(to) => ten_digits(to),
        Address::Email(_) => None,
    };
    match &job.name {
        Some(name) if *name == search.attempt.to_string() => Owner::Ours,
        None if !job.is_inbound && digits.is_some_and(|digits| job.may_have_gone_to(digits)) => Owner::Perhaps,
        _ => Owner::Others,
    }
}

/// As their library writes it: month, day, year.
fn date(at: Timestamp) -> String {
    at.to_utc().format("%-m/%-d/%Y").to_string()
}
