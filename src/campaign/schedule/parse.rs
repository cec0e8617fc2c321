//! Reads what people write: `first tuesday 09:00`, `every 2 weeks on tuesday at 9 am`, `cron: 0 9 * * TUE#1`.

use std::str::FromStr;

use chrono::{NaiveDate, NaiveTime, Weekday};
use croner::parser::{CronParser, Seconds, Year};

use super::{Days, Nth, Rule, Schedule};

/// Longest text accepted.
const CHARS_MAX: usize = 120;
/// Longest pause of `every N weeks`.
const WEEKS_MAX: u8 = 52;
/// Words that carry no meaning here and may appear anywhere.
const FILLERS: &[&str] = &["the", "on", "at", "of", "each", "month", "and"];

/// What is accepted, for the end of every error.
const EXAMPLES: &str = "\
Write one of:
  first tuesday 09:00              (also second, third, fourth, last; `first and third tuesday 09:00`)
  every monday 09:00               (also `monday, thursday 10:00`)
  every 2 weeks on tuesday 09:00
  day 15 09:00                     (1 to 28; also `last day 09:00`)
  weekdays 08:30
  daily 08:00
  once 2026-12-01 09:00
  cron: 0 9 * * TUE#1
Times are local: 09:00, 14:30, 9 am or 2:30 pm.";

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return Err(format!("say when. {EXAMPLES}"));
        }
        if text.chars().count() > CHARS_MAX {
            return Err(format!("a schedule has at most {CHARS_MAX} characters. {EXAMPLES}"));
        }
        let rule = match text.strip_prefix("cron:") {
            Some(fields) => cron(fields),
            None => words(&text),
        };
        rule.map(|rule| Self { rule }).map_err(|problem| format!("`{text}`: {problem}. {EXAMPLES}"))
    }
}

fn words(text: &str) -> Result<Rule, String> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty() && !FILLERS.contains(word))
        .collect();
    let (head, at) = split_time(&words)?;
    if let ["once", date] = head {
        let date = NaiveDate::parse_from_str(date, "%Y-%m-%d")
            .map_err(|_| format!("`{date}` is not a date such as 2026-12-01"))?;
        return Ok(Rule::Once(date.and_time(at)));
    }
    Ok(Rule::On { days: days(head)?, at })
}

fn days(words: &[&str]) -> Result<Days, String> {
    match words {
        ["daily"] | ["every", "day"] => Ok(Days::Daily),
        ["weekdays"] | ["every", "weekday"] => Ok(Days::Weekdays),
        ["last", "day"] => Ok(Days::LastDay),
        ["day", day] => day_of_month(day),
        ["every", "other", day] => Ok(Days::EveryWeeks { weeks: 2, weekday: weekday(day)? }),
        ["every", "week", day] => Ok(Days::EveryWeeks { weeks: 1, weekday: weekday(day)? }),
        ["every", count, "week" | "weeks", day] => {
            let weeks = count.parse().ok().filter(|weeks| (1..=WEEKS_MAX).contains(weeks));
            let weeks = weeks.ok_or_else(|| format!("the number of weeks goes from 1 to {WEEKS_MAX}"))?;
            Ok(Days::EveryWeeks { weeks, weekday: weekday(day)? })
        }
        ["every", list @ ..] => weekly(list),
        [which @ .., day] if !which.is_empty() && nth(which[0]).is_some() => of_month(which, day),
        list => weekly(list),
    }
}

fn weekly(words: &[&str]) -> Result<Days, String> {
    if words.is_empty() {
        return Err("say on which days".to_owned());
    }
    let mut weekdays = words.iter().map(|word| weekday(word)).collect::<Result<Vec<_>, _>>()?;
    weekdays.sort_by_key(Weekday::num_days_from_monday);
    weekdays.dedup();
    Ok(Days::Weekly(weekdays))
}

fn of_month(which: &[&str], day: &str) -> Result<Days, String> {
    let mut which = which
        .iter()
        .map(|word| nth(word).ok_or_else(|| format!("`{word}` is none of first, second, third, fourth, last")))
        .collect::<Result<Vec<_>, _>>()?;
    which.sort_unstable();
    which.dedup();
    Ok(Days::OfMonth { which, weekday: weekday(day)? })
}

fn day_of_month(word: &str) -> Result<Days, String> {
    match word.parse() {
        Ok(day @ 1..=28) => Ok(Days::DayOfMonth(day)),
        Ok(day @ 29..=31) => Err(format!("not every month has a day {day}: write `last day`")),
        _ => Err(format!("`{word}` is not a day of the month")),
    }
}

fn nth(word: &str) -> Option<Nth> {
    match word {
        "first" | "1st" => Some(Nth::First),
        "second" | "2nd" => Some(Nth::Second),
        "third" | "3rd" => Some(Nth::Third),
        "fourth" | "4th" => Some(Nth::Fourth),
        "last" => Some(Nth::Last),
        _ => None,
    }
}

fn weekday(word: &str) -> Result<Weekday, String> {
    let singular = word.strip_suffix('s').filter(|word| word.ends_with("day")).unwrap_or(word);
    singular.parse().map_err(|_| format!("`{word}` is not a day of the week"))
}

/// The words before the time, and the time at the end.
fn split_time<'w>(words: &'w [&'w str]) -> Result<(&'w [&'w str], NaiveTime), String> {
    let (head, found) = match words {
        [head @ .., time, half @ ("am" | "pm")] => (head, time_of(time, Some(half))),
        [head @ .., time] => match time.strip_suffix("am").map(|time| (time, "am")).or_else(|| {
            let time = time.strip_suffix("pm")?;
            Some((time, "pm"))
        }) {
            Some((time, half)) => (head, time_of(time, Some(half))),
            None => (head, time_of(time, None)),
        },
        [] => (words, None),
    };
    found.map(|time| (head, time)).ok_or_else(|| "it must end with a time of day".to_owned())
}

/// `09:00` of 24 hours; with `am` or `pm` the hour goes from 1 to 12 and the minutes may be left out.
fn time_of(text: &str, half: Option<&str>) -> Option<NaiveTime> {
    let (hour, minute) = match text.split_once(':') {
        Some((hour, minute)) if minute.len() == 2 => (number(hour)?, number(minute)?),
        None if half.is_some() => (number(text)?, 0),
        _ => return None,
    };
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some("pm") => hour % 12 + 12,
        Some(_) => hour % 12,
    };
    NaiveTime::from_hms_opt(hour, minute, 0)
}

/// One or two digits.
fn number(text: &str) -> Option<u32> {
    (text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn cron(fields: &str) -> Result<Rule, String> {
    let parts: Vec<&str> = fields.split_whitespace().collect();
    let [minute, _, _, _, _] = parts[..] else {
        return Err("cron has five fields: minute, hour, day, month, weekday".to_owned());
    };
    if number(minute).is_none() {
        return Err("the minute must be one number: a campaign runs at most once an hour".to_owned());
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let written = parts.join(" ").to_uppercase();
    let pattern = parser.parse(&written).map_err(|error| error.to_string().trim_end_matches('.').to_owned())?;
    Ok(Rule::Cron { pattern: Box::new(pattern), written })
}
