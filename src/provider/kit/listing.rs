//! Walking through a provider's listing to find a fax of ours, page by page to its end. Absence is concluded only from a
//! listing that was read whole.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::reading::unreadable;
use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::provider::FindResult;

/// Whose a listed fax is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// It carries our reference.
    Ours,
    /// It carries no reference at all, and number and time fit.
    Perhaps,
    /// It carries another's reference, or went elsewhere, or at another time.
    Others,
}

impl Owner {
    /// By whether it carries our reference, and whether it may be ours without one.
    pub const fn of(is_ours: bool, may_be_ours: bool) -> Self {
        match (is_ours, may_be_ours) {
            (true, _) => Self::Ours,
            (false, true) => Self::Perhaps,
            (false, false) => Self::Others,
        }
    }
}

/// The time around an attempt in which its fax was made, if it was.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Its first moment.
    pub from: Timestamp,
    /// Its last moment.
    pub until: Timestamp,
}

impl Window {
    /// Five minutes before, because the two clocks may differ, and half an hour after: an unanswered call takes effect
    /// within minutes or not at all.
    pub fn around(opened: Timestamp) -> Self {
        Self::of(opened, Duration::from_secs(5 * 60), Duration::from_secs(30 * 60))
    }

    /// So long before and after.
    pub fn of(opened: Timestamp, before: Duration, after: Duration) -> Self {
        Self { from: opened.before(before), until: opened.after(after) }
    }

    /// Whether a fax of that time is within it; one that names no time may be. The provider's own filter is checked so: a
    /// server that ignored it would hand us other people's faxes.
    pub fn holds(&self, at: Option<Timestamp>) -> bool {
        at.is_none_or(|at| at >= self.from && at <= self.until)
    }
}

/// Where a walk is.
#[derive(Debug, Default)]
pub struct Place {
    /// The page to read, from 1.
    pub page: u32,
    /// How many different faxes the pages before it held.
    pub seen: usize,
    /// What the page before said of this one ([`Page::next`]).
    pub next: Option<String>,
}

/// One page of a listing, with everything that it says about the listing's end.
#[derive(Default)]
pub struct Page {
    /// Every fax on it.
    pub faxes: Vec<(Owner, Report)>,
    /// How many pages there are.
    pub pages: Option<u32>,
    /// How many faxes there are.
    pub total: Option<u32>,
    /// What the provider calls the page that follows.
    pub next: Option<String>,
}

impl Page {
    /// The faxes of a JSON list.
    ///
    /// # Errors
    /// It is not a list, or one of them cannot be read: that one might be ours.
    pub fn of(list: &Value, read: impl FnMut(&Value) -> Option<(Owner, Report)>) -> Result<Self, Failure> {
        let faxes: Option<_> = list.as_array().and_then(|list| list.iter().map(read).collect());
        Ok(Self { faxes: faxes.ok_or_else(|| unreadable("the listing cannot be read"))?, ..Self::default() })
    }

    /// The same page as the last one.
    pub fn last(self, place: &Place) -> Self {
        Self { pages: Some(place.page), ..self }
    }
}

/// A listing that is read page by page.
#[async_trait]
pub trait Listing: Sync {
    /// What is looked for.
    type Sought: Sync;
    /// Pages read before giving up.
    const PAGES_MAX: u32;

    /// Reads one page.
    ///
    /// # Errors
    /// Asking did not work, or the page cannot be read.
    async fn page(&self, sought: &Self::Sought, place: &Place) -> Result<Page, Failure>;
}

/// Reads a listing until ours is found or its end is reached. The end is where the page count says, else where as many
/// faxes were seen as there are, else at an empty page.
///
/// # Errors
/// A page did not come, the listing ends before its own count, or it does not end within [`Listing::PAGES_MAX`].
pub async fn find<L: Listing>(listing: &L, sought: &L::Sought) -> Result<FindResult, Failure> {
    let mut walk = Walk::default();
    let mut place = Place { page: 1, ..Place::default() };
    while place.page <= L::PAGES_MAX {
        let mut page = listing.page(sought, &place).await?;
        let next = page.next.take();
        if let Some(result) = walk.read(page, place.page, next.is_some())? {
            return Ok(result);
        }
        place = Place { page: place.page + 1, seen: walk.seen.len(), next };
    }
    Err(too_long())
}

/// Why a walk ends without a result: more pages than it will read.
pub fn too_long() -> Failure {
    unreadable("the window holds more faxes than can be looked through")
}

/// What was seen of a listing so far.
#[derive(Default)]
struct Walk {
    seen: HashSet<ProviderReference>,
    candidates: Vec<Report>,
}

impl Walk {
    fn read(&mut self, page: Page, number: u32, goes_on: bool) -> Result<Option<FindResult>, Failure> {
        let (is_empty, before) = (page.faxes.is_empty(), self.seen.len());
        for (owner, report) in page.faxes {
            let is_new = self.seen.insert(report.reference.clone());
            match owner {
                Owner::Ours => return Ok(Some(FindResult::Found(report))),
                Owner::Perhaps if is_new => self.candidates.push(report),
                Owner::Perhaps | Owner::Others => {}
            }
        }
        let seen = u32::try_from(self.seen.len()).unwrap_or(u32::MAX);
        let is_last = match page.pages {
            _ if goes_on => false,
            Some(pages) => number >= pages,
            None => is_empty || page.total.is_some_and(|total| seen >= total),
        };
        // Pages may be empty while faxes are missing; an empty one after the last fax contradicts the page count.
        let is_cut = is_empty && !is_last && page.total.is_some_and(|total| seen >= total);
        if is_cut || (is_last && page.total.is_some_and(|total| seen < total)) {
            return Err(unreadable("the listing ends early"));
        }
        if !is_last && !is_empty && self.seen.len() == before {
            return Err(unreadable("the listing does not go on"));
        }
        Ok(is_last.then(|| FindResult::without_ours(std::mem::take(&mut self.candidates))))
    }
}
