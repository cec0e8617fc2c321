//! Walking through a provider's listing to find one of our faxes, page by page to its end. Absence is concluded only
//! from a listing that was read completely.

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

/// Whether a listed fax is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// It carries our reference.
    Ours,
    /// It carries no reference at all, and number and time match.
    Perhaps,
    /// It carries a different reference, number or time.
    Others,
}

impl Owner {
    /// From whether it carries our reference, and whether it may be ours without one.
    pub const fn of(is_ours: bool, may_be_ours: bool) -> Self {
        match (is_ours, may_be_ours) {
            (true, _) => Self::Ours,
            (false, true) => Self::Perhaps,
            (false, false) => Self::Others,
        }
    }
}

/// The time around an attempt in which its fax was created, if it was.
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

    /// That long before and after.
    pub fn of(opened: Timestamp, before: Duration, after: Duration) -> Self {
        Self { from: opened.before(before), until: opened.after(after) }
    }

    /// Whether a fax of that time is within it; one without a time may be. This checks the provider's own filter: a
    /// server that ignored it would return other faxes.
    pub fn holds(&self, at: Option<Timestamp>) -> bool {
        at.is_none_or(|at| at >= self.from && at <= self.until)
    }
}

/// The position of a walk.
#[derive(Debug, Default)]
pub struct Place {
    /// The page to read, from 1.
    pub page: u32,
    /// How many different faxes the pages before it held: where a listing moved meanwhile, reading an entry twice is
    /// better than missing it.
    pub seen: usize,
    /// What the previous page said about this one ([`Page::next`]).
    pub next: Option<String>,
}

/// One page of a listing, with everything it says about the listing's end.
#[derive(Default)]
pub struct Page {
    /// Every fax on it.
    pub faxes: Vec<(Owner, Report)>,
    /// How many pages there are.
    pub pages: Option<u32>,
    /// How many faxes there are.
    pub total: Option<u32>,
    /// The provider's name for the next page.
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
    /// What to look for.
    type Sought: Sync;
    /// Pages read before giving up.
    const PAGES_MAX: u32;

    /// Reads one page.
    ///
    /// # Errors
    /// The query failed, or the page cannot be read.
    async fn page(&self, sought: &Self::Sought, place: &Place) -> Result<Page, Failure>;
}

/// Reads a listing until ours is found or its end is reached. The end is where the page count says, else where as many
/// faxes were seen as there are, else at an empty page.
///
/// # Errors
/// A page could not be read, the listing ends before its own count, or it does not end within [`Listing::PAGES_MAX`].
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

/// What has been seen of a listing so far.
#[derive(Default)]
struct Walk {
    listed: usize,
    seen: HashSet<ProviderReference>,
    page_before: Vec<(Owner, Report)>,
    candidates: Vec<Report>,
}

impl Walk {
    fn read(&mut self, page: Page, number: u32, goes_on: bool) -> Result<Option<FindResult>, Failure> {
        for (owner, report) in &page.faxes {
            self.seen.insert(report.reference.clone());
            let is_known = || self.candidates.iter().any(|known| known.reference == report.reference);
            match owner {
                Owner::Ours => return Ok(Some(FindResult::Found(report.clone()))),
                Owner::Perhaps if !is_known() => self.candidates.push(report.clone()),
                Owner::Perhaps | Owner::Others => {}
            }
        }
        let is_empty = page.faxes.is_empty();
        if page.pages.is_none() && !is_empty && page.faxes == self.page_before {
            return Err(unreadable("the listing does not go on"));
        }
        self.listed += page.faxes.len();
        let is_seen_whole = page.total.map(|total| self.listed >= total as usize);
        let is_last = match page.pages {
            _ if goes_on => false,
            Some(pages) => number >= pages,
            None => is_empty || is_seen_whole == Some(true),
        };
        // Pages may be empty while faxes are missing; an empty one after the last fax contradicts the page count.
        let is_beyond = is_empty && !is_last && is_seen_whole == Some(true);
        if is_beyond || (is_last && is_seen_whole == Some(false)) {
            return Err(unreadable("the listing ends early"));
        }
        self.page_before = page.faxes;
        Ok(is_last.then(|| FindResult::without_ours(std::mem::take(&mut self.candidates))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::kit::reading::progress;

    fn page(faxes: &[(&str, Owner)]) -> Page {
        let report = |id: &str| Report::new(ProviderReference::new(id).expect("it can be one"), progress("queued"));
        Page { faxes: faxes.iter().map(|(id, owner)| (*owner, report(id))).collect(), ..Page::default() }
    }

    /// The result of a listing whose pages these are; `None` if it would continue after them.
    fn walk(pages: Vec<Page>) -> Result<Option<FindResult>, Failure> {
        let mut walk = Walk::default();
        for (number, mut page) in (1..).zip(pages) {
            let goes_on = page.next.take().is_some();
            if let Some(result) = walk.read(page, number, goes_on)? {
                return Ok(Some(result));
            }
        }
        Ok(None)
    }

    #[test]
    fn absence_is_concluded_only_at_the_end_that_the_listing_names_itself() {
        let others = || page(&[("1", Owner::Others)]);
        assert_eq!(walk(vec![others()]), Ok(None), "nothing says that this is all");
        assert_eq!(walk(vec![others(), page(&[])]), Ok(Some(FindResult::Absent)));
        assert_eq!(walk(vec![Page { pages: Some(1), ..others() }]), Ok(Some(FindResult::Absent)));
        assert_eq!(walk(vec![Page { total: Some(1), ..others() }]), Ok(Some(FindResult::Absent)));
        assert_eq!(walk(vec![Page { pages: Some(2), ..page(&[]) }]), Ok(None), "an empty page before the last");
        let next = Some("2".to_owned());
        assert_eq!(walk(vec![Page { pages: Some(1), next, ..others() }]), Ok(None), "a next page is named");
    }

    #[test]
    fn a_listing_that_contradicts_its_own_count_proves_nothing() {
        let others = || page(&[("1", Owner::Others)]);
        assert!(walk(vec![Page { pages: Some(1), total: Some(2), ..others() }]).is_err(), "one is missing");
        assert!(walk(vec![others(), Page { total: Some(2), ..page(&[]) }]).is_err(), "it ends early");
        let beyond = Page { pages: Some(3), total: Some(1), ..page(&[]) };
        assert!(walk(vec![Page { pages: Some(3), ..others() }, beyond]).is_err(), "pages without faxes");
        assert!(walk(vec![others(), others()]).is_err(), "the same page again");
    }

    #[test]
    fn ours_counts_whatever_the_listing_says_of_its_end_and_candidates_are_named_once() {
        let ours = Page { pages: Some(1), total: Some(9), ..page(&[("1", Owner::Perhaps), ("2", Owner::Ours)]) };
        assert!(matches!(walk(vec![ours]), Ok(Some(FindResult::Found(report))) if report.reference.0 == "2"));
        let first = page(&[("1", Owner::Perhaps), ("2", Owner::Perhaps)]);
        let second = page(&[("2", Owner::Perhaps), ("3", Owner::Others)]);
        let result = walk(vec![first, second, page(&[])]);
        assert!(matches!(result, Ok(Some(FindResult::Candidates(all))) if all.len() == 2));
    }
}
