//! When a mail was received, as its head says, for POP3, whose servers say nothing of it.

use chrono::DateTime;

use crate::domain::Timestamp;

/// The later of what the topmost `Received` says (RFC 5321 §4.4: that of the mailbox's own server) and what `Date` says. `None`
/// where neither can be read: nobody knows then how old the mail is.
pub(super) fn received(head: &[u8]) -> Option<Timestamp> {
    let head = String::from_utf8_lossy(head);
    let by_server = field(&head, "received:").and_then(|text| date(text.rsplit_once(';')?.1));
    let by_sender = field(&head, "date:").and_then(|text| date(&text));
    by_server.max(by_sender)
}

/// The first field of a name, unfolded. The name is in lower case, with its colon.
fn field(head: &str, name: &str) -> Option<String> {
    let mut lines = head.lines().take_while(|line| !line.is_empty());
    let is_it = |line: &&str| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let first = lines.find(is_it)?.get(name.len()..)?.to_owned();
    let folded = lines.take_while(|line| line.starts_with([' ', '\t']));
    Some(folded.fold(first, |text, line| text + line))
}

/// A date of RFC 5322, a comment behind it passed over.
fn date(text: &str) -> Option<Timestamp> {
    let text = text.split('(').next()?.trim();
    Timestamp::written(DateTime::parse_from_rfc2822(text).ok()?.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_of_the_servers_and_the_senders_date_counts() {
        let own =
            "Received: from a.example by b.example with ESMTP id 1;\r\n\tTue, 1 Dec 2026 09:00:00 -0600 (CST)\r\n";
        let earlier = "Received: from c.example by a.example; Mon, 2 Nov 2026 00:00:00 +0000\r\n";
        for (head, at) in [
            (format!("Return-Path: <>\r\n{own}{earlier}Subject: x\r\n\r\n"), Some("2026-12-01T15:00:00.000Z")),
            (format!("{earlier}Date: Tue, 01 Dec 2026 15:00:00 GMT\r\n\r\n"), Some("2026-12-01T15:00:00.000Z")),
            ("date: Tue, 01 Dec 2026 15:00:00 +0000 (UTC)\r\n\r\n".to_owned(), Some("2026-12-01T15:00:00.000Z")),
            (format!("Subject: x\r\n\r\n{own}"), None),
            ("Received: by b.example\r\nDate: yesterday\r\n\r\n".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(received(head.as_bytes()).map(|at| at.to_string()).as_deref(), at, "{head}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_in_a_head_ends_the_program(head in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = received(&[b"Received: x;".to_vec(), head.clone()].concat());
            let _ = received(&head);
        }
    }
}
