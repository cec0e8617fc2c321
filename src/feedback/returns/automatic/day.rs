//! Days as people write them.

use chrono::{Datelike, Months, NaiveDate};

/// How far behind a phrase the day may begin, in words.
const WORDS_MAX: usize = 8;
/// No absence that is announced lasts longer, in days.
const DAYS_MAX: i64 = 550;

/// The beginnings of the months' names, one line a month: English, German, French, Spanish, Italian, Portuguese, Dutch, Nordic.
const MONTHS: [&[&str]; 12] = [
    &["jan", "jän", "ene", "gen"],
    &["feb", "fév", "fev"],
    &["mar", "mär", "maa", "mrt"],
    &["apr", "avr", "abr"],
    &["may", "mai", "mag", "mei", "maj"],
    &["jun", "juin", "giu"],
    &["jul", "juil", "lug"],
    &["aug", "aoû", "aou", "ago"],
    &["sep", "set"],
    &["oct", "okt", "out", "ott"],
    &["nov"],
    &["dec", "dez", "déc", "dic"],
];

/// The first day in the words of a text, and at which word it stands. `written` is the day of the mail: what has no year is
/// after it, and of two readings of `5/1` the one that comes first after it is meant.
pub(super) fn first(text: &str, written: NaiveDate) -> Option<(usize, NaiveDate)> {
    let words: Vec<&str> = text.split_whitespace().take(WORDS_MAX).map(core).collect();
    (0..words.len()).find_map(|place| {
        let rest = words.get(place..)?;
        let day = in_numbers(rest.first()?, written).or_else(|| in_words(rest, written))?;
        is_plausible(day, written).then_some((place, day))
    })
}

fn core(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

fn is_plausible(day: NaiveDate, written: NaiveDate) -> bool {
    (-1..=DAYS_MAX).contains(&(day - written).num_days())
}

/// `2027-01-05`, `05.01.2027`, `1/5/27`, `1/5`.
fn in_numbers(word: &str, written: NaiveDate) -> Option<NaiveDate> {
    let parts: Vec<u32> = word.split(['-', '/', '.']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    match (parts.as_slice(), word.contains('.')) {
        ([year, month, day], _) if *year > 1900 => date(*year, *month, *day),
        ([day, month, year], true) => date(full(*year), *month, *day),
        ([one, two, year], false) => sooner(date(full(*year), *one, *two), date(full(*year), *two, *one), written),
        ([day, month], true) => next(*month, *day, written),
        ([one, two], false) => sooner(next(*one, *two, written), next(*two, *one, written), written),
        _ => None,
    }
}

/// `January 5, 2027`, `5 January`, `5th of Jan`, `7 de enero de 2027`, `Monday, Jan 5`.
fn in_words(words: &[&str], written: NaiveDate) -> Option<NaiveDate> {
    let words: Vec<&str> =
        words.iter().copied().filter(|word| !["de", "of", "the", "du", "den", "der"].contains(word)).take(3).collect();
    let (one, two) = (words.first()?, words.get(1)?);
    let (month, day) = match (month(one), month(two)) {
        (Some(month), _) => (month, number(two)?),
        (None, Some(month)) => (month, number(one)?),
        (None, None) => return None,
    };
    let year = words.get(2).and_then(|word| word.parse().ok()).filter(|year| (2000..2100).contains(year));
    match year {
        Some(year) => date(year, month, day),
        None => next(month, day, written),
    }
}

fn month(word: &str) -> Option<u32> {
    if word.chars().count() < 3 || word.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let place = MONTHS.iter().position(|names| names.iter().any(|name| word.starts_with(name)))?;
    u32::try_from(place + 1).ok()
}

/// `5`, `5th`.
fn number(word: &str) -> Option<u32> {
    word.trim_end_matches(|c: char| c.is_alphabetic()).parse().ok()
}

fn full(year: u32) -> u32 {
    if year < 100 { 2000 + year } else { year }
}

fn date(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// The next such day.
fn next(month: u32, day: u32, written: NaiveDate) -> Option<NaiveDate> {
    let this_year = NaiveDate::from_ymd_opt(written.year(), month, day)?;
    if (this_year - written).num_days() >= -1 { Some(this_year) } else { this_year.checked_add_months(Months::new(12)) }
}

fn sooner(one: Option<NaiveDate>, other: Option<NaiveDate>, written: NaiveDate) -> Option<NaiveDate> {
    let plausible = [one, other].into_iter().flatten().filter(|day| is_plausible(*day, written));
    plausible.min().or(one)
}
