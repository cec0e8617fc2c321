//! Looking for a fax whose creation got no answer: the descriptions of all outbound jobs since the day before, compared
//! by the job's name, which is our attempt's id.

use std::time::Duration;

use async_trait::async_trait;

use super::WestFax;
use super::job::Job;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::domain::{Address, Timestamp};
use crate::provider::FindQuery;
use crate::provider::kit::letter::ten_digits;
use crate::provider::kit::listing::{Listing, Owner, Page, Place};
use crate::provider::kit::reading::progress;

/// WestFax gives dates without a time zone, so a date may be up to a day off.
const DAY: Duration = Duration::from_secs(24 * 3600);

#[async_trait]
impl Listing for WestFax {
    type Sought = FindQuery;
    const PAGES_MAX: u32 = 1;

    async fn page(&self, query: &FindQuery, place: &Place) -> Result<Page, Failure> {
        let form = self.form().text("StartDate", date(query.opened_ms.before(DAY))).text("FaxDirection", "Outbound");
        let result = self.ask("Fax_GetFaxDescriptions", form).await?;
        let page = Page::of(&result, |item| {
            let job = Job::of_description(item)?;
            Some((owner(&job, query), report(&job)))
        })?;
        Ok(page.last(place))
    }
}

/// A job that is over without a word of its calls is asked about again.
fn report(job: &Job) -> Report {
    Report::new(job.id.clone(), job.fact().unwrap_or_else(|| progress("over")))
}

fn owner(job: &Job, query: &FindQuery) -> Owner {
    let digits = match &query.to {
        Address::Fax(to) => ten_digits(to),
        Address::Email(_) => None,
    };
    let may_be_ours = job.name.is_none() && !job.is_inbound && digits.is_some_and(|it| job.may_have_gone_to(it));
    Owner::of(job.name.as_deref() == Some(query.attempt.to_string().as_str()), may_be_ours)
}

/// As their library writes it: month, day, year.
fn date(at: Timestamp) -> String {
    at.to_utc().format("%-m/%-d/%Y").to_string()
}
