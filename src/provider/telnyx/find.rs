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
use crate::provider::reading::unreadable;
use crate::provider::{Lookup, Search};

/// How far before the attempt the window begins: the two clocks may differ.
const WINDOW_BEFORE: Duration = Duration::from_secs(5 * 60);
/// How far after it the window ends: an unanswered call takes effect within minutes or not at all.
const WINDOW_AFTER: Duration = Duration::from_secs(30 * 60);
/// Faxes asked for per page; the provider may give fewer.
const PAGE_SIZE: &str = "100";
/// Pages read before giving up; far more than one number can get in half an hour.
const PAGES_MAX: u64 = 20;

/// Whose a listed fax is.
enum Ownership {
    /// It carries our reference.
    Ours,
    /// It carries no reference at all, and number and time fit.
    Perhaps,
    /// It carries another's reference, or went elsewhere, or at another time.
    Others,
}

impl Telnyx {
    pub(super) async fn scan(&self, search: &Search) -> Result<Lookup, Failure> {
        let mut candidates: Vec<Report> = Vec::new();
        for page in 1..=PAGES_MAX {
            let body = self.list(search, page).await?;
            let faxes = faxes(&body).ok_or_else(|| unreadable("the listing cannot be read"))?;
            for fax in &faxes {
                let report = Report::new(fax.id.clone(), self.fact(fax));
                match ownership(fax, search) {
                    Ownership::Ours => return Ok(Lookup::Found(report)),
                    Ownership::Perhaps if !candidates.contains(&report) => candidates.push(report),
                    Ownership::Perhaps | Ownership::Others => {}
                }
            }
            if faxes.is_empty() || is_last(&body, page) {
                return Ok(if candidates.is_empty() { Lookup::Absent } else { Lookup::Candidates(candidates) });
            }
        }
        Err(unreadable("the window holds more faxes than can be looked through"))
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

/// Whether the listing says that no page follows. Without a total, an empty page is the end.
fn is_last(body: &Value, page: u64) -> bool {
    body["meta"]["total_pages"].as_u64().is_some_and(|total| page >= total)
}

/// The filters are checked again here: a filter that the server ignored would hand us other people's faxes.
fn ownership(fax: &Fax, search: &Search) -> Ownership {
    if fax.attempt() == Some(search.attempt) {
        return Ownership::Ours;
    }
    let to_fits = fax.to.as_deref() == Some(search.to.as_str());
    let time_fits = fax.created_ms.is_none_or(|at| at >= window_start(search) && at <= window_end(search));
    if fax.client_state.is_none() && !fax.is_inbound() && to_fits && time_fits {
        Ownership::Perhaps
    } else {
        Ownership::Others
    }
}
