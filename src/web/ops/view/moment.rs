//! Moments as the people of the practice say them, in their own time zone.

use askama::Template;
use chrono::{DateTime, Datelike, NaiveDate};
use chrono_tz::Tz;

use crate::domain::Timestamp;

/// The practice's zone and the present: everything that is needed to say when something was.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    /// The practice's zone.
    pub zone: Tz,
    /// The present.
    pub now: Timestamp,
}

/// A moment, short for reading, whole for pointing at.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(source = r#"<time datetime="{{ iso }}" title="{{ whole }}">{{ said }}</time>"#, ext = "html")]
pub struct Moment {
    iso: String,
    whole: String,
    /// The short words: `today 9:05 AM`, `Nov 3, 9:05 AM`.
    pub said: String,
}

impl askama::filters::HtmlSafe for Moment {}

impl Calendar {
    /// A moment, past or to come.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> Moment {
        Moment { iso: at.to_string(), whole: at.in_zone(self.zone), said: self.said(at) }
    }

    /// The practice's date now.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.local(self.now).date_naive()
    }

    fn local(&self, at: Timestamp) -> DateTime<Tz> {
        at.to_utc().with_timezone(&self.zone)
    }

    fn said(&self, at: Timestamp) -> String {
        let (then, today) = (self.local(at), self.today());
        let time = then.format("%-I:%M %p");
        match then.date_naive().signed_duration_since(today).num_days() {
            0 => format!("today {time}"),
            -1 => format!("yesterday {time}"),
            1 => format!("tomorrow {time}"),
            _ if then.year() == today.year() => format!("{}, {time}", then.format("%b %-d")),
            _ => then.format("%b %-d, %Y").to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(DateTime::parse_from_rfc3339(text).expect("a time").timestamp_millis())
    }

    #[test]
    fn moments_are_said_in_the_practices_zone() {
        let calendar = Calendar { zone: chrono_tz::America::Chicago, now: at("2026-11-23T15:00:00Z") };
        for (moment, said) in [
            ("2026-11-23T15:05:00Z", "today 9:05 AM"),
            ("2026-11-23T05:30:00Z", "yesterday 11:30 PM"),
            ("2026-11-24T15:05:00Z", "tomorrow 9:05 AM"),
            ("2026-11-03T15:05:00Z", "Nov 3, 9:05 AM"),
            ("2025-12-03T15:05:00Z", "Dec 3, 2025"),
        ] {
            assert_eq!(calendar.moment(at(moment)).said, said, "{moment}");
        }
    }

    #[test]
    fn a_moment_carries_its_whole_date_for_machines_and_for_pointing_at() {
        let calendar = Calendar { zone: chrono_tz::America::Chicago, now: at("2026-11-23T15:00:00Z") };
        let markup = calendar.moment(at("2026-11-23T15:05:00Z")).to_string();
        assert!(markup.contains("datetime=\"2026-11-23T15:05:00.000Z\""), "{markup}");
        assert!(markup.contains("title=\"Nov 23, 2026 9:05 AM CST\""), "{markup}");
    }
}
