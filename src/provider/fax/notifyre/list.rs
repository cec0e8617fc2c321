//! The list of sent faxes, which answers both questions: what became of a fax, and whether one was made at all.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::Notifyre;
use super::fax::Fax;
use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::Report;
use crate::domain::fault::{Failure, Fault};
use crate::provider::kit::reading::{count, unreadable};
use crate::provider::{Lookup, Search};

/// How far before the attempt the window of a look-up begins: the two clocks may differ.
const WINDOW_BEFORE: Duration = Duration::from_secs(5 * 60);
/// How far after it that window ends: an unanswered call takes effect within minutes or not at all.
const WINDOW_AFTER: Duration = Duration::from_secs(30 * 60);
/// How far back the state of a fax is looked for: reports are waited for a day, and a day more is ample.
const STATE_WINDOW: Duration = Duration::from_secs(48 * 3600);
/// Faxes asked for per page; the provider may give fewer.
const PAGE_SIZE: &str = "100";
/// Pages read before giving up.
const PAGES_MAX: usize = 50;

/// What is asked of the list: a window, both ends included, and the end it is read from.
struct Window {
    from: Timestamp,
    until: Timestamp,
    sort: &'static str,
}

/// The first fax that fits, or that there is none in the whole window.
enum Read {
    Fits(Fax),
    Nowhere,
}

impl Notifyre {
    /// The state of one fax, newest first.
    pub(super) async fn state(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let now = self.clock.now();
        // Their clock may be ahead of ours, so the window ends a little later than now.
        let window = Window { from: now.before(STATE_WINDOW), until: now.after(WINDOW_BEFORE), sort: "desc" };
        match self.read(&window, |fax| fax.id == *reference).await? {
            Read::Fits(fax) => Ok(Report::new(reference.clone(), self.fact(&fax))),
            Read::Nowhere => {
                Err(Failure::new(Fault::Unknown).text("the list of the last two days does not hold this fax"))
            }
        }
    }

    /// Looks for our reference, oldest first, so that new faxes do not shift the pages.
    pub(super) async fn look(&self, search: &Search) -> Result<Lookup, Failure> {
        let (from, until) = (search.opened_ms.before(WINDOW_BEFORE), search.opened_ms.after(WINDOW_AFTER));
        let ours = search.attempt.to_string();
        let is_ours = |fax: &Fax| fax.reference.as_deref() == Some(ours.as_str());
        Ok(match self.read(&Window { from, until, sort: "asc" }, is_ours).await? {
            Read::Fits(fax) => {
                let fact = self.fact(&fax);
                Lookup::Found(Report::new(fax.id, fact))
            }
            Read::Nowhere => Lookup::Absent,
        })
    }

    async fn read(&self, window: &Window, fits: impl Fn(&Fax) -> bool) -> Result<Read, Failure> {
        let mut skip = 0;
        for _ in 0..PAGES_MAX {
            let payload = self.page(window, skip).await?;
            let faxes = faxes(&payload).ok_or_else(|| unreadable("the list cannot be read"))?;
            skip += faxes.len();
            let read_whole = faxes.is_empty() || count(&payload["total"]).is_some_and(|total| skip >= total as usize);
            if let Some(fax) = faxes.into_iter().find(&fits) {
                return Ok(Read::Fits(fax));
            }
            if read_whole {
                return Ok(Read::Nowhere);
            }
        }
        Err(unreadable("the window holds more faxes than can be looked through"))
    }

    async fn page(&self, window: &Window, skip: usize) -> Result<Value, Failure> {
        let seconds = |time: Timestamp| (time.0 / 1000).to_string();
        let query = [
            ("fromDate", seconds(window.from)),
            ("toDate", seconds(window.until)),
            ("sort", window.sort.to_owned()),
            ("limit", PAGE_SIZE.to_owned()),
            ("skip", skip.to_string()),
        ];
        self.ask(self.request(Method::GET, &["fax", "send"]).query(&query)).await
    }
}

/// The faxes on a page; `None` if any of them cannot be read, because that one might be ours.
fn faxes(payload: &Value) -> Option<Vec<Fax>> {
    payload["faxes"].as_array()?.iter().map(Fax::read).collect()
}
