//! Looking for a fax whose creation got no answer. RingCentral keeps no reference of ours, so only number and time can
//! fit: the extension's outbound faxes around the attempt are listed to the end and compared here. The list's own
//! `phoneNumber` filter is not used: its description does not say whose number it means, and with the wrong one an
//! empty list would be taken for proof that nothing was sent.

use async_trait::async_trait;
use chrono::SecondsFormat;
use reqwest::RequestBuilder;
use serde_json::Value;

use super::RingCentral;
use super::fax::Fax;
use crate::domain::Timestamp;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::provider::FindQuery;
use crate::provider::kit::listing::{Listing, Owner, Page, Place, Window};
use crate::provider::kit::reading::count;

/// Messages asked for per page: the most that is given.
const PAGE_SIZE: u32 = 1000;

impl RingCentral {
    /// Asks for one page of the extension's outbound faxes. `dateFrom` is always given: it would be a day before `dateTo`.
    pub(super) fn messages(&self, window: Window, page: u32, size: u32) -> RequestBuilder {
        let at = |time: Timestamp| time.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true);
        self.client.get(&["message-store"]).query(&[
            ("messageType", "Fax".to_owned()),
            ("direction", "Outbound".to_owned()),
            ("dateFrom", at(window.from)),
            ("dateTo", at(window.until)),
            ("page", page.to_string()),
            ("perPage", size.to_string()),
        ])
    }
}

#[async_trait]
impl Listing for RingCentral {
    type Sought = FindQuery;
    /// At ten faxes a minute the window holds a third of a page.
    const PAGES_MAX: u32 = 5;

    async fn page(&self, query: &FindQuery, place: &Place) -> Result<Page, Failure> {
        let window = Window::around(query.opened_ms);
        let body = self.client.ask(self.messages(window, place.page, PAGE_SIZE)).await?;
        let page = Page::of(&body["records"], |item| {
            let fax = Fax::read(item)?;
            let may_be_ours = window.holds(fax.created_ms) && fax.went_to(query.to.as_str());
            Some((Owner::of(false, may_be_ours), Report::new(fax.id.clone(), fax.fact())))
        })?;
        Ok(Page { pages: pages(&body, place), ..page })
    }
}

/// How many pages there are: by the total, which may be missing, else by the links to a next page.
fn pages(body: &Value, place: &Place) -> Option<u32> {
    let has_no_next = body["navigation"].is_object() && !body["navigation"]["nextPage"].is_object();
    count(&body["paging"]["totalPages"]).or(has_no_next.then_some(place.page))
}
