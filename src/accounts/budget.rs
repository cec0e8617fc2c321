//! The daily budget of an account: how much may be handed over to it from one midnight of the practice to the next, over
//! all nodes.

use chrono::{Days, NaiveTime, TimeZone};
use chrono_tz::{GapInfo, Tz};

use crate::domain::Timestamp;
use crate::domain::cost::Cost;
use crate::domain::provider_state::Meter;

/// What may be spent in a day. Everything handed over counts, whatever became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Hand-overs.
    pub hand_overs: Option<u32>,
    /// Cost, at the account's price per page.
    pub cost: Option<Cost>,
    /// The time zone whose midnight ends the day.
    pub zone: Tz,
}

impl Budget {
    /// Whether a whole day's budget covers one hand-over of that cost.
    #[must_use]
    pub fn covers(&self, cost: Cost) -> bool {
        self.hand_overs != Some(0) && self.cost.is_none_or(|most| cost <= most)
    }

    /// How many hand-overs of that cost each it still covers today.
    #[must_use]
    pub fn left_today(&self, meter: &Meter, each: Cost, now: Timestamp) -> u64 {
        let (hand_overs, spent) = meter.today(now);
        let by_number = self.hand_overs.map(|most| i64::from(most).saturating_sub(hand_overs));
        let by_cost = self.cost.filter(|_| Cost::ZERO < each).map(|most| most.0.saturating_sub(spent.0) / each.0);
        by_number.into_iter().chain(by_cost).min().map_or(u64::MAX, |left| u64::try_from(left).unwrap_or(0))
    }

    /// When the day ends that counts now.
    #[must_use]
    pub fn ends(&self, meter: &Meter, now: Timestamp) -> Timestamp {
        meter.day_ends_ms.filter(|ends| now < *ends).unwrap_or_else(|| next_midnight(now, self.zone))
    }

    /// The meter after one more hand-over of that cost.
    ///
    /// # Errors
    /// The budget does not cover it: the moment at which a new one begins.
    pub fn draw(&self, meter: Meter, cost: Cost, now: Timestamp) -> Result<Meter, Timestamp> {
        let (hand_overs, spent) = meter.today(now);
        let ends = self.ends(&meter, now);
        let (hand_overs, spent) = (hand_overs.saturating_add(1), spent.plus(cost));
        let fits = self.hand_overs.is_none_or(|most| hand_overs <= i64::from(most))
            && self.cost.is_none_or(|most| spent <= most);
        if !fits {
            return Err(ends);
        }
        Ok(Meter { day_ends_ms: Some(ends), day_hand_overs: hand_overs, day_cost: spent, ..meter })
    }
}

/// The first moment of the next day in that zone.
fn next_midnight(now: Timestamp, zone: Tz) -> Timestamp {
    let tomorrow = now.to_utc().with_timezone(&zone).date_naive().checked_add_days(Days::new(1)).unwrap_or_default();
    let local = tomorrow.and_time(NaiveTime::MIN);
    // Where clocks go forward at midnight, the day begins when they have.
    let moment = zone.from_local_datetime(&local).earliest().or_else(|| GapInfo::new(&local, &zone)?.end);
    moment.map_or_else(|| now.after(std::time::Duration::from_secs(24 * 3600)), |it| Timestamp::from_utc(it.to_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_utc(text.parse().expect("a time"))
    }

    const BUDGET: Budget = Budget { hand_overs: Some(2), cost: Some(Cost(300_000)), zone: chrono_tz::America::Chicago };

    #[test]
    fn a_day_takes_what_the_budget_allows_and_the_next_one_begins_at_the_practices_midnight() {
        let (page, evening) = (Cost(70_000), at("2026-11-24T23:00:00Z"));
        let first = BUDGET.draw(Meter::default(), page, evening).expect("within it");
        assert_eq!(first.today(evening), (1, page));
        let second = BUDGET.draw(first, page, evening).expect("within it");
        let midnight = at("2026-11-25T06:00:00Z");
        assert_eq!(BUDGET.draw(second, page, evening), Err(midnight));
        let again = BUDGET.draw(second, page, midnight).expect("a new day");
        assert_eq!((again.today(midnight), again.day_ends_ms), ((1, page), Some(at("2026-11-26T06:00:00Z"))));
    }

    #[test]
    fn cost_counts_beside_the_number_of_hand_overs() {
        let now = at("2026-11-24T12:00:00Z");
        let first = BUDGET.draw(Meter::default(), Cost(250_000), now).expect("within it");
        assert!(BUDGET.draw(first, Cost(70_000), now).is_err(), "too dear");
        assert!(BUDGET.draw(first, Cost(50_000), now).is_ok(), "just enough");
    }

    #[test]
    fn what_is_left_today_is_what_can_be_drawn_and_a_letter_that_no_day_covers_is_known() {
        let now = at("2026-11-24T12:00:00Z");
        for (each, most) in [(Cost(70_000), 2), (Cost(250_000), 1), (Cost(300_001), 0), (Cost::ZERO, 2)] {
            let (mut meter, mut drawn) = (Meter::default(), 0);
            assert_eq!(BUDGET.covers(each), most > 0, "{each}");
            while let Ok(next) = BUDGET.draw(meter, each, now) {
                assert_eq!(BUDGET.left_today(&meter, each, now), most - drawn, "{each}");
                (meter, drawn) = (next, drawn + 1);
            }
            assert_eq!((drawn, BUDGET.left_today(&meter, each, now)), (most, 0), "{each}");
        }
    }

    #[test]
    fn a_midnight_that_the_clocks_pass_over_is_the_moment_after() {
        // In Santiago the clocks went from Saturday 24:00 to 01:00 on Sunday, September 6, 2026.
        let zone = chrono_tz::America::Santiago;
        assert_eq!(next_midnight(at("2026-09-05T20:00:00Z"), zone), at("2026-09-06T04:00:00Z"));
    }
}
