//! What a list says of people who are not written to, in words.

use crate::domain::Channel;

/// How a row comes in: by the channel that is refused, if it is not the person, and the word for the reason.
#[must_use]
pub fn refused_as(channel: Option<Channel>, reason: &str) -> &'static str {
    match (channel, reason) {
        (Some(Channel::Email), "opt_out") => "opted out of email",
        (Some(Channel::Fax), "opt_out") => "opted out of faxes",
        (_, "opt_out") => "opted out",
        (_, "bounced") => "not reachable, because letters came back",
        (_, "complaint") => "not written to, because they reported a letter as unwanted",
        (_, "do_not_contact") => "not to be contacted",
        (None, "paused") => "paused",
        (None, "conversation_open") => "in conversation",
        _ => "not written to",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::referrer::ReferrerState;
    use crate::domain::suppression::SuppressionReason;

    #[test]
    fn every_reason_has_words() {
        for reason in SuppressionReason::ALL {
            for channel in [Channel::Email, Channel::Fax] {
                assert!(!refused_as(Some(channel), reason.as_str()).is_empty());
            }
        }
        for state in ReferrerState::ALL.iter().filter(|state| **state != ReferrerState::Active) {
            assert_ne!(refused_as(None, state.as_str()), "not written to", "{state}");
        }
    }
}
