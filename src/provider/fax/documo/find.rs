//! Looking for a fax whose creation got no answer: reads the outbound history around the time of the attempt to its end.
//! The history has no filter for a number, so every fax of the account within the window is read.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::Documo;
use super::fax::Fax;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::provider::kit::listing;
use crate::provider::kit::listing::{Owner, Page};
use crate::provider::kit::numbers;
use crate::provider::kit::reading;
use crate::provider::kit::reading::unreadable;
use crate::provider::{Lookup, Search};

/// How far before the attempt the window begins: the two clocks may differ.
const WINDOW_BEFORE: Duration = Duration::from_secs(5 * 60);
/// How far after it the window ends: an unanswered call takes effect within minutes or not at all.
const WINDOW_AFTER: Duration = Duration::from_secs(15 * 60);
/// Faxes asked for per page; the provider may give fewer.
const PAGE_SIZE: &str = "100";
/// Pages read before giving up; the history answers eight questions a minute.
const PAGES_MAX: usize = 8;

impl Documo {
    pub(super) async fn look(&self, search: &Search) -> Result<Lookup, Failure> {
        let (mut seen, mut offset) = (listing::Search::default(), 0);
        for _ in 0..PAGES_MAX {
            let body = self.history(search, offset).await?;
            let faxes = faxes(&body).ok_or_else(|| unreadable("the history cannot be read"))?;
            offset += faxes.len();
            let all = reading::count(&body["count"]).is_some_and(|all| offset >= all as usize);
            let is_last = faxes.is_empty() || all;
            let faxes = faxes.iter().map(|fax| (owner(fax, search), Report::new(fax.id.clone(), self.fact(fax))));
            if let Some(answer) = seen.read(Page { faxes: faxes.collect(), is_last }) {
                return Ok(answer);
            }
        }
        Err(listing::too_long())
    }

    async fn history(&self, search: &Search, offset: usize) -> Result<Value, Failure> {
        let mut query = vec![
            ("direction", "outbound".to_owned()),
            ("status", "all".to_owned()),
            ("fromDate", search.opened_ms.before(WINDOW_BEFORE).to_string()),
            ("toDate", search.opened_ms.after(WINDOW_AFTER).to_string()),
            ("limit", PAGE_SIZE.to_owned()),
            ("offset", offset.to_string()),
        ];
        if let Some(account_id) = &self.account_id {
            query.push(("accountId", account_id.clone()));
        }
        self.ask(self.request(Method::GET, &["v1", "fax", "history"]).query(&query)).await
    }
}

/// The faxes on a page; `None` if any of them cannot be read, because that one might be ours.
fn faxes(body: &Value) -> Option<Vec<Fax>> {
    body["rows"].as_array()?.iter().map(Fax::read).collect()
}

/// The filters are checked again here, for one that the server ignored would hand us other people's faxes.
fn owner(fax: &Fax, search: &Search) -> Owner {
    if let Some(subject) = &fax.subject {
        return if *subject == search.attempt.to_string() { Owner::Ours } else { Owner::Others };
    }
    let (from, until) = (search.opened_ms.before(WINDOW_BEFORE), search.opened_ms.after(WINDOW_AFTER));
    let time_fits = fax.created_ms.is_none_or(|at| at >= from && at <= until);
    let to_fits = numbers::is_same(&fax.number, search.to.as_str());
    if time_fits && to_fits && !fax.is_inbound() { Owner::Perhaps } else { Owner::Others }
}
