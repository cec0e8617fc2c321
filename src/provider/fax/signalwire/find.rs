//! Looking for a fax whose creation got no answer: lists the number's faxes around the time of the attempt, page by page
//! to the end. None of them carries anything of ours, so what fits by number and time may be ours.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use url::form_urlencoded;

use super::SignalWire;
use super::fax::Fax;
use crate::domain::Timestamp;
use crate::domain::fault::Failure;
use crate::provider::kit::listing;
use crate::provider::kit::listing::{Owner, Page};
use crate::provider::kit::numbers;
use crate::provider::kit::reading::unreadable;
use crate::provider::{Lookup, Search};

/// How far before the attempt the window begins: the two clocks may differ.
const WINDOW_BEFORE: Duration = Duration::from_secs(5 * 60);
/// How far after it the window ends: an unanswered call takes effect within minutes or not at all.
const WINDOW_AFTER: Duration = Duration::from_secs(30 * 60);
/// Faxes asked for per page, the most there are.
const PAGE_SIZE: &str = "1000";
/// Pages read before giving up; far more than one number can get in half an hour.
const PAGES_MAX: usize = 5;

/// A page after the first: its number and the token that it needs.
type Next = Vec<(&'static str, String)>;

impl SignalWire {
    pub(super) async fn look(&self, search: &Search) -> Result<Lookup, Failure> {
        let (mut seen, mut next) = (listing::Search::default(), Next::new());
        for _ in 0..PAGES_MAX {
            let body = self.list(search, &next).await?;
            let faxes = faxes(&body).ok_or_else(|| unreadable("the listing cannot be read"))?;
            next = following(&body)?;
            let faxes = faxes.iter().map(|fax| (owner(fax, search), self.report(fax, fax.id.clone())));
            if let Some(answer) = seen.read(Page { faxes: faxes.collect(), is_last: next.is_empty() }) {
                return Ok(answer);
            }
        }
        Err(listing::too_long())
    }

    async fn list(&self, search: &Search, next: &Next) -> Result<Value, Failure> {
        let (from, until) = window(search);
        let mut query = vec![
            ("To", search.to.as_str().to_owned()),
            ("DateCreatedAfter", from.to_string()),
            ("DateCreatedOnOrBefore", until.to_string()),
            ("PageSize", PAGE_SIZE.to_owned()),
        ];
        query.extend(next.iter().cloned());
        self.ask(self.request(Method::GET, &[]).query(&query)).await
    }
}

/// The page that the listing says follows; empty where none does. Its address is not followed, only what it says of the
/// page: an address of theirs could lead anywhere.
fn following(body: &Value) -> Result<Next, Failure> {
    let Some(uri) = body["next_page_uri"].as_str().filter(|uri| !uri.is_empty()) else { return Ok(Next::new()) };
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let mut next = Next::new();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*key {
            "Page" => next.push(("Page", value.into_owned())),
            "PageToken" => next.push(("PageToken", value.into_owned())),
            _ => {}
        }
    }
    if next.is_empty() { Err(unreadable("the listing names a next page, but not which")) } else { Ok(next) }
}

fn window(search: &Search) -> (Timestamp, Timestamp) {
    (search.opened_ms.before(WINDOW_BEFORE), search.opened_ms.after(WINDOW_AFTER))
}

/// The faxes on a page; `None` if any of them cannot be read, because that one might be ours.
fn faxes(body: &Value) -> Option<Vec<Fax>> {
    body["faxes"].as_array()?.iter().map(Fax::read).collect()
}

/// The filters are checked again here: a filter that the server ignored would hand us other people's faxes.
fn owner(fax: &Fax, search: &Search) -> Owner {
    let (from, until) = window(search);
    let time_fits = fax.created_ms.is_none_or(|at| at >= from && at <= until);
    let to_fits = numbers::is_same(&fax.to, search.to.as_str());
    if time_fits && to_fits && !fax.is_inbound() { Owner::Perhaps } else { Owner::Others }
}
