//! What is reported to the customer about a fax, and how: in order and once, or lost, twice, in reverse, forged, stale.

use super::behaviour::Manners;
use super::guise::Guise;
use super::record::{Fax, FaxStatus};
use crate::domain::{Fault, Timestamp};

/// Whether a notice is genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// Genuine.
    Authentic,
    /// Forged: someone without the secret reports the opposite.
    Forged,
    /// Genuine, but signed a day ago.
    Stale,
}

/// One callback, not yet in the guise's words.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    /// The event's id: the same each time it is reported.
    pub(super) id: String,
    /// The event in the guise's word.
    pub(super) stage: &'static str,
    /// The fax at that moment.
    pub(super) fax: Fax,
    /// When it happened.
    pub(super) at: Timestamp,
    pub(super) truth: Truth,
}

impl Notice {
    fn of(stage: &'static str, fax: &Fax, now: Timestamp) -> Self {
        let fax = Fax { document: None, ..fax.clone() };
        Self { id: uuid::Uuid::now_v7().to_string(), stage, fax, at: now, truth: Truth::Authentic }
    }

    /// The opposite of what the fax became.
    fn forgery(guise: Guise, fax: &Fax, now: Timestamp) -> Self {
        let mut lie = fax.clone();
        match fax.status {
            FaxStatus::Delivered => lie.end(FaxStatus::Failed, Some(Fault::LineError), 0, now),
            _ => lie.end(FaxStatus::Delivered, None, fax.pages, now),
        }
        Self { truth: Truth::Forged, ..Self::of(guise.stage_at_end(&lie), &lie, now) }
    }
}

/// What is reported when the call begins.
pub(super) fn of_beginning(guise: Guise, dialing: &Fax, now: Timestamp) -> Vec<Notice> {
    guise.stages_at_start().iter().map(|stage| Notice::of(stage, dialing, now)).collect()
}

/// The notices for that, sent in those manners.
pub(super) fn told_at_beginning(manners: Manners, beginning: &[Notice]) -> Vec<Notice> {
    if manners.lost || manners.reversed { Vec::new() } else { beginning.to_vec() }
}

/// What is reported when it has ended.
pub(super) fn told_at_end(
    guise: Guise,
    manners: Manners,
    beginning: &[Notice],
    ended: &Fax,
    now: Timestamp,
) -> Vec<Notice> {
    if manners.lost {
        return Vec::new();
    }
    let last = Notice::of(guise.stage_at_end(ended), ended, now);
    let mut told = Vec::new();
    told.extend(manners.forged.then(|| Notice::forgery(guise, ended, now)));
    told.extend(manners.stale.then(|| Notice { truth: Truth::Stale, ..last.clone() }));
    told.extend(manners.twice.then(|| last.clone()));
    told.push(last);
    if manners.reversed {
        told.extend_from_slice(beginning);
    }
    told
}
