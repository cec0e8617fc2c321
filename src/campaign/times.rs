//! When a campaign runs next, for a person to check: the schedule as a sentence, and its next dates.

use chrono_tz::Tz;

use super::plan::Plan;
use super::schedule::Schedule;
use crate::domain::Timestamp;
use crate::domain::campaign::CampaignState;
use crate::store::records::campaigns::CampaignRow;

/// Dates shown of a schedule.
const DATES_SHOWN: usize = 3;

/// A schedule as it is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// When it runs, as a sentence.
    pub when: String,
    /// The zone in which it is meant.
    pub zone: Tz,
    /// The next times at which it is due, at most three.
    pub next: Vec<Timestamp>,
}

impl Times {
    /// The schedule's first times from `first` on.
    pub(super) fn of(schedule: &Schedule, zone: Tz, first: Option<Timestamp>, anchor: Timestamp) -> Self {
        let next = first.map_or_else(Vec::new, |first| {
            let later = schedule.upcoming(first, zone, anchor, DATES_SHOWN - 1);
            std::iter::once(first).chain(later).collect()
        });
        Self { when: schedule.sentence(zone), zone, next }
    }

    /// Each date as a person of its zone would write it, such as `Tuesday, Dec 1, 2026 9:00 AM CST`.
    pub fn dates(&self) -> impl Iterator<Item = String> {
        self.next.iter().map(|at| at.day_in_zone(self.zone))
    }
}

/// A campaign's schedule as it is understood; no dates while it is paused, done or removed. `None` if it cannot be read.
#[must_use]
pub fn times(row: &CampaignRow) -> Option<Times> {
    let plan = Plan::read(row).ok()?;
    let first = row.next_ms.filter(|_| row.state == CampaignState::Active && row.removed_ms.is_none());
    Some(Times::of(&plan.schedule, plan.zone, first, row.created_ms))
}
