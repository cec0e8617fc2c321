//! Intervals in words: `every 2 weeks`, `every other monday`, `every third day`.

use super::said::name;
use super::vocabulary::{day_of, is_month, weekday};

/// What an interval counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

fn unit(word: &str) -> Option<Unit> {
    match word {
        "day" => Some(Unit::Day),
        "week" => Some(Unit::Week),
        "month" => Some(Unit::Month),
        "quarter" => Some(Unit::Quarter),
        "year" => Some(Unit::Year),
        _ => None,
    }
}

/// `every 2 weeks`, taken out of the words: how many of what.
pub(super) fn take_interval(words: &mut Vec<&str>) -> Result<Option<(u32, Unit)>, String> {
    let mut interval: Option<(u32, Unit)> = None;
    while let Some(at) = words.iter().position(|word| *word == "every") {
        let rest = &words[at + 1..];
        let (found, length) = match *rest {
            [count, word, ..] if whole(count).is_some() && unit(word).is_some() => {
                (unit(word).map(|unit| (whole(count).unwrap_or_default(), unit)), 3)
            }
            [count, day, ..] if whole(count).is_some() && weekday(day).is_some() => {
                (Some((whole(count).unwrap_or_default(), Unit::Week)), 2)
            }
            [which, "week", ..] if ordinal(which).is_some() => (ordinal(which).map(|count| (count, Unit::Week)), 3),
            [which, "month", ..] if ordinal(which).is_some() => (ordinal(which).map(|count| (count, Unit::Month)), 3),
            [which, "day", ..] if ordinal(which).is_some() && !is_of_month(words) => {
                (ordinal(which).map(|count| (count, Unit::Day)), 3)
            }
            [which, "businessday" | "weekday", ..] if ordinal(which).is_some() && !is_of_month(words) => {
                return Err(format!(
                    "say of what it is the {which}, such as `{which} business day of the month 09:00`"
                ));
            }
            [which, "quarter" | "year", ..] if ordinal(which).is_some() => {
                return Err("write `every 6 months on day 1 09:00`, or name the months".to_owned());
            }
            [which, day, ..] if weekday(day).is_some() && !is_of_month(words) && ordinal(which).is_some() => {
                return Err(every_nth(which, day));
            }
            [which @ ("second" | "third" | "fourth" | "fifth")] if !is_of_month(words) => {
                return Err(format!(
                    "every {which} of what? Write `{which} monday 09:00` or `every 2 weeks on monday 09:00`"
                ));
            }
            [word, ..] if unit(word).is_some() => (unit(word).map(|unit| (1, unit)), 2),
            _ => (None, 1),
        };
        if found.is_some() && interval.is_some() && found != interval {
            return Err("it has two intervals".to_owned());
        }
        interval = interval.or(found);
        words.drain(at..at + length);
    }
    Ok(interval)
}

/// Every third Monday: of the month, or every three weeks.
fn every_nth(which: &str, day: &str) -> String {
    let day = weekday(day).map_or_else(|| day.to_owned(), |day| name(day).to_lowercase());
    let count = ordinal(which).unwrap_or_default();
    let of_month = if count > 4 { "last" } else { which };
    format!(
        "every {which} {day} can mean `{of_month} {day} 09:00` of each month or `every {count} weeks on {day} 09:00`"
    )
}

fn whole(word: &str) -> Option<u32> {
    (word.len() <= 4 && word.bytes().all(|byte| byte.is_ascii_digit())).then(|| word.parse().ok()).flatten()
}

/// `second`, `3rd`: from 2 on, since every first is something else.
fn ordinal(word: &str) -> Option<u32> {
    let is_bare = word.bytes().all(|byte| byte.is_ascii_digit());
    day_of(word).filter(|count| *count > 1 && !is_bare).map(u32::from)
}

/// Whether the words speak of days of a month.
fn is_of_month(words: &[&str]) -> bool {
    words.contains(&"month") || words.iter().any(|word| is_month(word))
}
