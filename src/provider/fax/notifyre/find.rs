//! The list of sent faxes, which answers both questions: what became of a fax, and whether one was made at all.

use std::time::Duration;

use async_trait::async_trait;

use super::Notifyre;
use super::fax::Fax;
use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::domain::id::AttemptId;
use crate::provider::FindQuery;
use crate::provider::kit::listing::{Listing, Owner, Page, Place, Window};
use crate::provider::kit::reading::count;

/// How far back the state of a fax is looked for: reports are waited for a day, and a day more is ample.
const STATE_WINDOW: Duration = Duration::from_secs(48 * 3600);
/// How far ahead of ours their clock may be.
const CLOCKS_APART: Duration = Duration::from_secs(5 * 60);
/// Faxes asked for per page; the provider may give fewer.
const PAGE_SIZE: &str = "100";

/// What is asked of the list: a window, both ends included, and the end it is read from.
pub struct Sought {
    window: Window,
    sort: &'static str,
    which: Which,
}

enum Which {
    Attempt(AttemptId),
    Fax(ProviderReference),
}

impl Sought {
    /// The fax of an attempt; oldest first, so that new faxes do not shift the pages.
    pub fn of(query: &FindQuery) -> Self {
        Self { window: Window::around(query.opened_ms), sort: "asc", which: Which::Attempt(query.attempt) }
    }

    fn is(&self, fax: &Fax) -> bool {
        match &self.which {
            Which::Attempt(attempt) => fax.attempt() == Some(*attempt),
            Which::Fax(id) => fax.id == *id,
        }
    }
}

impl Notifyre {
    /// A fax by its id, newest first.
    pub(super) fn by_id(&self, id: &ProviderReference) -> Sought {
        let window = Window::of(self.clock.now(), STATE_WINDOW, CLOCKS_APART);
        Sought { window, sort: "desc", which: Which::Fax(id.clone()) }
    }
}

#[async_trait]
impl Listing for Notifyre {
    type Sought = Sought;
    const PAGES_MAX: u32 = 50;

    async fn page(&self, sought: &Sought, place: &Place) -> Result<Page, Failure> {
        let seconds = |time: Timestamp| (time.0 / 1000).to_string();
        let request = self.client.get(&["fax", "send"]).query(&[
            ("fromDate", seconds(sought.window.from)),
            ("toDate", seconds(sought.window.until)),
            ("sort", sought.sort.to_owned()),
            ("limit", PAGE_SIZE.to_owned()),
            ("skip", place.seen.to_string()),
        ]);
        let payload = &self.client.ask(request).await?["payload"];
        let page = Page::of(&payload["faxes"], |item| {
            let fax = Fax::read(item)?;
            Some((Owner::of(sought.is(&fax), false), Report::new(fax.id.clone(), self.fact(&fax))))
        })?;
        Ok(Page { total: count(&payload["total"]), ..page })
    }
}
