//! Numbers that misbehave on purpose: the last four digits of the destination decide what becomes of a fax, in every area
//! code. The first are in the range reserved for fiction, 555-0100 to 555-0199, where lists of samples also live; the
//! others follow it, so that they are used only on purpose.

use super::behaviour::{Arrived, Behaviour, Ending, Intake, Manners, SLOW_DOWN_SECONDS};
use crate::domain::Fault;

/// One number's behavior.
#[derive(Debug, Clone, Copy)]
pub struct Magic {
    /// The last four digits of the destination.
    pub digits: &'static str,
    /// What it does, for people.
    pub about: &'static str,
    pub(super) behaviour: Behaviour,
}

const fn ending(digits: &'static str, about: &'static str, ending: Ending) -> Magic {
    Magic { digits, about, behaviour: Behaviour { ending, ..Behaviour::ORDINARY } }
}

const fn fails(digits: &'static str, about: &'static str, fault: Fault) -> Magic {
    ending(digits, about, Ending::with(fault))
}

const fn first(digits: &'static str, about: &'static str, calls: u32, fault: Fault) -> Magic {
    ending(digits, about, Ending::FailsFirst { calls, fault })
}

const fn manners(digits: &'static str, about: &'static str, manners: Manners) -> Magic {
    Magic { digits, about, behaviour: Behaviour { manners, ..Behaviour::ORDINARY } }
}

const fn intake(digits: &'static str, about: &'static str, intake: Intake) -> Magic {
    Magic { digits, about, behaviour: Behaviour { intake, ..Behaviour::ORDINARY } }
}

/// Refused by the request; where a provider that is impersonated takes such a fax at first, its call fails so.
const fn refuses(digits: &'static str, about: &'static str, fault: Fault) -> Magic {
    let behaviour = Behaviour { intake: Intake::Refuses(fault), ending: Ending::with(fault), ..Behaviour::ORDINARY };
    Magic { digits, about, behaviour }
}

/// Every number that does something other than deliver. Every fault in which a fax can end is among them.
pub const MAGIC: &[Magic] = &[
    first("0117", "busy on the first two calls, then delivers", 2, Fault::Busy),
    fails("0118", "never answers", Fault::NoAnswer),
    fails("0119", "is answered by a person, not a fax machine", Fault::NotAFax),
    refuses("0120", "refused immediately: no such number", Fault::InvalidNumber),
    refuses("0121", "refused immediately: destination blocked", Fault::Blocked),
    ending("0122", "the last page does not arrive", Ending::Partial(Arrived::AllBut(1))),
    Magic {
        digits: "0123",
        about: "delivers slowly and sends no callback",
        behaviour: Behaviour { manners: Manners::LOST, slow: true, ..Behaviour::ORDINARY },
    },
    intake("0124", "accepted, but the connection closes before the answer", Intake::TakesSilently),
    manners("0125", "delivers; the callback comes twice", Manners::TWICE),
    manners("0126", "delivers; a forged callback says it failed", Manners::FORGED),
    intake("0127", "refused with an internal error, nothing recorded", Intake::Breaks),
    intake("0128", "asks to slow down the first time, then delivers", Intake::SlowsFirst),
    first("0129", "the line drops on the first call, then delivers", 1, Fault::LineError),
    fails("0130", "the document cannot be converted", Fault::DocumentError),
    refuses("0131", "refused immediately: the account has no funds", Fault::AccountError),
    manners("0132", "delivers; the callbacks come in reverse order", Manners::REVERSED),
    fails("0260", "busy on every call", Fault::Busy),
    fails("0261", "the line drops on every call", Fault::LineError),
    fails("0262", "the two fax machines cannot agree", Fault::NegotiationError),
    fails("0263", "called, and found to be disconnected", Fault::InvalidNumber),
    fails("0264", "the far side declines the call", Fault::RejectedByRemote),
    fails("0265", "accepted, then found to be a forbidden destination", Fault::Blocked),
    fails("0266", "accepted, then found that the account may not send", Fault::AccountError),
    fails("0267", "accepted, then no line of the account is free", Fault::RateLimited),
    fails("0268", "accepted, then the provider has an internal error", Fault::ProviderError),
    fails("0269", "cancelled at the provider", Fault::Cancelled),
    fails("0270", "the provider gives up trying", Fault::Expired),
    fails("0271", "fails with an undocumented code", Fault::Unknown),
    ending("0272", "only the first page arrives", Ending::Partial(Arrived::First(1))),
    ending("0273", "called delivered, although the last page is missing", Ending::Short),
    refuses("0274", "refused immediately: the document cannot be read", Fault::DocumentError),
    intake("0275", "asks to slow down every time", Intake::Slows(SLOW_DOWN_SECONDS)),
    intake("0276", "not recorded, and the connection closes without an answer", Intake::Vanishes),
    intake("0278", "accepted, but answered with an internal error", Intake::TakesAndBreaks),
    intake("0279", "accepted, but the answer cannot be read", Intake::TakesAndGarbles),
    manners("0280", "delivers; no callback comes", Manners::LOST),
    manners("0281", "delivers; the callbacks come late", Manners::LATE),
    manners("0282", "delivers; a callback signed a day ago comes first", Manners::STALE),
];

/// What the number with these last four digits does, if it is one of them.
pub(super) fn of(tail: &str) -> Option<Behaviour> {
    MAGIC.iter().find(|magic| magic.digits == tail).map(|magic| magic.behaviour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::fax::behaviour::fault_of_call;

    #[test]
    fn every_misbehaving_number_is_listed_once_and_others_deliver() {
        for magic in MAGIC {
            assert_eq!(MAGIC.iter().filter(|other| other.digits == magic.digits).count(), 1, "{}", magic.digits);
        }
        assert_eq!(of("0142"), None);
    }

    #[test]
    fn every_fault_in_which_a_fax_can_end_has_a_number() {
        let ends_in = |fault: Fault| MAGIC.iter().any(|magic| magic.behaviour.ending == Ending::with(fault));
        for fault in Fault::ALL.iter().filter(|fault| fault_of_call(fault.as_str()).is_ok()) {
            assert!(ends_in(*fault), "{fault}");
        }
    }
}
