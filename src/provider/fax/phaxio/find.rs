//! Looking for a fax whose creation got no answer: Phaxio finds faxes by tag, and ours carries the attempt.

use std::time::Duration;

use chrono::SecondsFormat;
use reqwest::Method;

use super::Phaxio;
use super::fax::{Fax, TAG};
use crate::domain::Timestamp;
use crate::domain::fault::Failure;
use crate::provider::kit::listing;
use crate::provider::kit::listing::{Owner, Page};
use crate::provider::kit::reading::{count, unreadable};
use crate::provider::{Lookup, Search};

/// How far around the attempt is looked. The tag alone decides, so the window only has to be wide enough for clocks
/// that differ, and explicit: without one Phaxio looks at the last week alone.
const WINDOW: Duration = Duration::from_secs(24 * 3600);
/// How far apart a fax without tags and the attempt may be for the one to be the other.
const NEAR: Duration = Duration::from_secs(30 * 60);
/// Faxes asked for per page.
const PER_PAGE: u32 = 100;
/// Pages read before giving up: more than one only come if the server ignores the tag.
const PAGES_MAX: u32 = 20;

impl Phaxio {
    pub(super) async fn look_up(&self, search: &Search) -> Result<Lookup, Failure> {
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
        let query = [
            (format!("tag[{TAG}]"), search.attempt.to_string()),
            ("direction".to_owned(), "sent".to_owned()),
            ("created_after".to_owned(), rfc3339(search.opened_ms.before(WINDOW))),
            ("created_before".to_owned(), rfc3339(search.opened_ms.after(WINDOW))),
            ("per_page".to_owned(), PER_PAGE.to_string()),
            ("page".to_owned(), number.to_string()),
        ];
        let answer = self.ask(self.request(Method::GET, &["faxes"]).query(&query)).await?;
        let body = self.body(&answer)?;
        // One that cannot be read might be ours.
        let faxes: Option<Vec<Fax>> = body["data"].as_array().and_then(|list| list.iter().map(Fax::read).collect());
        let faxes = faxes.ok_or_else(|| unreadable("the listing cannot be read"))?;
        *seen += u32::try_from(faxes.len()).unwrap_or(u32::MAX / PAGES_MAX);
        let is_last = match count(&body["paging"]["total"]) {
            Some(total) if faxes.is_empty() && *seen < total => return Err(unreadable("the listing ends early")),
            Some(total) => *seen >= total,
            None => faxes.is_empty(),
        };
        let faxes = faxes.iter().map(|fax| (owner(fax, search), self.report(fax))).collect();
        Ok(Page { faxes, is_last })
    }
}

fn rfc3339(time: Timestamp) -> String {
    time.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The tag is checked again here: a filter that the server ignored would hand us other people's faxes.
fn owner(fax: &Fax, search: &Search) -> Owner {
    if fax.attempt() == Some(search.attempt) {
        return Owner::Ours;
    }
    let to_fits = fax.to.as_deref() == Some(search.to.as_str());
    let near = |at: Timestamp| at.since(search.opened_ms).max(search.opened_ms.since(at)) <= NEAR;
    if fax.tags.is_none() && !fax.is_inbound && to_fits && fax.created_ms.is_none_or(near) {
        Owner::Perhaps
    } else {
        Owner::Others
    }
}
