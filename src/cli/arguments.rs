//! Parses what people type on a command line: words and times.

use std::ffi::OsStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Command};

use super::exit::CliError;
use crate::domain::Timestamp;

/// Parses one word of a vocabulary, with hyphens or underscores, and lists them all in the help.
pub fn word<T: Copy + Send + Sync + 'static>(all: &'static [T], as_str: fn(T) -> &'static str) -> Word<T> {
    Word { all, as_str }
}

/// See [`word`].
#[derive(Debug, Clone)]
pub struct Word<T: 'static> {
    all: &'static [T],
    as_str: fn(T) -> &'static str,
}

impl<T: Copy + Send + Sync + 'static> Word<T> {
    fn words(&self) -> impl Iterator<Item = PossibleValue> + use<T> {
        let as_str = self.as_str;
        self.all.iter().map(move |value| PossibleValue::new(as_str(*value)))
    }
}

impl<T: Copy + Send + Sync + 'static> TypedValueParser for Word<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let text = value.to_string_lossy().to_lowercase().replace('-', "_");
        match self.all.iter().find(|known| (self.as_str)(**known) == text) {
            Some(known) => Ok(*known),
            None => Err(PossibleValuesParser::new(self.words())
                .parse_ref(command, argument, value)
                .err()
                .unwrap_or_else(|| clap::Error::new(clap::error::ErrorKind::InvalidValue))),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.words()))
    }
}

/// A moment as `2026-12-01T09:00:00-06:00` (RFC 3339), or as `2026-12-01 09:00` in the practice's zone.
///
/// # Errors
/// It is neither; that time is skipped in that zone by daylight saving; its year in UTC does not have four digits.
pub fn moment(text: &str, zone: Tz) -> Result<Timestamp, CliError> {
    let text = text.trim();
    if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
        return written(exact.to_utc());
    }
    let local = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .ok_or_else(|| CliError::usage("write a time as \"2026-12-01 09:00\" or 2026-12-01T09:00:00-06:00"))?;
    let there = zone.from_local_datetime(&local).earliest();
    let skipped = || CliError::usage(format!("daylight saving skips that time in {zone}: choose another"));
    written(there.ok_or_else(skipped)?.to_utc())
}

fn written(time: DateTime<Utc>) -> Result<Timestamp, CliError> {
    Timestamp::written(time).ok_or_else(|| CliError::usage("the year of a time lies between 0000 and 9999, in UTC"))
}

/// A moment, or a day such as `2026-12-01`, which is its first moment in the practice's zone.
///
/// # Errors
/// It is neither.
pub fn day_or_moment(text: &str, zone: Tz) -> Result<Timestamp, CliError> {
    match NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d") {
        Ok(day) => moment(&format!("{day} 00:00"), zone),
        Err(_) => moment(text, zone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Tz = chrono_tz::America::Chicago;

    #[test]
    fn a_time_is_meant_in_the_practices_zone_unless_it_says_its_own() {
        let at = |text| moment(text, ZONE).map(|at| at.to_string()).map_err(|error| error.words);
        assert_eq!(at("2026-12-01 09:00"), Ok("2026-12-01T15:00:00.000Z".to_owned()));
        assert_eq!(at("2026-12-01T09:00:00+01:00"), Ok("2026-12-01T08:00:00.000Z".to_owned()));
        assert!(at("2026-03-08 02:30").expect_err("skipped").contains("skip"));
        let day = day_or_moment("2026-12-01", ZONE).map(|at| at.to_string()).map_err(|error| error.words);
        assert_eq!(day, Ok("2026-12-01T06:00:00.000Z".to_owned()));
        assert!(at("tomorrow").expect_err("no time").contains("2026-12-01 09:00"));
        for far in ["9999-12-31T23:59:00-23:59", "9999-12-31 23:00", "+10000-01-01 09:00"] {
            assert!(at(far).expect_err("too far").contains("9999"), "{far}");
        }
        assert!(day_or_moment("+12026-12-01", ZONE).is_err());
    }
}
