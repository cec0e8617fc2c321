//! Returns: whatever comes back for an email, by a mail or by a mail provider's event.

use serde::{Deserialize, Serialize};

use super::words::words;

words! {
    /// What came back.
    ReturnKind {
        /// The letter did not arrive.
        Bounce = "bounce",
        /// It has not arrived yet; it is still tried.
        Delay = "delay",
        /// It has arrived, or was read.
        Delivered = "delivered",
        /// Somebody reported it as unwanted.
        Complaint = "complaint",
        /// An answer without a person.
        AutoReply = "auto_reply",
        /// A person's answer.
        Reply = "reply",
        /// A request to be sent no more such letters.
        OptOut = "opt_out",
        /// Nothing that came back: any other mail.
        None = "none",
    }
}

words! {
    /// What a failure says about the address.
    ReturnClass {
        /// It is bad: no such mailbox, no such domain, gone for good.
        Hard = "hard",
        /// Nothing that lasts, or nothing that is proved.
        Soft = "soft",
        /// It is about us: our account, our content, speed, reputation.
        Ours = "ours",
    }
}

words! {
    /// An answer that no person wrote.
    Automatic {
        /// Out of the office, on leave, busy.
        Absence = "absence",
        /// Has left or moved, perhaps with another address. A person must look at it.
        Moved = "moved",
        /// Asks the sender to prove that they are a person.
        Challenge = "challenge",
        /// Anything else, such as a confirmation that the letter came.
        Other = "other",
    }
}

words! {
    /// How a return was found to be about a letter.
    MatchedBy {
        /// The signed address to which it was returned.
        ReturnPath = "return_path",
        /// The envelope's identifier in a report (RFC 3464 `Original-Envelope-Id`).
        EnvelopeId = "envelope_id",
        /// The letter's `Message-ID`.
        MessageId = "message_id",
        /// The mail provider's own reference.
        Provider = "provider",
        /// Only the address and the time fit. A person must confirm it.
        Recipient = "recipient",
        /// The sender is a referrer. Enough for an answer.
        Sender = "sender",
        /// A person said so.
        Person = "person",
    }
}

impl MatchedBy {
    /// Whether it is enough to act on a failure: a wrong match would give up a good address.
    #[must_use]
    pub const fn is_sure(self) -> bool {
        !matches!(self, Self::Recipient | Self::Sender)
    }
}

words! {
    /// What became of a return.
    ReturnState {
        /// All that follows from it was done.
        Applied = "applied",
        /// A person must look at it.
        Open = "open",
        /// A person has dealt with it.
        Done = "done",
    }
}

words! {
    /// What a person does about a return.
    ReturnAct {
        /// It is about the letter that is proposed, or named: what follows from it is done.
        Match = "match",
        /// The address is good: the suppression is lifted, and this mailer is not believed again in these words.
        NotABounce = "not_a_bounce",
        /// They asked for no more letters by email: the address is suppressed.
        Suppress = "suppress",
        /// They asked for no more faxes: their number is suppressed.
        SuppressFax = "suppress_fax",
        /// They asked for no more letters at all: all their addresses are suppressed.
        SuppressAll = "suppress_all",
        /// Nothing is to be done. What was held because of it goes on as if it had not been held.
        Dismiss = "dismiss",
        /// A person has dealt with it.
        Done = "done",
    }
}

/// The longest diagnostic that is kept, in characters.
pub const DIAGNOSTIC_CHARS_MAX: usize = 500;

/// What a mail or a mail provider's event says beyond the fact itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// What came back.
    pub kind: ReturnKind,
    /// What follows for the address, where something failed.
    #[serde(default)]
    pub class: Option<ReturnClass>,
    /// Whom it names.
    #[serde(default)]
    pub recipient: Option<String>,
    /// The enhanced code (RFC 3463).
    #[serde(default)]
    pub status: Option<String>,
    /// The server's, the mailer's or the provider's words, in one line of at most [`DIAGNOSTIC_CHARS_MAX`] characters. May hold addresses.
    #[serde(default)]
    pub diagnostic: String,
    /// The row of a table, or the provider's word, that decided.
    #[serde(default)]
    pub row: Option<String>,
}

impl Returned {
    /// Something that came back, of which nothing more is known.
    #[must_use]
    pub const fn new(kind: ReturnKind) -> Self {
        Self { kind, class: None, recipient: None, status: None, diagnostic: String::new(), row: None }
    }
}

/// When a broadcast pauses itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PauseRules {
    /// The share of emails to bad addresses, in percent; 0: never.
    pub bounce_percent: f64,
    /// But not before this many.
    pub bounces_min: u32,
    /// And not before this many emails were handed over; complaints count from the first.
    pub after: u32,
    /// The share that was reported as unwanted, in percent; 0: never.
    pub complaint_percent: f64,
    /// But not before this many.
    pub complaints_min: u32,
}

impl PauseRules {
    /// Why a broadcast of which that much came back pauses, in words for people; `None` if it goes on. What came back because of us
    /// counts as what went to bad addresses does: more of the same would come back.
    #[must_use]
    pub fn verdict(&self, handed_over: i64, bounced: i64, ours: i64, complained: i64) -> Option<String> {
        #[allow(clippy::cast_precision_loss, reason = "counts of letters")]
        let is_reached = |count: i64, least: u32, percent: f64| {
            percent > 0.0 && count >= i64::from(least) && count as f64 * 100.0 >= percent * handed_over as f64
        };
        if handed_over >= i64::from(self.after) && is_reached(bounced, self.bounces_min, self.bounce_percent) {
            return Some(format!("{bounced} of {handed_over} emails went to addresses that are bad"));
        }
        if handed_over >= i64::from(self.after) && is_reached(ours, self.bounces_min, self.bounce_percent) {
            return Some(format!(
                "{ours} of {handed_over} emails came back because of us: our account, our domain, or how we are known"
            ));
        }
        is_reached(complained, self.complaints_min, self.complaint_percent)
            .then(|| format!("{complained} of {handed_over} emails were reported as unwanted"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broadcast_pauses_at_its_share_and_not_before_the_least_count() {
        let rules =
            PauseRules { bounce_percent: 5.0, bounces_min: 5, after: 20, complaint_percent: 0.3, complaints_min: 2 };
        for (handed_over, bounced, complained, pauses) in [
            (19, 19, 0, false),
            (19, 0, 2, true),
            (20, 4, 0, false),
            (20, 5, 0, true),
            (100, 5, 0, true),
            (101, 5, 0, false),
            (20, 0, 1, false),
            (20, 0, 2, true),
            (1_000, 0, 2, false),
            (600, 0, 2, true),
        ] {
            let verdict = rules.verdict(handed_over, bounced, 0, complained);
            assert_eq!(verdict.is_some(), pauses, "{handed_over} {bounced} {complained}: {verdict:?}");
            let verdict = rules.verdict(handed_over, 0, bounced, complained);
            assert_eq!(verdict.is_some(), pauses, "{handed_over} {bounced} {complained}, because of us: {verdict:?}");
        }
        let never = PauseRules { bounce_percent: 0.0, complaint_percent: 0.0, ..rules };
        assert_eq!(never.verdict(100, 100, 100, 100), None);
    }
}
