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
use crate::provider::reading::unreadable;
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
        let (mut candidates, mut next) = (Vec::new(), Next::new());
        for _ in 0..PAGES_MAX {
            let body = self.list(search, &next).await?;
            let faxes = faxes(&body).ok_or_else(|| unreadable("the listing cannot be read"))?;
            for fax in faxes.iter().filter(|fax| may_be_ours(fax, search)) {
                let report = self.report(fax, fax.id.clone());
                if !candidates.contains(&report) {
                    candidates.push(report);
                }
            }
            next = following(&body)?;
            if next.is_empty() {
                return Ok(if candidates.is_empty() { Lookup::Absent } else { Lookup::Candidates(candidates) });
            }
        }
        Err(unreadable("the window holds more faxes than can be looked through"))
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
fn may_be_ours(fax: &Fax, search: &Search) -> bool {
    let (from, until) = window(search);
    let time_fits = fax.created_ms.is_none_or(|at| at >= from && at <= until);
    !fax.is_inbound() && fax.to.as_deref() == Some(search.to.as_str()) && time_fits
}
