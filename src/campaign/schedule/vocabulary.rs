//! The vocabulary of schedules: words that mean the same become one, and what is misspelled is guessed.

use chrono::Weekday;

use super::clock_words::number;
use super::numbers::{cardinal, day};
use super::said::{MONTHS, NO_HOLIDAYS, SHORTER_MONTHS, ordinal};

/// Words that carry no meaning here and may appear anywhere.
const FILLERS: [&str; 5] = ["the", "on", "of", "and", "sharp"];
/// What is said in several words. Only whole words are replaced.
const SAID: [(&str, &str); 24] = [
    ("a.m.", "am"),
    ("p.m.", "pm"),
    ("a. m.", "am"),
    ("p. m.", "pm"),
    ("a.m", "am"),
    ("p.m", "pm"),
    ("oclock", "o'clock"),
    ("o clock", "o'clock"),
    ("in the morning", "morning"),
    ("in the afternoon", "afternoon"),
    ("in the evening", "evening"),
    ("at night", "night"),
    ("twice a year", "semiannually"),
    ("twice each year", "semiannually"),
    ("twice every year", "semiannually"),
    ("twice per year", "semiannually"),
    ("twice yearly", "semiannually"),
    ("two times a year", "semiannually"),
    ("month-end", "end of the month"),
    ("month end", "end of the month"),
    ("local time", ""),
    ("in each", "each"),
    ("in every", "every"),
    ("in the", "of the"),
];
/// Words that mean others.
const SYNONYMS: [(&str, &[&str]); 32] = [
    ("each", &["every"]),
    ("per", &["every"]),
    ("a", &["every"]),
    ("an", &["every"]),
    ("daily", &["every", "day"]),
    ("weekly", &["every", "week"]),
    ("monthly", &["every", "month"]),
    ("quarterly", &["every", "quarter"]),
    ("yearly", &["every", "year"]),
    ("annually", &["every", "year"]),
    ("annual", &["every", "year"]),
    ("semiannually", &["every", "6", "month"]),
    ("semi-annually", &["every", "6", "month"]),
    ("semiannual", &["every", "6", "month"]),
    ("semi-annual", &["every", "6", "month"]),
    ("half-yearly", &["every", "6", "month"]),
    ("biweekly", &["every", "2", "week"]),
    ("bi-weekly", &["every", "2", "week"]),
    ("fortnightly", &["every", "2", "week"]),
    ("fortnight", &["2", "week"]),
    ("other", &["2"]),
    ("alternate", &["every", "2"]),
    ("tonight", &["today", "evening"]),
    ("weekends", &["saturday", "sunday"]),
    ("weekend", &["saturday", "sunday"]),
    ("workday", &["businessday"]),
    ("workdays", &["weekday"]),
    ("weekdays", &["weekday"]),
    ("final", &["last"]),
    ("starts", &["starting"]),
    ("begins", &["starting"]),
    ("end", &["last", "day"]),
];
/// Regions of the time zones that people may write out, such as `america/chicago`.
const REGIONS: [&str; 12] = [
    "america",
    "us",
    "europe",
    "pacific",
    "asia",
    "africa",
    "australia",
    "atlantic",
    "indian",
    "canada",
    "mexico",
    "etc",
];
/// Short names of time zones.
const ZONES: [&str; 24] = [
    "utc", "gmt", "z", "et", "est", "edt", "ct", "cst", "cdt", "mt", "mst", "mdt", "pt", "pst", "pdt", "akst", "akdt",
    "hst", "eastern", "central", "mountain", "pacific", "alaska", "hawaii",
];
/// Plurals of units.
const PLURALS: [(&str, &str); 6] = [
    ("days", "day"),
    ("weeks", "week"),
    ("months", "month"),
    ("quarters", "quarter"),
    ("years", "year"),
    ("businessdays", "businessday"),
];
/// Every other word with a meaning, to guess what was meant by a misspelled one.
const KNOWN: [&str; 22] = [
    "every",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "weekday",
    "businessday",
    "first",
    "second",
    "third",
    "fourth",
    "last",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "weekdays",
    "tomorrow",
    "once",
    "noon",
    "business",
];

/// The words, each in the form that has a meaning here. Of what stands in parentheses only the notes are left out that a
/// schedule's own sentence has.
pub(super) fn words(text: &str) -> Result<Vec<String>, String> {
    let plain = text.replace('’', "'");
    let notes = [SHORTER_MONTHS, NO_HOLIDAYS].map(str::to_lowercase);
    let plain = notes.iter().fold(plain, |plain, note| plain.replace(note.as_str(), " "));
    refuse_unclear_neighbors(&plain)?;
    let mut spaced = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '(' | ')' | ',' | ';' | '&' => spaced.push(' '),
            '@' if spaced.trim().is_empty() => return Err("write it in words, such as `daily 08:00`".to_owned()),
            '@' => spaced.push_str(" at "),
            '–' | '—' => spaced.push('-'),
            other => spaced.push(other),
        }
    }
    let spaced = SAID.iter().fold(spaced, |text, (said, meant)| replaced(&text, said, meant));
    let mut words = Vec::new();
    for word in spaced.split_whitespace() {
        let word = word.trim_end_matches(['.', '!', ':']);
        if !word.is_empty() && !FILLERS.contains(&word) {
            push(&mut words, word)?;
        }
    }
    Ok(joined(&words))
}

/// The text with every whole occurrence of `said` replaced; within a longer word nothing is. A digit may stand before it,
/// as in `9a.m.`.
fn replaced(text: &str, said: &str, meant: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(said) {
        let (before, after) = (&rest[..at], &rest[at + said.len()..]);
        result.push_str(before);
        let is_whole = !result.ends_with(char::is_alphabetic) && !after.starts_with(char::is_alphanumeric);
        result.push_str(if is_whole { meant } else { said });
        rest = after;
    }
    result.push_str(rest);
    result
}

/// What would mean something else without the words between: `second last friday` is not the second and the last, `second
/// quarter` is not the second of a quarter, and `every other 15th` is no day at all.
fn refuse_unclear_neighbors(text: &str) -> Result<(), String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    for (at, pair) in words.windows(2).enumerate() {
        let [first, second] = [pair[0], pair[1].trim_end_matches([',', ';', '.'])];
        let number = day(first).or_else(|| day_of(first)).filter(|_| !is_bare(first));
        let is_every = at.checked_sub(1).is_some_and(|at| ["every", "each"].contains(&words[at]));
        if number.is_some() && second == "last" {
            return Err(format!("`{first} last` is not understood: count from the first, or write `last`"));
        }
        let is_interval = is_every && number > Some(1);
        if number.is_some() && !is_interval && ["month", "quarter", "year"].contains(&second) {
            return Err(format!(
                "`{first} {second}` is not understood: name the months, such as `first monday of april and may 09:00`"
            ));
        }
        if ["other", "alternate"].contains(&first)
            && (day(second).is_some() || is_month(second) || day_of(second).is_some())
        {
            return Err(format!(
                "`{first} {second}` is not understood: write `every 2 weeks on tuesday 09:00` or `every 2 months on day 1 \
                 09:00`"
            ));
        }
    }
    Ok(())
}

fn push(words: &mut Vec<String>, word: &str) -> Result<(), String> {
    if let Some((date, time)) = word.split_once('t').filter(|(date, time)| date.len() == 10 && time.contains(':')) {
        let local = time.len() <= 8 && time.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
        if !local {
            return Err("the time is local in the campaign's zone: leave out `Z` or the offset".to_owned());
        }
        words.extend([date.to_owned(), time.to_owned()]);
    } else if let Some(listed) = listed_with_slashes(word) {
        words.extend(listed);
    } else if let Some(count) = cardinal(word) {
        words.push(count.to_string());
    } else if let Some(day) = day(word).filter(|day| *day > 5) {
        words.push(ordinal(day));
    } else if let Some((_, meant)) = SYNONYMS.iter().find(|(written, _)| *written == word) {
        words.extend(meant.iter().map(|word| (*word).to_owned()));
    } else if let Some(days) = weekday_range(word) {
        words.extend(days);
    } else {
        let singular = PLURALS.iter().find(|(plural, _)| *plural == word).map_or(word, |(_, singular)| singular);
        words.push(singular.to_owned());
    }
    Ok(())
}

/// `tuesday/thursday`, `1st/15th`: each of the days.
fn listed_with_slashes(word: &str) -> Option<Vec<String>> {
    let is_day = |part: &&str| weekday(part).is_some() || (!is_bare(part) && day_of(part).is_some());
    let parts: Vec<&str> = word.split('/').collect();
    (parts.len() > 1 && parts.iter().all(is_day)).then(|| parts.into_iter().map(str::to_owned).collect())
}

/// Whether a word names a time zone.
pub(super) fn is_zone(word: &str) -> bool {
    ZONES.contains(&word) || word.split_once('/').is_some_and(|(region, _)| REGIONS.contains(&region))
}

/// Words that belong together become one: `business day`, `week day`, `monday to friday`.
fn joined(words: &[String]) -> Vec<String> {
    let mut joined: Vec<String> = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        let rest: Vec<&str> = words[at..].iter().take(3).map(String::as_str).collect();
        match rest[..] {
            ["business" | "working" | "work" | "bank", "day", ..] => {
                joined.push("businessday".to_owned());
                at += 2;
            }
            ["in", of, ..] if is_month(of) => at += 1,
            ["start" | "begin" | "beginning", "month" | "quarter" | "year", ..]
            | ["start" | "begin" | "beginning", "every", "month" | "quarter" | "year"] => {
                joined.push("1st".to_owned());
                at += 1;
            }
            ["start" | "beginning", of, ..]
                if is_month(of) && rest.get(2).is_none_or(|next| day_of(next).is_none()) =>
            {
                joined.push("1st".to_owned());
                at += 1;
            }
            ["week", "day", ..] => {
                joined.push("weekday".to_owned());
                at += 2;
            }
            [from, "to" | "-" | "through" | "thru" | "until", to]
                if weekday(from).is_some() && weekday(to).is_some() =>
            {
                joined.extend(weekday_range(&format!("{from}-{to}")).unwrap_or_default());
                at += 3;
            }
            _ => {
                joined.push(words[at].clone());
                at += 1;
            }
        }
    }
    joined.dedup_by(|a, b| a == b && a == "weekday");
    joined
}

/// `mon-fri`, `tue-thu`: each of the days, or `weekday` for all from Monday to Friday.
fn weekday_range(word: &str) -> Option<Vec<String>> {
    let (from, to) = word.split_once('-')?;
    let (mut day, to) = (weekday(from)?, weekday(to)?);
    if (day, to) == (Weekday::Mon, Weekday::Fri) {
        return Some(vec!["weekday".to_owned()]);
    }
    let mut days = vec![day.to_string().to_lowercase()];
    while day != to {
        day = day.succ();
        days.push(day.to_string().to_lowercase());
    }
    Some(days)
}

/// A day of a month: `15`, `15th`, `first` to `fifth`.
pub(super) fn day_of(word: &str) -> Option<u8> {
    if let Some(at) = ["first", "second", "third", "fourth", "fifth"].iter().position(|known| *known == word) {
        return u8::try_from(at + 1).ok();
    }
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
    number(digits).and_then(|day| u8::try_from(day).ok()).filter(|day| (1..=31).contains(day))
}

/// A day of the week, whole, in the plural or short.
pub(super) fn weekday(word: &str) -> Option<Weekday> {
    let singular = word.strip_suffix('s').filter(|word| word.ends_with("day")).unwrap_or(word);
    let short = match singular {
        "tues" => "tue",
        "weds" => "wed",
        "thur" | "thurs" => "thu",
        other => other,
    };
    short.parse().ok()
}

/// A month by name, whole or short.
pub(super) fn month(word: &str) -> Option<u8> {
    let is_it = |known: &&str| {
        known.eq_ignore_ascii_case(word) || (word == "sept" && *known == "September") || {
            word.len() == 3 && known.get(..3).is_some_and(|short| short.eq_ignore_ascii_case(word))
        }
    };
    MONTHS.iter().position(is_it).and_then(|at| u8::try_from(at + 1).ok())
}

/// Whether it is a month by name.
pub(super) fn is_month(word: &str) -> bool {
    month(word).is_some()
}

/// Whether it is written as a year.
pub(super) fn is_year(word: &str) -> bool {
    word.len() == 4 && is_bare(word)
}

/// Whether a word may stand where days are named.
pub(super) fn is_known(word: &str) -> bool {
    weekday(word).is_some() || ["day", "weekday", "businessday", "last"].contains(&word) || {
        // Numbers that are no day of a month are answered where they stand.
        day_of(word).is_some() || word.starts_with(|c: char| c.is_ascii_digit())
    }
}

/// What is said of a word that may not.
pub(super) fn not_understood(word: &str) -> String {
    let months = MONTHS.iter().map(|month| month.to_lowercase());
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"].map(str::to_owned);
    let known = KNOWN.iter().map(|word| (*word).to_owned()).chain(days).chain(months);
    let near = known.map(|known| (edits(word, &known), known)).min();
    let hint = near
        .filter(|(distance, known)| *distance <= 2 && *distance * 2 < known.len())
        .map_or_else(String::new, |(_, known)| format!(": did you mean `{known}`?"));
    format!("`{word}` is not a day of the week, and is not understood here{hint}")
}

/// Insertions, deletions and replacements, and neighbors that changed places, from one word to the other.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            if i == 0 || j == 0 {
                rows[i][j] = i + j;
                continue;
            }
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

/// Digits alone.
pub(super) fn is_bare(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}
