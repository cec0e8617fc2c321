//! Looking for a fax whose creation got no answer. RingCentral keeps no reference of ours, so only number and time can
//! fit: the extension's outbound faxes around the attempt are listed to the end and compared here. The list's own
//! `phoneNumber` filter is not used: its description does not say whose number it means, and with the wrong one an
//! empty list would be taken for proof that nothing was sent.

use std::time::Duration;

use chrono::SecondsFormat;
use reqwest::Method;
use serde_json::Value;

use super::RingCentral;
use super::fax::Fax;
use crate::domain::Timestamp;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::provider::kit::reading::unreadable;
use crate::provider::{Lookup, Search};

/// How far before the attempt the window begins: the two clocks may differ.
const WINDOW_BEFORE: Duration = Duration::from_secs(5 * 60);
/// How far after it the window ends: an unanswered call takes effect within minutes or not at all.
const WINDOW_AFTER: Duration = Duration::from_secs(30 * 60);
/// Messages asked for per page: the most that is given.
const PAGE_SIZE: u32 = 1000;
/// Pages read before giving up. At ten faxes a minute the window holds a third of a page.
const PAGES_MAX: u32 = 5;

impl RingCentral {
    pub(super) async fn candidates(&self, search: &Search) -> Result<Lookup, Failure> {
        let mut candidates: Vec<Report> = Vec::new();
        let (from, to) = (search.opened_ms.before(WINDOW_BEFORE), search.opened_ms.after(WINDOW_AFTER));
        for page in 1..=PAGES_MAX {
            let body = self.list(from, to, page, PAGE_SIZE).await?;
            let faxes = faxes(&body).ok_or_else(|| unreadable("the listing cannot be read"))?;
            let is_last = faxes.is_empty() || is_last(&body, page);
            // The window is checked again here: a filter that the server ignored would hand us other faxes.
            let in_time = |fax: &Fax| fax.created_ms.is_none_or(|at| at >= from && at <= to);
            for fax in faxes.iter().filter(|fax| in_time(fax) && fax.went_to(search.to.as_str())) {
                if candidates.iter().all(|known| known.reference != fax.id) {
                    candidates.push(Report::new(fax.id.clone(), fax.fact()));
                }
            }
            if is_last {
                return Ok(Lookup::without_ours(candidates));
            }
        }
        Err(unreadable("the window holds more faxes than can be looked through"))
    }

    /// One page of the extension's outbound faxes. `dateFrom` is always given: it would be a day before `dateTo`.
    pub(super) async fn list(&self, from: Timestamp, to: Timestamp, page: u32, size: u32) -> Result<Value, Failure> {
        let at = |time: Timestamp| time.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true);
        let query = [
            ("messageType", "Fax".to_owned()),
            ("direction", "Outbound".to_owned()),
            ("dateFrom", at(from)),
            ("dateTo", at(to)),
            ("page", page.to_string()),
            ("perPage", size.to_string()),
        ];
        let answer = self.ask(Method::GET, &["message-store"], &query).await?;
        self.body(&answer)
    }
}

/// The faxes on a page; `None` if any of them cannot be read, because that one might be ours.
fn faxes(body: &Value) -> Option<Vec<Fax>> {
    body["records"].as_array()?.iter().map(Fax::read).collect()
}

/// Whether the listing says that no page follows: by its total, which may be missing, else by its links.
fn is_last(body: &Value, page: u32) -> bool {
    match body["paging"]["totalPages"].as_u64() {
        Some(total) => u64::from(page) >= total,
        None => body["navigation"].is_object() && !body["navigation"]["nextPage"].is_object(),
    }
}
