//! Mails that came back. The octets are the mail.

use touchline::feedback::returns::{self, Class};

/// Tries one mail.
pub fn run(input: &[u8]) {
    let read = returns::read(input);
    assert!(read == returns::read(input), "the same octets are read in two ways");
    assert!(read.message_id.as_ref().is_none_or(|id| id.len() <= 500), "a Message-ID without end");
    assert!(read.recipients.len() <= 200, "recipients without end");
    for one in &read.recipients {
        assert!(one.diagnostic.chars().count() <= 500, "a diagnostic without end");
        assert!(!one.diagnostic.chars().any(char::is_control), "control characters in a diagnostic");
        assert!(one.class.is_none() || one.row.is_some(), "a verdict that no row gave");
        let passes = one.code.is_some_and(|code| code / 100 == 4);
        assert!(!(passes && one.class == Some(Class::Hard)), "what passes proves something");
    }
}
