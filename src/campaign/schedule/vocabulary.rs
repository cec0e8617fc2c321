//! The vocabulary of schedules: words that mean the same become one, and what is misspelled is guessed.

use chrono::Weekday;

use super::clock_words::number;
use super::said::MONTHS;

/// Words that carry no meaning here and may appear anywhere.
const FILLERS: [&str; 9] = ["the", "on", "of", "and", "&", "from", "o'clock", "sharp", "starting"];
/// What is said in several words.
const SAID: [(&str, &str); 10] = [
    ("a.m.", "am"),
    ("p.m.", "pm"),
    ("a. m.", "am"),
    ("p. m.", "pm"),
    ("in the morning", "am"),
    ("in the afternoon", "pm"),
    ("in the evening", "pm"),
    ("in each ", "each "),
    ("in every ", "every "),
    ("in the ", "of the "),
];
/// Words that mean others.
const SYNONYMS: [(&str, &[&str]); 30] = [
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
    ("biweekly", &["every", "2", "week"]),
    ("bi-weekly", &["every", "2", "week"]),
    ("fortnightly", &["every", "2", "week"]),
    ("fortnight", &["2", "week"]),
    ("other", &["2"]),
    ("alternate", &["every", "2"]),
    ("two", &["2"]),
    ("three", &["3"]),
    ("four", &["4"]),
    ("five", &["5"]),
    ("six", &["6"]),
    ("eight", &["8"]),
    ("weekends", &["saturday", "sunday"]),
    ("weekend", &["saturday", "sunday"]),
    ("workday", &["businessday"]),
    ("workdays", &["weekday"]),
    ("weekdays", &["weekday"]),
    ("final", &["last"]),
    ("start", &["1st"]),
    ("end", &["last", "day"]),
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

/// The words without what stands in parentheses, each in the form that has a meaning here.
pub(super) fn words(text: &str) -> Result<Vec<String>, String> {
    let mut plain = String::with_capacity(text.len());
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            ',' | ';' => plain.push(' '),
            '–' | '—' => plain.push('-'),
            '’' => plain.push('\''),
            other => plain.push(other),
        }
    }
    let plain = SAID.iter().fold(plain, |plain, (said, meant)| plain.replace(said, meant));
    let mut words = Vec::new();
    for word in plain.split_whitespace() {
        let word = word.trim_end_matches(['.', '!', ':']);
        if !word.is_empty() && !FILLERS.contains(&word) {
            push(&mut words, word)?;
        }
    }
    Ok(joined(&words))
}

fn push(words: &mut Vec<String>, word: &str) -> Result<(), String> {
    if let Some((date, time)) = word.split_once('t').filter(|(date, time)| date.len() == 10 && time.contains(':')) {
        let local = time.len() <= 8 && time.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
        if !local {
            return Err("the time is local in the campaign's zone: leave out `Z` or the offset".to_owned());
        }
        words.extend([date.to_owned(), time.to_owned()]);
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
