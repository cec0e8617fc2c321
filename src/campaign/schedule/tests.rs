use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeZone, Weekday};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::Schedule;
use crate::domain::Timestamp;

const ZONES: [Tz; 4] = [Tz::America__Chicago, Tz::America__New_York, Tz::America__Phoenix, Tz::Australia__Lord_Howe];

fn schedule(text: &str) -> Schedule {
    text.parse().unwrap_or_else(|problem| panic!("{problem}"))
}

fn utc(text: &str) -> Timestamp {
    Timestamp::from_utc(DateTime::parse_from_rfc3339(text).expect("a time").to_utc())
}

/// The next few moments, as RFC 3339 in the zone.
fn next(text: &str, from: &str, zone: Tz, count: usize) -> Vec<String> {
    let (schedule, mut now) = (schedule(text), utc(from));
    let anchor = now;
    let mut moments = Vec::new();
    while let Some(moment) = schedule.next_after(now, zone, anchor).filter(|_| moments.len() < count) {
        moments.push(moment.to_utc().with_timezone(&zone).to_rfc3339());
        now = moment;
    }
    moments
}

#[test]
fn what_people_write_is_said_back_as_a_sentence() {
    let cases = [
        ("first tuesday 09:00", "the first Tuesday of each month at 9:00 AM"),
        ("Second Friday 14:30", "the second Friday of each month at 2:30 PM"),
        ("the 3rd thu of each month at 9 am", "the third Thursday of each month at 9:00 AM"),
        ("fourth wednesday 12:00", "the fourth Wednesday of each month at 12:00 PM"),
        ("last friday 12:05am", "the last Friday of each month at 12:05 AM"),
        ("third and first tuesday 09:00", "the first and third Tuesday of each month at 9:00 AM"),
        ("every monday 09:00", "every Monday at 9:00 AM"),
        ("thursday,monday 10:00", "every Monday and Thursday at 10:00 AM"),
        ("mon, wed, fridays 10:00", "every Monday, Wednesday and Friday at 10:00 AM"),
        ("every 2 weeks on tuesday 09:00", "every 2 weeks on Tuesday at 9:00 AM"),
        ("every other tuesday 9am", "every 2 weeks on Tuesday at 9:00 AM"),
        ("day 15 09:00", "day 15 of each month at 9:00 AM"),
        ("last day 17:00", "the last day of each month at 5:00 PM"),
        ("weekdays 08:30", "every weekday, Monday to Friday, at 8:30 AM"),
        ("daily 08:00", "every day at 8:00 AM"),
        ("once 2026-12-01 09:00", "once, on Tuesday, December 1, 2026 at 9:00 AM"),
        ("cron: 0 9 * * tue#1", "at the times of cron: 0 9 * * TUE#1"),
    ];
    for (text, sentence) in cases {
        assert_eq!(schedule(text).to_string(), sentence, "{text}");
    }
    assert_eq!(
        schedule("first tuesday 09:00").sentence(Tz::America__Chicago),
        "the first Tuesday of each month at 9:00 AM, America/Chicago"
    );
}

#[test]
fn what_is_not_understood_is_answered_with_the_reason_and_examples() {
    let cases = [
        ("", "say when"),
        ("first tuesday 25:00", "write a time such as 09:00"),
        ("first tuesday 13:00 pm", "write a time such as 09:00"),
        ("frist tuesday 09:00", "`frist` is not a day of the week"),
        ("first tuseday 09:00", "`tuseday` is not a day of the week"),
        ("fifth tuesday 09:00", "not every month has a fifth tuesday"),
        ("every 0 weeks on monday 09:00", "from 1 to 52"),
        ("every 300 weeks on monday 09:00", "from 1 to 52"),
        ("day 32 09:00", "not a day of the month"),
        ("day 0 09:00", "not a day of the month"),
        ("once 2026-02-30 09:00", "not a date such as"),
        ("cron: * 9 * * TUE", "at most once an hour"),
        ("cron: 0 0 9 * * TUE", "five fields"),
        ("cron: 0 99 * * TUE", "`cron: 0 99 * * tue`: "),
        ("cron: @daily", "five fields"),
        (&"x".repeat(500), "at most 240 characters"),
    ];
    for (text, expected) in cases {
        let problem = text.parse::<Schedule>().expect_err(text).to_string();
        assert!(problem.contains(expected), "{text}: {problem}");
        assert!(problem.contains("first tuesday 09:00") && problem.contains("cron: 0 9 * * TUE#1"), "{problem}");
    }
}

#[test]
fn nine_oclock_stays_nine_oclock_across_a_change_of_clocks() {
    assert_eq!(
        next("first tuesday 09:00", "2027-02-01T00:00:00Z", Tz::America__Chicago, 3),
        ["2027-02-02T09:00:00-06:00", "2027-03-02T09:00:00-06:00", "2027-04-06T09:00:00-05:00"]
    );
}

#[test]
fn a_skipped_local_time_means_the_first_moment_after_the_gap() {
    // 2027-03-14: 2:00 becomes 3:00.
    assert_eq!(
        next("daily 02:30", "2027-03-13T00:00:00-06:00", Tz::America__Chicago, 3),
        ["2027-03-13T02:30:00-06:00", "2027-03-14T03:00:00-05:00", "2027-03-15T02:30:00-05:00"]
    );
    // An hourly plan: 1:30, then 2:30 stands for 3:00, then 3:30.
    assert_eq!(
        next("cron: 30 * * * *", "2027-03-14T01:00:00-06:00", Tz::America__Chicago, 3),
        ["2027-03-14T01:30:00-06:00", "2027-03-14T03:00:00-05:00", "2027-03-14T03:30:00-05:00"]
    );
    // Lord Howe Island: half an hour, 2026-10-04 2:00 becomes 2:30.
    assert_eq!(
        next("daily 02:15", "2026-10-03T12:00:00Z", Tz::Australia__Lord_Howe, 2),
        ["2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"]
    );
}

#[test]
fn a_repeated_local_time_fires_once_at_the_first() {
    // 2027-11-07: 2:00 becomes 1:00.
    assert_eq!(
        next("daily 01:30", "2027-11-06T12:00:00Z", Tz::America__Chicago, 2),
        ["2027-11-07T01:30:00-05:00", "2027-11-08T01:30:00-06:00"]
    );
    // Asked between the two, and after the second.
    for from in ["2027-11-07T06:45:00Z", "2027-11-07T07:10:00Z", "2027-11-07T07:45:00Z"] {
        assert_eq!(next("daily 01:30", from, Tz::America__Chicago, 1), ["2027-11-08T01:30:00-06:00"]);
    }
}

#[test]
fn a_whole_day_that_the_calendar_skips_is_survived() {
    // Samoa went from December 29, 2011 straight to December 31.
    assert_eq!(
        next("daily 09:00", "2011-12-29T20:00:00Z", Tz::Pacific__Apia, 2),
        ["2011-12-31T00:00:00+14:00", "2011-12-31T09:00:00+14:00"]
    );
}

#[test]
fn every_two_weeks_counts_from_the_first_such_day_after_the_campaign_was_made() {
    // Made on Monday the 23rd: the first Tuesday is tomorrow.
    assert_eq!(
        next("every 2 weeks on tuesday 09:00", "2026-11-23T15:00:00Z", Tz::America__Chicago, 2),
        ["2026-11-24T09:00:00-06:00", "2026-12-08T09:00:00-06:00"]
    );
    // Made on a Tuesday after nine: the first one is in a week.
    let made = utc("2026-11-24T16:00:00Z");
    let every = schedule("every 2 weeks on tuesday 09:00");
    assert_eq!(every.next_after(made, Tz::America__Chicago, made), Some(utc("2026-12-01T15:00:00Z")));
    // Asked much later, the beat is the same.
    let later = utc("2027-01-06T00:00:00Z");
    assert_eq!(every.next_after(later, Tz::America__Chicago, made), Some(utc("2027-01-12T15:00:00Z")));
}

#[test]
fn once_is_over_after_its_moment() {
    let moments = next("once 2026-12-01 09:00", "2026-11-23T15:00:00Z", Tz::America__Chicago, 5);
    assert_eq!(moments, ["2026-12-01T09:00:00-06:00"]);
    assert!(next("cron: 0 9 30 2 *", "2026-11-23T15:00:00Z", Tz::America__Chicago, 1).is_empty());
}

#[test]
fn cron_and_words_agree() {
    for zone in ZONES {
        let from = "2026-11-23T15:00:00Z";
        assert_eq!(next("cron: 0 9 * * TUE#1", from, zone, 40), next("first tuesday 09:00", from, zone, 40));
        assert_eq!(next("cron: 30 8 * * MON-FRI", from, zone, 40), next("weekdays 08:30", from, zone, 40));
        assert_eq!(next("cron: 0 17 L * *", from, zone, 40), next("last day 17:00", from, zone, 40));
    }
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];
const NTHS: [&str; 5] = ["first", "second", "third", "fourth", "last"];

/// Whether the clocks of that zone skip this local time.
fn is_skipped(date: NaiveDate, at: NaiveTime, zone: Tz) -> bool {
    zone.from_local_datetime(&date.and_time(at)).earliest().is_none()
}

/// Whether `date` is the nth of its weekday, counted by walking the month.
fn is_nth(date: NaiveDate, nth: usize) -> bool {
    let same: Vec<NaiveDate> = (1..=31)
        .filter_map(|day| NaiveDate::from_ymd_opt(date.year(), date.month(), day))
        .filter(|other| other.weekday() == date.weekday())
        .collect();
    let counted = if nth == 4 { same.last() } else { same.get(nth) };
    counted == Some(&date)
}

prop_compose! {
    fn moment()(seconds in 1_767_225_600_i64..1_924_992_000, millis in 0_i64..1000) -> Timestamp {
        Timestamp(seconds * 1000 + millis)
    }
}

proptest! {
    #[test]
    fn monthly_runs_fall_on_their_day_and_time(
        nth in 0usize..5, day in 0usize..7, minutes in 0u32..1440, zone in 0usize..4, from in moment()
    ) {
        let at = NaiveTime::from_num_seconds_from_midnight_opt(minutes * 60, 0).expect("a time of day");
        let text = format!("{} {} {}", NTHS[nth], WEEKDAYS[day].0, at.format("%H:%M"));
        let (schedule, zone) = (schedule(&text), ZONES[zone]);
        let mut now = from;
        for _ in 0..24 {
            let run = schedule.next_after(now, zone, from).expect("there is always a next month");
            prop_assert!(run > now);
            prop_assert!(run.since(now) <= Duration::from_secs(36 * 24 * 3600), "a month was left out");
            let local = run.to_utc().with_timezone(&zone).naive_local();
            prop_assert_eq!(local.weekday(), WEEKDAYS[day].1);
            prop_assert!(is_nth(local.date(), nth), "{} is not the {}", local, NTHS[nth]);
            prop_assert!(local.time() == at || is_skipped(local.date(), at, zone), "{} for {}", local, text);
            now = run;
        }
    }

    #[test]
    fn daily_runs_come_once_on_every_local_day(
        minutes in 0u32..1440, zone in 0usize..4, from in moment()
    ) {
        let at = NaiveTime::from_num_seconds_from_midnight_opt(minutes * 60, 0).expect("a time of day");
        let (schedule, zone) = (schedule(&format!("daily {}", at.format("%H:%M"))), ZONES[zone]);
        let mut now = from;
        let mut before: Option<NaiveDate> = None;
        for _ in 0..400 {
            let run = schedule.next_after(now, zone, from).expect("there is always a tomorrow");
            prop_assert!(run > now);
            let local = run.to_utc().with_timezone(&zone).naive_local();
            prop_assert!(local.time() == at || is_skipped(local.date(), at, zone));
            prop_assert!(before.is_none_or(|before| before.succ_opt() == Some(local.date())), "{:?} then {}", before, local);
            before = Some(local.date());
            now = run;
        }
    }

    #[test]
    fn runs_every_few_weeks_keep_their_beat(
        weeks in 1i64..53, day in 0usize..7, hour in 0u32..24, zone in 0usize..4, anchor in moment(), wait in 0u64..50_000_000
    ) {
        let text = format!("every {weeks} weeks on {} {hour:02}:10", WEEKDAYS[day].0);
        let (schedule, zone) = (schedule(&text), ZONES[zone]);
        let first = schedule.next_after(anchor, zone, anchor).expect("a first run");
        let first = first.to_utc().with_timezone(&zone).naive_local();
        let now = anchor.after(Duration::from_secs(wait));
        let run = schedule.next_after(now, zone, anchor).expect("a next run");
        let local = run.to_utc().with_timezone(&zone).naive_local();
        prop_assert!(run > now);
        prop_assert_eq!(local.weekday(), WEEKDAYS[day].1);
        prop_assert_eq!((local.date() - first.date()).num_days() % (7 * weeks), 0);
        prop_assert!(run.since(now) <= Duration::from_secs((weeks as u64 * 7 * 24 + 2) * 3600));
    }

    #[test]
    fn the_sentence_can_be_written_back(nth in 0usize..5, day in 0usize..7, minutes in 0u32..1440, kind in 0usize..4) {
        let at = NaiveTime::from_num_seconds_from_midnight_opt(minutes * 60, 0).expect("a time of day");
        let (day, at) = (WEEKDAYS[day].0, at.format("%H:%M"));
        let text = match kind {
            0 => format!("{} {day} {at}", NTHS[nth]),
            1 => format!("every {day} {at}"),
            2 => format!("every {} weeks on {day} {at}", nth + 2),
            _ => format!("day {} {at}", nth + 1),
        };
        let once = schedule(&text);
        prop_assert_eq!(&schedule(&once.to_string()), &once);
    }

    #[test]
    fn no_text_upsets_the_reader(text in "\\PC{0,140}") {
        if let Err(problem) = text.parse::<Schedule>() {
            prop_assert!(problem.to_string().contains("first tuesday 09:00"));
            prop_assert!(problem.in_short().contains("first tuesday 09:00"));
        }
    }
}
