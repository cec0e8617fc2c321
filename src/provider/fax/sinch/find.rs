//! Looking for a fax whose creation got no answer: lists the number's faxes around the time of the attempt, page by
//! page to the end, and compares our label.

use async_trait::async_trait;
use chrono::SecondsFormat;

use super::Sinch;
use super::fax::Fax;
use crate::domain::Timestamp;
use crate::domain::fault::Failure;
use crate::provider::FindQuery;
use crate::provider::kit::listing::{Listing, Owner, Page, Place, Window};
use crate::provider::kit::reading::count;

/// Faxes asked for per page; the provider may give fewer.
const PAGE_SIZE: &str = "100";

#[async_trait]
impl Listing for Sinch {
    type Sought = FindQuery;
    /// Far more than one number can get in half an hour.
    const PAGES_MAX: u32 = 20;

    async fn page(&self, query: &FindQuery, place: &Place) -> Result<Page, Failure> {
        let window = Window::around(query.opened_ms);
        // The comparison is part of the name: `createTime>=…` is the name `createTime>` with a value.
        let request = self.client.get(&["faxes"]).query(&[
            ("to", query.to.as_str().to_owned()),
            ("direction", "OUTBOUND".to_owned()),
            ("createTime>", rfc3339(window.from)),
            ("createTime<", rfc3339(window.until)),
            ("pageSize", PAGE_SIZE.to_owned()),
            ("page", place.page.to_string()),
        ]);
        let body = self.client.ask(request).await?;
        let list = if body.is_array() { &body } else { &body["faxes"] };
        let page = Page::of(list, |item| {
            let fax = Fax::read(item)?;
            Some((owner(&fax, query, window), self.report(&fax)))
        })?;
        Ok(Page { pages: count(&body["totalPages"]), total: count(&body["totalItems"]), ..page })
    }
}

fn rfc3339(time: Timestamp) -> String {
    time.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The number is compared again here, for Sinch matches it by its beginning only.
fn owner(fax: &Fax, query: &FindQuery, window: Window) -> Owner {
    let to_fits = fax.to.as_deref() == Some(query.to.as_str());
    let may_be_ours = fax.labels.is_none() && !fax.is_inbound && to_fits && window.holds(fax.created_ms);
    Owner::of(fax.attempt() == Some(query.attempt), may_be_ours)
}
