//! Office hours in plain words: until when something waits, and how many do.

/// Until when a message waits, as a sentence; `at` is the moment as people read it.
#[must_use]
pub fn waits_until(at: &str) -> String {
    format!("It waits for the recipient's office hours, until {at}.")
}

/// How many of a submission's messages wait; `first` is the first moment at which one of those shown goes out. `None`: none
/// waits.
#[must_use]
pub fn some_wait(waiting: usize, first: Option<&str>) -> Option<String> {
    let count = match waiting {
        0 => return None,
        1 => "1 of them waits".to_owned(),
        many => format!("{} of them wait", super::grouped(i64::try_from(many).unwrap_or(i64::MAX))),
    };
    let from = first.map(|first| format!(", the first until {first}")).unwrap_or_default();
    Some(format!("{count} for the recipients' office hours{from}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_wait_are_counted_in_plain_english() {
        assert_eq!(some_wait(0, None), None);
        assert_eq!(
            some_wait(1, Some("Nov 30, 2026 8:00 AM CST")).as_deref(),
            Some("1 of them waits for the recipients' office hours, the first until Nov 30, 2026 8:00 AM CST.")
        );
        assert_eq!(some_wait(50_000, None).as_deref(), Some("50,000 of them wait for the recipients' office hours."));
    }
}
