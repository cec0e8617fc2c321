//! Looking for a fax whose creation got no answer: lists the number's faxes around the time of the attempt, page by page
//! to the end. None of them carries anything of ours, so what fits by number and time may be ours.

use async_trait::async_trait;
use serde_json::Value;
use url::form_urlencoded;

use super::SignalWire;
use super::fax::Fax;
use crate::domain::fault::Failure;
use crate::provider::FindQuery;
use crate::provider::kit::listing::{Listing, Owner, Page, Place, Window};
use crate::provider::kit::numbers;
use crate::provider::kit::reading::unreadable;

/// Faxes asked for per page, the most there are.
const PAGE_SIZE: &str = "1000";

#[async_trait]
impl Listing for SignalWire {
    type Sought = FindQuery;
    /// Far more than one number can get in half an hour.
    const PAGES_MAX: u32 = 5;

    async fn page(&self, query: &FindQuery, place: &Place) -> Result<Page, Failure> {
        let window = Window::around(query.opened_ms);
        let request = self.client.get(&[]).query(&[
            ("To", query.to.as_str().to_owned()),
            ("DateCreatedAfter", window.from.to_string()),
            ("DateCreatedOnOrBefore", window.until.to_string()),
            ("PageSize", PAGE_SIZE.to_owned()),
        ]);
        let next: Vec<_> = form_urlencoded::parse(place.next.as_deref().unwrap_or_default().as_bytes()).collect();
        let body = self.client.ask(request.query(&next)).await?;
        let page = Page::of(&body["faxes"], |item| {
            let fax = Fax::read(item)?;
            let to_fits = numbers::is_same(&fax.to, query.to.as_str());
            let may_be_ours = window.holds(fax.created_ms) && to_fits && !fax.is_inbound();
            Some((Owner::of(false, may_be_ours), self.report(&fax, fax.id.clone())))
        })?;
        Ok(Page { next: following(&body)?, ..page.last(place) })
    }
}

/// The page that the listing says follows, if any. Its address is not followed, only what it says of the page: an address
/// of theirs could lead anywhere.
fn following(body: &Value) -> Result<Option<String>, Failure> {
    let Some(uri) = body["next_page_uri"].as_str().filter(|uri| !uri.is_empty()) else { return Ok(None) };
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let named = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| matches!(&**key, "Page" | "PageToken"));
    let next = form_urlencoded::Serializer::new(String::new()).extend_pairs(named).finish();
    if next.is_empty() { Err(unreadable("the listing names a next page, but not which")) } else { Ok(Some(next)) }
}
