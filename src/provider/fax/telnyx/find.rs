//! Looking for a fax whose creation got no answer: lists the number's faxes around the time of the attempt, page by
//! page to the end, and compares our reference. Absence is concluded only from a listing that was read whole.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::Telnyx;
use super::fax::Fax;
use crate::domain::Timestamp;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::provider::kit::listing;
use crate::provider::kit::listing::Owner;
use crate::provider::kit::reading::{count, unreadable};
use crate::provider::{Lookup, Search};

/// How far before the attempt the window begins: the two clocks may differ.
const WINDOW_BEFORE: Duration = Duration::from_secs(5 * 60);
/// How far after it the window ends: an unanswered call takes effect within minutes or not at all.
const WINDOW_AFTER: Duration = Duration::from_secs(30 * 60);
/// Faxes asked for per page; the provider may give fewer.
const PAGE_SIZE: &str = "100";
/// Pages read before giving up; far more than one number can get in half an hour.
const PAGES_MAX: u64 = 20;

impl Telnyx {
    pub(super) async fn scan(&self, search: &Search) -> Result<Lookup, Failure> {
        let mut looked = listing::Search::default();
        for number in 1..=PAGES_MAX {
            let body = self.list(search, number).await?;
            let faxes = faxes(&body).ok_or_else(|| unreadable("the listing cannot be read"))?;
            let is_last = ends(&body, number, faxes.len());
            let owned = faxes.iter().map(|fax| (owner(fax, search), Report::new(fax.id.clone(), self.fact(fax))));
            if let Some(found) = looked.read(listing::Page { faxes: owned.collect(), is_last }) {
                return Ok(found);
            }
        }
        Err(listing::too_long())
    }

    async fn list(&self, search: &Search, page: u64) -> Result<Value, Failure> {
        let query = [
            ("filter[to][eq]", search.to.as_str().to_owned()),
            ("filter[direction][eq]", "outbound".to_owned()),
            ("filter[created_at][gte]", window_start(search).to_string()),
            ("filter[created_at][lte]", window_end(search).to_string()),
            ("page[number]", page.to_string()),
            ("page[size]", PAGE_SIZE.to_owned()),
        ];
        let answer = self.ask(self.request(Method::GET, &["faxes"]).query(&query)).await?;
        self.body(&answer)
    }
}

fn window_start(search: &Search) -> Timestamp {
    search.opened_ms.before(WINDOW_BEFORE)
}

fn window_end(search: &Search) -> Timestamp {
    search.opened_ms.after(WINDOW_AFTER)
}

/// The faxes on a page; `None` if any of them cannot be read, because that one might be ours.
fn faxes(body: &Value) -> Option<Vec<Fax>> {
    body["data"].as_array()?.iter().map(Fax::read).collect()
}

/// Whether no page follows: by the number of pages that the listing tells, or, where it tells none, by an empty page.
fn ends(body: &Value, number: u64, faxes: usize) -> bool {
    match count(&body["meta"]["total_pages"]) {
        Some(total) => number >= u64::from(total),
        None => faxes == 0,
    }
}

/// The filters are checked again here: a filter that the server ignored would hand us other people's faxes.
fn owner(fax: &Fax, search: &Search) -> Owner {
    if fax.attempt() == Some(search.attempt) {
        return Owner::Ours;
    }
    let to_fits = fax.to.as_deref() == Some(search.to.as_str());
    let time_fits = fax.created_ms.is_none_or(|at| at >= window_start(search) && at <= window_end(search));
    if fax.client_state.is_none() && !fax.is_inbound() && to_fits && time_fits { Owner::Perhaps } else { Owner::Others }
}
