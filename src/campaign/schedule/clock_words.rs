//! Times of day as people write them: `09:00`, `9 am`, `2:30pm`, `noon`, `at 9`.

use chrono::NaiveTime;

use super::vocabulary::is_month;

/// How a time is written.
const WRITE_A_TIME: &str = "write a time such as 09:00 or 9 am";

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
    match found[..] {
        [time] => Ok(Some(time)),
        [] => day_or_hour(words).map(|()| None),
        _ => Err("it has two times of day: write one campaign for each".to_owned()),
    }
}

/// Two bare numbers at the end, as in `day 15 9`: the last could be a day or an hour.
fn day_or_hour(words: &[String]) -> Result<(), String> {
    match words {
        [.., before, last] if number(before).is_some() && number(last).is_some() => Err(format!(
            "is `{last}` a day or an hour? Write {last}:00 or {last} am for an hour, and 1st and 15th for days"
        )),
        _ => Ok(()),
    }
}

/// The time that begins at that word, and how many words it has.
fn time_at(words: &[String], at: usize) -> Result<Option<(NaiveTime, usize)>, String> {
    let word = words[at].as_str();
    let next = words.get(at + 1).map_or("", String::as_str);
    if let "noon" | "midday" | "midnight" = word {
        return Ok(hour_of(if word == "midnight" { 0 } else { 12 }, 0).map(|time| (time, 1)));
    }
    if matches!(next, "noon" | "midnight") && matches!(word, "12" | "12:00") {
        return Ok(hour_of(if next == "noon" { 12 } else { 0 }, 0).map(|time| (time, 2)));
    }
    for half in ["am", "pm"] {
        if next == half && word.starts_with(|c: char| c.is_ascii_digit()) {
            return time_of(word, Some(half)).map(|time| Some((time, 2)));
        }
        if let Some(time) = word.strip_suffix(half).filter(|time| time.starts_with(|c: char| c.is_ascii_digit())) {
            return time_of(time, Some(half)).map(|time| Some((time, 1)));
        }
    }
    if word.starts_with(|c: char| c.is_ascii_digit()) && word.contains(':') {
        return time_of(word, None).map(|time| Some((time, 1)));
    }
    let is_hour = word.len() <= 2 && number(word).is_some();
    let previous = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", String::as_str);
    let is_counted = ["day", "days", "every", "each", "in", "other"].contains(&previous) || is_month(previous);
    let leads = previous == "at" || (at + 1 == words.len() && at > 0 && !is_counted && number(previous).is_none());
    if is_hour && leads {
        return bare_hour(word).map(|time| Some((time, 1)));
    }
    Ok(None)
}

/// `9` alone: the morning and the 24-hour clock are clear, the rest is asked about.
fn bare_hour(word: &str) -> Result<NaiveTime, String> {
    match number(word) {
        Some(hour @ (0 | 7..=11 | 13..=23)) => hour_of(hour, 0).ok_or_else(|| WRITE_A_TIME.to_owned()),
        Some(hour @ 1..=12) => {
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
