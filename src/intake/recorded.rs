//! What a submission leaves in the audit log: who sent which letter to whom, how many messages were accepted, and who decided
//! to send again or at once. Never a name, a number or an address: one referrer is named by the short form of their id.

use serde::{Deserialize, Serialize};

use super::answer::Accepted;
use super::request::Request;
use crate::domain::id::{ReferrerId, short};
use crate::domain::{Actor, AuditAct, Timestamp};
use crate::referrers::audience::Audience;
use crate::store::records::events::AuditLine;

/// What is known of a submission before its messages are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Submitted {
    letter: String,
    to: String,
    again: bool,
    now: bool,
}

impl Submitted {
    /// Of a request; `one` is the referrer, if it names a single one.
    pub fn of(request: &Request, one: Option<ReferrerId>) -> Self {
        let to = match (&request.to, one) {
            (Audience::One(_), Some(id)) => format!("referrer {}", short(&id.0)),
            (Audience::One(_), None) => "one referrer".to_owned(),
            (list, _) => list.to_string(),
        };
        Self { letter: request.letter.clone(), to, again: request.again, now: request.now }
    }

    /// The entries, once the answer is complete. Where nothing was accepted, nobody sent anything again or at once.
    pub fn entries(&self, accepted: &Accepted, who: &Actor, at: Timestamp) -> Vec<AuditLine> {
        let counts = accepted.counts;
        let sent = counts.queued + counts.held;
        let entry = |act: AuditAct, detail: String| {
            let subject = accepted.submission.to_string();
            AuditLine::new(who, act, Some(subject), Some(detail), at)
        };
        let decisions = [(self.again, AuditAct::SendAgain), (self.now, AuditAct::SendNow)];
        let decisions = decisions.into_iter().filter(|(decided, _)| *decided && sent > 0);
        std::iter::once(entry(AuditAct::Submit, self.told(sent, counts.suppressed + counts.skipped)))
            .chain(decisions.map(|(_, act)| entry(act, self.letter.clone())))
            .collect()
    }

    fn told(&self, accepted: usize, not: usize) -> String {
        let messages = if accepted == 1 { "message" } else { "messages" };
        format!("{} to {}: {accepted} {messages} accepted, {not} not", self.letter, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::SubmissionId;
    use crate::intake::answer::Counts;

    fn acts(submitted: &Submitted, counts: Counts) -> Vec<(&'static str, String)> {
        let accepted = Accepted { counts, ..Accepted::begin(SubmissionId::new(), None, None) };
        let lines = submitted.entries(&accepted, &Actor::operator("dana"), Timestamp(1));
        lines.into_iter().map(|line| (line.action.as_str(), line.detail.unwrap_or_default())).collect()
    }

    #[test]
    fn an_entry_says_what_was_sent_to_whom_and_how_many_messages_were_accepted() {
        let (letter, to) = ("direct-ask".to_owned(), "tag:north-shore".to_owned());
        let submitted = Submitted { letter, to, again: false, now: true };
        let counts = Counts { queued: 12, held: 1, suppressed: 2, skipped: 3, waiting: 0 };
        let told = "direct-ask to tag:north-shore: 13 messages accepted, 5 not".to_owned();
        assert_eq!(acts(&submitted, counts), [("submit", told), ("send_now", "direct-ask".to_owned())]);
    }

    #[test]
    fn where_nothing_was_accepted_nobody_sent_anything_at_once() {
        let (letter, to) = ("direct-ask".to_owned(), "referrer 0A1B2C3D".to_owned());
        let submitted = Submitted { letter, to, again: true, now: true };
        let told = "direct-ask to referrer 0A1B2C3D: 0 messages accepted, 1 not".to_owned();
        assert_eq!(acts(&submitted, Counts { suppressed: 1, ..Counts::default() }), [("submit", told)]);
    }
}
