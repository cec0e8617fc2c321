//! Looking for a fax whose creation got no answer: lists the number's faxes around the time of the attempt, page by
//! page to the end, and compares our label.

use std::time::Duration;

use chrono::SecondsFormat;
use reqwest::Method;
use serde_json::Value;

use super::Sinch;
use super::fax::Fax;
use crate::domain::Timestamp;
use crate::domain::fault::Failure;
use crate::provider::kit::listing;
use crate::provider::kit::listing::{Owner, Page};
use crate::provider::kit::reading::{count, json, unreadable};
use crate::provider::{Lookup, Search};

/// How far before the attempt the window begins: the two clocks may differ.
const WINDOW_BEFORE: Duration = Duration::from_secs(5 * 60);
/// How far after it the window ends: an unanswered call takes effect within minutes or not at all.
const WINDOW_AFTER: Duration = Duration::from_secs(30 * 60);
/// Faxes asked for per page; the provider may give fewer.
const PAGE_SIZE: &str = "100";
/// Pages read before giving up; far more than one number can get in half an hour.
const PAGES_MAX: u32 = 20;

impl Sinch {
    pub(super) async fn scan(&self, search: &Search) -> Result<Lookup, Failure> {
        let mut found = listing::Search::default();
        let mut seen = 0;
        for number in 1..=PAGES_MAX {
            if let Some(lookup) = found.read(self.page(search, number, &mut seen).await?) {
                return Ok(lookup);
            }
        }
        Err(listing::too_long())
    }

    async fn page(&self, search: &Search, number: u32, seen: &mut u32) -> Result<Page, Failure> {
        let mut url = self.url(&["faxes"]);
        // The comparison is part of the name: `createTime>=…` is the name `createTime>` with a value.
        url.query_pairs_mut()
            .append_pair("to", search.to.as_str())
            .append_pair("direction", "OUTBOUND")
            .append_pair("createTime>", &rfc3339(search.opened_ms.before(WINDOW_BEFORE)))
            .append_pair("createTime<", &rfc3339(search.opened_ms.after(WINDOW_AFTER)))
            .append_pair("pageSize", PAGE_SIZE)
            .append_pair("page", &number.to_string());
        let answer = self.access.ask(Method::GET, url).await?;
        if !answer.is_success() {
            return Err(self.failure(&answer));
        }
        let body = json(&answer)?;
        let faxes = faxes(&body).ok_or_else(|| unreadable("the listing cannot be read"))?;
        *seen += u32::try_from(faxes.len()).unwrap_or(u32::MAX / PAGES_MAX);
        let pages = count(&body["totalPages"]);
        let is_last = faxes.is_empty() || pages.is_some_and(|total| number >= total);
        // A listing that does not reach the totals it tells may have left out ours.
        let is_short =
            pages.is_some_and(|total| number < total) || count(&body["totalItems"]).is_some_and(|n| *seen < n);
        let faxes: Vec<_> = faxes.iter().map(|fax| (owner(fax, search), self.report(fax))).collect();
        if is_last && is_short && !faxes.iter().any(|(owner, _)| *owner == Owner::Ours) {
            return Err(unreadable("the listing ends early"));
        }
        Ok(Page { faxes, is_last })
    }
}

fn rfc3339(time: Timestamp) -> String {
    time.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The faxes on a page; `None` if any of them cannot be read, because that one might be ours.
fn faxes(body: &Value) -> Option<Vec<Fax>> {
    let list = if body.is_array() { body } else { &body["faxes"] };
    list.as_array()?.iter().map(Fax::read).collect()
}

/// The filters are checked again here: the number is matched by its beginning only, and a filter that the server ignored
/// would hand us other people's faxes.
fn owner(fax: &Fax, search: &Search) -> Owner {
    if fax.attempt() == Some(search.attempt) {
        return Owner::Ours;
    }
    let (from, to) = (search.opened_ms.before(WINDOW_BEFORE), search.opened_ms.after(WINDOW_AFTER));
    let to_fits = fax.to.as_deref() == Some(search.to.as_str());
    let time_fits = fax.created_ms.is_none_or(|at| at >= from && at <= to);
    if fax.labels.is_none() && !fax.is_inbound && to_fits && time_fits { Owner::Perhaps } else { Owner::Others }
}
