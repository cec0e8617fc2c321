//! What can become of a fax: how the request to send it is answered, how its call ends, and how the customer is
//! notified.

use std::str::FromStr;

use crate::domain::Fault;

/// Everything that is decided about one fax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behaviour {
    pub(super) intake: Intake,
    pub(super) ending: Ending,
    pub(super) manners: Manners,
    pub(super) slow: bool,
}

impl Behaviour {
    /// Accepted, delivered, reported once and in order.
    pub(super) const ORDINARY: Self =
        Self { intake: Intake::Takes, ending: Ending::Delivered, manners: Manners::GOOD, slow: false };
}

/// How a request to create a fax is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intake {
    /// It is accepted and answered.
    Takes,
    /// It is accepted, but the connection is closed before the answer.
    TakesSilently,
    /// It is not accepted, and the connection is closed without an answer.
    Vanishes,
    /// It is not accepted: 500.
    Breaks,
    /// It is accepted, but answered 503.
    TakesAndBreaks,
    /// It is accepted, but the success cannot be read.
    TakesAndGarbles,
    /// It is refused.
    Refuses(Fault),
    /// The first request for the number is answered 429, later ones are accepted.
    SlowsFirst,
    /// It is not accepted: 429, retry after that many seconds.
    Slows(u32),
}

impl Intake {
    /// The words for scripts and chances; `refused` takes its fault from elsewhere.
    pub(super) const WORDS: [(&str, Self); 6] = [
        ("silence", Self::TakesSilently),
        ("dropped", Self::Vanishes),
        ("server_error", Self::Breaks),
        ("server_error_taken", Self::TakesAndBreaks),
        ("garbage", Self::TakesAndGarbles),
        ("slow_down", Self::Slows(SLOW_DOWN_SECONDS)),
    ];
}

/// How long a customer is asked to wait where nothing else says so.
pub(super) const SLOW_DOWN_SECONDS: u32 = 1;

/// How one call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Every page arrives.
    Delivered,
    /// Never works.
    Fails(Fault),
    /// The first `calls` calls to the number fail, later ones deliver.
    FailsFirst { calls: u32, fault: Fault },
    /// Only some pages arrive.
    Partial(Arrived),
    /// The last page does not arrive, and the provider still reports it as delivered.
    Short,
}

/// The pages that arrive of an incomplete fax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrived {
    AllBut(u32),
    First(u32),
}

impl Arrived {
    /// The number that arrives, out of that many pages.
    pub(super) fn of(self, pages: u32) -> u32 {
        match self {
            Self::AllBut(missing) => pages.saturating_sub(missing),
            Self::First(first) => first.min(pages),
        }
    }
}

impl Ending {
    /// A call that ends with that fault; some pages arrive where the fault says that not all did.
    pub(super) const fn with(fault: Fault) -> Self {
        match fault {
            Fault::PartialSend => Self::Partial(Arrived::AllBut(1)),
            fault => Self::Fails(fault),
        }
    }

    /// What happens on the call that follows `calls_before` earlier ones to the same number.
    pub(super) const fn of_call(self, calls_before: u32) -> Self {
        match self {
            Self::FailsFirst { calls, fault } if calls_before < calls => Self::Fails(fault),
            Self::FailsFirst { .. } => Self::Delivered,
            other => other,
        }
    }
}

/// How callbacks are sent; good manners are each change once, in order, authentic. Several bad ones can be combined,
/// except that lost callbacks are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct Manners {
    /// No callback is sent.
    pub(super) lost: bool,
    /// Each arrives late.
    pub(super) late: bool,
    /// Each arrives twice, as the same event.
    pub(super) twice: bool,
    /// The last one arrives before the first.
    pub(super) reversed: bool,
    /// A forged failure with a wrong signature arrives before the true one.
    pub(super) forged: bool,
    /// An authentic one signed a day ago arrives before the true one.
    pub(super) stale: bool,
}

impl Manners {
    pub(super) const GOOD: Self =
        Self { lost: false, late: false, twice: false, reversed: false, forged: false, stale: false };
    pub(super) const LOST: Self = Self { lost: true, ..Self::GOOD };
    pub(super) const LATE: Self = Self { late: true, ..Self::GOOD };
    pub(super) const TWICE: Self = Self { twice: true, ..Self::GOOD };
    pub(super) const REVERSED: Self = Self { reversed: true, ..Self::GOOD };
    pub(super) const FORGED: Self = Self { forged: true, ..Self::GOOD };
    pub(super) const STALE: Self = Self { stale: true, ..Self::GOOD };
    /// The words for scripts, chances and the command line.
    pub(super) const WORDS: [(&str, Self); 6] = [
        ("lost", Self::LOST),
        ("late", Self::LATE),
        ("twice", Self::TWICE),
        ("reversed", Self::REVERSED),
        ("forged", Self::FORGED),
        ("stale", Self::STALE),
    ];

    /// The bad ones, for people; empty if there are none.
    pub(super) fn words(self) -> String {
        let is_so = |word: &Self| self.and(*word) == self;
        let words: Vec<&str> = Self::WORDS.iter().filter(|(_, one)| is_so(one)).map(|(word, _)| *word).collect();
        words.join(", ")
    }

    /// Both combined.
    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            lost: self.lost || other.lost,
            late: self.late || other.late,
            twice: self.twice || other.twice,
            reversed: self.reversed || other.reversed,
            forged: self.forged || other.forged,
            stale: self.stale || other.stale,
        }
    }
}

impl FromStr for Manners {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::WORDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, manners)| *manners).ok_or_else(|| {
            let words: Vec<&str> = Self::WORDS.iter().map(|(known, _)| *known).collect();
            format!("callbacks are {}, not {word}", words.join(", "))
        })
    }
}

/// Faults that only mail has.
const OF_MAIL: [Fault; 11] = [
    Fault::QuotaReached,
    Fault::MailboxUnknown,
    Fault::DomainUnknown,
    Fault::MailboxFull,
    Fault::MailboxDisabled,
    Fault::Deferred,
    Fault::PolicyRefusal,
    Fault::TooLarge,
    Fault::TlsRequired,
    Fault::Complaint,
    Fault::ProtocolError,
];

/// A fault in which a call can end.
pub(super) fn fault_of_call(word: &str) -> Result<Fault, String> {
    let fault = word.parse::<Fault>().ok().filter(|fault| !OF_MAIL.contains(fault));
    fault.ok_or_else(|| format!("no fax ends in {word}; try busy, no_answer, line_error, not_a_fax or partial_send"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_busy_twice_delivers_on_the_third_call() {
        let busy = Ending::FailsFirst { calls: 2, fault: Fault::Busy };
        let calls: Vec<Ending> = (0..4).map(|before| busy.of_call(before)).collect();
        let failed = Ending::Fails(Fault::Busy);
        assert_eq!(calls, [failed, failed, Ending::Delivered, Ending::Delivered]);
    }

    #[test]
    fn never_more_pages_arrive_than_there_are() {
        assert_eq!((Arrived::AllBut(1).of(3), Arrived::AllBut(5).of(3)), (2, 0));
        assert_eq!((Arrived::First(1).of(3), Arrived::First(5).of(3)), (1, 3));
    }

    #[test]
    fn no_fax_ends_in_a_fault_of_mail() {
        assert!(fault_of_call("mailbox_full").is_err() && fault_of_call("sunburn").is_err());
        assert_eq!(fault_of_call("expired"), Ok(Fault::Expired));
    }
}
