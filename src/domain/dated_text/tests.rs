use proptest::prelude::*;

use super::*;

#[test]
fn what_names_a_moment_is_found_and_said() {
    for (text, found) in [
        ("Tuesday, December 9, at 12:15 pm", "December 9"),
        ("December 9", "December 9"),
        ("DEC. 9TH", "DEC. 9TH"),
        ("Dec 9-11", "Dec 9-11"),
        ("December 9, 2026", "December 9, 2026"),
        ("december 9,2026", "december 9,2026"),
        ("9 Dec", "9 Dec"),
        ("the 9th of December", "9th of December"),
        ("9–11 December 2026", "9–11 December 2026"),
        ("on 2 May", "2 May"),
        ("2nd of may", "2nd of may"),
        ("12/9", "12/9"),
        ("Openings from 12/9 on", "12/9"),
        ("Tuesday 1/5", "1/5"),
        ("by 1/5", "1/5"),
        ("1/5 at noon", "1/5"),
        ("12/09/26", "12/09/26"),
        ("12/9/2026", "12/9/2026"),
        ("31.12.2026", "31.12.2026"),
        ("2026-12-09", "2026-12-09"),
        ("2026/12/9", "2026/12/9"),
        ("2026-12-09T09:00", "2026-12-09T09:00"),
        ("Tuesday the 9th", "Tuesday the 9th"),
        ("Tue. 9th, 9 am", "Tue. 9th"),
        ("call us by the 9th.", "by the 9th"),
        ("on the 15th at 4 pm", "on the 15th"),
        ("May 2026", "May 2026"),
        ("July to September 2026", "September 2026"),
        ("two openings this week", "this week"),
        ("This Month's openings", "This Month's"),
        ("next Tuesday", "next Tuesday"),
        ("next month", "next month"),
        ("we moved last week", "last week"),
        ("this fall", "this fall"),
        ("fall 2026", "fall 2026"),
        ("Q3 2026", "Q3 2026"),
        ("tomorrow at 9", "tomorrow"),
        ("as of today", "today"),
        ("closed until mid-December", "until mid-December"),
        ("open again in October", "in October"),
        ("before Thanksgiving", "Thanksgiving"),
        ("closed on Labor Day", "Labor Day"),
        ("TMS until Friday", "until Friday"),
        ("TMS starting Monday", "starting Monday"),
        ("please call by Wed., thanks", "by Wed"),
        ("closed from Monday on", "from Monday"),
        ("TMS today", "today"),
        ("two openings today, one in the morning", "today"),
        ("today's openings", "today's"),
        ("TMS 12-3-26", "12-3-26"),
        ("TMS 12-03-2026", "12-03-2026"),
        ("TMS 3.12.26", "3.12.26"),
        ("TMS 20261203", "20261203"),
        ("TMS in the new year", "new year"),
        ("early in the New Year.", "New Year"),
        ("before New Year's", "New Year's"),
        ("TMS by year end", "year end"),
        ("TMS by year-end", "year-end"),
        ("until the end of the year", "end of the year"),
        ("by end of month", "end of month"),
        ("TMS from 3.12.", "from 3.12"),
        ("closed until 24.12., then as usual", "until 24.12"),
    ] {
        assert_eq!(dated_part(text), Some(found), "{text}");
    }
}

#[test]
fn what_names_none_raises_no_alarm() {
    for text in [
        "",
        "24/7",
        "PHQ-9",
        "PHQ-9/GAD-7",
        "1/2 tablet",
        "1/2",
        "3/4 of patients",
        "pain 3/10",
        "9/10",
        "8/12 patients",
        "10/20 mg",
        "120/80",
        "5/325 mg",
        "May",
        "Dr. May",
        "April Jones",
        "with June and August",
        "Theo March, MD",
        "patients may 3 times",
        "the 2 may be combined",
        "(847) 555-0166 or hello@lakeshorepeers.example",
        "847.555.0101",
        "+18475550148",
        "1-800-555-0199",
        "90837",
        "CPT 90867/90868",
        "F33.1",
        "every Tuesday, 6:30 to 8:00 pm",
        "every Tuesday, 6:30 pm",
        "Monday to Friday, 8:00 am to 5:30 pm",
        "Mondays and Wednesdays",
        "Tuesday 9 am",
        "Monday 9-5",
        "two weeks",
        "four weekday morning places",
        "30-minute",
        "20-30 daily sessions over 4-6 weeks",
        "on the 1st floor",
        "on the 2nd visit",
        "the 1st of each month",
        "in the past year",
        "within the next week",
        "in the last month",
        "active patients with two or more antidepressants in the past year and a PHQ-9 of 10 or higher at the latest visit",
        "22 of 38 met it; 16 did not",
        "since 2019",
        "Call us today",
        "third episode; partial benefit from sertraline",
        "IV ketamine 0.5 mg/kg",
        "1.2.3",
        "10-20-30",
        "10-10-20 mg",
        "from Monday to Friday",
        "open from Monday 8:00 to Friday 5:00",
        "Monday through Friday",
        "Mon until Fri",
        "on Mondays until noon",
        "Call today",
        "Refer a patient today.",
        "the standard of care in today's psychiatry",
        "Chicago, IL 60614-2026",
        "IL 60201",
        "312-555-0126",
        "12345678",
        "19991231",
        "NPI 1234567893",
        "a new year-round program",
        "a new year of training",
        "by the end of treatment",
        "at the end of the first week",
        "version 3.12",
        "a mean of 3.5.",
        "reduced by 3.5.",
        "Suite 12/14b",
    ] {
        assert_eq!(dated_part(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn every_day_is_recognized_however_it_is_written(
        days in 0u32..36_500, form in 0usize..9, lead in "(|on |from |until |We are back )", tail in "(|, at 9 am| at noon|\\.)"
    ) {
        let day = NaiveDate::from_ymd_opt(2000, 1, 1).and_then(|first| first.checked_add_days(chrono::Days::new(u64::from(days))));
        let day = day.expect("within the calendar");
        let forms = ["%Y-%m-%d", "%-m/%-d/%Y", "%m/%d/%Y", "%B %-d", "%b %-d", "%-d %B %Y", "%A, %B %-d, %Y", "%b. %-dth", "%B %Y"];
        let text = format!("{lead}{}{tail}", day.format(forms[form]));
        prop_assert!(names_a_moment(&text), "{}", text);
    }

    #[test]
    fn no_text_upsets_it_and_what_it_finds_is_part_of_the_text(text in "\\PC{0,80}") {
        if let Some(part) = dated_part(&text) {
            prop_assert!(text.contains(part) && !part.is_empty());
        }
    }

    #[test]
    fn numbers_alone_are_no_moments_unless_they_are_days(text in "[0-9]{1,3}|[0-9]{5,12}|\\([2-9][0-9]{2}\\) [2-9][0-9]{2}-[0-9]{4}|[A-Z]{2,4}-[0-9]{1,2}") {
        prop_assume!(!(text.len() == 8 && text.starts_with("20")));
        prop_assert_eq!(dated_part(&text), None);
    }
}
