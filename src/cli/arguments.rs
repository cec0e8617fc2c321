//! Parses what people type on a command line: words, variables, times.

use std::ffi::OsStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Command};
use serde_json::{Map, Value};

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

/// The letter's variables.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct VariableArgs {
    /// Fill in one of the letter's variables: NAME=TEXT
    #[arg(long = "set", value_name = "NAME=TEXT")]
    texts: Vec<String>,
    /// Fill in a variable with a JSON value, such as a list: NAME=JSON
    #[arg(long = "set-json", value_name = "NAME=JSON")]
    values: Vec<String>,
}

impl VariableArgs {
    /// The variables by name.
    ///
    /// # Errors
    /// One is malformed or given twice; its value is not repeated.
    pub fn read(&self) -> Result<Map<String, Value>, CliError> {
        let mut variables = Map::new();
        for text in &self.texts {
            let (name, value) = split(text, "--set")?;
            add(&mut variables, name, Value::String(value.to_owned()))?;
        }
        for text in &self.values {
            let (name, value) = split(text, "--set-json")?;
            let value = serde_json::from_str(value).map_err(|error| {
                CliError::usage(format!("--set-json {name}: not valid JSON (column {})", error.column()))
            })?;
            add(&mut variables, name, value)?;
        }
        Ok(variables)
    }
}

fn split<'a>(text: &'a str, option: &str) -> Result<(&'a str, &'a str), CliError> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim(), value)),
        _ => Err(CliError::usage(format!("{option} takes NAME=VALUE"))),
    }
}

fn add(variables: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), CliError> {
    match variables.insert(name.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(CliError::usage(format!("the variable {name} is given twice"))),
    }
}

/// A moment as `2026-12-01T09:00:00-06:00` (RFC 3339), or as `2026-12-01 09:00` in the practice's zone.
///
/// # Errors
/// It is neither, or that time is skipped in that zone by daylight saving.
pub fn moment(text: &str, zone: Tz) -> Result<Timestamp, CliError> {
    let text = text.trim();
    if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
        return Ok(Timestamp::from_utc(exact.with_timezone(&Utc)));
    }
    let local = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .ok_or_else(|| CliError::usage("write a time as \"2026-12-01 09:00\" or 2026-12-01T09:00:00-06:00"))?;
    let there = zone.from_local_datetime(&local).earliest();
    there
        .map(|time| Timestamp::from_utc(time.with_timezone(&Utc)))
        .ok_or_else(|| CliError::usage(format!("daylight saving skips that time in {zone}: choose another")))
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
    }

    #[test]
    fn variables_are_texts_or_json_and_given_once() {
        let read = |texts: &[&str], values: &[&str]| {
            let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
            VariableArgs { texts: own(texts), values: own(values) }.read().map_err(|error| error.words)
        };
        let variables = read(&["a=1=2"], &["b=[1,2]"]).expect("well written");
        assert_eq!((&variables["a"], &variables["b"]), (&Value::from("1=2"), &serde_json::json!([1, 2])));
        assert!(read(&["a"], &[]).is_err());
        assert!(read(&["a=1"], &["a=2"]).expect_err("twice").contains("twice"));
        let error = read(&[], &["a=secret"]).expect_err("no JSON");
        assert!(error.contains("not valid JSON") && !error.contains("secret"), "{error}");
    }
}
