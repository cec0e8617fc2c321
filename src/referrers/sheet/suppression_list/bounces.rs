//! Whether a returned letter is held against the mailbox. The service that kept it on its list has judged already; the table
//! of [`crate::domain::mail_reply`] overrules it where the words speak of the sender, the letter, or something that passes,
//! because a good mailbox must not be lost with a change of service.

use crate::domain::fault::About;
use crate::domain::mail_reply::{QuotedReply, judge_returned};

/// Against whom a returned letter speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// The mailbox is bad.
    AgainstMailbox,
    /// It may take the next letter.
    Passing,
    /// It says something of the sender, the letter or the way there.
    AgainstOthers,
}

/// What was said, if anything; `is_block`: the service itself does not hold it against the address.
pub(super) fn held(quoted: Option<&str>, is_block: bool) -> Held {
    let untold = if is_block { Held::AgainstOthers } else { Held::AgainstMailbox };
    let Some(reply) = quoted.and_then(QuotedReply::parse) else { return untold };
    let verdict = judge_returned(reply.code, reply.enhanced, &reply.text).verdict;
    let is_passing = reply.code / 100 == 4 || reply.enhanced.is_some_and(|status| status.class == 4);
    if verdict.proves_mailbox {
        Held::AgainstMailbox
    } else if is_passing {
        Held::Passing
    } else if verdict.about == About::Recipient {
        untold
    } else {
        Held::AgainstOthers
    }
}
