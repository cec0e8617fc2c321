//! The undo window: how long a submission can be withdrawn before any provider is called. Pure.

use std::time::Duration;

use crate::domain::{Actor, Timestamp};

/// The longest undo window, in seconds: a day.
pub const SECONDS_MAX: u64 = 86_400;

/// The windows of sends by a person, as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// One letter to one referrer.
    pub one: Duration,
    /// A list, or a run of a campaign.
    pub list: Duration,
}

impl Windows {
    /// No windows at all.
    pub const NONE: Self = Self { one: Duration::ZERO, list: Duration::ZERO };
}

/// A send, as far as its window depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Send<'a> {
    /// Who sends.
    pub who: &'a Actor,
    /// Whether it makes a broadcast.
    pub is_broadcast: bool,
    /// Whether a treatment letter is among what is sent.
    pub treats: bool,
    /// Whether a person said that it is to go now.
    pub now: bool,
    /// The window asked for.
    pub asked: Option<Duration>,
}

/// The window of a send; `None` if it has none. A treatment letter never waits. What was asked for comes before the
/// setting, and the setting is for people only: a program, and a campaign that runs by its schedule, decided long before.
#[must_use]
pub fn window(send: &Send<'_>, windows: Windows) -> Option<Duration> {
    if send.treats || send.now {
        return None;
    }
    let window = match (send.asked, send.who) {
        (Some(asked), _) => asked.min(Duration::from_secs(SECONDS_MAX)),
        (None, Actor::Operator(_)) if send.is_broadcast => windows.list,
        (None, Actor::Operator(_)) => windows.one,
        (None, _) => Duration::ZERO,
    };
    (!window.is_zero()).then_some(window)
}

/// Whether a hand-over has to wait: no provider is called before the window has ended.
#[must_use]
pub fn holds_back(until: Option<Timestamp>, now: Timestamp) -> bool {
    until.is_some_and(|until| now < until)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: Windows = Windows { one: Duration::from_secs(60), list: Duration::from_secs(600) };

    #[test]
    fn people_have_a_window_and_programs_schedules_and_treatment_letters_have_none() {
        let (dana, crm, plan) = (Actor::operator("dana"), Actor::token("crm"), Actor::campaign("monthly"));
        let one = Send { who: &dana, is_broadcast: false, treats: false, now: false, asked: None };
        let list = Send { is_broadcast: true, ..one };
        let asked = |seconds| Some(Duration::from_secs(seconds));
        let table = [
            ("one letter", one, Some(60)),
            ("a list", list, Some(600)),
            ("one letter, now", Send { now: true, ..one }, None),
            ("a list, now", Send { now: true, ..list }, None),
            ("a treatment letter", Send { treats: true, ..one }, None),
            ("a treatment letter with a window", Send { treats: true, asked: asked(60), ..one }, None),
            ("a person who wants none", Send { asked: asked(0), ..one }, None),
            ("a person who wants another", Send { asked: asked(5), ..list }, Some(5)),
            ("a program", Send { who: &crm, ..one }, None),
            ("a program's list", Send { who: &crm, ..list }, None),
            ("a program that asks", Send { who: &crm, asked: asked(30), ..one }, Some(30)),
            ("a program that asks for more than a day", Send { who: &crm, asked: asked(100_000), ..one }, Some(86_400)),
            ("a schedule", Send { who: &plan, ..list }, None),
        ];
        for (name, send, seconds) in table {
            assert_eq!(window(&send, WINDOWS), seconds.map(Duration::from_secs), "{name}");
        }
        assert_eq!(window(&one, Windows::NONE), None, "the setting 0");
    }

    #[test]
    fn a_window_holds_back_until_its_end_and_not_at_it() {
        assert!(holds_back(Some(Timestamp(10)), Timestamp(9)));
        assert!(!holds_back(Some(Timestamp(10)), Timestamp(10)));
        assert!(!holds_back(None, Timestamp(0)));
    }
}
