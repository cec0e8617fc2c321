//! What is said of provider accounts: how they stand, how they sign in, and what became of their letters.

use super::labels::{Label, Tone};
use super::numbers::{count, grouped};
use crate::domain::provider_state::{AccountState, LastDay, LoginState};

/// How an account stands, as a word.
#[must_use]
pub const fn state(state: AccountState) -> Label {
    match state {
        AccountState::Running => (Tone::Good, "running"),
        AccountState::Slowed => (Tone::Warn, "slowed down"),
        AccountState::Paused => (Tone::Bad, "paused"),
        AccountState::Resting => (Tone::Warn, "paused briefly"),
        AccountState::BudgetSpent => (Tone::Warn, "budget used up"),
        AccountState::QuotaSpent => (Tone::Warn, "quota used up"),
    }
}

/// How a sign-in stands, in a few words.
#[must_use]
pub const fn login(state: LoginState) -> Label {
    match state {
        LoginState::SignedIn => (Tone::Good, "signed in"),
        LoginState::SignInNeeded => (Tone::Bad, "a person must sign in"),
        LoginState::Refused => (Tone::Bad, "refused: a person must look at it"),
        LoginState::Ready => (Tone::Good, "signs in by itself"),
    }
}

/// What is used of a quota, such as `12 of 10,000 in 24 hours, 9,988 left`. `window`: its length in words.
#[must_use]
pub fn quota(window: &str, used: u64, most: u32, left: u64) -> String {
    let number = |number: u64| grouped(i64::try_from(number).unwrap_or(i64::MAX));
    format!("{} of {} in {window}, {} left", number(used), number(u64::from(most)), number(left))
}

/// What became of the last day's letters, one clause for each kind of which there are any; the first says how many were sent.
#[must_use]
pub fn last_day(day: &LastDay) -> Vec<String> {
    let mut parts = vec![count(day.sent, "letter sent", "letters sent")];
    let others = [
        (day.refused, "refused at once"),
        (day.confirmed, "confirmed as delivered"),
        (day.presumed, "presumed delivered"),
        (day.hard, "bounced: the address is bad"),
        (day.soft, "bounced for now"),
        (day.ours, "bounced because of us"),
        (day.complaints, "reported as unwanted"),
    ];
    parts.extend(others.iter().filter(|(number, _)| *number > 0).map(|(number, what)| {
        let number = grouped(*number);
        format!("{number} {what}")
    }));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_says_what_happened_and_nothing_of_what_did_not() {
        assert_eq!(last_day(&LastDay::default()), ["0 letters sent"]);
        let day = LastDay { sent: 1, presumed: 1_200, hard: 2, ..LastDay::default() };
        assert_eq!(last_day(&day), ["1 letter sent", "1,200 presumed delivered", "2 bounced: the address is bad"]);
        assert_eq!(quota("24 hours", 12, 10_000, 9_988), "12 of 10,000 in 24 hours, 9,988 left");
    }
}
