//! The guard against repeats: whether a letter has gone to the same referrer so recently that it is left out. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::id::CampaignId;
use crate::domain::{Purpose, Timestamp};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// An introduction is made once; after half a year it may be made again.
const INTRODUCTION_DAYS: u32 = 180;
/// Other outreach: the gap that the practice of outreach keeps between two touches of one referrer.
const OUTREACH_DAYS: u32 = 14;
/// Correspondence: only the same letter with the same content is a repeat, and only as long as it can be a slip.
const CORRESPONDENCE_DAYS: u32 = 1;

/// What is known of a letter that is about to go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    /// What it is for.
    pub purpose: Purpose,
    /// Whether it introduces the practice.
    pub introduces: bool,
    /// The window that the letter itself declares, in days; 0 means none.
    pub repeat_days: Option<u32>,
}

/// The part of a campaign's schedule in which a run takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The campaign.
    pub campaign: CampaignId,
    /// Its last planned time up to the run.
    pub start: Timestamp,
    /// Its next planned time after the run.
    pub next: Timestamp,
}

/// The window within which a letter would be a repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// When the letter would go out.
    at: Timestamp,
    length: Duration,
    period: Option<Period>,
    /// Whether only the same content counts, not the letter alone.
    exact: bool,
}

/// A letter that went to the same referrer, or is about to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    /// When it went out, or is to.
    pub sent: Timestamp,
    /// When it was accepted: for a run of a campaign, when it ran, however late its letters go out.
    pub accepted: Timestamp,
    /// The campaign that sent it.
    pub campaign: Option<CampaignId>,
    /// Whether its variables are the same.
    pub same_content: bool,
}

/// The window of a letter that goes out at `at`; `None` if it may always be repeated. What the letter declares comes
/// first; an introduction is made once in half a year, also by a campaign; then the period of the campaign that sends it
/// counts, then the default of its kind.
#[must_use]
pub fn window(letter: Letter, period: Option<Period>, at: Timestamp) -> Option<Window> {
    let exact = matches!(letter.purpose, Purpose::Treatment | Purpose::Operational);
    let of_days = |days: u32| Window { at, length: DAY * days, period: None, exact };
    match (letter.repeat_days, period) {
        (Some(0), _) => None,
        (Some(days), _) => Some(of_days(days)),
        (None, _) if letter.introduces && !exact => Some(of_days(INTRODUCTION_DAYS)),
        (None, Some(period)) => {
            Some(Window { at, length: period.next.since(period.start), period: Some(period), exact })
        }
        (None, None) if exact => Some(of_days(CORRESPONDENCE_DAYS)),
        (None, None) => Some(of_days(OUTREACH_DAYS)),
    }
}

impl Window {
    /// Whether the letter would repeat this one. A campaign's own runs are told apart by its planned times, not by the
    /// length of its period: months differ, and last month's run never stands in the way of this month's.
    #[must_use]
    pub fn is_repeat_of(&self, earlier: &Earlier) -> bool {
        if self.exact && !earlier.same_content {
            return false;
        }
        match self.period {
            Some(period) if earlier.campaign == Some(period.campaign) => earlier.accepted >= period.start,
            _ => earlier.sent > self.at.before(self.length),
        }
    }

    /// What went out before this moment is no matter.
    #[must_use]
    pub fn opens(&self) -> Timestamp {
        let opens = self.at.before(self.length);
        self.period.map_or(opens, |period| opens.min(period.start))
    }

    /// From when on the letter may go out again by itself.
    #[must_use]
    pub fn ends(&self, earlier: &Earlier) -> Timestamp {
        match self.period {
            Some(period) if earlier.campaign == Some(period.campaign) => period.next.max(earlier.sent),
            _ => earlier.sent.after(self.length),
        }
    }

    /// Whether only the same content counts, not the letter alone.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.exact
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_795_446_000_000);

    fn letter(purpose: Purpose) -> Letter {
        Letter { purpose, introduces: false, repeat_days: None }
    }

    fn before(hours: u64) -> Earlier {
        let sent = NOW.before(Duration::from_secs(hours * 3600));
        Earlier { sent, accepted: sent, campaign: None, same_content: true }
    }

    fn repeats(letter: Letter, hours: u64, same_content: bool) -> bool {
        window(letter, None, NOW).is_some_and(|window| window.is_repeat_of(&Earlier { same_content, ..before(hours) }))
    }

    #[test]
    fn each_kind_of_letter_has_its_window_and_its_end_is_outside() {
        let introduction = Letter { introduces: true, ..letter(Purpose::Advertisement) };
        let declared = |days| Letter { repeat_days: Some(days), ..introduction };
        let report = letter(Purpose::Treatment);
        let table = [
            ("an introduction", introduction, 180 * 24, false),
            (
                "an informational introduction",
                Letter { introduces: true, ..letter(Purpose::Informational) },
                180 * 24,
                false,
            ),
            ("an update", letter(Purpose::Advertisement), 14 * 24, false),
            ("information", letter(Purpose::Informational), 14 * 24, false),
            ("what a letter declares", declared(30), 30 * 24, false),
            ("the longest that can be declared", declared(3650), 3650 * 24, false),
            ("a report", report, 24, true),
            ("operational", letter(Purpose::Operational), 24, true),
            ("a report that declares", Letter { repeat_days: Some(3), ..report }, 3 * 24, true),
        ];
        for (name, letter, hours, exact) in table {
            assert!(repeats(letter, 0, true) && repeats(letter, hours - 1, true), "{name}");
            assert!(!repeats(letter, hours, true), "{name}: the window has ended");
            assert_eq!(repeats(letter, hours - 1, false), !exact, "{name}: other content");
        }
        assert!(!repeats(declared(0), 0, true), "a letter that may always be repeated");
        assert!(window(Letter { repeat_days: Some(0), ..report }, None, NOW).is_none());
    }

    #[test]
    fn what_is_planned_for_later_is_not_sent_before_it_as_well() {
        let later = Earlier { sent: NOW.after(DAY * 20), accepted: NOW, campaign: None, same_content: true };
        let window = window(letter(Purpose::Advertisement), None, NOW).expect("a window");
        assert!(window.is_repeat_of(&later));
    }

    #[test]
    fn a_run_is_not_blocked_by_the_last_one_and_a_second_one_within_the_period_is() {
        let campaign = CampaignId::new();
        let month = |run| Period { campaign, start: run, next: NOW.after(DAY * 28) };
        let own = |sent| Earlier { sent, accepted: sent, campaign: Some(campaign), same_content: true };
        let planned = window(letter(Purpose::Advertisement), Some(month(NOW)), NOW).expect("a window");
        assert!(!planned.is_repeat_of(&own(NOW.before(DAY * 28))), "last month's");
        assert!(!planned.is_repeat_of(&own(NOW.before(DAY))), "one run by hand the day before");
        assert!(planned.is_repeat_of(&own(NOW)), "the same run");
        let by_hand = window(letter(Purpose::Advertisement), Some(month(NOW.before(DAY))), NOW).expect("a window");
        assert!(by_hand.is_repeat_of(&own(NOW.before(DAY))), "the planned run of this month");
        assert!(!by_hand.is_repeat_of(&own(NOW.before(DAY * 2))), "last month's");
        assert_eq!(by_hand.ends(&own(NOW.before(DAY))), NOW.after(DAY * 28), "until the next planned run");
    }

    #[test]
    fn what_somebody_else_sent_within_a_campaigns_period_counts_as_well() {
        let period = Period { campaign: CampaignId::new(), start: NOW, next: NOW.after(DAY * 28) };
        let planned = window(letter(Purpose::Advertisement), Some(period), NOW).expect("a window");
        assert!(planned.is_repeat_of(&before(27 * 24)));
        assert!(!planned.is_repeat_of(&before(28 * 24)));
    }

    #[test]
    fn a_run_that_went_out_after_its_period_was_over_is_not_said_to_be_free_before_it() {
        let period = Period { campaign: CampaignId::new(), start: NOW.before(DAY * 60), next: NOW.before(DAY * 30) };
        let late = Earlier { campaign: Some(period.campaign), accepted: NOW, ..before(0) };
        let window = window(letter(Purpose::Advertisement), Some(period), NOW).expect("a window");
        assert!(window.is_repeat_of(&late) && window.ends(&late) >= late.sent);
    }

    proptest! {
        #[test]
        fn nothing_from_before_the_window_opens_is_a_repeat(
            days in prop::option::of(0u32..=3650), introduces in any::<bool>(), ago in 0u64..400_000, own in any::<bool>(),
            start in 0u64..10_000, length in 1u64..10_000, by_campaign in any::<bool>(),
        ) {
            let hour = Duration::from_secs(3600);
            let campaign = CampaignId::new();
            let start = NOW.before(hour * u32::try_from(start).unwrap_or(0));
            let next = start.after(hour * u32::try_from(length).unwrap_or(1));
            let period = by_campaign.then_some(Period { campaign, start, next });
            let letter = Letter { purpose: Purpose::Advertisement, introduces, repeat_days: days };
            let earlier = Earlier {
                sent: NOW.before(hour * u32::try_from(ago).unwrap_or(0)),
                accepted: NOW.before(hour * u32::try_from(ago).unwrap_or(0)),
                campaign: own.then_some(campaign), same_content: true,
            };
            if let Some(window) = window(letter, period, NOW) {
                prop_assert!(!window.is_repeat_of(&earlier) || earlier.sent >= window.opens());
                prop_assert!(!window.is_repeat_of(&earlier) || window.ends(&earlier) >= earlier.sent);
            } else {
                prop_assert_eq!(days, Some(0));
            }
        }
    }
}
