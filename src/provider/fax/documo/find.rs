//! Looking for a fax whose creation got no answer: reads the outbound history around the time of the attempt to its end.
//! The history has no filter for a number, so every fax of the account within the window is read.

use std::time::Duration;

use async_trait::async_trait;

use super::Documo;
use super::fax::Fax;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::provider::FindQuery;
use crate::provider::kit::listing::{Listing, Owner, Page, Place, Window};
use crate::provider::kit::numbers;
use crate::provider::kit::reading;

/// How far before the attempt the window begins: the two clocks may differ.
const WINDOW_BEFORE: Duration = Duration::from_secs(5 * 60);
/// How far after it the window ends: an unanswered call takes effect within minutes or not at all.
const WINDOW_AFTER: Duration = Duration::from_secs(15 * 60);
/// Faxes asked for per page; the provider may give fewer.
const PAGE_SIZE: &str = "100";

#[async_trait]
impl Listing for Documo {
    type Sought = FindQuery;
    /// The history answers eight questions a minute.
    const PAGES_MAX: u32 = 8;

    async fn page(&self, query: &FindQuery, place: &Place) -> Result<Page, Failure> {
        let window = Window::of(query.opened_ms, WINDOW_BEFORE, WINDOW_AFTER);
        let request = self.client.get(&["v1", "fax", "history"]).query(&[
            ("direction", "outbound".to_owned()),
            ("status", "all".to_owned()),
            ("fromDate", window.from.to_string()),
            ("toDate", window.until.to_string()),
            ("limit", PAGE_SIZE.to_owned()),
            ("offset", place.seen.to_string()),
        ]);
        let account = self.account_id.as_ref().map(|id| ("accountId", id));
        let body = self.client.ask(request.query(account.as_slice())).await?;
        let page = Page::of(&body["rows"], |item| {
            let fax = Fax::read(item)?;
            Some((owner(&fax, query, window), Report::new(fax.id.clone(), self.fact(&fax))))
        })?;
        Ok(Page { total: reading::count(&body["count"]), ..page })
    }
}

/// The filters are checked again here, for one that the server ignored would hand us other people's faxes.
fn owner(fax: &Fax, query: &FindQuery, window: Window) -> Owner {
    let to_fits = numbers::is_same(&fax.number, query.to.as_str());
    let may_be_ours = fax.subject.is_none() && to_fits && window.holds(fax.created_ms) && !fax.is_inbound();
    Owner::of(fax.subject.as_deref() == Some(query.attempt.to_string().as_str()), may_be_ours)
}
