//! A relay that verifies an address before it takes a letter reports what came of it: Postfix's `undeliverable address:`
//! (ADDRESS_VERIFICATION_README) stands before any cause, and often before the recipient's server's own reply.

use super::status::EnhancedStatus;
use super::{CHARS_MAX, Phase, QuotedReply};

/// What stands before the cause.
const VERIFIED: &[&str] = &["undeliverable address:", "unverified address:"];
/// What says that the address that was verified is the sender's (Postfix: reject_unverified_sender).
const OF_THE_SENDER: &[&str] =
    &["sender address", "sender rejected", "sender verif", "mail from", "return path", "return-path"];
/// What stands before a reply.
const SAID: &str = "said:";

/// What was reported, as a reply: the recipient's server's, or the cause with the codes of the relay. `None` if
/// nothing was, or if it is our own address that was verified.
pub(super) fn reported(phase: Phase, code: u16, enhanced: Option<EnhancedStatus>, text: &str) -> Option<QuotedReply> {
    let is_lasting = code / 100 == 5 || (code == 0 && enhanced.is_some_and(|status| status.class == 5));
    if phase < Phase::Rcpt || !is_lasting || enhanced.is_some_and(is_of_the_sender) {
        return None;
    }
    let text = text.chars().take(CHARS_MAX).collect::<String>().to_lowercase();
    let split = |mark: &&str| text.rfind(*mark).map(|place| (text.get(..place), text.get(place + mark.len()..)));
    let (before, cause) = VERIFIED.iter().filter_map(split).min_by_key(|(_, rest)| rest.map_or(0, str::len))?;
    if before.is_some_and(|before| OF_THE_SENDER.iter().any(|words| before.contains(words))) {
        return None;
    }
    let cause = cause?;
    let reply = cause.rfind(SAID).and_then(|place| cause.get(place + SAID.len()..)).and_then(QuotedReply::parse);
    let relay = || QuotedReply { code, enhanced, text: cause.trim().to_owned() };
    Some(reply.filter(QuotedReply::is_refusal).unwrap_or_else(relay))
}

/// The codes of a bad sender (RFC 3463 section 3.2).
fn is_of_the_sender(status: EnhancedStatus) -> bool {
    status.subject == 1 && matches!(status.detail, 7 | 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_of_the_recipients_server_is_read_in_place_of_the_relays() {
        let text =
            |cause: &str| format!("<dana@clinic.example>: Recipient address rejected: undeliverable address: {cause}");
        let of = |code: u16, cause: &str| reported(Phase::Rcpt, code, EnhancedStatus::parse("5.1.1"), &text(cause));
        let full =
            of(550, "host mx.clinic.example[192.0.2.9] said: 552 5.2.2 Mailbox full (in reply to RCPT TO command)");
        let full = full.expect("reported");
        assert_eq!((full.code, full.enhanced.map(|status| status.to_string())), (552, Some("5.2.2".to_owned())));
        let cause = of(550, "Mail transport unavailable").expect("reported");
        assert_eq!((cause.code, cause.text.as_str()), (550, "mail transport unavailable"));
        assert_eq!(of(450, "host mx said: 550 5.1.1 user unknown"), None, "the relay lets it be tried again");
        assert_eq!(reported(Phase::Rcpt, 550, None, "user unknown"), None);
        let of_ours =
            "<letters@harbor.example>: Sender address rejected: undeliverable address: host mx said: 550 5.1.1 no";
        assert_eq!(reported(Phase::Rcpt, 550, None, of_ours), None, "our own address was verified");
        let by_code =
            reported(Phase::Rcpt, 550, EnhancedStatus::parse("5.1.7"), "unverified address: host mx said: 550 no");
        assert_eq!(by_code, None, "the code is a sender's");
    }
}
