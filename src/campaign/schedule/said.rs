//! How a schedule is said back: a sentence's part that can be written as a schedule again.

use std::fmt;

use chrono::Weekday;

use super::{Days, Months, Nth, Rule, Schedule, Which};
use crate::domain::listed::listed;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What has to be known about days, after the words that name them.
pub(super) const SHORTER_MONTHS: &str = "(a shorter month's last day)";
pub(super) const NO_HOLIDAYS: &str = "(Monday to Friday; holidays are not looked at)";

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
            Self::Interval(days) => write!(f, "every {days} days"),
            Self::Weekdays => f.write_str("every weekday, Monday to Friday,"),
            Self::Weekly(weekdays) => {
                write!(f, "every {}", listed(weekdays.iter().map(|weekday| name(*weekday)), "and"))
            }
            Self::EveryWeeks { weeks, weekday } => write!(f, "every {weeks} weeks on {}", name(*weekday)),
            Self::OfMonth { months: Months::Every, which } => write!(f, "{which} of each month{}", which.note()),
            Self::OfMonth { months: Months::EveryFew(few), which } => {
                write!(f, "every {few} months on {which}{}", which.note())
            }
            Self::OfMonth { months: Months::Only(months), which } => {
                let months = listed(months.iter().map(|month| month_name(*month)), "and");
                write!(f, "{which} of {months} each year{}", which.note())
            }
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nth { which, weekday } => {
                write!(f, "the {} {}", listed(which.iter().map(|nth| nth.as_str()), "and"), name(*weekday))
            }
            Self::Numbered(days) => write!(f, "day {}", listed(days.iter().map(u8::to_string), "and")),
            Self::NumberedAndLast(days) => {
                let days = days.iter().map(u8::to_string).chain(std::iter::once("the last day".to_owned()));
                write!(f, "day {}", listed(days, "and"))
            }
            Self::Last => f.write_str("the last day"),
            Self::Business(Some(number)) => write!(f, "the {} business day", ordinal(*number)),
            Self::Business(None) => f.write_str("the last business day"),
        }
    }
}

impl Which {
    /// What has to be known about it, after the words.
    fn note(&self) -> String {
        match self {
            Self::Numbered(days) if days.iter().any(|day| *day > 28) => format!(" {SHORTER_MONTHS}"),
            Self::Business(_) => format!(" {NO_HOLIDAYS}"),
            _ => String::new(),
        }
    }
}

impl Nth {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Third => "third",
            Self::Fourth => "fourth",
            Self::Last => "last",
        }
    }
}

fn month_name(month: u8) -> &'static str {
    usize::from(month).checked_sub(1).and_then(|at| MONTHS.get(at)).copied().unwrap_or("")
}

/// `1st`, `2nd`, `15th`.
pub(super) fn ordinal(number: u8) -> String {
    let end = match (number % 10, number) {
        (1, n) if n != 11 => "st",
        (2, n) if n != 12 => "nd",
        (3, n) if n != 13 => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

pub(super) const fn name(weekday: Weekday) -> &'static str {
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
