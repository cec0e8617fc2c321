//! Looking for a fax whose creation got no answer: first in the outbox, then among the records of the account since the
//! attempt, page by page to the end, comparing our reference. In that order a fax that ends meanwhile is not missed.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::RequestBuilder;
use serde_json::Value;

use super::FaxPlus;
use super::fax::{self, Fax};
use crate::domain::fault::Failure;
use crate::provider::kit::listing;
use crate::provider::kit::listing::{Listing, Owner, Page, Place, Window};
use crate::provider::{FindQuery, FindResult};

/// How far before the attempt and beyond the present the window reaches: the two clocks may differ.
const CLOCKS_APART: Duration = Duration::from_secs(5 * 60);
/// Records asked for per page: the most that is given. Only an empty page is known to be beyond the last.
const PAGE_SIZE: usize = 50;

/// One of the two places where a fax can be.
pub struct Sought {
    query: FindQuery,
    window: Window,
    in_outbox: bool,
}

impl FaxPlus {
    pub(super) async fn find_in_both(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        let until = self.clock.now().max(query.opened_ms).after(CLOCKS_APART);
        let window = Window { from: query.opened_ms.before(CLOCKS_APART), until };
        let sought = |in_outbox| Sought { query: query.clone(), window, in_outbox };
        let waiting = listing::find(self, &sought(true)).await?;
        if matches!(waiting, FindResult::Found(_)) {
            return Ok(waiting);
        }
        Ok(waiting.and(listing::find(self, &sought(false)).await?))
    }

    /// Asks for records of sent faxes, oldest first, so that one added meanwhile moves none to a page already read.
    pub(super) fn records(&self, window: Window, offset: usize, limit: usize) -> RequestBuilder {
        self.client.get(&["faxes"]).query(&[
            ("category", "sent".to_owned()),
            ("after", fax::written(window.from)),
            ("before", fax::written(window.until)),
            ("limit", limit.to_string()),
            ("offset", offset.to_string()),
            ("sort_by", "date".to_owned()),
            ("order", "asc".to_owned()),
        ])
    }
}

#[async_trait]
impl Listing for FaxPlus {
    type Sought = Sought;
    const PAGES_MAX: u32 = 40;

    async fn page(&self, sought: &Sought, place: &Place) -> Result<Page, Failure> {
        let read = |item: &Value| {
            let fax = Fax::read(item)?;
            let may_be_ours = fax.may_be_of(sought.query.to.as_str(), sought.window.from);
            Some((Owner::of(fax.is_of(sought.query.attempt), may_be_ours), fax.report(fax.id.clone())))
        };
        if sought.in_outbox {
            let body = self.client.ask(self.client.get(&["outbox"])).await?;
            return Ok(Page::of(&body["records"], read)?.last(place));
        }
        let body = self.client.ask(self.records(sought.window, place.seen, PAGE_SIZE)).await?;
        Page::of(&body["data"]["records"], read)
    }
}
