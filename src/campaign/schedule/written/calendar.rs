//! Every phrase that is understood is due on the days that a calendar gives, at its time, through every change of clocks.
//! The calendar here walks from day to day and knows nothing of the reader's words.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use proptest::prelude::*;

use crate::campaign::schedule::Schedule;
use crate::domain::Timestamp;
use crate::domain::dated_text::MONTHS;

const ZONES: [Tz; 5] = [
    Tz::America__Chicago,
    Tz::America__New_York,
    Tz::America__Phoenix,
    Tz::Australia__Lord_Howe,
    Tz::Pacific__Auckland,
];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const NTHS: [&str; 5] = ["first", "second", "third", "fourth", "last"];
/// Dates that are compared for each phrase.
const COMPARED: usize = 9;

/// What a phrase means, apart from its time.
#[derive(Debug, Clone)]
enum Meant {
    Daily,
    EveryDays(i64),
    Weekdays,
    Weekly(Vec<u32>),
    EveryWeeks(i64, u32),
    Nth(usize, u32),
    Days(Vec<u32>),
    EveryMonths(i32, u32),
    LastDay,
    DaysAndLast(Vec<u32>),
    BusinessDay(usize),
    LastBusinessDay,
    NthOfMonths(usize, u32, Vec<u32>),
    LastOfQuarter,
}

/// Two of the ways in which people say it.
fn said(meant: &Meant, way: bool) -> String {
    let day = |day: &u32| WEEKDAYS[*day as usize];
    let list = |items: Vec<String>| items.join(if way { " and " } else { ", " });
    match (meant, way) {
        (Meant::Daily, true) => "every day".to_owned(),
        (Meant::Daily, false) => "daily".to_owned(),
        (Meant::EveryDays(count), _) => format!("every {count} days"),
        (Meant::Weekdays, true) => "weekdays".to_owned(),
        (Meant::Weekdays, false) => "every business day".to_owned(),
        (Meant::Weekly(days), _) => {
            format!("{}{}", if way { "every " } else { "" }, list(days.iter().map(|one| day(one).to_owned()).collect()))
        }
        (Meant::EveryWeeks(2, weekday), true) => format!("every other {}", day(weekday)),
        (Meant::EveryWeeks(count, weekday), _) => format!("every {count} weeks on {}", day(weekday)),
        (Meant::Nth(nth, weekday), true) => format!("{} {} of every month", NTHS[*nth], day(weekday)),
        (Meant::Nth(nth, weekday), false) => format!("monthly on the {} {}", NTHS[*nth], day(weekday)),
        (Meant::Days(days), _) => {
            list(days.iter().map(|day| format!("{day}{}", ending(*day))).collect())
                + if way { "" } else { " of the month" }
        }
        (Meant::EveryMonths(count, day), _) => format!("every {count} months on the {day}{}", ending(*day)),
        (Meant::LastDay, true) => "last day of the month".to_owned(),
        (Meant::LastDay, false) => "end of the month".to_owned(),
        (Meant::DaysAndLast(days), way) => {
            let days = list(days.iter().map(|day| format!("{day}{}", ending(*day))).collect());
            if way { format!("{days} and the last day") } else { format!("the last day, {days} of each month") }
        }
        (Meant::BusinessDay(number), _) => format!("{number}{} business day", ending(*number as u32)),
        (Meant::LastBusinessDay, _) => "last business day of each month".to_owned(),
        (Meant::NthOfMonths(nth, weekday, months), _) => {
            let months: Vec<String> = months.iter().map(|month| MONTHS[*month as usize - 1].to_owned()).collect();
            format!("{} {} {} {}", NTHS[*nth], day(weekday), if way { "in" } else { "of" }, list(months))
        }
        (Meant::LastOfQuarter, true) => "last day of every quarter".to_owned(),
        (Meant::LastOfQuarter, false) => "quarterly on the last day".to_owned(),
    }
}

fn ending(number: u32) -> &'static str {
    match (number % 10, number / 10) {
        (_, 1) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}

/// Every day of a date's month, in order.
fn month_of(date: NaiveDate) -> Vec<NaiveDate> {
    let first = date.with_day(1).expect("every month has a first");
    first.iter_days().take_while(|day| day.month() == date.month()).collect()
}

fn weekday(date: NaiveDate) -> u32 {
    date.weekday().num_days_from_monday()
}

/// The nth of that weekday in the date's month; 4 is the last.
fn nth_of(date: NaiveDate, nth: usize, day: u32) -> Option<NaiveDate> {
    let same: Vec<NaiveDate> = month_of(date).into_iter().filter(|other| weekday(*other) == day).collect();
    if nth == 4 { same.last().copied() } else { same.get(nth).copied() }
}

fn business_days(date: NaiveDate) -> Vec<NaiveDate> {
    month_of(date).into_iter().filter(|day| weekday(*day) < 5).collect()
}

/// Whether the date is that day of its month, or the last day of a month that is shorter.
fn is_day(date: NaiveDate, day: u32) -> bool {
    let length = u32::try_from(month_of(date).len()).expect("at most 31");
    date.day() == day.min(length)
}

/// Whether it is due on that date; `first` is the first day that fits on or after the one it counts from.
fn is_due(meant: &Meant, date: NaiveDate, first: NaiveDate) -> bool {
    let apart = (date - first).num_days();
    match meant {
        Meant::Daily => true,
        Meant::EveryDays(count) => apart % count == 0,
        Meant::Weekdays => weekday(date) < 5,
        Meant::Weekly(days) => days.contains(&weekday(date)),
        Meant::EveryWeeks(count, day) => weekday(date) == *day && apart % (count * 7) == 0,
        Meant::Nth(nth, day) => nth_of(date, *nth, *day) == Some(date),
        Meant::Days(days) => days.iter().any(|day| is_day(date, *day)),
        Meant::EveryMonths(count, day) => {
            let months = (date.year() - first.year()) * 12 + date.month0() as i32 - first.month0() as i32;
            is_day(date, *day) && months % count == 0
        }
        Meant::LastDay => month_of(date).last() == Some(&date),
        Meant::DaysAndLast(days) => days.contains(&date.day()) || month_of(date).last() == Some(&date),
        Meant::BusinessDay(number) => business_days(date).get(number - 1) == Some(&date),
        Meant::LastBusinessDay => business_days(date).last() == Some(&date),
        Meant::NthOfMonths(nth, day, months) => {
            months.contains(&date.month()) && nth_of(date, *nth, *day) == Some(date)
        }
        Meant::LastOfQuarter => date.month().is_multiple_of(3) && month_of(date).last() == Some(&date),
    }
}

/// The first local times after `from`, which is also what it counts from.
fn expected(meant: &Meant, at: NaiveTime, from: NaiveDateTime) -> Vec<NaiveDateTime> {
    let ahead = || from.date().iter_days().filter(|date| date.and_time(at) > from);
    let anywhere = match meant {
        Meant::EveryDays(_) => Meant::Daily,
        Meant::EveryWeeks(_, day) => Meant::Weekly(vec![*day]),
        Meant::EveryMonths(_, day) => Meant::Days(vec![*day]),
        other => other.clone(),
    };
    let first = ahead().find(|date| is_due(&anywhere, *date, *date)).expect("there is a first");
    let due = ahead().filter(|date| *date >= first && is_due(meant, *date, first));
    due.take(COMPARED).map(|date| date.and_time(at)).collect()
}

/// The moment a clock on the wall shows that time for the first time, or has just skipped it.
fn moment(local: NaiveDateTime, zone: Tz) -> DateTime<Tz> {
    zone.from_local_datetime(&local).earliest().unwrap_or_else(|| {
        let minutes = (1..=180).map(|minutes| local + chrono::Duration::minutes(minutes));
        minutes.filter_map(|later| zone.from_local_datetime(&later).earliest()).next().expect("clocks go on")
    })
}

fn meant() -> impl Strategy<Value = Meant> {
    let day = || 0u32..7;
    let some =
        |most: u32| prop::collection::btree_set(1..=most, 1..4).prop_map(|set| set.into_iter().collect::<Vec<_>>());
    prop_oneof![
        Just(Meant::Daily),
        (2i64..60).prop_map(Meant::EveryDays),
        Just(Meant::Weekdays),
        prop::collection::btree_set(day(), 1..4).prop_map(|days| Meant::Weekly(days.into_iter().collect())),
        (2i64..9, day()).prop_map(|(weeks, day)| Meant::EveryWeeks(weeks, day)),
        (0usize..5, day()).prop_map(|(nth, day)| Meant::Nth(nth, day)),
        some(31).prop_map(Meant::Days),
        (2i32..13, 1u32..32).prop_map(|(months, day)| Meant::EveryMonths(months, day)),
        Just(Meant::LastDay),
        some(31).prop_map(Meant::DaysAndLast),
        (1usize..20).prop_map(Meant::BusinessDay),
        Just(Meant::LastBusinessDay),
        (0usize..5, day(), some(12)).prop_map(|(nth, day, months)| Meant::NthOfMonths(nth, day, months)),
        Just(Meant::LastOfQuarter),
    ]
}

/// A time, and how it is said after the days; nothing means nine o'clock.
fn time() -> impl Strategy<Value = (NaiveTime, String)> {
    let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of day");
    prop_oneof![
        Just((at(9, 0), String::new())),
        Just((at(12, 0), " at noon".to_owned())),
        (0u32..24, 0u32..60).prop_map(move |(hour, minute)| (at(hour, minute), format!(" {hour:02}:{minute:02}"))),
        (1u32..13).prop_map(move |hour| (at(hour % 12, 0), format!(" at {hour} a.m."))),
        (1u32..13, 0u32..60)
            .prop_map(move |(hour, minute)| (at(hour % 12 + 12, minute), format!(", {hour}:{minute:02}pm"))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_understood_is_due_on_the_days_that_a_calendar_gives(
        meant in meant(), way in any::<bool>(), (at, words) in time(), zone in 0usize..5, seconds in 1_767_225_600_i64..1_924_992_000
    ) {
        let (zone, now) = (ZONES[zone], Timestamp(seconds * 1000));
        let text = format!("{}{words}", said(&meant, way));
        let schedule = Schedule::read(&text, now, zone);
        prop_assert!(schedule.is_ok(), "{}: {:?}", text, schedule);
        let schedule = schedule.expect("understood");
        let from = now.to_utc().with_timezone(&zone).naive_local();
        let due: Vec<_> = schedule.upcoming(now, zone, now, COMPARED).into_iter().map(Timestamp::to_utc).collect();
        let expected = expected(&meant, at, from);
        let moments: Vec<_> = expected.iter().map(|local| moment(*local, zone).to_utc()).collect();
        // In the hour that clocks repeat, the first of two equal times has passed while the second is still ahead.
        let is_repeated = zone.from_local_datetime(&from).latest() != zone.from_local_datetime(&from).earliest();
        prop_assume!(!is_repeated);
        prop_assert_eq!(due, moments, "{} from {} in {}", text, from, zone);
        // What is kept of it means the same.
        prop_assert_eq!(&schedule.kept(&text).parse::<Schedule>(), &Ok(schedule.clone()), "{}", text);
    }
}

#[test]
fn the_calendar_of_this_test_is_the_one_on_the_wall() {
    let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
    assert_eq!(nth_of(day("2026-12-15"), 0, 1), Some(day("2026-12-01")));
    assert_eq!(nth_of(day("2027-02-01"), 4, 6), Some(day("2027-02-28")));
    assert_eq!(business_days(day("2027-01-31")).last(), Some(&day("2027-01-29")));
    assert!(is_day(day("2027-02-28"), 31) && !is_day(day("2027-03-28"), 31));
    let before = day("2026-12-31").checked_sub_days(Days::new(1)).expect("a day");
    let noon = NaiveTime::from_hms_opt(12, 0, 0).expect("noon");
    let due = expected(&Meant::LastDay, noon, before.and_time(noon));
    assert_eq!(due[..2], [day("2026-12-31").and_time(noon), day("2027-01-31").and_time(noon)]);
}
