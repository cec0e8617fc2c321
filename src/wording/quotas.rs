//! What is said about the quotas and budgets of accounts.

use super::numbers::{count, grouped};
use crate::domain::PolicyReason;

/// What is used of each quota, such as `12 of 10,000 in 24 hours`; empty without any. Of each: its window, how many, of how many.
#[must_use]
pub fn used(parts: Vec<(&'static str, u64, u32)>) -> String {
    let words = parts.into_iter().map(|(window, used, most)| {
        format!("{} of {} in {window}", grouped(i64::try_from(used).unwrap_or(i64::MAX)), grouped(i64::from(most)))
    });
    words.collect::<Vec<_>>().join(", ")
}

/// That a broadcast is larger than what an account may hand over today. `left`: today; `later`: how many must wait; `waits_for`:
/// whether the budget or the quota is what does not cover it, or no day's budget would cover one of them.
#[must_use]
pub fn too_large(account: &str, waits_for: Option<PolicyReason>, left: u64, later: usize) -> String {
    if waits_for == Some(PolicyReason::BeyondBudget) {
        let held = count(i64::try_from(later).unwrap_or(i64::MAX), "letter is", "letters are");
        return format!("A letter costs more than a whole day's budget of {account}: {held} held.");
    }
    let left = grouped(i64::try_from(left).unwrap_or(i64::MAX));
    let later = count(i64::try_from(later).unwrap_or(i64::MAX), "letter goes", "letters go");
    let limit = match waits_for {
        Some(PolicyReason::BudgetSpent) => format!("What is left of today's budget of {account} covers {left}"),
        _ => format!("Today's quota of {account} is {left}"),
    };
    format!("{limit}; {later} out tomorrow or later.")
}

/// How long an account takes for what it hands over today, by its rate.
#[must_use]
pub fn takes(account: &str, per_minute: u32, minutes: u64) -> String {
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let count = |number: u64, one, many| count(i64::try_from(number).unwrap_or(i64::MAX), one, many);
    let long = match (hours, minutes) {
        (0, _) => count(minutes, "minute", "minutes"),
        (_, 0) => count(hours, "hour", "hours"),
        _ => format!("{} and {}", count(hours, "hour", "hours"), count(minutes, "minute", "minutes")),
    };
    format!("{account} takes {} a minute: {long} at least.", grouped(i64::from(per_minute)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_said_in_words() {
        assert_eq!(
            used(vec![("an hour", 3, 500), ("24 hours", 12, 10_000)]),
            "3 of 500 in an hour, 12 of 10,000 in 24 hours"
        );
        assert_eq!(used(Vec::new()), "");
        assert_eq!(takes("mail-relay", 30, 61), "mail-relay takes 30 a minute: 1 hour and 1 minute at least.");
        assert_eq!(takes("mail-relay", 1_000, 120), "mail-relay takes 1,000 a minute: 2 hours at least.");
        assert!(takes("mail-relay", 30, 11).ends_with(": 11 minutes at least."));
        assert_eq!(
            too_large("fax-line", Some(PolicyReason::BeyondBudget), 0, 12),
            "A letter costs more than a whole day's budget of fax-line: 12 letters are held."
        );
        assert_eq!(
            too_large("mail-relay", Some(PolicyReason::QuotaSpent), 2_000, 1),
            "Today's quota of mail-relay is 2,000; 1 letter goes out tomorrow or later."
        );
        assert_eq!(
            too_large("mail-relay", Some(PolicyReason::BudgetSpent), 0, 1_200),
            "What is left of today's budget of mail-relay covers 0; 1,200 letters go out tomorrow or later."
        );
    }
}
