//! Whether a text names a moment that passes: `Tuesday, December 9`, `12/9`, `2026-12-09`, `this month`, `tomorrow`. What
//! comes back every week (`every Tuesday, 6:30 pm`), a duration (`two weeks`) and other numbers (`24/7`, `PHQ-9`,
//! `1/2 tablet`, a telephone number, a billing code) are none. Months are written as in the United States: `12/9` is a
//! day of December.

use chrono::NaiveDate;

/// Longest text that is looked at, in characters; a letter's variable is never longer.
const CHARS_MAX: usize = 16 * 1024;

/// The months, in small letters.
pub(crate) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const MONTHS_SHORT: [&str; 12] = ["jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"];
/// Months that are no given name and no other word, so that `in October` says when.
const MONTHS_ONLY: [&str; 7] = ["january", "february", "july", "september", "october", "november", "december"];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const WEEKDAYS_SHORT: [&str; 10] = ["mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun"];
const SEASONS: [&str; 5] = ["spring", "summer", "fall", "autumn", "winter"];
const UNITS: [&str; 10] =
    ["week", "weekend", "month", "quarter", "year", "semester", "morning", "afternoon", "evening", "season"];
const HOLIDAYS: [&str; 4] = ["thanksgiving", "christmas", "hanukkah", "easter"];
/// What may stand before a day or a month.
const BEFORE: [&str; 18] = [
    "on",
    "by",
    "until",
    "till",
    "before",
    "after",
    "from",
    "through",
    "thru",
    "since",
    "starting",
    "beginning",
    "effective",
    "dated",
    "due",
    "ending",
    "in",
    "during",
];
/// What is counted or measured: `10/20 mg`, `8/12 patients` are no days.
const COUNTED: [&str; 30] = [
    "mg",
    "mcg",
    "g",
    "kg",
    "ml",
    "mmhg",
    "hz",
    "tablet",
    "tablets",
    "pill",
    "pills",
    "dose",
    "doses",
    "patients",
    "people",
    "responded",
    "remitted",
    "sessions",
    "session",
    "weeks",
    "visits",
    "items",
    "points",
    "pain",
    "cases",
    "hours",
    "days",
    "split",
    "of",
    "met",
];

/// What stands before a day of the week, or a number, and says nothing of a moment: `on Monday` may be every Monday.
const UNTIMELY: [&str; 3] = ["on", "in", "during"];
/// What asks somebody to do something.
const INVITING: [&str; 16] = [
    "call", "contact", "refer", "schedule", "book", "visit", "email", "fax", "write", "reach", "ask", "send", "start",
    "learn", "register", "us",
];
/// What is not this day's, but of our time: `today's psychiatry`.
const NOWADAYS: [&str; 7] = ["world", "medicine", "psychiatry", "practice", "standard", "standards", "treatments"];
/// Years that are written without marks or without their first digits.
const YEARS_NEAR: std::ops::RangeInclusive<u32> = 2020..=2049;
/// How far the two ends of `from Monday 8:00 to Friday 5:00` are apart, in words.
const SPAN_WORDS: usize = 4;

/// One word of the text, without the punctuation around it.
struct Word<'t> {
    /// As written.
    text: &'t str,
    /// In small letters.
    low: String,
    /// Where it begins and ends in the text.
    start: usize,
    end: usize,
    /// Whether a sentence or clause ends after it.
    ends_clause: bool,
    /// Whether a period follows it.
    has_period: bool,
}

/// The first part of the text that names a moment; `None` if there is none.
#[must_use]
pub fn dated_part(text: &str) -> Option<&str> {
    let end = text.char_indices().nth(CHARS_MAX).map_or(text.len(), |(at, _)| at);
    let text = &text[..end];
    let words = words(text);
    (0..words.len()).find_map(|at| {
        let length = length_at(&words, at)?;
        let last = words.get(at + length - 1)?;
        text.get(words[at].start..last.end)
    })
}

/// Whether the text names a moment that passes.
#[must_use]
pub fn names_a_moment(text: &str) -> bool {
    dated_part(text).is_some()
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut offset = 0;
    for piece in text.split_inclusive(char::is_whitespace) {
        let inner = piece.trim_start_matches(|c: char| !c.is_alphanumeric());
        let start = offset + piece.len() - inner.len();
        offset += piece.len();
        let written = inner.trim_end_matches(|c: char| !c.is_alphanumeric());
        if written.is_empty() {
            continue;
        }
        words.push(Word {
            text: written,
            low: written.to_lowercase().replace('’', "'"),
            start,
            end: start + written.len(),
            has_period: inner[written.len()..].starts_with('.'),
            ends_clause: inner[written.len()..].contains(['.', ';', '!', '?', ')', ':']),
        });
    }
    words
}

/// How many words from `at` on name a moment.
fn length_at(words: &[Word<'_>], at: usize) -> Option<usize> {
    let word = &words[at];
    let low = word.low.as_str();
    if is_numeric_date(low) || is_short_date(words, at) || is_day_of_month_by_slash(words, at) {
        return Some(1);
    }
    month_with_day_or_year(words, at)
        .or_else(|| day_with_month(words, at))
        .or_else(|| weekday_with_day(words, at))
        .or_else(|| relative(words, at))
        .or_else(|| weekday_with_lead(words, at))
        .or_else(|| day_with_periods(words, at))
        .or_else(|| turn_of_period(words, at))
        .or_else(|| bare_month(words, at))
        .or_else(|| period_of_year(words, at))
        .or_else(|| HOLIDAYS.contains(&low).then_some(1))
}

fn low<'w>(words: &'w [Word<'_>], at: usize) -> &'w str {
    words.get(at).map_or("", |word| word.low.as_str())
}

fn before<'w>(words: &'w [Word<'_>], at: usize) -> &'w str {
    at.checked_sub(1).map_or("", |at| low(words, at))
}

/// `2026-12-09`, `20261209`, `2026/12/9`, `12/9/2026`, `12/09/26`, `9.12.2026`, each also before a time as in `2026-12-09T09:00`.
fn is_numeric_date(word: &str) -> bool {
    let word = word.split_once('t').map_or(word, |(date, time)| if starts_as_time(time) { date } else { word });
    if word.len() == 8 && is_digits(word) {
        let number = |from: usize, to: usize| word[from..to].parse().unwrap_or(0);
        return YEARS_NEAR.contains(&number(0, 4)) && is_day(number(0, 4), number(4, 6), number(6, 8));
    }
    ['-', '/', '.'].iter().any(|mark| {
        let Some(([a, b, c], [first, second, third])) = three_numbers(word, *mark) else { return false };
        if a.len() == 4 {
            return is_day(first, second, third);
        }
        let year = match c.len() {
            4 => third,
            2 if *mark == '/' => 2000 + third,
            _ => return false,
        };
        a.len() <= 2 && b.len() <= 2 && (is_day(year, first, second) || is_day(year, second, first))
    })
}

/// Three numbers of at most four digits with this mark between, as written and as they count.
fn three_numbers(word: &str, mark: char) -> Option<([&str; 3], [u32; 3])> {
    let parts: Vec<&str> = word.split(mark).collect();
    let [a, b, c] = parts[..] else { return None };
    let number = |part: &str| part.parse::<u32>().ok().filter(|_| part.len() <= 4 && is_digits(part));
    Some(([a, b, c], [number(a)?, number(b)?, number(c)?]))
}

/// `12-3-26`, `3.12.26`: a day with the last digits of a year near ours, unless it reads as a series of doses.
fn is_short_date(words: &[Word<'_>], at: usize) -> bool {
    if COUNTED.contains(&low(words, at + 1)) {
        return false;
    }
    ['-', '.'].iter().any(|mark| {
        let found = three_numbers(&words[at].low, *mark);
        let Some(([a, b, c], [first, second, third])) = found else { return false };
        let is_series = second.checked_sub(first).is_some_and(|step| Some(step) == third.checked_sub(second));
        let year = 2000 + third;
        let is_short = a.len() <= 2 && b.len() <= 2 && c.len() == 2;
        is_short
            && !is_series
            && YEARS_NEAR.contains(&year)
            && (is_day(year, first, second) || is_day(year, second, first))
    })
}

fn starts_as_time(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(':')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_day(year: u32, month: u32, day: u32) -> bool {
    let year = i32::try_from(year).unwrap_or_default();
    (1900..=2199).contains(&year) && NaiveDate::from_ymd_opt(year, month, day).is_some()
}

/// `12/9`: month and day, unless it reads as a fraction, a score or an amount.
fn is_day_of_month_by_slash(words: &[Word<'_>], at: usize) -> bool {
    let Some((month, day)) = words[at].low.split_once('/') else { return false };
    if !is_digits(month) || !is_digits(day) || month.len() > 2 || day.len() > 2 {
        return false;
    }
    let (Ok(month), Ok(day)) = (month.parse::<u32>(), day.parse::<u32>()) else { return false };
    // A leap year, so that 2/29 is a day.
    if !is_day(2028, month, day) || COUNTED.contains(&low(words, at + 1)) {
        return false;
    }
    let previous = before(words, at);
    let is_led_to = is_weekday(previous) || (BEFORE.contains(&previous) && previous != "in");
    let is_fraction = month <= day && day <= 10;
    is_led_to || !is_fraction || is_clock_time(words, at + 1)
}

/// `at noon`, `9:30`, `9 am`.
fn is_clock_time(words: &[Word<'_>], at: usize) -> bool {
    let word = low(words, at);
    if word == "at" {
        return !low(words, at + 1).is_empty();
    }
    let half = ["am", "pm", "a.m", "p.m"];
    word == "noon"
        || half
            .iter()
            .any(|half| word.strip_suffix(half).is_some_and(|hour| hour.starts_with(|c: char| c.is_ascii_digit())))
        || word.split_once(':').is_some_and(|(hour, minute)| is_digits(hour) && minute.len() >= 2)
        || (is_digits(word) && half.contains(&low(words, at + 1)))
}

fn is_weekday(word: &str) -> bool {
    WEEKDAYS.contains(&word) || WEEKDAYS_SHORT.contains(&word)
}

fn is_month(word: &str) -> bool {
    MONTHS.contains(&word) || MONTHS_SHORT.contains(&word)
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && is_digits(word) && (word.starts_with("19") || word.starts_with("20") || word.starts_with("21"))
}

/// A day of a month: `9`, `9th`, `9-11`, `9,2026`. The answer says whether it is written as an ordinal.
fn day_number(word: &str) -> Option<bool> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let day: u32 = word.get(..digits)?.parse().ok()?;
    if digits == 0 || digits > 2 || !(1..=31).contains(&day) {
        return None;
    }
    let rest = &word[digits..];
    let after = ["st", "nd", "rd", "th"].iter().find_map(|end| rest.strip_prefix(end));
    let more = after.unwrap_or(rest);
    let is_range = more.strip_prefix(['-', '–', '/']).is_some_and(|to| to.starts_with(|c: char| c.is_ascii_digit()));
    let has_year = more.strip_prefix(',').is_some_and(is_year);
    (more.is_empty() || is_range || has_year).then_some(after.is_some())
}

/// `December 9`, `Dec. 9th`, `May 2026`, `December 9-11`.
fn month_with_day_or_year(words: &[Word<'_>], at: usize) -> Option<usize> {
    if !is_month(low(words, at)) {
        return None;
    }
    let (skipped, next) = if low(words, at + 1) == "the" { (1, low(words, at + 2)) } else { (0, low(words, at + 1)) };
    if is_year(next) && skipped == 0 {
        return Some(2);
    }
    let is_ordinal = day_number(next)?;
    if skipped == 1 && !is_ordinal {
        return None;
    }
    // `patients may 3 times`: a verb has something before it, and that is no day of the week.
    let previous = before(words, at);
    let is_led_to = previous.is_empty() || is_weekday(previous) || BEFORE.contains(&previous);
    if is_a_verb(words, at) && !is_ordinal && !is_led_to {
        return None;
    }
    Some(2 + skipped + usize::from(is_year(low(words, at + 2 + skipped))))
}

/// `9 Dec`, `the 9th of December`, `9-11 December`.
fn day_with_month(words: &[Word<'_>], at: usize) -> Option<usize> {
    let is_ordinal = day_number(low(words, at))?;
    let (skipped, month) = if low(words, at + 1) == "of" { (1, at + 2) } else { (0, at + 1) };
    if !is_month(low(words, month)) {
        return None;
    }
    // `the 2 may be combined`.
    (is_ordinal || !is_a_verb(words, month)).then(|| 2 + skipped + usize::from(is_year(low(words, month + 1))))
}

/// Whether the month may be a verb, as it is written with a small letter.
fn is_a_verb(words: &[Word<'_>], at: usize) -> bool {
    matches!(low(words, at), "may" | "march")
        && words.get(at).is_some_and(|word| !word.text.starts_with(char::is_uppercase))
}

/// `Tuesday the 9th`, `Tue 9th`, and `on the 9th` at the end of a clause or before a time.
fn weekday_with_day(words: &[Word<'_>], at: usize) -> Option<usize> {
    let is_ordinal = |at: usize| day_number(low(words, at)) == Some(true);
    if is_weekday(low(words, at)) {
        return match low(words, at + 1) {
            "the" if is_ordinal(at + 2) => Some(3),
            _ if is_ordinal(at + 1) => Some(2),
            _ => None,
        };
    }
    let leads = BEFORE.contains(&low(words, at)) && low(words, at + 1) == "the" && is_ordinal(at + 2);
    let is_over = words.get(at + 2).is_some_and(|word| word.ends_clause) || words.len() == at + 3;
    (leads && (is_over || is_clock_time(words, at + 3))).then_some(3)
}

/// `tomorrow`, `this week`, `next Tuesday`, `last month`, `as of today`.
fn relative(words: &[Word<'_>], at: usize) -> Option<usize> {
    let next = low(words, at + 1);
    let next = next.strip_suffix("'s").unwrap_or(next);
    let previous = before(words, at);
    let is_named = is_weekday(next) || SEASONS.contains(&next) || is_month(next);
    match low(words, at) {
        "tomorrow" | "tonight" | "yesterday" | "tomorrow's" | "tonight's" | "yesterday's" => Some(1),
        "today" if ["of", "starting", "from", "until", "since", "beginning"].contains(&previous) => Some(1),
        "today" if next == "only" || is_clock_time(words, at + 1) || !is_invitation(words, at) => Some(1),
        "today's" if !NOWADAYS.contains(&next) => Some(1),
        // `the next week`, `in the last month` move along with the day on which they are read.
        "this" | "coming" | "upcoming" if is_named || UNITS.contains(&next) => Some(2),
        "next" | "last" if previous != "the" && (is_named || UNITS.contains(&next)) => Some(2),
        "labor" | "memorial" | "independence" if next == "day" => Some(2),
        "new" if low(words, at + 1) == "year's" && ["day", "eve"].contains(&low(words, at + 2)) => Some(3),
        _ => None,
    }
}

/// Whether the clause up to a word asks somebody to do something: `Call us today`.
fn is_invitation(words: &[Word<'_>], at: usize) -> bool {
    let mut clause = words[..at].iter().rev().take_while(|word| !word.ends_clause);
    clause.any(|word| INVITING.contains(&word.low.as_str()))
}

/// `until Friday`, `starting Monday`; not the days of a week as in `from Monday to Friday`.
fn weekday_with_lead(words: &[Word<'_>], at: usize) -> Option<usize> {
    if !is_weekday(low(words, at + 1)) || !BEFORE.contains(&low(words, at)) || UNTIMELY.contains(&low(words, at)) {
        return None;
    }
    let after = words.iter().skip(at + 2).take(SPAN_WORDS);
    let earlier = words[..at].iter().rev().take(SPAN_WORDS);
    let is_span = after.chain(earlier).any(|word| is_weekday(&word.low));
    (!is_span).then_some(2)
}

/// `from 3.12.`, `until 24.12.`: a day and a month with a period after each, as elsewhere in the world.
fn day_with_periods(words: &[Word<'_>], at: usize) -> Option<usize> {
    let word = words.get(at + 1).filter(|word| word.has_period)?;
    let (day, month) = word.low.split_once('.').filter(|(day, month)| is_digits(day) && is_digits(month))?;
    let (day, month) = (day.parse().ok()?, month.parse().ok()?);
    let lead = low(words, at);
    let leads = lead == "on" || (BEFORE.contains(&lead) && lead != "by" && !UNTIMELY.contains(&lead));
    (leads && is_day(2028, month, day)).then_some(2)
}

/// `in the new year`, `by year end`, `until the end of the month`.
fn turn_of_period(words: &[Word<'_>], at: usize) -> Option<usize> {
    let (word, next, previous) = (low(words, at), low(words, at + 1), before(words, at));
    let leads = |word: &str| BEFORE.contains(&word);
    let is_led_to = leads(previous) || (previous == "the" && at >= 2 && leads(low(words, at - 2)));
    match word {
        "new" if next == "year" && (previous == "the" || leads(previous)) => Some(2),
        "new" if next == "year's" && leads(previous) => Some(2),
        "year-end" | "month-end" | "quarter-end" if is_led_to => Some(1),
        "year" | "year's" | "month" | "quarter" if next == "end" && is_led_to => Some(2),
        "end" if next == "of" && is_led_to => {
            let (skipped, unit) = if low(words, at + 2) == "the" { (1, at + 3) } else { (0, at + 2) };
            ["year", "quarter", "month", "week"].contains(&low(words, unit)).then_some(3 + skipped)
        }
        _ => None,
    }
}

/// `in October`, `until mid-December`: only months that are no name.
fn bare_month(words: &[Word<'_>], at: usize) -> Option<usize> {
    let word = low(words, at);
    let leads = BEFORE.contains(&word) || ["early", "late", "mid"].contains(&word);
    let months = |word: &str| {
        let word = ["mid-", "early-", "late-"].iter().find_map(|lead| word.strip_prefix(lead)).unwrap_or(word);
        MONTHS_ONLY.contains(&word)
    };
    let has_lead = ["mid-", "early-", "late-"].iter().any(|lead| word.starts_with(lead));
    match () {
        () if has_lead && months(word) => Some(1),
        () if leads && months(low(words, at + 1)) => Some(2),
        () => None,
    }
}

/// `Q3 2026`, `fall 2026`, `H1 2027`.
fn period_of_year(words: &[Word<'_>], at: usize) -> Option<usize> {
    let word = low(words, at);
    let is_part = SEASONS.contains(&word) || ["q1", "q2", "q3", "q4", "h1", "h2"].contains(&word);
    let next = low(words, at + 1);
    let year = next.split(['/', '-', '–']).next().unwrap_or(next);
    (is_part && is_year(year)).then_some(2)
}

#[cfg(test)]
mod tests;
