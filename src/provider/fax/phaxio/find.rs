//! Looking for a fax whose creation got no answer: Phaxio finds faxes by tag, and ours carries the attempt.

use std::time::Duration;

use async_trait::async_trait;
use chrono::SecondsFormat;

use super::Phaxio;
use super::fax::{Fax, TAG};
use crate::domain::Timestamp;
use crate::domain::fault::Failure;
use crate::provider::FindQuery;
use crate::provider::kit::listing::{Listing, Owner, Page, Place, Window};
use crate::provider::kit::reading::count;

/// How far around the attempt is looked. The tag alone decides, so the window only has to be wide enough for clocks
/// that differ, and explicit: without one Phaxio looks at the last week alone.
const WINDOW: Duration = Duration::from_secs(24 * 3600);
/// How far apart a fax without tags and the attempt may be for the one to be the other.
const NEAR: Duration = Duration::from_secs(30 * 60);
/// Faxes asked for per page.
const PER_PAGE: &str = "100";

#[async_trait]
impl Listing for Phaxio {
    type Sought = FindQuery;
    /// More than one only come if the server ignores the tag.
    const PAGES_MAX: u32 = 20;

    async fn page(&self, query: &FindQuery, place: &Place) -> Result<Page, Failure> {
        let window = Window::of(query.opened_ms, WINDOW, WINDOW);
        let request = self.client.get(&["faxes"]).query(&[
            (format!("tag[{TAG}]").as_str(), query.attempt.to_string()),
            ("direction", "sent".to_owned()),
            ("created_after", rfc3339(window.from)),
            ("created_before", rfc3339(window.until)),
            ("per_page", PER_PAGE.to_owned()),
            ("page", place.page.to_string()),
        ]);
        let body = self.client.ask(request).await?;
        let page = Page::of(&body["data"], |item| {
            let fax = Fax::read(item)?;
            Some((owner(&fax, query), self.report(&fax)))
        })?;
        Ok(Page { total: count(&body["paging"]["total"]), ..page })
    }
}

fn rfc3339(time: Timestamp) -> String {
    time.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The tag is checked again here: a filter that the server ignored would hand us other people's faxes.
fn owner(fax: &Fax, query: &FindQuery) -> Owner {
    let to_fits = fax.to.as_deref() == Some(query.to.as_str());
    let is_near = fax.created_ms.is_none_or(|at| at.distance(query.opened_ms) <= NEAR);
    let may_be_ours = fax.tags.is_none() && !fax.is_inbound && to_fits && is_near;
    Owner::of(fax.attempt() == Some(query.attempt), may_be_ours)
}
