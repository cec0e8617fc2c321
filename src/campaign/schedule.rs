//! When a campaign runs: one type for what people write, and the times it means.
//!
//! Times are local in the campaign's zone, so that nine o'clock stays nine o'clock through the year. A local time that
//! the clocks skip means the first moment after the gap; one that they repeat means the first of the two.

mod clock_words;
mod dates;
mod interval;
mod misread;
mod numbers;
mod parse;
mod said;
#[cfg(test)]
mod tests;
mod vocabulary;
#[cfg(test)]
mod written {
    mod calendar;
    mod tests;
}

use chrono::{Datelike, Days as DayCount, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Weekday};
use chrono_tz::{GapInfo, Tz};
use croner::Cron;

use crate::domain::Timestamp;
pub use misread::Misread;

/// Days searched for the next one that matches: more than the longest pause between two, a year and a week.
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
    /// Every so many days, counted from the first after the anchor.
    Interval(u16),
    /// Monday to Friday.
    Weekdays,
    /// Every week, Monday first.
    Weekly(Vec<Weekday>),
    /// Every so many weeks, counted from the first such day after the anchor.
    EveryWeeks {
        weeks: u8,
        weekday: Weekday,
    },
    /// In each of these months, on these days of it.
    OfMonth {
        months: Months,
        which: Which,
    },
}

/// Which months.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Months {
    Every,
    /// Every so many months, counted from the first with such a day after the anchor.
    EveryFew(u8),
    /// These, 1 to 12, in order.
    Only(Vec<u8>),
}

/// Which days of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Which {
    /// The first, third, … such day.
    Nth { which: Vec<Nth>, weekday: Weekday },
    /// By number, 1 to 31, in order; a month that is shorter has its last day instead.
    Numbered(Vec<u8>),
    /// By number, in order, and the last day.
    NumberedAndLast(Vec<u8>),
    /// The last day.
    Last,
    /// The so-manieth day from Monday to Friday; `None`: the last.
    Business(Option<u8>),
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

    /// Reads what a person wrote, in the zone in which it is meant; `now` is what `tomorrow` and `December 1` count from.
    ///
    /// # Errors
    /// What is not understood, and what is, for people.
    pub fn read(text: &str, now: Timestamp, zone: Tz) -> Result<Self, Misread> {
        parse::read(text, Some(local(now, zone)))
    }

    /// The first moments after `now` at which it is due, at most `count`, as [`Schedule::next_after`] has them.
    #[must_use]
    pub fn upcoming(&self, now: Timestamp, zone: Tz, anchor: Timestamp, count: usize) -> Vec<Timestamp> {
        let next = |moment: Timestamp| self.next_after(moment, zone, anchor);
        std::iter::successors(next(now), |moment| next(*moment)).take(count).collect()
    }

    /// Whether it can be due more than once.
    #[must_use]
    pub const fn recurs(&self) -> bool {
        !matches!(self.rule, Rule::Once(_))
    }

    /// What to keep of what a person wrote, so that it means the same on every later day; with the time, if none was named.
    #[must_use]
    pub fn kept(&self, written: &str) -> String {
        match &self.rule {
            Rule::Once(at) => at.format("once %Y-%m-%d %H:%M").to_string(),
            Rule::On { .. } if !parse::names_a_time(written) => self.to_string(),
            Rule::On { .. } | Rule::Cron { .. } => written.trim().to_owned(),
        }
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
            Self::Interval(days) => days_since_first(date, at, anchor) % i64::from(*days) == 0,
            Self::Weekdays => is_business_day(date),
            Self::Weekly(weekdays) => weekdays.contains(&date.weekday()),
            Self::EveryWeeks { weeks, weekday } => {
                date.weekday() == *weekday && weeks_since_first(date, at, anchor) % i64::from(*weeks) == 0
            }
            Self::OfMonth { months, which } => which.is_on(date) && months.include(date, which, at, anchor),
        }
    }
}

impl Months {
    fn include(&self, date: NaiveDate, which: &Which, at: NaiveTime, anchor: NaiveDateTime) -> bool {
        match self {
            Self::Every => true,
            Self::Only(months) => months.iter().any(|month| u32::from(*month) == date.month()),
            Self::EveryFew(few) => {
                let first = (0..DAYS_MAX)
                    .filter_map(|count| anchor.date().checked_add_days(DayCount::new(count)))
                    .find(|day| which.is_on(*day) && day.and_time(at) > anchor);
                let number = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month0());
                first.is_some_and(|first| (number(date) - number(first)).rem_euclid(i64::from(*few)) == 0)
            }
        }
    }
}

impl Which {
    fn is_on(&self, date: NaiveDate) -> bool {
        let is_last = is_in_last_days(date, 1);
        match self {
            Self::Nth { which, weekday } => date.weekday() == *weekday && which.iter().any(|nth| nth.is_that_of(date)),
            Self::Numbered(days) => {
                days.iter().any(|day| date.day() == u32::from(*day) || (is_last && date.day() < u32::from(*day)))
            }
            Self::NumberedAndLast(days) => is_last || days.iter().any(|day| date.day() == u32::from(*day)),
            Self::Last => is_last,
            Self::Business(Some(number)) => is_business_day(date) && business_days_until(date) == u32::from(*number),
            Self::Business(None) => {
                let later = (1..=3).filter_map(|count| date.checked_add_days(DayCount::new(count)));
                is_business_day(date)
                    && !later.into_iter().any(|day| day.month() == date.month() && is_business_day(day))
            }
        }
    }
}

/// Monday to Friday; holidays are not known here.
fn is_business_day(date: NaiveDate) -> bool {
    date.weekday().num_days_from_monday() < 5
}

/// Business days of the month up to that date.
fn business_days_until(date: NaiveDate) -> u32 {
    let days = (0..date.day()).filter_map(|back| date.checked_sub_days(DayCount::new(u64::from(back))));
    u32::try_from(days.filter(|day| is_business_day(*day)).count()).unwrap_or(u32::MAX)
}

/// Days from the first such time after the anchor to that date.
fn days_since_first(date: NaiveDate, at: NaiveTime, anchor: NaiveDateTime) -> i64 {
    let ahead = i64::from(at <= anchor.time());
    (date - anchor.date()).num_days() - ahead
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
