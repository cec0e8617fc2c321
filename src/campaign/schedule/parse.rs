//! Reads what people write: `first tuesday 09:00`, `every month on the 1st at 9am`, `every 2 weeks on tuesday`,
//! `last business day of the month at noon`, `tomorrow at 9`, `0 9 1 * *`. Words that mean the same become one, the time is
//! taken out, and what is left is a single day, or an interval and the days in it.

use std::str::FromStr;

use chrono::{NaiveDateTime, NaiveTime, Weekday};
use croner::parser::{CronParser, Seconds, Year};

use super::clock_words::{number, take_time};
use super::interval::{Unit, take_interval};
use super::said::name;
use super::vocabulary::{day_of, is_bare, is_known, month, not_understood, weekday, words};
use super::{Days, Months, Nth, Rule, Schedule, Which, dates};

/// Longest text accepted.
const CHARS_MAX: usize = 240;
/// Longest pauses of `every N days`, `weeks`, `months`.
const DAYS_MAX: u32 = 366;
const WEEKS_MAX: u32 = 52;
const MONTHS_MAX: u32 = 12;
/// First and last months of the quarters.
const QUARTERS: [u8; 4] = [1, 4, 7, 10];
const QUARTER_ENDS: [u8; 4] = [3, 6, 9, 12];
/// The time of a schedule that names none.
const TIME_DEFAULT: NaiveTime = match NaiveTime::from_hms_opt(9, 0, 0) {
    Some(nine) => nine,
    None => NaiveTime::MIN,
};

/// What is accepted, for the end of every error.
const EXAMPLES: &str = "\
Write one of:
  first tuesday 09:00              (also second, third, fourth, last; `first and third tuesday 09:00`)
  every monday 09:00               (also `monday, thursday 10:00`)
  every 2 weeks on tuesday 09:00
  day 15 09:00                     (also `1st and 15th at 9 am`, `last day 09:00`, `last business day 09:00`)
  every 2 months on day 1 09:00    (also `quarterly on the first monday 09:00`, `every year on december 1 09:00`)
  weekdays 08:30
  daily 08:00
  once 2026-12-01 09:00            (also `tomorrow at 9 am`, `12/01/2026 9:00 AM`)
  cron: 0 9 * * TUE#1
Times are local: 09:00, 14:30, 9 am, 2:30 pm or noon. Without a time it is 9:00 AM; a time alone means every day.";

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text, None)
    }
}

/// Reads a schedule; `now` is what relative days count from.
pub(super) fn read(text: &str, now: Option<NaiveDateTime>) -> Result<Schedule, String> {
    let text = text.trim().to_lowercase();
    if text.is_empty() {
        return Err(format!("say when. {EXAMPLES}"));
    }
    if text.chars().count() > CHARS_MAX {
        return Err(format!("a schedule has at most {CHARS_MAX} characters. {EXAMPLES}"));
    }
    let rule = match cron_fields(&text) {
        Some(fields) => cron(fields),
        None => in_words(&text, now),
    };
    rule.map(|rule| Schedule { rule }).map_err(|problem| format!("`{text}`: {problem}. {EXAMPLES}"))
}

fn in_words(text: &str, now: Option<NaiveDateTime>) -> Result<Rule, String> {
    let mut words = words(text)?;
    refuse_what_is_no_plan(&words)?;
    let named = take_time(&mut words)?;
    let at = named.unwrap_or(TIME_DEFAULT);
    words.retain(|word| word != "at");
    if named.is_some() && words.iter().all(|word| word == "every") {
        return Ok(Rule::On { days: Days::Daily, at });
    }
    if let Some(single) = dates::single(&words, at, now) {
        return single.map(Rule::Once);
    }
    if words.first().is_some_and(|word| word == "once") && !words.iter().any(|word| word == "every") {
        let rest = words[1..].join(" ");
        return Err(format!("`{rest}` is not a date such as 2026-12-01"));
    }
    words.retain(|word| word != "once");
    Ok(Rule::On { days: recurring(&words)?, at })
}

/// Whether a text names a time of day. What cannot be read names none.
pub(super) fn names_a_time(text: &str) -> bool {
    let mut words = words(&text.trim().to_lowercase()).unwrap_or_default();
    matches!(take_time(&mut words), Ok(Some(_)))
}

/// What is asked for often and is something else here.
fn refuse_what_is_no_plan(words: &[String]) -> Result<(), String> {
    let has = |word: &str| words.iter().any(|known| known == word);
    let told = match () {
        () if has("now") || has("immediately") || has("asap") => {
            "to send now, use `touchline send`, or `touchline campaign run` for a campaign"
        }
        () if has("hourly") || has("hour") || has("hours") || has("minute") || has("minutes") => {
            "a campaign runs at most once a day, or by `cron:` at most once an hour"
        }
        () if has("twice") || has("semimonthly") || has("semi-monthly") => {
            "say on which days, such as `monday, thursday 09:00` or `1st and 15th 09:00`"
        }
        () if has("bimonthly") || has("bi-monthly") => {
            "that can mean twice a month (`1st and 15th 09:00`) or every two months (`every 2 months on day 1 09:00`)"
        }
        () if has("after") && !has("tomorrow") || has("except") || has("not") => "exceptions are not understood",
        () => return Ok(()),
    };
    Err(told.to_owned())
}

fn recurring(words: &[String]) -> Result<Days, String> {
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    let interval = take_interval(&mut words)?;
    let mut months: Vec<u8> = words.iter().filter_map(|word| month(word)).collect();
    months.sort_unstable();
    months.dedup();
    let interval = interval.or_else(|| of_a_unit(&words));
    if words.contains(&"week") && words.iter().any(|word| nth(word).is_some()) {
        return Err("weeks of a month are not counted here: say which day, such as `third monday 09:00`".to_owned());
    }
    words.retain(|word| month(word).is_none() && !["month", "quarter", "year", "week"].contains(word));
    if let Some(unknown) = words.iter().find(|word| !is_known(word)) {
        return Err(not_understood(unknown));
    }
    let is_of_month = !months.is_empty() || matches!(interval, Some((_, Unit::Month | Unit::Quarter | Unit::Year)));
    match words[..] {
        [] if !months.is_empty() => Err("say on which day of the month, such as `december 1 09:00`".to_owned()),
        [] => without_day(interval),
        ["weekday" | "businessday"] if !is_of_month => match interval {
            None | Some((1, _)) => Ok(Days::Weekdays),
            Some(_) => Err("say on which day of the week".to_owned()),
        },
        _ if words.iter().all(|word| weekday(word).is_some()) && months.is_empty() => weekly(&words, interval),
        _ => {
            if matches!(interval, Some((_, Unit::Week))) {
                return Err("say on which day of the week, such as `every 2 weeks on tuesday 09:00`".to_owned());
            }
            let which = which(&words, !months.is_empty())?;
            Ok(Days::OfMonth { months: months_of(interval, months, &which)?, which })
        }
    }
}

/// `first day of the quarter`: the quarter or year, without `every` before it.
fn of_a_unit(words: &[&str]) -> Option<(u32, Unit)> {
    let has = |word| words.contains(&word);
    match () {
        () if has("quarter") => Some((1, Unit::Quarter)),
        () if has("year") => Some((1, Unit::Year)),
        () => None,
    }
}

/// An interval alone.
fn without_day(interval: Option<(u32, Unit)>) -> Result<Days, String> {
    match interval {
        Some((1, Unit::Day)) => Ok(Days::Daily),
        Some((days, Unit::Day)) => {
            let few = u16::try_from(days).ok().filter(|_| (1..=DAYS_MAX).contains(&days));
            few.map(Days::Interval).ok_or_else(|| format!("the number of days goes from 1 to {DAYS_MAX}"))
        }
        Some((_, Unit::Week)) => Err("say on which days of the week, such as `every tuesday 09:00`".to_owned()),
        Some((_, Unit::Month)) => {
            Err("say on which day of the month, such as `monthly on day 1 09:00` or `first tuesday 09:00`".to_owned())
        }
        Some((_, Unit::Quarter)) => {
            Err("say on which day of January, April, July and October, such as `quarterly on day 1 09:00`".to_owned())
        }
        Some((_, Unit::Year)) => Err("say on which day, such as `every year on december 1 09:00`".to_owned()),
        None => Err("say on which days".to_owned()),
    }
}

fn weekly(words: &[&str], interval: Option<(u32, Unit)>) -> Result<Days, String> {
    let mut weekdays: Vec<Weekday> = words.iter().filter_map(|word| weekday(word)).collect();
    weekdays.sort_by_key(Weekday::num_days_from_monday);
    weekdays.dedup();
    match interval {
        None | Some((1, Unit::Week | Unit::Day)) => Ok(Days::Weekly(weekdays)),
        Some((weeks, Unit::Week)) => {
            let weeks = u8::try_from(weeks).ok().filter(|weeks| (1..=WEEKS_MAX).contains(&u32::from(*weeks)));
            let weeks = weeks.ok_or_else(|| format!("the number of weeks goes from 1 to {WEEKS_MAX}"))?;
            match weekdays[..] {
                [weekday] => Ok(Days::EveryWeeks { weeks, weekday }),
                _ => Err("every few weeks means one day of the week: write one campaign for each".to_owned()),
            }
        }
        Some(_) => Err(say_which(words[0])),
    }
}

fn months_of(interval: Option<(u32, Unit)>, months: Vec<u8>, which: &Which) -> Result<Months, String> {
    match interval {
        Some((1, Unit::Year)) | None if !months.is_empty() => Ok(Months::Only(months)),
        Some((1, Unit::Month)) if !months.is_empty() => Ok(Months::Only(months)),
        _ if !months.is_empty() => Err("it names months and an interval: leave out one of them".to_owned()),
        None | Some((1, Unit::Month | Unit::Day)) => Ok(Months::Every),
        Some((few, Unit::Month)) if (1..=MONTHS_MAX).contains(&few) => {
            Ok(u8::try_from(few).map_or(Months::Every, Months::EveryFew))
        }
        Some((_, Unit::Month)) => Err(format!("the number of months goes from 1 to {MONTHS_MAX}")),
        Some((1, Unit::Quarter)) => quarterly(which),
        Some((1, Unit::Year)) => Err("say in which month, such as `every year on december 1 09:00`".to_owned()),
        Some(_) => Err("write `every 6 months` or name the months".to_owned()),
    }
}

/// The months in which a day of a quarter lies: the last one for what is the last of it, else the first.
fn quarterly(which: &Which) -> Result<Months, String> {
    match which {
        Which::Last | Which::Business(None) => Ok(Months::Only(QUARTER_ENDS.to_vec())),
        Which::Nth { which, .. } if which.iter().all(|nth| *nth == Nth::Last) => {
            Ok(Months::Only(QUARTER_ENDS.to_vec()))
        }
        Which::Nth { which, .. } if which.contains(&Nth::Last) => {
            Err("the first and the last day of a quarter are in different months: write one campaign for each"
                .to_owned())
        }
        Which::Nth { .. } | Which::Numbered(_) | Which::Business(Some(_)) => Ok(Months::Only(QUARTERS.to_vec())),
    }
}

/// Which days of a month.
fn which(words: &[&str], has_month: bool) -> Result<Which, String> {
    match *words {
        [first, ..] if words.iter().all(|day| weekday(day).is_some()) => Err(say_which(first)),
        ["last", "day"] => Ok(Which::Last),
        ["last", "businessday" | "weekday"] => Ok(Which::Business(None)),
        [nth, "businessday" | "weekday"] if !is_bare(nth) => match day_of(nth) {
            Some(number @ 1..=20) => Ok(Which::Business(Some(number))),
            _ => Err(format!("`{nth}` is no number of a business day: first to 20th, or last")),
        },
        ["businessday", ..] | ["weekday", ..] => Err("say which, such as `last business day 09:00`".to_owned()),
        ["day", ref days @ ..] if !days.is_empty() => numbered(days),
        [ref days @ .., "day"] if !days.is_empty() && days.iter().all(|day| !is_bare(day)) => numbered(days),
        [ref which @ .., day] if !which.is_empty() && weekday(day).is_some() => of_weekday(which, day),
        ref days
            if days.iter().all(|day| day_of(day).is_some()) && (has_month || days.iter().all(|day| !is_bare(day))) =>
        {
            numbered(days)
        }
        _ => Err("say on which days".to_owned()),
    }
}

/// What is said where a day of the week needs its number in the month.
fn say_which(day: &str) -> String {
    let day = weekday(day).map_or_else(|| day.to_owned(), |day| name(day).to_lowercase());
    format!("say which {day} of the month, such as `first {day} 09:00`")
}

fn numbered(words: &[&str]) -> Result<Which, String> {
    let day = |word: &&str| day_of(word).ok_or_else(|| format!("`{word}` is not a day of the month"));
    let mut days = words.iter().map(day).collect::<Result<Vec<_>, _>>()?;
    days.sort_unstable();
    days.dedup();
    Ok(Which::Numbered(days))
}

fn of_weekday(which: &[&str], day: &str) -> Result<Which, String> {
    let nth = |word: &&str| match (nth(word), day_of(word)) {
        (Some(nth), _) => Ok(nth),
        (None, Some(_)) => Err(format!("not every month has a {word} {day}: write `last {day}`")),
        (None, None) => Err(format!("`{word}` is none of first, second, third, fourth, last")),
    };
    let mut which = which.iter().map(nth).collect::<Result<Vec<_>, _>>()?;
    which.sort_unstable();
    which.dedup();
    let weekday = weekday(day).ok_or_else(|| not_understood(day))?;
    Ok(Which::Nth { which, weekday })
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

/// The fields of a cron pattern, with or without the word in front.
fn cron_fields(text: &str) -> Option<&str> {
    if let Some(fields) = text.strip_prefix("cron") {
        return Some(fields.trim_start_matches(':'));
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    let is_name = |part: &str| part.len() == 3 && (weekday(part).is_some() || month(part).is_some());
    let is_field = |field: &&str| {
        let mut parts = field.split(|c: char| "*/,-#?".contains(c));
        parts.all(|part| {
            part.is_empty() || part == "l" || part.starts_with(|c: char| c.is_ascii_digit()) || is_name(part)
        })
    };
    let is_cron = (5..=7).contains(&fields.len()) && fields.iter().all(is_field);
    (is_cron && fields.iter().any(|field| field.starts_with(['*', '?']))).then_some(text)
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
