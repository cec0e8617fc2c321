//! Single days as people write them: `2026-12-01`, `12/01/2026`, `December 1`, `tomorrow`, `next Tuesday`, `in 3 days`.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Weekday};

use super::clock_words::number;
use super::said;
use super::vocabulary::{day_of, is_year, month, weekday};

/// Years that are searched for the next February 29.
const YEARS_MAX: i32 = 9;

/// What the words say about a single day: nothing, or the day, or why it cannot be read. `now` is what relative days count
/// from; without it, as in what is stored, there are none.
pub(super) fn single(
    words: &[String],
    at: NaiveTime,
    now: Option<NaiveDateTime>,
) -> Option<Result<NaiveDateTime, String>> {
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "once").collect();
    let read = relative(&words, at, now).or_else(|| numeric(&words, at, now)).or_else(|| by_month(&words, at, now))?;
    Some(read.map(|date| date.and_time(at)))
}

fn today(now: Option<NaiveDateTime>) -> Result<NaiveDateTime, String> {
    now.ok_or_else(|| "write the day as 2026-12-01".to_owned())
}

fn relative(words: &[&str], at: NaiveTime, now: Option<NaiveDateTime>) -> Option<Result<NaiveDate, String>> {
    let ahead = |days: u64| -> Result<NaiveDate, String> {
        let date = today(now)?.date().checked_add_days(Days::new(days));
        date.ok_or_else(|| "that is too far ahead".to_owned())
    };
    Some(match words {
        ["today" | "tonight"] => ahead(0),
        ["tomorrow"] => ahead(1),
        ["day", "after", "tomorrow"] => ahead(2),
        ["in", count, "day"] => counted(count, 366).and_then(ahead),
        ["in", count, "week"] => counted(count, 52).and_then(|weeks| ahead(weeks * 7)),
        ["this" | "next" | "coming", day] => match weekday(day) {
            Some(weekday) => next_weekday(weekday, at, now),
            None => Err(format!("`{} {day}` is no day: write a date such as 2026-12-01", words[0])),
        },
        _ => return None,
    })
}

fn counted(word: &str, most: u64) -> Result<u64, String> {
    let count = word.parse().ok().filter(|count| (1..=most).contains(count));
    count.ok_or_else(|| format!("write a number from 1 to {most}"))
}

/// The first such day whose time is still to come.
fn next_weekday(weekday: Weekday, at: NaiveTime, now: Option<NaiveDateTime>) -> Result<NaiveDate, String> {
    let now = today(now)?;
    let days = (0..8).filter_map(|count| now.date().checked_add_days(Days::new(count)));
    let mut days = days.filter(|day| day.weekday() == weekday && day.and_time(at) > now);
    days.next().ok_or_else(|| "that is too far ahead".to_owned())
}

/// `2026-12-01`, `12/01/2026`, `12-1-2026`, `12/1`, each also with its day of the week.
fn numeric(words: &[&str], at: NaiveTime, now: Option<NaiveDateTime>) -> Option<Result<NaiveDate, String>> {
    let (named, rest) = split_weekday(words);
    let [word] = rest else { return None };
    let parts: Vec<&str> = word.split(['-', '/', '.']).collect();
    let is_date = parts.len() >= 2 && parts.iter().all(|part| !part.is_empty() && is_digits(part));
    if !is_date {
        return None;
    }
    let numbers: Vec<u32> = parts.iter().filter_map(|part| part.parse().ok()).collect();
    let read = match (&numbers[..], parts[0].len()) {
        ([year, month, day], 4) => on(*year, *month, *day, word),
        ([_, _, _], _) if word.contains('.') => Err(unclear(word)),
        ([first, second, _], _) if *first > 12 && *second <= 12 => {
            Err(format!("in `{word}` the month comes first: write the day as 2026-12-01"))
        }
        ([month, day, year], _) => match parts[2].len() {
            2 => on(2000 + year, *month, *day, word),
            4 => on(*year, *month, *day, word),
            _ => Err(unclear(word)),
        },
        ([month, day], _) if word.contains('/') => next_day(*month, *day, word, at, now),
        _ => Err(unclear(word)),
    };
    Some(read.and_then(|date| fits(date, named)))
}

fn unclear(word: &str) -> String {
    format!("`{word}` is not a date such as 2026-12-01")
}

fn is_digits(text: &str) -> bool {
    text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn on(year: u32, month: u32, day: u32, word: &str) -> Result<NaiveDate, String> {
    let year = i32::try_from(year).ok().filter(|year| (2000..=2200).contains(year));
    year.and_then(|year| NaiveDate::from_ymd_opt(year, month, day)).ok_or_else(|| unclear(word))
}

/// The next such day of the year whose time is still to come.
fn next_day(month: u32, day: u32, word: &str, at: NaiveTime, now: Option<NaiveDateTime>) -> Result<NaiveDate, String> {
    let now = today(now)?;
    let days = (0..YEARS_MAX).filter_map(|ahead| NaiveDate::from_ymd_opt(now.year() + ahead, month, day));
    let mut days = days.filter(|day| day.and_time(at) > now);
    days.next().ok_or_else(|| unclear(word))
}

/// `December 1`, `1 December 2026`, `Tuesday, December 1st, 2026`: one month, one day, perhaps a year.
fn by_month(words: &[&str], at: NaiveTime, now: Option<NaiveDateTime>) -> Option<Result<NaiveDate, String>> {
    let (named, rest) = split_weekday(words);
    let (mut months, mut days, mut years) = (Vec::new(), Vec::new(), Vec::new());
    for word in rest {
        match (month(word), is_year(word), day_of(word)) {
            (Some(month), ..) => months.push(u32::from(month)),
            (_, true, _) => years.push(word.parse::<u32>().unwrap_or_default()),
            (_, _, Some(day)) => days.push(u32::from(day)),
            _ => return None,
        }
    }
    let shown = rest.join(" ");
    let read = match (&months[..], &days[..], &years[..]) {
        ([month], [day], [year]) => on(*year, *month, *day, &shown),
        ([month], [day], []) => next_day(*month, *day, &shown, at, now),
        (_, _, []) => return None,
        _ => Err(unclear(&shown)),
    };
    Some(read.and_then(|date| fits(date, named)))
}

/// The day of the week in front of a date, and the rest.
fn split_weekday<'a, 'w>(words: &'a [&'w str]) -> (Option<Weekday>, &'a [&'w str]) {
    match words {
        [first, rest @ ..] if !rest.is_empty() && number(first).is_none() => match weekday(first) {
            Some(weekday) => (Some(weekday), rest),
            None => (None, words),
        },
        _ => (None, words),
    }
}

/// A date and a day of the week that contradict each other are asked about.
fn fits(date: NaiveDate, named: Option<Weekday>) -> Result<NaiveDate, String> {
    match named {
        Some(named) if named != date.weekday() => {
            let is = said::name(date.weekday());
            Err(format!("{} is a {is}, not a {}", date.format("%B %-d, %Y"), said::name(named)))
        }
        _ => Ok(date),
    }
}
