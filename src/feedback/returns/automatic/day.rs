//! Days as people write them.

use chrono::{Datelike, Duration, Months, NaiveDate};

/// No absence that is announced lasts longer, in days.
const DAYS_MAX: i64 = 550;
/// How many words of a text are searched for a range of days.
const RANGE_WORDS_MAX: usize = 400;
/// How many words the first day of a range takes up at most.
const RANGE_START_WORDS_MAX: usize = 4;

/// The beginnings of the months' names, one line a month: English, German, French, Spanish, Italian, Portuguese, Dutch, Nordic, Russian,
/// Polish.
const MONTHS: [&[&str]; 12] = [
    &["jan", "jän", "ene", "gen", "янв", "sty"],
    &["feb", "fév", "fev", "фев", "lut"],
    &["mar", "mär", "maa", "mrt", "мар"],
    &["apr", "avr", "abr", "апр", "kwi"],
    &["may", "mai", "mag", "mei", "maj", "май", "мая"],
    &["jun", "juin", "giu", "июн", "cze"],
    &["jul", "juil", "lug", "июл", "lip"],
    &["aug", "aoû", "aou", "ago", "авг", "sie"],
    &["sep", "set", "сен", "wrz"],
    &["oct", "okt", "out", "ott", "окт", "paź"],
    &["nov", "ноя", "lis"],
    &["dec", "dez", "déc", "dic", "дек", "gru"],
];
/// The names of the days of the week as they begin, from Monday on, in the same languages.
const WEEKDAYS: [&[&str]; 7] = [
    &[
        "monday",
        "montag",
        "lundi",
        "lunes",
        "lunedì",
        "segunda",
        "maandag",
        "måndag",
        "mandag",
        "понедельник",
        "poniedział",
    ],
    &["tuesday", "dienstag", "mardi", "martes", "martedì", "terça", "dinsdag", "tisdag", "tirsdag", "вторник", "wtor"],
    &["wednesday", "mittwoch", "mercredi", "miércoles", "mercoledì", "quarta", "woensdag", "onsdag", "сред", "środ"],
    &["thursday", "donnerstag", "jeudi", "jueves", "giovedì", "quinta", "donderdag", "torsdag", "четверг", "czwart"],
    &["friday", "freitag", "vendredi", "viernes", "venerdì", "sexta", "vrijdag", "fredag", "пятниц", "piąt"],
    &[
        "saturday",
        "samstag",
        "sonnabend",
        "samedi",
        "sábado",
        "sabato",
        "zaterdag",
        "lördag",
        "lørdag",
        "суббот",
        "sobot",
    ],
    &["sunday", "sonntag", "dimanche", "domingo", "domenica", "zondag", "söndag", "søndag", "воскресень", "niedziel"],
];
/// The next day, in the same languages.
const TOMORROW: [&str; 9] =
    ["tomorrow", "morgen", "demain", "mañana", "domani", "amanhã", "imorgon", "завтра", "jutra"];
/// What stands between the two days of a range.
const RANGE_SIGNS: [&str; 8] = ["-", "to", "bis", "au", "al", "a", "t/m", "tot"];

/// The first day in the words of a text that begins within so many words, and at which word it stands. `written` is the day of the mail:
/// what has no year is after it, and of two readings of `5/1` the one that comes first after it is meant. A weekday is the first one
/// after it, unless a date follows at once.
pub(super) fn first(text: &str, written: NaiveDate, within: usize) -> Option<(usize, NaiveDate)> {
    let words = first_sentence(text, within + 3);
    (0..words.len().min(within)).find_map(|place| {
        let rest = words.get(place..)?;
        let soon = |days: i64| written.checked_add_signed(Duration::days(days));
        let day = match weekday(rest.first()?) {
            Some(weekday) => (1..3).find_map(|ahead| date_at(rest.get(ahead..)?, written)).or_else(|| {
                let of_month = (1..3).find_map(|ahead| ordinal(rest.get(ahead)?));
                let is_it = |day: &NaiveDate| {
                    day.weekday().num_days_from_monday() == weekday && of_month.is_none_or(|number| day.day() == number)
                };
                (1..=DAYS_MAX).filter_map(soon).find(is_it)
            }),
            None if TOMORROW.contains(rest.first()?) => soon(1),
            None => date_at(rest, written),
        }?;
        Some((place, day))
    })
}

/// The words up to the end of the sentence, at most so many.
fn first_sentence(text: &str, most: usize) -> Vec<&str> {
    let mut words = Vec::new();
    for word in text.split_whitespace().take(most) {
        let bare = core(word);
        words.push(bare);
        let is_word = bare.chars().count() > 2 && bare.chars().all(char::is_alphabetic);
        if word.ends_with(['.', '!', '?']) && is_word && month(bare).is_none() {
            break;
        }
    }
    words
}

/// The second day of the first range in a text, which somebody who is away may give without any word: `Nov 25 - Dec 4`, `12/1-12/9`.
pub(super) fn end_of_range(text: &str, written: NaiveDate) -> Option<NaiveDate> {
    let spaced = text.replace(['–', '—'], " - ");
    let words: Vec<&str> = spaced.split_whitespace().take(RANGE_WORDS_MAX).flat_map(apart).collect();
    (0..words.len()).find_map(|start| {
        let from = words.get(start..)?;
        any_date_at(from, written)?;
        let length = from.iter().take(RANGE_START_WORDS_MAX + 1).position(|word| RANGE_SIGNS.contains(word))?;
        let to = from.get(length + 1..)?;
        let within_the_month = || {
            let (month, day) = (month(from.first()?)?, number(to.first()?)?);
            next(month, day, written).filter(|day| is_plausible(*day, written))
        };
        (length > 0).then(|| date_at(to, written).or_else(within_the_month)).flatten()
    })
}

/// A word with a dash in it that is no date: `12/1-12/9`, `25-Dec`.
fn apart(word: &str) -> Vec<&str> {
    let bare = core(word);
    let is_a_date = bare.split('-').count() == 3 && bare.starts_with(|c: char| c.is_ascii_digit());
    match bare.split_once('-') {
        Some((before, behind)) if !is_a_date => vec![before, "-", behind],
        _ if bare.is_empty() => vec![word],
        _ => vec![bare],
    }
}

/// The last day of a text in Chinese, Japanese or Korean signs: `12月14日`, `2026年12月14日`, `12월 14일`. Of a range, the last one is its
/// end.
pub(super) fn in_signs(text: &str, written: NaiveDate) -> Option<NaiveDate> {
    let digit = |c: char| c.to_digit(10).or_else(|| ('０'..='９').contains(&c).then(|| u32::from(c) - u32::from('０')));
    let number = |digits: Vec<u32>| -> Option<u32> {
        (1..=4).contains(&digits.len()).then(|| digits.iter().fold(0, |number, digit| number * 10 + digit))
    };
    let before = |text: &str| -> Option<u32> {
        let mut digits: Vec<u32> = text.trim_end().chars().rev().map_while(digit).take(5).collect();
        digits.reverse();
        number(digits)
    };
    let days = text.char_indices().filter(|(_, c)| ['月', '월'].contains(c)).filter_map(|(place, c)| {
        let (left, right) = (text.get(..place)?, text.get(place + c.len_utf8()..)?);
        let month = before(left)?;
        let day = number(right.trim_start().chars().map_while(digit).take(5).collect())?;
        let year = left
            .trim_end()
            .rsplit_once(['年', '년'])
            .filter(|(_, rest)| rest.trim().chars().all(|c| digit(c).is_some()));
        match year.and_then(|(left, _)| before(left)) {
            Some(year) => date(full(year), month, day),
            None => next(month, day, written),
        }
    });
    days.rev().find(|day| is_plausible(*day, written))
}

fn core(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

fn weekday(word: &str) -> Option<u32> {
    let place = WEEKDAYS.iter().position(|names| names.iter().any(|name| word.starts_with(name)))?;
    u32::try_from(place).ok()
}

fn date_at(words: &[&str], written: NaiveDate) -> Option<NaiveDate> {
    any_date_at(words, written).filter(|day| is_plausible(*day, written))
}

fn any_date_at(words: &[&str], written: NaiveDate) -> Option<NaiveDate> {
    in_numbers(core(words.first()?), written).or_else(|| in_words(words, written))
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

/// `5th`: the number of a day, also without its month.
fn ordinal(word: &str) -> Option<u32> {
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end))?;
    digits.parse().ok().filter(|day| (1..=31).contains(day))
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
