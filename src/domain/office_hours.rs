//! The hours of a week in which offices are written to, as a person sets them: `Mon-Fri 08:00-17:00`. They are local
//! times, without a zone: each recipient's own clock counts.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveTime, Weekday};
use serde::{Deserialize, Deserializer};

/// The longest text that is read.
const CHARS_MAX: usize = 500;
/// Most ranges of one day, after those that touch are joined.
const RANGES_MAX: usize = 12;
/// Minutes of a day; the end of a range that lasts until midnight.
const DAY: u16 = 24 * 60;
/// Monday first.
const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// Office hours: for each weekday the ranges in which it is open. At least one day has one.
///
/// Written as days and times, several separated by commas: `Mon-Fri 08:00-12:00, 13:00-17:00, Sat 9-12`. Days are
/// weekdays by three letters or their whole names, alone, as a range, or several (`Mon, Wed 09:00-17:00`), or `daily`,
/// `weekdays`, `weekends`; times without days belong to the days before them. A time is `08:00`, `8` or `8:00 am`; a
/// range ends after it begins, on the same day, `24:00` being its end. `always` is every hour of every day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficeHours {
    /// Monday first; of each day the ranges in order, none touching another.
    days: [Vec<Range>; 7],
}

/// From one minute of the day until before another, at most [`DAY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    from: u16,
    to: u16,
}

impl OfficeHours {
    /// Every hour of every day.
    #[must_use]
    pub fn always() -> Self {
        Self { days: std::array::from_fn(|_| vec![Range { from: 0, to: DAY }]) }
    }

    /// Whether nothing is ever outside them.
    #[must_use]
    pub fn is_always(&self) -> bool {
        self.days.iter().all(|ranges| matches!(ranges[..], [Range { from: 0, to: DAY }]))
    }

    /// Whether they include that minute of the day, 0 to 1,439.
    #[must_use]
    pub fn include(&self, weekday: Weekday, minute: u32) -> bool {
        self.on(weekday).iter().any(|range| (u32::from(range.from)..u32::from(range.to)).contains(&minute))
    }

    /// When the ranges of a weekday begin, in order.
    pub fn openings(&self, weekday: Weekday) -> impl Iterator<Item = NaiveTime> + '_ {
        self.on(weekday)
            .iter()
            .filter_map(|range| NaiveTime::from_hms_opt(u32::from(range.from / 60), u32::from(range.from % 60), 0))
    }

    fn on(&self, weekday: Weekday) -> &[Range] {
        self.days.get(weekday.num_days_from_monday() as usize).map_or(&[], Vec::as_slice)
    }
}

impl Default for OfficeHours {
    /// Monday to Friday, 8 to 5.
    fn default() -> Self {
        let weekday = Range { from: 8 * 60, to: 17 * 60 };
        Self { days: std::array::from_fn(|day| if day < 5 { vec![weekday] } else { Vec::new() }) }
    }
}

/// Why a text is not understood, in words for whoever wrote it. Never contains the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OfficeHoursError(&'static str);

const SHAPE: OfficeHoursError = OfficeHoursError(
    "write days and times such as \"Mon-Fri 08:00-17:00\", several separated by commas, or \"always\"",
);
const NO_DAYS: OfficeHoursError = OfficeHoursError("say on which days, such as \"Mon-Fri 08:00-17:00\"");
const NO_TIMES: OfficeHoursError = OfficeHoursError("say at which times, such as \"Sat 09:00-12:00\"");
const NO_SUCH_TIME: OfficeHoursError = OfficeHoursError("write times from 00:00 to 24:00, such as 08:00 or 5 pm");
const BACKWARD: OfficeHoursError = OfficeHoursError(
    "a range ends after it begins, on the same day: write 17:00 or 5 pm for the afternoon, and two ranges for a night",
);
const TOO_MANY: OfficeHoursError = OfficeHoursError("write at most 12 ranges for each day");
const TOO_LONG: OfficeHoursError = OfficeHoursError("write at most 500 characters");

impl FromStr for OfficeHours {
    type Err = OfficeHoursError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.chars().count() > CHARS_MAX {
            return Err(TOO_LONG);
        }
        let text = text.trim().to_lowercase().replace(['–', '—'], "-");
        if text == "always" {
            return Ok(Self::always());
        }
        let mut days: [Vec<Range>; 7] = Default::default();
        let (mut named, mut waiting) = ([false; 7], false);
        for part in text.split(',') {
            let (words, times) = split(part)?;
            if !words.is_empty() {
                // Days that still wait for their times are joined by these; otherwise these are new ones.
                named = join(days_of(words)?, if waiting { named } else { [false; 7] });
            }
            waiting = times.is_empty();
            if waiting {
                continue;
            }
            if !named.contains(&true) {
                return Err(NO_DAYS);
            }
            let range = range(times)?;
            days.iter_mut().zip(named).filter(|(_, on)| *on).for_each(|(ranges, _)| ranges.push(range));
        }
        if waiting {
            return Err(NO_TIMES);
        }
        for ranges in &mut days {
            *ranges = joined(std::mem::take(ranges));
        }
        if days.iter().any(|ranges| ranges.len() > RANGES_MAX) { Err(TOO_MANY) } else { Ok(Self { days }) }
    }
}

/// One part in its days and its times; either may be absent, not both.
fn split(part: &str) -> Result<(&str, &str), OfficeHoursError> {
    let part = part.trim();
    if part.is_empty() {
        return Err(SHAPE);
    }
    let at = part.find(|c: char| c.is_ascii_digit()).unwrap_or(part.len());
    let (days, times) = part.split_at(at);
    Ok((days.trim(), times.trim()))
}

/// `mon`, `mon-fri`, `weekdays`.
fn days_of(words: &str) -> Result<[bool; 7], OfficeHoursError> {
    let of = |on: fn(usize) -> bool| Ok(std::array::from_fn(on));
    match words {
        "daily" | "every day" => return of(|_| true),
        "weekdays" => return of(|day| day < 5),
        "weekends" => return of(|day| day >= 5),
        _ => {}
    }
    let (first, last) = match words.split_once('-') {
        None => (day(words)?, day(words)?),
        Some((first, last)) => (day(first)?, day(last)?),
    };
    // From the first day on, over the end of the week if need be.
    let length = (last + 7 - first) % 7;
    Ok(std::array::from_fn(|day| (day + 7 - first) % 7 <= length))
}

/// A weekday by its place, Monday being 0.
fn day(word: &str) -> Result<usize, OfficeHoursError> {
    let word = word.trim().trim_end_matches('.');
    let day = match word {
        "tues" => Weekday::Tue,
        "thur" | "thurs" => Weekday::Thu,
        _ => word.parse().map_err(|_| SHAPE)?,
    };
    Ok(day.num_days_from_monday() as usize)
}

fn join(a: [bool; 7], b: [bool; 7]) -> [bool; 7] {
    std::array::from_fn(|day| a.get(day) == Some(&true) || b.get(day) == Some(&true))
}

fn range(times: &str) -> Result<Range, OfficeHoursError> {
    let (from, to) = times.split_once('-').ok_or(SHAPE)?;
    let range = Range { from: minute(from)?, to: minute(to)? };
    if range.from < range.to { Ok(range) } else { Err(BACKWARD) }
}

/// `08:00`, `8`, `8am`, `8:30 pm`, `24:00`, as a minute of the day.
fn minute(text: &str) -> Result<u16, OfficeHoursError> {
    let text = text.trim();
    let (clock, half) = match (strip(text, "am", "a.m."), strip(text, "pm", "p.m.")) {
        (Some(clock), _) => (clock, Some(0)),
        (_, Some(clock)) => (clock, Some(12)),
        (None, None) => (text, None),
    };
    let (hour, minute) = clock.trim().split_once(':').unwrap_or((clock.trim(), "00"));
    let number = |text: &str, most: u16| {
        let fits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|number| fits && *number <= most).ok_or(NO_SUCH_TIME)
    };
    let minute = if minute.len() == 2 { number(minute, 59)? } else { return Err(NO_SUCH_TIME) };
    let hour = match half {
        None => number(hour, 24)?,
        Some(half) => {
            number(hour, 12)?.checked_rem(12).filter(|_| hour != "0" && hour != "00").ok_or(NO_SUCH_TIME)? + half
        }
    };
    let minutes = hour * 60 + minute;
    if minutes <= DAY { Ok(minutes) } else { Err(NO_SUCH_TIME) }
}

fn strip<'t>(text: &'t str, short: &str, long: &str) -> Option<&'t str> {
    text.strip_suffix(short).or_else(|| text.strip_suffix(long))
}

/// The same ranges in order, those that overlap or touch as one.
fn joined(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    let mut joined: Vec<Range> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.from <= last.to => last.to = last.to.max(range.to),
            _ => joined.push(range),
        }
    }
    joined
}

impl fmt::Display for OfficeHours {
    /// A text that is read back as the same hours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_always() {
            return f.write_str("always");
        }
        let mut separator = "";
        let mut first = 0;
        while let Some(ranges) = self.days.get(first) {
            let alike = self.days.iter().skip(first).take_while(|day| *day == ranges).count();
            if !ranges.is_empty() {
                write!(f, "{separator}{}", WEEK.get(first).copied().unwrap_or(Weekday::Mon))?;
                if alike > 1 {
                    write!(f, "-{}", WEEK.get(first + alike - 1).copied().unwrap_or(Weekday::Sun))?;
                }
                let times = ranges.iter().map(ToString::to_string).collect::<Vec<_>>();
                write!(f, " {}", times.join(", "))?;
                separator = ", ";
            }
            first += alike;
        }
        Ok(())
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl<'de> Deserialize<'de> for OfficeHours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> OfficeHours {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn office_hours_are_read_as_people_write_them() {
        for (written, same) in [
            ("Mon-Fri 08:00-17:00", "Mon-Fri 08:00-17:00"),
            ("monday - friday 8:00-17:00", "Mon-Fri 08:00-17:00"),
            ("weekdays 8-17", "Mon-Fri 08:00-17:00"),
            ("Mon–Fri 8 am – 5 pm", "Mon-Fri 08:00-17:00"),
            ("Mon-Fri 8:00 a.m.-5:00 p.m.", "Mon-Fri 08:00-17:00"),
            ("Mon-Fri 08:00-12:00, 13:00-17:00", "Mon-Fri 08:00-12:00, 13:00-17:00"),
            ("Mon-Fri 8-17, Sat 9-12", "Mon-Fri 08:00-17:00, Sat 09:00-12:00"),
            ("Mon, Wed, Fri 9-16:30", "Mon 09:00-16:30, Wed 09:00-16:30, Fri 09:00-16:30"),
            ("Fri-Mon 10-11", "Mon 10:00-11:00, Fri-Sun 10:00-11:00"),
            ("Mon 8-12, Mon 12-17, Mon 9-10", "Mon 08:00-17:00"),
            ("daily 0-24", "always"),
            ("weekends 00:00-24:00, weekdays 0:00-24:00", "always"),
            ("Always", "always"),
            ("Sun 12 am-12 pm", "Sun 00:00-12:00"),
            ("Tues 12 pm-1:15 PM, Thurs 23:59-24:00", "Tue 12:00-13:15, Thu 23:59-24:00"),
        ] {
            assert_eq!(read(written).to_string(), same, "{written}");
        }
        assert_eq!(read("Mon-Fri 08:00-17:00"), OfficeHours::default());
        assert!(OfficeHours::always().is_always() && !OfficeHours::default().is_always());
    }

    #[test]
    fn what_is_not_understood_is_refused_with_what_to_write_and_never_repeated() {
        for (written, hint) in [
            ("", "Mon-Fri 08:00-17:00"),
            ("never", "days and times"),
            ("Mon-Fri", "at which times"),
            ("Mon-Fri 8-17, Sat", "at which times"),
            ("08:00-17:00", "on which days"),
            ("Mon-Fri 8-5", "ends after it begins"),
            ("Mon 17:00-08:00", "two ranges for a night"),
            ("Mon 8-8", "ends after it begins"),
            ("Mon 8", "days and times"),
            ("Mon 25:00-26:00", "00:00 to 24:00"),
            ("Mon 8:60-9:00", "00:00 to 24:00"),
            ("Mon 8-24:01", "00:00 to 24:00"),
            ("Mon 13 pm-14:00", "00:00 to 24:00"),
            ("Mon 0 am-9:00", "00:00 to 24:00"),
            ("Mon 8:0-9:00", "00:00 to 24:00"),
            ("Mon 8-9-10", "00:00 to 24:00"),
            ("Mon +8-9", "days and times"),
            ("Moon 8-9", "days and times"),
            ("Mon-Fri 8-17,", "days and times"),
            ("Mon-Fri-Sun 8-17", "days and times"),
            ("Mon-Fri 8-17 America/Chicago", "00:00 to 24:00"),
        ] {
            let error = written.parse::<OfficeHours>().expect_err(written).to_string();
            assert!(error.contains(hint), "{written}: {error}");
        }
        assert_eq!("Mon 8-9, ".repeat(80).parse::<OfficeHours>(), Err(TOO_LONG));
        let many: Vec<String> = (0..13).map(|hour| format!("Mon {hour}:00-{hour}:30")).collect();
        assert_eq!(many.join(", ").parse::<OfficeHours>(), Err(TOO_MANY));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_is_written_and_read_the_same(text in "\\PC{0,40}") {
            if let Ok(hours) = text.parse::<OfficeHours>() {
                prop_assert_eq!(&read(&hours.to_string()), &hours);
            }
        }

        #[test]
        fn hours_that_are_written_are_read_back_the_same(
            parts in prop::collection::vec((0usize..7, 0usize..7, 0u16..1440, 1u16..600), 1..8),
        ) {
            let part = |(first, last, from, length): &(usize, usize, u16, u16)| {
                let range = Range { from: *from, to: (from + length).min(DAY) };
                format!("{}-{} {range}", WEEK[*first], WEEK[*last])
            };
            let text = parts.iter().map(part).collect::<Vec<_>>().join(", ");
            let hours = read(&text);
            prop_assert_eq!(&read(&hours.to_string()), &hours);
            let open = (0..1440).filter(|minute| hours.include(WEEK[parts[0].0], *minute)).count();
            prop_assert!(open >= usize::from(parts[0].3.min(DAY - parts[0].2)), "{text}");
        }
    }
}
