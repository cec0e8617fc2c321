//! Times of day as people write them: `09:00`, `9 am`, `2:30pm`, `noon`, `at 9`, `9 o'clock`, `2 in the afternoon`.

use chrono::{NaiveTime, Timelike};

use super::said::ordinal;
use super::vocabulary::is_month;

/// How a time is written.
const WRITE_A_TIME: &str = "write a time such as 09:00 or 9 am";
/// The time of a schedule that names none, or only the morning.
pub(super) const TIME_DEFAULT: NaiveTime = match NaiveTime::from_hms_opt(9, 0, 0) {
    Some(nine) => nine,
    None => NaiveTime::MIN,
};

/// Takes the time out of the words, wherever it stands; none if they name none.
pub(super) fn take_time(words: &mut Vec<String>) -> Result<Option<NaiveTime>, String> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match time_at(words, at)? {
            Some((time, length)) => {
                found.push(time);
                words.drain(at..at + length);
            }
            None => at += 1,
        }
    }
    let part = part_of_day(words);
    words.retain(|word| !is_part_of_day(word));
    match (&found[..], part.as_deref()) {
        ([time], None) => Ok(Some(*time)),
        ([time], Some(part)) if is_morning(part) == (time.hour() < 12) => Ok(Some(*time)),
        ([time], Some(part)) => Err(format!("it says {part} and {}: leave out one of them", time.format("%-I:%M %p"))),
        ([], Some(part)) if is_morning(part) => Ok(Some(TIME_DEFAULT)),
        ([], Some(_)) => Err("say at what time, such as 2 pm or 17:30".to_owned()),
        ([], None) => day_or_hour(words).map(|()| None),
        _ => Err("it has two times of day: write one campaign for each".to_owned()),
    }
}

/// A bare number alone or after another, as in `day 15 9`: it could be a day or an hour, or after a month a year.
fn day_or_hour(words: &[String]) -> Result<(), String> {
    let last = match words {
        [only] => only,
        [.., before, last] if number(before).is_some() => last,
        _ => return Ok(()),
    };
    let Some(count) = number(last).and_then(|count| u8::try_from(count).ok()) else { return Ok(()) };
    let hours = match count {
        7..=11 => format!("{count}:00 or {count} am"),
        1..=6 | 12 => format!("{count} am or {count} pm"),
        0 | 13..=23 => format!("{count}:00"),
        _ if words.iter().any(|word| is_month(word)) => {
            return Err(format!(
                "is `{last}` a day or a year? Write {} for a day, and the date as 2026-12-01",
                ordinal(count)
            ));
        }
        _ => return Ok(()),
    };
    Err(format!("is `{last}` a day or an hour? Write {hours} for an hour, and {} for a day", ordinal(count.max(1))))
}

/// The time that begins at that word, and how many words it has.
fn time_at(words: &[String], at: usize) -> Result<Option<(NaiveTime, usize)>, String> {
    let word = words[at].as_str();
    let later = |ahead: usize| words.get(at + ahead).map_or("", String::as_str);
    let next = later(1);
    if let "noon" | "midday" | "midnight" = word {
        return Ok(hour_of(if word == "midnight" { 0 } else { 12 }, 0).map(|time| (time, 1)));
    }
    if matches!(next, "noon" | "midnight") && matches!(word, "12" | "12:00") {
        return Ok(hour_of(if next == "noon" { 12 } else { 0 }, 0).map(|time| (time, 2)));
    }
    let previous = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", String::as_str);
    let is_counted = ["day", "days", "every", "each", "in", "other"].contains(&previous) || is_month(previous);
    if next == "o'clock" && number(word).is_some() {
        return match later(2) {
            part if is_part_of_day(part) => time_of(word, Some(half(part, word)?)).map(|time| Some((time, 3))),
            _ => bare_hour(word, part_of_day(words).as_deref()).map(|time| Some((time, 2))),
        };
    }
    let starts = word.starts_with(|c: char| c.is_ascii_digit());
    // `15th in the morning` names a day; `9 in the morning` a time.
    let is_clock = (number(word).is_some() || word.contains(':')) && !is_counted;
    if starts && (matches!(next, "am" | "pm") || (is_clock && is_part_of_day(next))) {
        return time_of(word, Some(half(next, word)?)).map(|time| Some((time, 2)));
    }
    for half in ["am", "pm"] {
        if let Some(time) = word.strip_suffix(half).filter(|time| time.starts_with(|c: char| c.is_ascii_digit())) {
            return time_of(time, Some(half)).map(|time| Some((time, 1)));
        }
    }
    if starts && word.contains(':') {
        return time_of(word, None).map(|time| Some((time, 1)));
    }
    let is_hour = word.len() <= 2 && number(word).is_some();
    let leads = previous == "at" || (at + 1 == words.len() && at > 0 && !is_counted && number(previous).is_none());
    if is_hour && leads {
        return bare_hour(word, part_of_day(words).as_deref()).map(|time| Some((time, 1)));
    }
    Ok(None)
}

/// Whether a word names a part of the day.
fn is_part_of_day(word: &str) -> bool {
    is_morning(word) || ["pm", "afternoon", "afternoons", "evening", "evenings", "night", "nights"].contains(&word)
}

fn is_morning(part: &str) -> bool {
    ["am", "morning", "mornings"].contains(&part)
}

/// The part of the day that the words name by itself, as in `tuesday morning`.
fn part_of_day(words: &[String]) -> Option<String> {
    words.iter().find(|word| is_part_of_day(word)).cloned()
}

/// The half of the day in which a time of 12 hours lies. Of an evening or a night only the hours before midnight are clear.
fn half(part: &str, time: &str) -> Result<&'static str, String> {
    let hour = time.split([':', '.']).next().and_then(number);
    match part {
        _ if is_morning(part) => Ok("am"),
        "pm" | "afternoon" | "afternoons" => Ok("pm"),
        _ if hour.is_some_and(|hour| (4..=11).contains(&hour)) => Ok("pm"),
        _ => Err(format!("is `{time}` before or after midnight? {WRITE_A_TIME}, noon or midnight")),
    }
}

/// `9` alone: the morning and the 24-hour clock are clear, and what names a part of the day is; the rest is asked about.
fn bare_hour(word: &str, part: Option<&str>) -> Result<NaiveTime, String> {
    match (number(word), part) {
        (Some(1..=12), Some(part)) => time_of(word, Some(half(part, word)?)),
        (Some(hour @ (0 | 7..=11 | 13..=23)), _) => hour_of(hour, 0).ok_or_else(|| WRITE_A_TIME.to_owned()),
        (Some(hour @ 1..=12), None) => {
            Err(format!("is {hour} in the morning or in the afternoon? Write {hour} am or {hour} pm"))
        }
        _ => Err(format!("`{word}` is no hour: {WRITE_A_TIME}")),
    }
}

/// `09:00` of 24 hours; with `am` or `pm` the hour goes from 1 to 12 and the minutes may be left out.
fn time_of(text: &str, half: Option<&str>) -> Result<NaiveTime, String> {
    let unclear = || format!("`{text}` is no time: {WRITE_A_TIME}");
    let text = text.strip_suffix(":00").filter(|rest| rest.contains(':')).unwrap_or(text);
    let parts = text.split_once(':').or_else(|| text.split_once('.').filter(|_| half.is_some()));
    let (hour, minute) = match parts {
        Some((hour, minute)) if minute.len() == 2 => (number(hour), number(minute)),
        None if half.is_some() => (number(text), Some(0)),
        _ => (None, None),
    };
    let (Some(hour), Some(minute)) = (hour, minute) else { return Err(unclear()) };
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return Err(unclear()),
        Some("pm") => hour % 12 + 12,
        Some(_) => hour % 12,
    };
    hour_of(hour, minute).ok_or_else(unclear)
}

fn hour_of(hour: u32, minute: u32) -> Option<NaiveTime> {
    NaiveTime::from_hms_opt(hour, minute, 0)
}

/// One or two digits.
pub(super) fn number(text: &str) -> Option<u32> {
    (text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}
