//! What is said about the quotas of accounts.

use super::numbers::{count, grouped};

/// What is used of each quota, such as `12 of 10,000 in 24 hours`; empty without any. Of each: its window, how many, of how many.
#[must_use]
pub fn used(parts: Vec<(&'static str, u64, u32)>) -> String {
    let words = parts.into_iter().map(|(window, used, most)| {
        format!("{} of {} in {window}", grouped(i64::try_from(used).unwrap_or(i64::MAX)), grouped(i64::from(most)))
    });
    words.collect::<Vec<_>>().join(", ")
}

/// That a broadcast is larger than what an account may hand over today. `left`: today; `later`: how many must wait.
#[must_use]
pub fn too_large(account: &str, left: u64, later: usize) -> String {
    let left = grouped(i64::try_from(left).unwrap_or(i64::MAX));
    let later = count(i64::try_from(later).unwrap_or(i64::MAX), "letter goes", "letters go");
    format!("Today's quota of {account} is {left}; {later} out tomorrow or later.")
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
        assert_eq!(
            too_large("mail-relay", 2_000, 1),
            "Today's quota of mail-relay is 2,000; 1 letter goes out tomorrow or later."
        );
        assert!(too_large("mail-relay", 0, 1_200).ends_with("1,200 letters go out tomorrow or later."));
    }
}
