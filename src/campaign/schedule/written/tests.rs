//! Schedules as people write them: understood and said back, or answered with what helps.

use chrono::NaiveDate;
use chrono_tz::Tz;
use proptest::prelude::*;

use crate::campaign::schedule::{Misread, Schedule, first_moment};
use crate::domain::Timestamp;

const ZONE: Tz = Tz::America__Chicago;

/// Wednesday, November 25, 2026, 10:00 in Chicago.
fn now() -> Timestamp {
    let local = NaiveDate::from_ymd_opt(2026, 11, 25).and_then(|day| day.and_hms_opt(10, 0, 0)).expect("a time");
    first_moment(local, ZONE).expect("a moment")
}

fn read(text: &str) -> Result<Schedule, Misread> {
    Schedule::read(text, now(), ZONE)
}

/// The first few times it is due, in Chicago.
fn next(text: &str, count: usize) -> Vec<String> {
    let schedule = read(text).unwrap_or_else(|problem| panic!("{problem}"));
    let (mut at, mut times) = (now(), Vec::new());
    while let Some(moment) = schedule.next_after(at, ZONE, now()).filter(|_| times.len() < count) {
        times.push(moment.to_utc().with_timezone(&ZONE).format("%Y-%m-%d %H:%M").to_string());
        at = moment;
    }
    times
}

#[test]
fn what_people_write_is_understood_and_said_back() {
    let cases = [
        ("every month on the 1st at 9am", "day 1 of each month at 9:00 AM"),
        ("monthly on the 1st, 9:00 a.m.", "day 1 of each month at 9:00 AM"),
        ("Once a month on the 15th at 2:30 PM", "day 15 of each month at 2:30 PM"),
        ("1st and 15th of the month at 9 am", "day 1 and 15 of each month at 9:00 AM"),
        ("monthly on the first Monday at 9", "the first Monday of each month at 9:00 AM"),
        ("monthly on the first Monday, 9:00", "the first Monday of each month at 9:00 AM"),
        ("first Tuesday of the month 9:00", "the first Tuesday of each month at 9:00 AM"),
        ("at 9:00 on the first Tuesday of every month", "the first Tuesday of each month at 9:00 AM"),
        ("1st & 3rd Tues. 9 AM", "the first and third Tuesday of each month at 9:00 AM"),
        ("every first monday 09:00", "the first Monday of each month at 9:00 AM"),
        ("every 2 weeks on Tuesday at 9am", "every 2 weeks on Tuesday at 9:00 AM"),
        ("every two weeks on tuesdays at noon", "every 2 weeks on Tuesday at 12:00 PM"),
        ("biweekly on tuesday 9am", "every 2 weeks on Tuesday at 9:00 AM"),
        ("bi-weekly tuesday 9am", "every 2 weeks on Tuesday at 9:00 AM"),
        ("every second week on tuesday 9am", "every 2 weeks on Tuesday at 9:00 AM"),
        ("Tuesdays every other week, 9am", "every 2 weeks on Tuesday at 9:00 AM"),
        (
            "last business day of the month at 5pm",
            "the last business day of each month (Monday to Friday; holidays are not looked at) at 5:00 PM",
        ),
        (
            "third working day of each month 08:00",
            "the 3rd business day of each month (Monday to Friday; holidays are not looked at) at 8:00 AM",
        ),
        ("end of the month at noon", "the last day of each month at 12:00 PM"),
        ("the last day of every month, 5 pm", "the last day of each month at 5:00 PM"),
        (
            "quarterly on the first monday 09:00",
            "the first Monday of January, April, July and October each year at 9:00 AM",
        ),
        ("every quarter on day 1 at 9am", "day 1 of January, April, July and October each year at 9:00 AM"),
        ("every 3 months on the 1st at 9am", "every 3 months on day 1 at 9:00 AM"),
        ("every year on December 1 at 9am", "day 1 of December each year at 9:00 AM"),
        ("every december 1st 9am", "day 1 of December each year at 9:00 AM"),
        ("weekdays at 8", "every weekday, Monday to Friday, at 8:00 AM"),
        ("Monday through Friday at 8:30", "every weekday, Monday to Friday, at 8:30 AM"),
        ("Mon–Fri 8:30am", "every weekday, Monday to Friday, at 8:30 AM"),
        ("every business day 8am", "every weekday, Monday to Friday, at 8:00 AM"),
        ("tue-thu 10:00", "every Tuesday, Wednesday and Thursday at 10:00 AM"),
        ("weekends at 10 am", "every Saturday and Sunday at 10:00 AM"),
        ("weekly on Mondays at 9", "every Monday at 9:00 AM"),
        ("every day at noon", "every day at 12:00 PM"),
        ("daily at midnight", "every day at 12:00 AM"),
        ("every 10 days at 9am", "every 10 days at 9:00 AM"),
        ("every month on the 31st at 9am", "day 31 of each month (a shorter month's last day) at 9:00 AM"),
        ("day 31 09:00", "day 31 of each month (a shorter month's last day) at 9:00 AM"),
        ("noon", "every day at 12:00 PM"),
        ("9 a.m.", "every day at 9:00 AM"),
        ("9 in the morning", "every day at 9:00 AM"),
        ("every other monday", "every 2 weeks on Monday at 9:00 AM"),
        ("alternate mondays", "every 2 weeks on Monday at 9:00 AM"),
        ("1st and 15th", "day 1 and 15 of each month at 9:00 AM"),
        ("weekdays", "every weekday, Monday to Friday, at 9:00 AM"),
        ("first Tuesday of every month at 9am", "the first Tuesday of each month at 9:00 AM"),
        ("every third week on monday", "every 3 weeks on Monday at 9:00 AM"),
        ("every second day at noon", "every 2 days at 12:00 PM"),
        ("every second month on the 1st", "every 2 months on day 1 at 9:00 AM"),
        ("first monday in january and july, 8:30", "the first Monday of January and July each year at 8:30 AM"),
        ("first monday in each month at 2 in the afternoon", "the first Monday of each month at 2:00 PM"),
        ("first day of the quarter", "day 1 of January, April, July and October each year at 9:00 AM"),
        ("last day of every quarter", "the last day of March, June, September and December each year at 9:00 AM"),
        ("quarterly on the last friday", "the last Friday of March, June, September and December each year at 9:00 AM"),
        ("0 9 1 * *", "at the times of cron: 0 9 1 * *"),
        ("cron 30 8 * * MON-FRI", "at the times of cron: 30 8 * * MON-FRI"),
        ("tomorrow", "once, on Thursday, November 26, 2026 at 9:00 AM"),
        ("tomorrow at 9", "once, on Thursday, November 26, 2026 at 9:00 AM"),
        ("today at 5 pm", "once, on Wednesday, November 25, 2026 at 5:00 PM"),
        ("next tuesday at 9am", "once, on Tuesday, December 1, 2026 at 9:00 AM"),
        ("in 3 days at noon", "once, on Saturday, November 28, 2026 at 12:00 PM"),
        ("in two weeks at 9 am", "once, on Wednesday, December 9, 2026 at 9:00 AM"),
        ("12/01/2026 9:00 AM", "once, on Tuesday, December 1, 2026 at 9:00 AM"),
        ("12/1/26 9am", "once, on Tuesday, December 1, 2026 at 9:00 AM"),
        ("12/1 at 9am", "once, on Tuesday, December 1, 2026 at 9:00 AM"),
        ("11/1 at 9am", "once, on Monday, November 1, 2027 at 9:00 AM"),
        ("2026-12-01T09:00", "once, on Tuesday, December 1, 2026 at 9:00 AM"),
        ("2026-12-01T09:00:00", "once, on Tuesday, December 1, 2026 at 9:00 AM"),
        ("2026-12-01 09:00", "once, on Tuesday, December 1, 2026 at 9:00 AM"),
        ("once on December 1 at noon", "once, on Tuesday, December 1, 2026 at 12:00 PM"),
        ("Tuesday, December 1st, 2026 at 9:00 AM", "once, on Tuesday, December 1, 2026 at 9:00 AM"),
        ("1 Dec 2026 9:00", "once, on Tuesday, December 1, 2026 at 9:00 AM"),
    ];
    for (text, sentence) in cases {
        assert_eq!(read(text).map(|schedule| schedule.to_string()), Ok(sentence.to_owned()), "{text}");
    }
}

#[test]
fn what_cannot_be_meant_is_answered_with_what_helps() {
    let cases = [
        ("biweekly 9am", "on which days of the week"),
        ("monthly at 9am", "on which day of the month"),
        ("monthly on monday 9am", "which monday of the month"),
        ("quarterly 9am", "January, April, July and October"),
        ("every year at 9am", "every year on december 1"),
        ("every year on the 1st 9am", "in which month"),
        ("bimonthly 9am", "twice a month"),
        ("twice a month 9am", "1st and 15th"),
        ("every second tuesday 9am", "every 2 weeks on tuesday"),
        ("fifth tuesday 09:00", "not every month has a fifth tuesday: write `last tuesday`"),
        ("every 2 weeks on tuesday and thursday 9am", "one campaign for each"),
        ("weekdays at 2", "Write 2 am or 2 pm"),
        ("weekdays at 9am and 2pm", "two times of day"),
        ("day 15 9", "is `9` a day or an hour"),
        ("december 1 9", "is `9` a day or an hour"),
        ("third week on monday", "say which day"),
        ("every third business day", "business day of the month"),
        ("mondays in december at 9am", "which monday of the month"),
        ("every day in december at 9am", "on which day of the month"),
        ("every 2 years on december 1", "an interval"),
        ("first monday of the year", "in which month"),
        ("first and last monday of the quarter", "one campaign for each"),
        ("every 15 minutes", "at most once"),
        ("hourly", "at most once"),
        ("*/5 * * * *", "at most once an hour"),
        ("0 0 9 1 * *", "five fields"),
        ("now", "touchline send"),
        ("13/01/2026 9:00", "the month comes first"),
        ("02/30/2027 9:00", "not a date such as"),
        ("2026-12-01T09:00Z", "leave out `Z`"),
        ("2026-12-01T09:00-06:00", "leave out `Z`"),
        ("Monday, December 1, 2026 9am", "December 1, 2026 is a Tuesday, not a Monday"),
        ("next month at 9am", "write a date"),
        ("every day except friday 9am", "exceptions"),
        ("every 13 months on day 1 9am", "from 1 to 12"),
        ("first tuseday 09:00", "did you mean `tuesday`?"),
        ("frist tuesday 09:00", "did you mean `first`?"),
        ("FREQ=MONTHLY;BYDAY=1TU", "Write one of"),
        ("day 32 9am", "not a day of the month"),
        ("every 2 weekdays 9am", "say on which days"),
    ];
    for (text, expected) in cases {
        let problem = read(text).expect_err(text).to_string();
        assert!(problem.contains(expected), "{text}: {problem}");
        assert!(problem.contains("first tuesday 09:00"), "{problem}");
        assert!(!problem.contains("?."), "{problem}");
    }
}

#[test]
fn days_beside_the_last_one_are_understood_and_said_back() {
    let cases = [
        ("the 15th and the last day of each month", "day 15 and the last day of each month at 9:00 AM"),
        ("last day and 15th of the month at noon", "day 15 and the last day of each month at 12:00 PM"),
        ("1st, 15th and last day, 8:00", "day 1, 15 and the last day of each month at 8:00 AM"),
        ("the first and last day of every month at 9am", "day 1 and the last day of each month at 9:00 AM"),
        ("first and last of each month", "day 1 and the last day of each month at 9:00 AM"),
        ("day 15 and last day 09:00", "day 15 and the last day of each month at 9:00 AM"),
        ("15th and last day of june and december", "day 15 and the last day of June and December each year at 9:00 AM"),
        ("first and last friday 09:00", "the first and last Friday of each month at 9:00 AM"),
    ];
    for (text, sentence) in cases {
        let schedule = read(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        assert_eq!(schedule.to_string(), sentence, "{text}");
        assert_eq!(read(sentence).as_ref(), Ok(&schedule), "{text}");
    }
    assert_eq!(
        next("the 15th and the last day of each month", 5),
        ["2026-11-30 09:00", "2026-12-15 09:00", "2026-12-31 09:00", "2027-01-15 09:00", "2027-01-31 09:00"]
    );
    assert_eq!(
        next("day 30 and the last day 9am", 4),
        ["2026-11-30 09:00", "2026-12-30 09:00", "2026-12-31 09:00", "2027-01-30 09:00"]
    );
}

#[test]
fn times_and_numbers_in_words_are_understood_and_said_back() {
    let cases = [
        ("9 o'clock", "every day at 9:00 AM"),
        ("at 9 o’clock", "every day at 9:00 AM"),
        ("nine o'clock", "every day at 9:00 AM"),
        ("mondays at 15 o'clock", "every Monday at 3:00 PM"),
        ("first friday at 2 o'clock in the afternoon", "the first Friday of each month at 2:00 PM"),
        ("first tuesday @ 9am", "the first Tuesday of each month at 9:00 AM"),
        ("first tuesday @9:30", "the first Tuesday of each month at 9:30 AM"),
        ("tuesday morning", "every Tuesday at 9:00 AM"),
        ("every morning", "every day at 9:00 AM"),
        ("tuesday morning at 8", "every Tuesday at 8:00 AM"),
        ("tuesday afternoon at 2", "every Tuesday at 2:00 PM"),
        ("weekdays at 7 in the evening", "every weekday, Monday to Friday, at 7:00 PM"),
        ("tonight at 8", "once, on Wednesday, November 25, 2026 at 8:00 PM"),
        ("tomorrow morning", "once, on Thursday, November 26, 2026 at 9:00 AM"),
        ("day 15 in the morning", "day 15 of each month at 9:00 AM"),
        ("Tuesday/Thursday", "every Tuesday and Thursday at 9:00 AM"),
        ("mon/wed/fri 8am", "every Monday, Wednesday and Friday at 8:00 AM"),
        ("1st/15th at noon", "day 1 and 15 of each month at 12:00 PM"),
        ("1st&15th at noon", "day 1 and 15 of each month at 12:00 PM"),
        ("every ten days", "every 10 days at 9:00 AM"),
        ("every twenty-one days at noon", "every 21 days at 12:00 PM"),
        ("every six weeks on monday", "every 6 weeks on Monday at 9:00 AM"),
        ("the fifteenth of each month", "day 15 of each month at 9:00 AM"),
        ("on the twenty-first at noon", "day 21 of each month at 12:00 PM"),
        ("semiannually on the first monday", "every 6 months on the first Monday at 9:00 AM"),
        ("twice a year on the 1st at 9am", "every 6 months on day 1 at 9:00 AM"),
        ("beginning of each month", "day 1 of each month at 9:00 AM"),
        ("start of december", "once, on Tuesday, December 1, 2026 at 9:00 AM"),
        ("month-end at 5pm", "the last day of each month at 5:00 PM"),
        ("every monday of the week", "every Monday at 9:00 AM"),
        ("every first and third monday", "the first and third Monday of each month at 9:00 AM"),
        ("day 15 and 30", "day 15 and 30 of each month (a shorter month's last day) at 9:00 AM"),
    ];
    for (text, sentence) in cases {
        let schedule = read(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        assert_eq!(schedule.to_string(), sentence, "{text}");
        assert_eq!(schedule.kept(text).parse::<Schedule>().as_ref(), Ok(&schedule), "{text}");
    }
}

#[test]
fn what_could_be_meant_in_two_ways_is_asked_about_and_never_chosen() {
    let cases = [
        ("week of the 15th", "say which day, such as `third monday 09:00` or `day 15 09:00`"),
        ("the week of december 15", "say which day"),
        ("monday in the week of the 15th", "say which day"),
        ("tuesday week", "say which day"),
        ("every third monday", "`third monday 09:00` of each month or `every 3 weeks on monday 09:00`"),
        ("every 4th friday at noon", "`4th friday 09:00` of each month or `every 4 weeks on friday 09:00`"),
        ("every second tues", "`every 2 weeks on tuesday 09:00`"),
        ("every sixth monday", "`last monday 09:00` of each month or `every 6 weeks on monday 09:00`"),
        ("every third", "every third of what"),
        ("every second quarter on the 1st", "every 6 months"),
        ("second quarter on the 1st", "name the months"),
        ("every first month", "name the months"),
        ("second last friday", "count from the first"),
        ("every other december 15th", "`other december` is not understood"),
        ("every other 15th", "`other 15th` is not understood"),
        ("9", "is `9` a day or an hour? Write 9:00 or 9 am for an hour, and 9th for a day"),
        ("nine", "is `9` a day or an hour"),
        ("2 o'clock", "Write 2 am or 2 pm"),
        ("day 1 15", "Write 15:00 for an hour, and 15th for a day"),
        ("day 1 2", "Write 2 am or 2 pm for an hour, and 2nd for a day"),
        ("december 1 26", "is `26` a day or a year"),
        ("tuesday afternoon", "say at what time"),
        ("tonight", "say at what time"),
        ("tuesday morning at 3pm", "it says morning and 3:00 PM"),
        ("mondays at 2 at night", "before or after midnight"),
        ("mondays at 12 at night", "before or after midnight"),
        ("first tuesday 9am CST", "leave out `cst`, and name the zone by itself, such as `--zone America/Chicago`"),
        ("9am (central)", "leave out `central`"),
        ("mondays 9:00 america/chicago", "leave out `america/chicago`"),
        ("starting december 8", "a schedule has no first day"),
        ("every 2 weeks on tuesday starting december 8", "a schedule has no first day"),
        ("mondays beginning december 8", "a schedule has no first day"),
        ("start december 8", "a schedule has no first day"),
        ("begin the first", "a schedule has no first day"),
        ("daily from 12/8", "a schedule has no first day"),
        ("mondays until december 8", "a schedule has no last day"),
        ("mondays (except december)", "exceptions are not understood"),
        ("semiannually", "such as `every 6 months on day 1 09:00`"),
        ("twice a year at noon", "such as `every 6 months on day 1 09:00`"),
        ("biannually", "twice a year"),
        ("three times a month", "1st and 15th"),
        ("15th and last business day", "one campaign for each"),
        ("first and last day of the quarter", "one campaign for each"),
        ("last day 15", "on which days"),
        ("@daily", "`daily 08:00`"),
        ("once at noon", "such as `once 2026-12-01 09:00`"),
    ];
    for (text, expected) in cases {
        let problem = read(text).map(|schedule| schedule.to_string()).expect_err(text).to_string();
        assert!(problem.contains(expected), "{text}: {problem}");
        assert!(!problem.contains("?.") && !problem.contains("15 am"), "{problem}");
    }
}

#[test]
fn beside_a_field_a_schedule_is_refused_in_one_or_two_sentences_without_commands() {
    let short = |text: &str| read(text).expect_err(text).in_short();
    let examples = "For example: “first tuesday 09:00”, “every 2 weeks on tuesday 09:00” or “1st and 15th at 9 am”.";
    assert_eq!(short(""), format!("Say when. {examples}"));
    assert_eq!(
        short("frist tuesday 09:00"),
        format!("“frist” is not a day of the week, and is not understood here: did you mean “first”? {examples}")
    );
    for text in ["now", "9am cst", "every third monday", "week of the 15th", "cron: * * * * *", &"x".repeat(300)] {
        let said = short(text);
        let commands = ["`", "--", "touchline ", "Write one of", "\n"];
        assert!(commands.iter().all(|part| !said.contains(part)) && said.len() < 400, "{text}: {said}");
    }
}

#[test]
fn they_are_due_when_they_say() {
    assert_eq!(
        next("every month on the 31st at 9am", 5),
        ["2026-11-30 09:00", "2026-12-31 09:00", "2027-01-31 09:00", "2027-02-28 09:00", "2027-03-31 09:00"]
    );
    assert_eq!(
        next("last business day of the month at 5pm", 4),
        ["2026-11-30 17:00", "2026-12-31 17:00", "2027-01-29 17:00", "2027-02-26 17:00"]
    );
    assert_eq!(next("3rd business day 8am", 3), ["2026-12-03 08:00", "2027-01-05 08:00", "2027-02-03 08:00"]);
    assert_eq!(
        next("quarterly on the first monday 09:00", 3),
        ["2027-01-04 09:00", "2027-04-05 09:00", "2027-07-05 09:00"]
    );
    assert_eq!(next("every 2 months on day 1 9am", 3), ["2026-12-01 09:00", "2027-02-01 09:00", "2027-04-01 09:00"]);
    assert_eq!(next("every 12 months on the first friday 9am", 2), ["2026-12-04 09:00", "2027-12-03 09:00"]);
    assert_eq!(next("every year on february 29 9am", 3), ["2027-02-28 09:00", "2028-02-29 09:00", "2029-02-28 09:00"]);
    assert_eq!(next("every 10 days at 9am", 3), ["2026-11-26 09:00", "2026-12-06 09:00", "2026-12-16 09:00"]);
    assert_eq!(next("every 10 days at 11am", 2), ["2026-11-25 11:00", "2026-12-05 11:00"]);
    assert_eq!(next("1st and 15th at 9 am", 3), ["2026-12-01 09:00", "2026-12-15 09:00", "2027-01-01 09:00"]);
    // 2027-03-14: 2:00 becomes 3:00.
    assert_eq!(next("day 14 at 2:30 am", 4)[3], "2027-03-14 03:00");
}

#[test]
fn what_is_kept_means_the_same_on_every_later_day() {
    for (text, kept) in [
        ("tomorrow at 9", "once 2026-11-26 09:00"),
        ("12/1 at noon", "once 2026-12-01 12:00"),
        (" weekdays at 8 ", "weekdays at 8"),
        ("every other monday", "every 2 weeks on Monday at 9:00 AM"),
        ("noon", "noon"),
        ("0 9 1 * *", "0 9 1 * *"),
    ] {
        let schedule = read(text).expect(text);
        assert_eq!(schedule.kept(text), kept);
        assert_eq!(kept.parse::<Schedule>().as_ref(), Ok(&schedule), "{text}");
    }
    for text in ["tomorrow at 9", "12/1 at 9am", "december 1 at 9am", "next tuesday at 9am"] {
        let problem = text.parse::<Schedule>().expect_err("it depends on the day").to_string();
        assert!(problem.contains("2026-12-01"), "{text}: {problem}");
    }
}

/// Found by chance: its sentence is the longest there is.
#[test]
fn the_longest_sentence_can_be_written_back() {
    let once = read("quarterly the last business day 00:00").expect("a schedule");
    assert_eq!(read(&once.to_string()), Ok(once));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sentence_can_be_written_back(
        which in 0usize..9, months in 0usize..4, day in 1u8..=31, few in 2u8..=12, hour in 0u32..24, minute in 0u32..60
    ) {
        let which = match which {
            0 => format!("day {day}"),
            1 => format!("day {day} and {few}"),
            2 => "the last day".to_owned(),
            3 => "the last business day".to_owned(),
            4 => format!("{}th business day", 4 + day % 7),
            5 => "first and third wednesday".to_owned(),
            6 => format!("day {few} and the last day"),
            7 => format!("the last day and the {few}th"),
            _ => "third sunday".to_owned(),
        };
        let text = match months {
            0 => format!("{which} {hour:02}:{minute:02}"),
            1 => format!("every {few} months on {which} {hour:02}:{minute:02}"),
            2 => format!("{which} of march and august every year {hour:02}:{minute:02}"),
            // Of a quarter, the two would lie in different months.
            _ if which.contains("and the") => format!("{which} {hour:02}:{minute:02}"),
            _ => format!("quarterly {which} {hour:02}:{minute:02}"),
        };
        let once = read(&text);
        prop_assert!(once.is_ok(), "{once:?}");
        let once = once.expect("read");
        prop_assert_eq!(&read(&once.to_string()), &Ok(once.clone()), "{}", once);
        let at = once.next_after(now(), ZONE, now());
        prop_assert!(at.is_some_and(|at| at > now()), "{} never comes", once);
    }

    #[test]
    fn a_single_day_is_read_however_it_is_written(days in 1u64..2000, form in 0usize..7, hour in 1u32..13) {
        let day = NaiveDate::from_ymd_opt(2026, 11, 26).and_then(|first| first.checked_add_days(chrono::Days::new(days)));
        let day = day.expect("within the calendar");
        let forms = ["%Y-%m-%d", "%m/%d/%Y", "%-m/%-d/%y", "%B %-d, %Y", "%A, %b %-d %Y", "%-d %B %Y", "once %Y/%m/%d"];
        let text = format!("{} at {hour} pm", day.format(forms[form]));
        let schedule = read(&text);
        prop_assert!(schedule.is_ok(), "{}: {:?}", text, schedule);
        let expected = day.and_hms_opt(hour % 12 + 12, 0, 0).expect("a time");
        prop_assert_eq!(schedule.expect("read").next_after(now(), ZONE, now()), first_moment(expected, ZONE));
    }

    #[test]
    fn no_words_in_any_order_upset_the_reader(
        words in prop::collection::vec("every|other|2|31|the|first|last|1st|day|days|week|month|quarter|year|tuesday|mon-fri|business|december|2026|at|9|9am|noon|12/1|tomorrow|once|and|,|\\(|\\*|next|in|a|morning|o'clock|15th|second|from|ten|other", 0..8)
    ) {
        if let Ok(schedule) = read(&words.join(" ")) {
            let said = schedule.to_string();
            prop_assert!(said.contains("cron: ") || read(&said) == Ok(schedule), "{}", said);
        }
    }
}
