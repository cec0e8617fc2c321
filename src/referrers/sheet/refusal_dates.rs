//! Dates in the cells of refusal columns, as people, spreadsheets and programs write them.

use chrono::{DateTime, Days, NaiveDate};

use super::header::words_of;
use super::refusal_words::Answer;
use crate::domain::dated_text::MONTHS;

/// What else may stand in a date: the time of day and its zone, the day of the week, endings of numbers.
const BESIDE_DATES: &[&str] = &[
    "t",
    "z",
    "am",
    "pm",
    "a",
    "p",
    "m",
    "utc",
    "gmt",
    "est",
    "edt",
    "cst",
    "cdt",
    "mst",
    "mdt",
    "pst",
    "pdt",
    "st",
    "nd",
    "rd",
    "th",
    "of",
    "at",
    "on",
    "since",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
/// Most words of a date.
const DATE_WORDS_MAX: usize = 16;

/// A day as ISO, as Americans write it, or with the month in words; a time of day after it is left out.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let first = text.split(' ').next().unwrap_or_default();
    // The letter before a time of day; `14-OCT-26` has it elsewhere.
    let time = first.match_indices('T').find(|(at, _)| first[..*at].ends_with(|c: char| c.is_ascii_digit()));
    let first = time.map_or(first, |(at, _)| &first[..at]);
    let words: Vec<&str> = text.split_whitespace().take(3).collect();
    let in_words = words.join(" ").replace(',', "");
    let reads = |text: &str, form: &str| NaiveDate::parse_from_str(text, form).ok().filter(is_likely);
    // The day goes before the month only where it cannot be the month: the American order is tried first.
    let of_figures = [
        "%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%d.%m.%Y", "%d-%b-%Y", "%d-%b-%y", "%d/%m/%Y",
        "%d-%m-%Y", "%d/%m/%y",
    ];
    let of_words = ["%B %d %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y"];
    let by_words = || of_words.iter().find_map(|form| reads(&in_words, form));
    of_figures.iter().find_map(|form| reads(first, form)).or_else(by_words)
}

/// A count, or a day as programs number it: since 1900 as spreadsheets do, or in seconds or milliseconds since 1970.
pub(super) fn by_number(text: &str) -> Option<Answer> {
    if !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let whole = text.split('.').next().filter(|whole| !whole.is_empty())?;
    if text.bytes().all(|b| matches!(b, b'0' | b'.')) {
        return whole.starts_with('0').then_some(Answer::No);
    }
    let number: i64 = whole.parse().unwrap_or(i64::MAX);
    let day = match number {
        20_000..=80_000 => {
            let serial = u64::try_from(number).ok()?;
            NaiveDate::from_ymd_opt(1899, 12, 30).and_then(|start| start.checked_add_days(Days::new(serial)))
        }
        19_900_101..=21_001_231 => NaiveDate::parse_from_str(whole, "%Y%m%d").ok(),
        600_000_000..=4_200_000_000 => DateTime::from_timestamp(number, 0).map(|time| time.date_naive()),
        600_000_000_000..=4_200_000_000_000 => DateTime::from_timestamp_millis(number).map(|time| time.date_naive()),
        _ => None,
    };
    (number > 1).then_some(Answer::Yes(day.filter(is_likely)))
}

/// Something that looks like a date, though nobody can say which: numbers apart by what parts dates, perhaps with a month
/// in words. Zeros alone are a program's empty date.
pub(super) fn by_date(text: &str) -> Option<Answer> {
    let spaced: String = text.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let words: Vec<String> = words_of(&spaced).into_iter().take(DATE_WORDS_MAX).collect();
    let is_number = |word: &String| word.bytes().all(|b| b.is_ascii_digit());
    let is_part = |word: &String| is_number(word) || is_month(word) || BESIDE_DATES.contains(&word.as_str());
    let numbers: Vec<&String> = words.iter().filter(|word| is_number(word)).collect();
    let is_date = words.iter().all(is_part) && words.len() > 1 && !numbers.is_empty();
    let is_empty = numbers.iter().all(|number| number.bytes().all(|b| b == b'0'));
    is_date.then_some(if is_empty { Answer::No } else { Answer::Yes(None) })
}

/// Whether the word is a month, whole or as its first three letters or more.
fn is_month(word: &str) -> bool {
    word.len() >= 3 && MONTHS.iter().any(|month| month.starts_with(word))
}

/// Whether mailing lists can have known it: other years come from numbers that are no dates.
fn is_likely(day: &NaiveDate) -> bool {
    (1990..=2100).contains(&chrono::Datelike::year(day))
}

#[cfg(test)]
mod tests {
    use super::super::refusal_words::happened;
    use super::*;

    #[test]
    fn whatever_looks_like_a_date_says_that_it_happened() {
        let on = |day: &str| Some(Answer::Yes(day.parse().ok()));
        let some_day = Some(Answer::Yes(None));
        for (text, said) in [
            ("9-Feb-25", on("2025-02-09")),
            ("9-FEB-2025", on("2025-02-09")),
            ("21-OCT-25", on("2025-10-21")),
            ("27/02/2025", on("2025-02-27")),
            ("27-02-2025", on("2025-02-27")),
            ("27/02/25 10:15", on("2025-02-27")),
            ("2/3/2025", on("2025-02-03")),
            ("45000", on("2023-03-15")),
            ("45000.5", on("2023-03-15")),
            ("20250227", on("2025-02-27")),
            ("1600000000", on("2020-09-13")),
            ("1600000000000", on("2020-09-13")),
            ("2", some_day),
            ("99999999999999999999", some_day),
            ("2025-02-31", some_day),
            ("Feb 2025", some_day),
            ("02/2025", some_day),
            ("Thu, 27th of Feb 2025 at 10:15 am UTC", some_day),
            ("00/00/0000", Some(Answer::No)),
            ("0.0", Some(Answer::No)),
            ("yes", some_day),
            ("no", Some(Answer::No)),
            ("Spring", None),
            ("May", None),
            ("maybe", None),
            ("room 12", None),
            ("-2", None),
        ] {
            assert_eq!(happened(text), said, "{text}");
        }
    }
}
