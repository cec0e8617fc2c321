//! Looking through a provider's listing for a fax of ours, page by page to its end. Absence is concluded only from a
//! listing that was read whole.

use super::reading::unreadable;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::provider::Lookup;

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

/// One page of a listing.
pub struct Page {
    /// Every fax on it.
    pub faxes: Vec<(Owner, Report)>,
    /// Whether the listing says that no page follows.
    pub is_last: bool,
}

/// What was seen of a listing so far.
#[derive(Default)]
pub struct Search {
    candidates: Vec<Report>,
}

impl Search {
    /// Reads the next page; the answer, once there is one.
    pub fn read(&mut self, page: Page) -> Option<Lookup> {
        for (owner, report) in page.faxes {
            match owner {
                Owner::Ours => return Some(Lookup::Found(report)),
                Owner::Perhaps if !self.candidates.contains(&report) => self.candidates.push(report),
                Owner::Perhaps | Owner::Others => {}
            }
        }
        if !page.is_last {
            return None;
        }
        let candidates = std::mem::take(&mut self.candidates);
        Some(Lookup::without_ours(candidates))
    }
}

/// Why a search ends without an answer: more pages than one will read.
pub fn too_long() -> Failure {
    unreadable("the window holds more faxes than can be looked through")
}
