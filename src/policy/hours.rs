//! When a recipient may be written to by their own clock: inside office hours, in every zone in which they may be.
//!
//! Clocks that are set forward or back are taken as they are read: a moment is inside office hours when the clock on the
//! office's wall shows a time inside them. A range that begins in an hour that is skipped begins after it.

use std::time::Duration;

use chrono::{Datelike, Days, NaiveDate, Offset, TimeZone, Timelike};
use chrono_tz::Tz;

use super::zones::Zones;
use crate::domain::{OfficeHours, Timestamp};

/// Zones that are not open together within this time, a week and a day, are taken never to be.
const TOGETHER_WITHIN: Duration = Duration::from_secs(8 * 24 * 3600);
/// How far ahead the last zones to be asked are searched: their only range of a week may be in an hour that is skipped.
const HORIZON: Duration = Duration::from_secs(15 * 24 * 3600);
/// The same in days, of which the first and the last are not whole.
const DAYS_MAX: u64 = 16;
/// From here on (the year 9000) nothing waits for office hours; calendars end somewhere.
const END: Timestamp = Timestamp(221_845_392_000_000);
/// How far local time is from UTC at most, in either direction.
const OFFSET_MAX: Duration = Duration::from_secs(15 * 3600);

/// The practice's office hours, as the rule that says when a recipient may be written to.
#[derive(Debug, Clone)]
pub struct Hours {
    office: OfficeHours,
    practice: Tz,
    is_always: bool,
}

impl Hours {
    /// Office hours of a practice in that zone.
    #[must_use]
    pub fn new(office: OfficeHours, practice: Tz) -> Self {
        Self { is_always: office.is_always(), office, practice }
    }

    /// The first moment, `now` or later, that is inside office hours in every zone in which the recipient may be.
    ///
    /// Zones that are never open together within a week narrow down: for several zones of one number to the one with the
    /// most people, for an unknown zone to the contiguous states, and if need be to the practice's own. Where even that has
    /// no opening, it is `now`: nothing waits forever.
    #[must_use]
    pub fn next_opening(&self, now: Timestamp, zones: Zones) -> Timestamp {
        if self.is_always || !(Timestamp(0)..END).contains(&now) {
            return now;
        }
        let choices = zones.choices(self.practice);
        let together = choices.iter().find_map(|zones| self.next_in_all(now, zones, TOGETHER_WITHIN));
        let at_last = || choices.last().and_then(|zones| self.next_in_all(now, zones, HORIZON));
        together.or_else(at_last).unwrap_or(now)
    }

    /// Until when nothing may be sent there; `None` inside office hours.
    #[must_use]
    pub fn closed_until(&self, now: Timestamp, zones: Zones) -> Option<Timestamp> {
        Some(self.next_opening(now, zones)).filter(|opening| *opening > now)
    }

    /// The first moment, `now` or later, inside office hours in all of these zones, if there is one within that time.
    fn next_in_all(&self, now: Timestamp, zones: &[Tz], within: Duration) -> Option<Timestamp> {
        let last = now.after(within);
        let mut moment = now;
        while moment <= last {
            let openings = zones.iter().map(|zone| self.next_in(moment, *zone));
            let latest = openings.reduce(|a, b| Some(a?.max(b?))).flatten()?;
            if latest == moment {
                return Some(moment);
            }
            moment = latest;
        }
        None
    }

    /// The first moment, `now` or later, inside office hours in one zone.
    fn next_in(&self, now: Timestamp, zone: Tz) -> Option<Timestamp> {
        if self.is_open(now, zone) {
            return Some(now);
        }
        let today = now.to_utc().with_timezone(&zone).date_naive();
        (0..DAYS_MAX).filter_map(|count| today.checked_add_days(Days::new(count))).find_map(|date| {
            self.openings_on(date, zone).into_iter().filter(|moment| *moment > now && self.is_open(*moment, zone)).min()
        })
    }

    fn is_open(&self, moment: Timestamp, zone: Tz) -> bool {
        let local = moment.to_utc().with_timezone(&zone);
        self.office.include(local.weekday(), local.hour() * 60 + local.minute())
    }

    /// The moments of a date at which it may begin to be open: where a range begins, each time if the clock shows that
    /// time twice, and where the clock is changed.
    fn openings_on(&self, date: NaiveDate, zone: Tz) -> Vec<Timestamp> {
        let moments = self.office.openings(date.weekday()).flat_map(|time| {
            let local = zone.from_local_datetime(&date.and_time(time));
            [local.earliest(), local.latest()]
        });
        let moments = moments.flatten().map(|moment| Timestamp::from_utc(moment.to_utc()));
        moments.chain(change_on(date, zone)).collect()
    }
}

/// When the clocks of a zone are changed on a date, if they are: the first moment of the new time.
fn change_on(date: NaiveDate, zone: Tz) -> Option<Timestamp> {
    let midnight = Timestamp::from_utc(date.and_time(chrono::NaiveTime::MIN).and_utc());
    let offset = |moment: i64| Timestamp(moment).to_utc().with_timezone(&zone).offset().fix();
    let (mut before, mut after) =
        (midnight.before(OFFSET_MAX).0, midnight.after(Duration::from_secs(24 * 3600)).after(OFFSET_MAX).0);
    let new = offset(after);
    if offset(before) == new {
        return None;
    }
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if offset(middle) == new { after = middle } else { before = middle }
    }
    let moment = Timestamp(after);
    (moment.to_utc().with_timezone(&zone).date_naive() == date).then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHICAGO: Zones = Zones::Known(Tz::America__Chicago);

    fn at(text: &str) -> Timestamp {
        Timestamp(chrono::DateTime::parse_from_rfc3339(text).unwrap_or_else(|_| panic!("{text}")).timestamp_millis())
    }

    fn hours(text: &str) -> Hours {
        Hours::new(text.parse().unwrap_or_else(|error| panic!("{text}: {error}")), Tz::America__Chicago)
    }

    /// The next opening, as people in that zone read it.
    fn opens(written: &str, now: &str, zones: Zones, shown_in: Tz) -> String {
        hours(written).next_opening(at(now), zones).in_zone(shown_in)
    }

    #[test]
    fn office_hours_are_the_recipients_own() {
        use Tz::{America__Chicago, America__Phoenix, America__Puerto_Rico, Pacific__Guam, Pacific__Honolulu};
        let default = OfficeHours::default().to_string();
        for (now, zone, opening) in [
            ("2026-11-27T18:00:00-06:00", America__Chicago, "Nov 30, 2026 8:00 AM CST"),
            ("2026-11-27T16:59:59-06:00", America__Chicago, "Nov 27, 2026 4:59 PM CST"),
            ("2026-11-27T17:00:00-06:00", America__Chicago, "Nov 30, 2026 8:00 AM CST"),
            ("2026-11-28T12:00:00-06:00", America__Chicago, "Nov 30, 2026 8:00 AM CST"),
            ("2026-11-30T07:59:59-06:00", America__Chicago, "Nov 30, 2026 8:00 AM CST"),
            ("2026-11-23T08:00:00-06:00", Pacific__Honolulu, "Nov 23, 2026 8:00 AM HST"),
            ("2026-11-27T21:30:00-06:00", Pacific__Honolulu, "Nov 30, 2026 8:00 AM HST"),
            ("2026-11-29T15:30:00-06:00", Pacific__Guam, "Nov 30, 2026 8:00 AM ChST"),
            ("2026-07-06T06:30:00-05:00", America__Puerto_Rico, "Jul 6, 2026 8:00 AM AST"),
            ("2026-07-06T06:30:00-05:00", America__Phoenix, "Jul 6, 2026 8:00 AM MST"),
            ("2026-12-07T08:30:00-06:00", America__Phoenix, "Dec 7, 2026 8:00 AM MST"),
        ] {
            assert_eq!(opens(&default, now, Zones::Known(zone), zone), opening, "{now} in {zone}");
        }
    }

    #[test]
    fn a_range_in_an_hour_that_is_skipped_begins_after_it_and_one_that_is_repeated_counts_twice() {
        use Tz::America__Chicago;
        // Forward on Mar 8, 2026 at 2:00, back on Nov 1, 2026 at 2:00.
        for (written, now, opening) in [
            ("Sun 02:30-04:00", "2026-03-08T00:00:00-06:00", "Mar 8, 2026 3:00 AM CDT"),
            ("Sun 02:00-02:30", "2026-03-08T00:00:00-06:00", "Mar 15, 2026 2:00 AM CDT"),
            ("Mon-Fri 08:00-17:00", "2026-03-06T17:00:00-06:00", "Mar 9, 2026 8:00 AM CDT"),
            ("Sun 01:00-01:30", "2026-11-01T01:29:00-05:00", "Nov 1, 2026 1:29 AM CDT"),
            ("Sun 01:00-01:30", "2026-11-01T01:30:00-05:00", "Nov 1, 2026 1:00 AM CST"),
            ("Sun 00:30-01:30", "2026-11-01T01:45:00-05:00", "Nov 1, 2026 1:00 AM CST"),
            ("Sun 00:30-01:30", "2026-11-01T01:30:00-06:00", "Nov 8, 2026 12:30 AM CST"),
            ("Mon-Fri 08:00-17:00", "2026-10-30T17:00:00-05:00", "Nov 2, 2026 8:00 AM CST"),
        ] {
            assert_eq!(opens(written, now, CHICAGO, America__Chicago), opening, "{written} at {now}");
        }
    }

    #[test]
    fn where_the_zone_is_unknown_it_waits_until_all_fifty_states_are_open() {
        let default = OfficeHours::default().to_string();
        let eastern = Tz::America__New_York;
        for (now, opening) in [
            // Hawaii opens last, the East closes first.
            ("2026-11-27T08:00:00-05:00", "Nov 27, 2026 1:00 PM EST"),
            ("2026-11-27T16:59:00-05:00", "Nov 27, 2026 4:59 PM EST"),
            ("2026-11-27T17:00:00-05:00", "Nov 30, 2026 1:00 PM EST"),
            ("2026-07-06T08:00:00-04:00", "Jul 6, 2026 2:00 PM EDT"),
        ] {
            assert_eq!(opens(&default, now, Zones::Unknown, eastern), opening, "{now}");
        }
    }

    #[test]
    fn zones_that_are_never_open_together_narrow_down_and_nothing_waits_forever() {
        let chicago = Tz::America__Chicago;
        // No hour of the morning is shared with Hawaii: the contiguous states count.
        assert_eq!(
            opens("Mon-Fri 08:00-12:00", "2026-11-23T05:00:00-06:00", Zones::Unknown, chicago),
            "Nov 23, 2026 10:00 AM CST"
        );
        // Nor is an hour shared by East and West: the practice's own zone counts.
        assert_eq!(
            opens("Mon-Fri 08:00-10:00", "2026-11-23T05:00:00-06:00", Zones::Unknown, chicago),
            "Nov 23, 2026 8:00 AM CST"
        );
        let both = Zones::OneOf(&[Tz::America__New_York, Tz::Pacific__Honolulu]);
        assert_eq!(
            opens("Mon-Fri 08:00-10:00", "2026-11-23T05:00:00-06:00", both, Tz::America__New_York),
            "Nov 23, 2026 8:00 AM EST"
        );
        assert_eq!(
            hours("always").next_opening(at("2026-11-28T03:00:00Z"), Zones::Unknown),
            at("2026-11-28T03:00:00Z")
        );
    }

    #[test]
    fn moments_at_the_ends_of_time_are_answered() {
        for moment in [i64::MIN, -62_135_596_800_000, 0, 253_402_300_800_000, i64::MAX] {
            for zones in [CHICAGO, Zones::Unknown] {
                assert!(hours("Mon 08:00-09:00").next_opening(Timestamp(moment), zones) >= Timestamp(moment));
            }
        }
    }

    /// The next opening by looking at every minute.
    fn by_looking(hours: &Hours, now: Timestamp, zones: &[Tz]) -> Option<Timestamp> {
        let open = |moment: &Timestamp| zones.iter().all(|zone| hours.is_open(*moment, *zone));
        if open(&now) {
            return Some(now);
        }
        let minute = now.0.div_euclid(60_000);
        (1..14 * 24 * 60).map(|count| Timestamp((minute + count) * 60_000)).find(open)
    }

    fn some_zones() -> impl Strategy<Value = Vec<Tz>> {
        let all = [
            Tz::America__New_York,
            Tz::America__Phoenix,
            Tz::America__Denver,
            Tz::America__St_Johns,
            Tz::America__Puerto_Rico,
            Tz::America__Adak,
            Tz::Pacific__Honolulu,
            Tz::Pacific__Guam,
            Tz::Europe__London,
            Tz::Australia__Lord_Howe,
            Tz::Africa__Casablanca,
        ];
        prop::sample::subsequence(all.to_vec(), 1..4)
    }

    fn some_hours() -> impl Strategy<Value = String> {
        let range = (0usize..7, 0usize..7, 0u32..1_380, 1u32..900);
        prop::collection::vec(range, 1..4).prop_map(|parts| {
            let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
            let part = |(first, last, from, length): &(usize, usize, u32, u32)| {
                let to = (from + length).min(1_440);
                format!("{}-{} {}:{:02}-{}:{:02}", days[*first], days[*last], from / 60, from % 60, to / 60, to % 60)
            };
            parts.iter().map(part).collect::<Vec<_>>().join(", ")
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn an_opening_is_open_in_every_zone_and_no_minute_before_it_is(
            written in some_hours(),
            zones in some_zones(),
            // Around each change of the clocks in 2026, and on any other day.
            day in prop_oneof![Just(66i64), Just(303), Just(88), Just(297), Just(93), 0i64..365],
            ms in 0i64..172_800_000,
        ) {
            let hours = hours(&written);
            let now = Timestamp(1_767_225_600_000 + day * 86_400_000 + ms);
            let found = hours.next_in_all(now, &zones, HORIZON);
            match by_looking(&hours, now, &zones) {
                Some(expected) => prop_assert_eq!(found, Some(expected), "{} in {:?}", written, zones),
                None => prop_assert!(found.is_none_or(|found| found > now.after(Duration::from_secs(13 * 86_400)))),
            }
        }

        #[test]
        fn an_opening_is_never_in_the_past_and_opens_at_once(written in some_hours(), ms in 0i64..31_536_000_000) {
            let (hours, now) = (hours(&written), Timestamp(1_767_225_600_000 + ms));
            for zones in [CHICAGO, Zones::Unknown, Zones::OneOf(&[Tz::America__Chicago, Tz::America__Denver])] {
                let opening = hours.next_opening(now, zones);
                prop_assert!(opening >= now);
                // A change of the clocks in between may decide which zones count, once.
                let then = hours.next_opening(opening, zones);
                prop_assert!(then <= opening.after(TOGETHER_WITHIN));
                prop_assert_eq!(hours.closed_until(then, zones), None, "what is due then goes then");
                prop_assert!(zones == Zones::Unknown || then == opening);
            }
        }
    }
}
