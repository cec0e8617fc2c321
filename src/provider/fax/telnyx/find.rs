//! Looking for a fax whose creation got no answer: lists the number's faxes around the time of the attempt, page by
//! page to the end, and compares our reference.

use async_trait::async_trait;

use super::Telnyx;
use super::fax::Fax;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::provider::FindQuery;
use crate::provider::kit::listing::{Listing, Owner, Page, Place, Window};
use crate::provider::kit::reading::count;

/// Faxes asked for per page; the provider may give fewer.
const PAGE_SIZE: &str = "100";

#[async_trait]
impl Listing for Telnyx {
    type Sought = FindQuery;
    /// Far more than one number can get in half an hour.
    const PAGES_MAX: u32 = 20;

    async fn page(&self, query: &FindQuery, place: &Place) -> Result<Page, Failure> {
        let window = Window::around(query.opened_ms);
        let request = self.client.get(&["faxes"]).query(&[
            ("filter[to][eq]", query.to.as_str().to_owned()),
            ("filter[direction][eq]", "outbound".to_owned()),
            ("filter[created_at][gte]", window.from.to_string()),
            ("filter[created_at][lte]", window.until.to_string()),
            ("page[number]", place.page.to_string()),
            ("page[size]", PAGE_SIZE.to_owned()),
        ]);
        let body = self.client.ask(request).await?;
        let page = Page::of(&body["data"], |item| {
            let fax = Fax::read(item)?;
            Some((owner(&fax, query, window), Report::new(fax.id.clone(), self.fact(&fax))))
        })?;
        Ok(Page { pages: count(&body["meta"]["total_pages"]), ..page })
    }
}

fn owner(fax: &Fax, query: &FindQuery, window: Window) -> Owner {
    let to_fits = fax.to.as_deref() == Some(query.to.as_str());
    let may_be_ours = fax.client_state.is_none() && !fax.is_inbound() && to_fits && window.holds(fax.created_ms);
    Owner::of(fax.attempt() == Some(query.attempt), may_be_ours)
}
