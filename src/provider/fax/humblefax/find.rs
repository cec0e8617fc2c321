//! Looking for a fax whose creation got no answer: lists the ids of the window, reads each, and compares our reference.
//! The listing gives nothing but ids, and the service blocks an address for a minute above five requests a second, so
//! only a short list is gone through, and that at a pace.

use std::time::Duration;

use async_trait::async_trait;

use super::{HumbleFax, number};
use crate::domain::attempt::ProviderReference;
use crate::domain::fault::Failure;
use crate::provider::FindQuery;
use crate::provider::kit::listing::{Listing, Owner, Page, Place, Window, too_long};
use crate::provider::kit::reading::{id, reference, unreadable};

/// How far before the attempt the window begins: the two clocks may differ.
const WINDOW_BEFORE: Duration = Duration::from_secs(2 * 60);
/// How far after it the window ends: an unanswered call takes effect within minutes or not at all.
const WINDOW_AFTER: Duration = Duration::from_secs(15 * 60);
/// Between two requests: half of what is allowed, for hand-overs go on meanwhile.
const PACE: Duration = Duration::from_millis(500);

/// The faxes of the window, of which only the ids are known.
pub struct Listed {
    query: FindQuery,
    ids: Vec<ProviderReference>,
}

fn window(query: &FindQuery) -> Window {
    Window::of(query.opened_ms, WINDOW_BEFORE, WINDOW_AFTER)
}

impl HumbleFax {
    /// Asks for the ids. One that cannot be read might be ours, so then the listing cannot be.
    pub(super) async fn listed(&self, query: &FindQuery) -> Result<Listed, Failure> {
        let window = window(query);
        let seconds = [("timeFrom", window.from.0 / 1000), ("timeTo", window.until.0 / 1000)];
        let from = self.from.as_ref().and_then(number).map(|number| ("fromNumber", number));
        let request = self.client.get(&["sentFaxes"]).query(&seconds).query(from.as_slice());
        let data = self.data(request).await?;
        let ids: Option<_> = data["sentFaxIds"].as_array().and_then(|ids| ids.iter().map(reference).collect());
        let ids: Vec<ProviderReference> = ids.ok_or_else(|| unreadable("the listing cannot be read"))?;
        if ids.len() > Self::PAGES_MAX as usize {
            return Err(too_long());
        }
        Ok(Listed { query: query.clone(), ids })
    }
}

/// Each page is one fax.
#[async_trait]
impl Listing for HumbleFax {
    type Sought = Listed;
    /// Nothing says how many ids a listing can hold: below this none can have been cut off.
    const PAGES_MAX: u32 = 15;

    async fn page(&self, listed: &Listed, place: &Place) -> Result<Page, Failure> {
        let pages = u32::try_from(listed.ids.len()).unwrap_or(u32::MAX);
        let Some(reference) = listed.ids.get(place.page as usize - 1) else { return Ok(Page::default()) };
        tokio::time::sleep(PACE).await;
        let fax = self.fax(id(reference)?).await?;
        let may_be_ours = fax.may_be_of(listed.query.to.as_str(), window(&listed.query));
        let owner = Owner::of(fax.attempt() == Some(listed.query.attempt), may_be_ours);
        Ok(Page { faxes: vec![(owner, fax.report())], pages: Some(pages), ..Page::default() })
    }
}
