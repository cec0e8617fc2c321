//! Looking for a fax whose creation got no answer: first in the outbox, then among the records of the account since the
//! attempt, page by page to the end, comparing our reference. In that order a fax that ends meanwhile is not missed.

use std::collections::HashSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::FaxPlus;
use super::fax::{self, Fax};
use crate::domain::Timestamp;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::provider::kit::reading::unreadable;
use crate::provider::{Lookup, Search};

/// How far before the attempt and beyond the present the window reaches: the two clocks may differ.
const CLOCKS_APART: Duration = Duration::from_secs(5 * 60);
/// Records asked for per page: the most that is given. Only an empty page is known to be beyond the last.
const PAGE_SIZE: usize = 50;
/// Pages read before giving up.
const PAGES_MAX: usize = 40;

impl FaxPlus {
    pub(super) async fn scan(&self, search: &Search) -> Result<Lookup, Failure> {
        let from = search.opened_ms.before(CLOCKS_APART);
        let to = self.clock.now().max(search.opened_ms).after(CLOCKS_APART);
        let mut candidates = Vec::new();

        let waiting = self.body(&self.ask(Method::GET, &["outbox"], &[]).await?)?;
        if let Some(found) = compare(&records(&waiting)?, search, from, &mut candidates) {
            return Ok(Lookup::Found(found));
        }
        let mut seen = HashSet::new();
        for _ in 0..PAGES_MAX {
            let body = self.list(from, to, seen.len(), PAGE_SIZE).await?;
            let faxes = records(&body["data"])?;
            if let Some(found) = compare(&faxes, search, from, &mut candidates) {
                return Ok(Lookup::Found(found));
            }
            if faxes.is_empty() {
                return Ok(Lookup::without_ours(candidates));
            }
            let before = seen.len();
            seen.extend(faxes.into_iter().map(|fax| fax.id));
            if seen.len() == before {
                return Err(unreadable("the listing does not go on"));
            }
        }
        Err(unreadable("the window holds more faxes than can be looked through"))
    }

    /// Records of sent faxes, oldest first, so that one added meanwhile moves none to a page already read.
    pub(super) async fn list(
        &self,
        from: Timestamp,
        to: Timestamp,
        offset: usize,
        limit: usize,
    ) -> Result<Value, Failure> {
        let query = [
            ("category", "sent".to_owned()),
            ("after", fax::written(from)),
            ("before", fax::written(to)),
            ("limit", limit.to_string()),
            ("offset", offset.to_string()),
            ("sort_by", "date".to_owned()),
            ("order", "asc".to_owned()),
        ];
        let answer = self.ask(Method::GET, &["faxes"], &query).await?;
        self.body(&answer)
    }
}

/// The faxes of a listing.
///
/// # Errors
/// One of them cannot be read: it might be ours.
fn records(listing: &Value) -> Result<Vec<Fax>, Failure> {
    let faxes = listing["records"].as_array().and_then(|all| all.iter().map(Fax::read).collect());
    faxes.ok_or_else(|| unreadable("the listing cannot be read"))
}

/// The fax with our reference; those without any that fit by number and time join the candidates.
fn compare(faxes: &[Fax], search: &Search, from: Timestamp, candidates: &mut Vec<Report>) -> Option<Report> {
    if let Some(ours) = faxes.iter().find(|fax| fax.is_of(search.attempt)) {
        return Some(ours.report(ours.id.clone()));
    }
    for fax in faxes.iter().filter(|fax| fax.may_be_of(search.to.as_str(), from)) {
        if candidates.iter().all(|known| known.reference != fax.id) {
            candidates.push(fax.report(fax.id.clone()));
        }
    }
    None
}
