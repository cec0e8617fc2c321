//! Reads what people write: `first tuesday 09:00`, `every month on the 1st at 9am`, `every 2 weeks on tuesday`,
//! `last business day of the month at noon`, `tomorrow at 9`, `0 9 1 * *`. Words that mean the same become one, the time is
//! taken out, and what is left is a single day, or an interval and the days in it.

use std::str::FromStr;

use chrono::{NaiveDateTime, Weekday};
use croner::parser::{CronParser, Seconds, Year};

use super::clock_words::{TIME_DEFAULT, number, take_time};
use super::interval::{Unit, take_interval};
use super::misread::{Misread, Problem};
use super::said::name;
use super::vocabulary::{day_of, is_bare, is_known, is_month, is_zone, month, not_understood, weekday, words};
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
impl FromStr for Schedule {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text, None)
    }
}

/// Reads a schedule; `now` is what relative days count from.
pub(super) fn read(text: &str, now: Option<NaiveDateTime>) -> Result<Schedule, Misread> {
    let text = text.trim().to_lowercase();
    if text.is_empty() {
        return Err(Misread::unquoted("say when".to_owned()));
    }
    if text.chars().count() > CHARS_MAX {
        return Err(Misread::unquoted(format!("a schedule has at most {CHARS_MAX} characters")));
    }
    let rule = match cron_fields(&text) {
        Some(fields) => cron(fields).map_err(Problem::Other),
        None => in_words(&text, now),
    };
    rule.map(|rule| Schedule { rule }).map_err(|problem| Misread::new(text, problem))
}

fn in_words(text: &str, now: Option<NaiveDateTime>) -> Result<Rule, Problem> {
    let mut words = words(text)?;
    refuse_what_is_no_plan(&words)?;
    words.retain(|word| word != "from");
    let named = take_time(&mut words)?;
    let at = named.unwrap_or(TIME_DEFAULT);
    words.retain(|word| word != "at" && word != "o'clock");
    if named.is_some() && words.iter().all(|word| word == "every") {
        return Ok(Rule::On { days: Days::Daily, at });
    }
    if let Some(single) = dates::single(&words, at, now) {
        return Ok(Rule::Once(single?));
    }
    if words.first().is_some_and(|word| word == "once") && !words.iter().any(|word| word == "every") {
        let rest = words[1..].join(" ");
        let problem = match rest.as_str() {
            "" => "say on which day, such as `once 2026-12-01 09:00`".to_owned(),
            _ => format!("`{rest}` is not a date such as 2026-12-01"),
        };
        return Err(problem.into());
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
fn refuse_what_is_no_plan(words: &[String]) -> Result<(), Problem> {
    let has = |word: &str| words.iter().any(|known| known == word);
    let has_one_of = |all: &[&str]| all.iter().any(|word| has(word));
    if has_one_of(&["now", "immediately", "asap"]) {
        return Err(Problem::Now);
    }
    if let Some(at) = words.iter().position(|word| is_zone(word)) {
        return Err(Problem::Zone(words[at].clone()));
    }
    let told = match () {
        () if has_one_of(&["hourly", "hour", "hours", "minute", "minutes"]) => {
            "a campaign runs at most once a day, or by `cron:` at most once an hour"
        }
        () if has_one_of(&["twice", "times", "semimonthly", "semi-monthly", "semiweekly", "semi-weekly"]) => {
            "say on which days, such as `monday, thursday 09:00` or `1st and 15th 09:00`"
        }
        () if has_one_of(&["bimonthly", "bi-monthly"]) => {
            "that can mean twice a month (`1st and 15th 09:00`) or every two months (`every 2 months on day 1 09:00`)"
        }
        () if has_one_of(&["biannually", "biannual", "bi-annually", "biyearly"]) => {
            "that can mean twice a year (`every 6 months on day 1 09:00`) or every two years, for which a single date is \
             written (`once 2026-12-01 09:00`)"
        }
        () if names_a_start(words) => {
            "a schedule has no first day: it counts from the day on which the campaign is created. Leave the start out; for \
             a single run write its date, such as `once 2026-12-01 09:00`"
        }
        () if has_one_of(&["until", "till", "til", "ending", "ends"]) => {
            "a schedule has no last day: leave it out, and pause or remove the campaign when it should end"
        }
        () if has("after") && !has("tomorrow") || has("except") || has("not") => "exceptions are not understood",
        () => return Ok(()),
    };
    Err(Problem::Other(told.to_owned()))
}

/// Whether the words say from when on: `starting december 8`, `from 12/8`.
fn names_a_start(words: &[String]) -> bool {
    let starts = ["start", "starting", "begin", "beginning", "commencing", "effective"];
    let is_day = |word: &str| {
        let is_date = word.starts_with(|c: char| c.is_ascii_digit()) && word.contains(['-', '/']);
        is_month(word) || is_date || ["today", "tomorrow", "next"].contains(&word)
    };
    words.iter().any(|word| starts.contains(&word.as_str()))
        || words.windows(2).any(|pair| pair[0] == "from" && is_day(&pair[1]))
}

fn recurring(words: &[String]) -> Result<Days, String> {
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    let says_every = words.contains(&"every");
    let interval = take_interval(&mut words)?;
    let mut months: Vec<u8> = words.iter().filter_map(|word| month(word)).collect();
    months.sort_unstable();
    months.dedup();
    let interval = interval.or_else(|| of_a_unit(&words));
    // `every monday of the week` is every Monday; any other week is one of a month, or of a date.
    let is_of_every_week = says_every && words.iter().all(|word| *word == "week" || is_weekday(word));
    if words.contains(&"week") && !is_of_every_week {
        return Err(
            "weeks of a month are not counted here: say which day, such as `third monday 09:00` or `day 15 09:00`"
                .to_owned(),
        );
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
        Some((months @ 2.., Unit::Month)) => {
            Err(format!("say on which day of the month, such as `every {months} months on day 1 09:00`"))
        }
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

/// Whether a word names a day of the week, or those from Monday to Friday.
fn is_weekday(word: &str) -> bool {
    weekday(word).is_some() || ["weekday", "businessday"].contains(&word)
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
        Which::NumberedAndLast(_) => Err(first_and_last()),
        Which::Nth { which, .. } if which.contains(&Nth::Last) => Err(first_and_last()),
        Which::Nth { .. } | Which::Numbered(_) | Which::Business(Some(_)) => Ok(Months::Only(QUARTERS.to_vec())),
    }
}

fn first_and_last() -> String {
    "the first and the last day of a quarter are in different months: write one campaign for each".to_owned()
}

/// Which days of a month.
fn which(words: &[&str], has_month: bool) -> Result<Which, String> {
    if let Some(days) = days_and_last(words, has_month) {
        return Ok(Which::NumberedAndLast(days));
    }
    match *words {
        [first, ..] if words.iter().all(|day| weekday(day).is_some()) => Err(say_which(first)),
        ["last", "day"] => Ok(Which::Last),
        ["last", "businessday" | "weekday"] => Ok(Which::Business(None)),
        [nth, "businessday" | "weekday"] if !is_bare(nth) => match day_of(nth) {
            Some(number @ 1..=20) => Ok(Which::Business(Some(number))),
            _ => Err(format!("`{nth}` is no number of a business day: first to 20th, or last")),
        },
        [_, _, .., "businessday" | "weekday"] => {
            Err("it has several days of a month, one of them a business day: write one campaign for each".to_owned())
        }
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

/// `15th and last day`, `first and last`: the days by number that stand beside the last one; `None` if the words say anything
/// else. A number without ending has to stand after `day` or with a month, and before `last`.
fn days_and_last(words: &[&str], has_month: bool) -> Option<Vec<u8>> {
    let last = words.iter().position(|word| *word == "last")?;
    let may_be_bare = has_month || words.first() == Some(&"day");
    let mut days = Vec::new();
    for (at, word) in words.iter().enumerate().filter(|(at, word)| *at != last && **word != "day") {
        if is_bare(word) && !(may_be_bare && at < last) {
            return None;
        }
        days.push(day_of(word)?);
    }
    days.sort_unstable();
    days.dedup();
    (!days.is_empty()).then_some(days)
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
        (None, Some(5)) if !is_bare(word) => Err(format!("not every month has a {word} {day}: write `last {day}`")),
        (None, _) => Err(format!("`{word}` is none of first, second, third, fourth, last")),
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
