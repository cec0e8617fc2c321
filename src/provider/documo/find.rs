//! Looking for a fax whose creation got no answer: reads the outbound history around the time of the attempt to its end.
//! The history has no filter for a number, so every fax of the account within the window is read.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::fax::Fax;
use super::{Documo, digits};
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::provider::reading::{self, unreadable};
use crate::provider::{Lookup, Search};

/// How far before the attempt the window begins: the two clocks may differ.
const WINDOW_BEFORE: Duration = Duration::from_secs(5 * 60);
/// How far after it the window ends: an unanswered call takes effect within minutes or not at all.
const WINDOW_AFTER: Duration = Duration::from_secs(15 * 60);
/// Faxes asked for per page; the provider may give fewer.
const PAGE_SIZE: &str = "100";
/// Pages read before giving up; the history answers eight questions a minute.
const PAGES_MAX: usize = 8;

/// Whose a listed fax is.
enum Ownership {
    /// Its subject is our reference.
    Ours,
    /// It shows no subject, and number and time fit.
    Perhaps,
    /// It has another subject, or went elsewhere, or at another time.
    Others,
}

impl Documo {
    pub(super) async fn look(&self, search: &Search) -> Result<Lookup, Failure> {
        let (mut candidates, mut offset) = (Vec::new(), 0);
        for _ in 0..PAGES_MAX {
            let body = self.history(search, offset).await?;
            let faxes = faxes(&body).ok_or_else(|| unreadable("the history cannot be read"))?;
            for fax in &faxes {
                let report = Report::new(fax.id.clone(), self.fact(fax));
                match ownership(fax, search) {
                    Ownership::Ours => return Ok(Lookup::Found(report)),
                    Ownership::Perhaps if !candidates.contains(&report) => candidates.push(report),
                    Ownership::Perhaps | Ownership::Others => {}
                }
            }
            offset += faxes.len();
            let all = reading::count(&body["count"]).is_some_and(|all| offset >= all as usize);
            if faxes.is_empty() || all {
                return Ok(if candidates.is_empty() { Lookup::Absent } else { Lookup::Candidates(candidates) });
            }
        }
        Err(unreadable("the window holds more faxes than can be looked through"))
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
fn ownership(fax: &Fax, search: &Search) -> Ownership {
    if let Some(subject) = &fax.subject {
        return if *subject == search.attempt.to_string() { Ownership::Ours } else { Ownership::Others };
    }
    let (from, until) = (search.opened_ms.before(WINDOW_BEFORE), search.opened_ms.after(WINDOW_AFTER));
    let time_fits = fax.created_ms.is_none_or(|at| at >= from && at <= until);
    let to_fits = fax.number.as_deref().is_some_and(|number| digits(number) == digits(search.to.as_str()));
    if time_fits && to_fits && !fax.is_inbound() { Ownership::Perhaps } else { Ownership::Others }
}
