//! When a campaign runs: one type for what people write, and the times it means.
//!
//! Times are local in the campaign's zone, so that nine o'clock stays nine o'clock through the year. A local time that
//! the clocks skip means the first moment after the gap; one that they repeat means the first of the two.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{Datelike, Days as DayCount, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Weekday};
use chrono_tz::{GapInfo, Tz};
use croner::Cron;

use crate::domain::Timestamp;

/// Days searched for the next one that matches: more than the longest pause between two, 52 weeks.
const DAYS_MAX: u64 = 400;
/// Local times that are tried before a schedule counts as over: more than a clock change can swallow, one an hour.
const TRIES_MAX: usize = 100;

/// A plan in time. Parse what a person wrote with [`str::parse`]; the error says what is understood. The text it prints
/// is a sentence's part: `the first Tuesday of each month at 9:00 AM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    rule: Rule,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    /// On certain days at one time.
    On { days: Days, at: NaiveTime },
    /// Once only.
    Once(NaiveDateTime),
    /// Five cron fields, the minute being one number: at most once an hour.
    Cron { pattern: Box<Cron>, written: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    Daily,
    /// Monday to Friday.
    Weekdays,
    /// Every week, Monday first.
    Weekly(Vec<Weekday>),
    /// Every so many weeks, counted from the first such day after the anchor.
    EveryWeeks {
        weeks: u8,
        weekday: Weekday,
    },
    /// The first, third, … such day of each month.
    OfMonth {
        which: Vec<Nth>,
        weekday: Weekday,
    },
    /// 1 to 28: every month has it.
    DayOfMonth(u8),
    /// The last day of each month.
    LastDay,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nth {
    First,
    Second,
    Third,
    Fourth,
    Last,
}

impl Schedule {
    /// The first moment after `now` at which it is due; `None` when there is none any more. `anchor` is the campaign's
    /// creation, from which `every 2 weeks` counts. Always later than `now`, whatever the clocks do.
    #[must_use]
    pub fn next_after(&self, now: Timestamp, zone: Tz, anchor: Timestamp) -> Option<Timestamp> {
        let anchor = local(anchor, zone);
        let mut after = local(now, zone);
        // A repeated or skipped local time can mean a moment already past: then the next one is used.
        for _ in 0..TRIES_MAX {
            let next = self.next_local(after, anchor)?;
            let moment = first_moment(next, zone)?;
            if moment > now {
                return Some(moment);
            }
            after = next;
        }
        None
    }

    /// The whole sentence for people: `the first Tuesday of each month at 9:00 AM, America/Chicago`.
    #[must_use]
    pub fn sentence(&self, zone: Tz) -> String {
        format!("{self}, {zone}")
    }

    /// The first local time after `after`, as calendars and clocks on the wall have it.
    fn next_local(&self, after: NaiveDateTime, anchor: NaiveDateTime) -> Option<NaiveDateTime> {
        match &self.rule {
            Rule::Once(at) => (*at > after).then_some(*at),
            Rule::Cron { pattern, .. } => pattern.find_next_occurrence(&after, false).ok(),
            Rule::On { days, at } => (0..DAYS_MAX)
                .filter_map(|count| after.date().checked_add_days(DayCount::new(count)))
                .find(|date| date.and_time(*at) > after && days.include(*date, *at, anchor))
                .map(|date| date.and_time(*at)),
        }
    }
}

impl Days {
    fn include(&self, date: NaiveDate, at: NaiveTime, anchor: NaiveDateTime) -> bool {
        match self {
            Self::Daily => true,
            Self::Weekdays => date.weekday().num_days_from_monday() < 5,
            Self::Weekly(weekdays) => weekdays.contains(&date.weekday()),
            Self::EveryWeeks { weeks, weekday } => {
                date.weekday() == *weekday && weeks_since_first(date, at, anchor) % i64::from(*weeks) == 0
            }
            Self::OfMonth { which, weekday } => {
                date.weekday() == *weekday && which.iter().any(|nth| nth.is_that_of(date))
            }
            Self::DayOfMonth(day) => date.day() == u32::from(*day),
            Self::LastDay => is_in_last_days(date, 1),
        }
    }
}

impl Nth {
    /// Whether the date is its weekday's first, second, … of the month.
    fn is_that_of(self, date: NaiveDate) -> bool {
        match self {
            Self::First => date.day0() / 7 == 0,
            Self::Second => date.day0() / 7 == 1,
            Self::Third => date.day0() / 7 == 2,
            Self::Fourth => date.day0() / 7 == 3,
            Self::Last => is_in_last_days(date, 7),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Third => "third",
            Self::Fourth => "fourth",
            Self::Last => "last",
        }
    }
}

/// Weeks from the first such weekday and time after the anchor to that date of the same weekday.
fn weeks_since_first(date: NaiveDate, at: NaiveTime, anchor: NaiveDateTime) -> i64 {
    let ahead = date.weekday().days_since(anchor.weekday());
    let ahead = if ahead == 0 && at <= anchor.time() { 7 } else { i64::from(ahead) };
    ((date - anchor.date()).num_days() - ahead).div_euclid(7)
}

/// Whether the date is among the last `count` days of its month.
fn is_in_last_days(date: NaiveDate, count: u64) -> bool {
    date.checked_add_days(DayCount::new(count)).is_none_or(|later| later.month() != date.month())
}

fn local(moment: Timestamp, zone: Tz) -> NaiveDateTime {
    moment.to_utc().with_timezone(&zone).naive_local()
}

/// The moment a local time means. Does not decrease when the local time grows, on which [`Schedule::next_after`]
/// relies.
fn first_moment(local: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    let moment = zone.from_local_datetime(&local).earliest().or_else(|| GapInfo::new(&local, &zone)?.end)?;
    Some(Timestamp::from_utc(moment.to_utc()))
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Rule::On { days, at } => write!(f, "{days} at {}", at.format("%-I:%M %p")),
            Rule::Once(at) => write!(f, "once, on {}", at.format("%A, %B %-d, %Y at %-I:%M %p")),
            Rule::Cron { written, .. } => write!(f, "at the times of cron: {written}"),
        }
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daily => f.write_str("every day"),
            Self::Weekdays => f.write_str("every weekday, Monday to Friday,"),
            Self::Weekly(weekdays) => write!(f, "every {}", listed(weekdays, |weekday| name(*weekday))),
            Self::EveryWeeks { weeks: 1, weekday } => write!(f, "every week on {}", name(*weekday)),
            Self::EveryWeeks { weeks, weekday } => write!(f, "every {weeks} weeks on {}", name(*weekday)),
            Self::OfMonth { which, weekday } => {
                write!(f, "the {} {} of each month", listed(which, |nth| nth.as_str()), name(*weekday))
            }
            Self::DayOfMonth(day) => write!(f, "day {day} of each month"),
            Self::LastDay => f.write_str("the last day of each month"),
        }
    }
}

const fn name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed<T>(items: &[T], word: impl Fn(&T) -> &'static str) -> String {
    match items {
        [] => String::new(),
        [only] => word(only).to_owned(),
        [front @ .., last] => {
            format!("{} and {}", front.iter().map(&word).collect::<Vec<_>>().join(", "), word(last))
        }
    }
}
