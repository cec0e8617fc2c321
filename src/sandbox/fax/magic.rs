//! Numbers that misbehave on purpose: the last four digits of the destination decide what becomes of a fax. They lie in
//! the range that nobody owns, (NPA) 555-0100 to 555-0199, in every area code.

use crate::domain::Fault;

/// How one call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Every page arrives.
    Delivered,
    /// Never works.
    Fails(Fault),
    /// The first `calls` calls to the number fail, later ones deliver.
    FailsFirst { calls: u32, fault: Fault },
    /// All pages but the last arrive.
    Partial,
}

impl Ending {
    /// What happens on the call that follows `calls_before` earlier ones to the same number.
    pub(super) fn of_call(self, calls_before: u32) -> Self {
        match self {
            Self::FailsFirst { calls, fault } if calls_before < calls => Self::Fails(fault),
            Self::FailsFirst { .. } => Self::Delivered,
            other => other,
        }
    }
}

/// How the customer's callback is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notify {
    /// Each change, once, in order.
    InOrder,
    /// Not at all.
    Never,
    /// The last one twice, with the same event id.
    Twice,
    /// A forged failure with a signature that does not fit, then the truth.
    ForgedFirst,
    /// The last one before the first.
    Reversed,
}

/// What a request to create a fax meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intake {
    /// It is taken and answered.
    Takes,
    /// It is taken, but the connection is closed before the answer.
    TakesSilently,
    /// It is not taken.
    Refuses { status: u16, code: &'static str, message: &'static str },
    /// The first request for the number is answered 429, later ones are taken.
    SlowsFirst,
}

/// One number's behaviour.
#[derive(Debug, Clone, Copy)]
pub struct Magic {
    /// The last four digits of the destination.
    pub digits: &'static str,
    /// What it does, for people.
    pub about: &'static str,
    pub(super) intake: Intake,
    pub(super) ending: Ending,
    pub(super) notify: Notify,
    pub(super) slow: bool,
}

/// What every other number does.
pub(super) const ORDINARY: Magic = Magic {
    digits: "",
    about: "delivers",
    intake: Intake::Takes,
    ending: Ending::Delivered,
    notify: Notify::InOrder,
    slow: false,
};

const fn ending(digits: &'static str, about: &'static str, ending: Ending) -> Magic {
    Magic { digits, about, ending, ..ORDINARY }
}

const fn notify(digits: &'static str, about: &'static str, notify: Notify) -> Magic {
    Magic { digits, about, notify, ..ORDINARY }
}

const fn refuse(
    digits: &'static str,
    about: &'static str,
    status: u16,
    code: &'static str,
    message: &'static str,
) -> Magic {
    Magic { digits, about, intake: Intake::Refuses { status, code, message }, ..ORDINARY }
}

/// Every number that does something else than deliver.
pub const MAGIC: &[Magic] = &[
    ending("0117", "busy on the first two calls, then delivers", Ending::FailsFirst { calls: 2, fault: Fault::Busy }),
    ending("0118", "never answers", Ending::Fails(Fault::NoAnswer)),
    ending("0119", "is answered by a person, not a fax machine", Ending::Fails(Fault::NotAFax)),
    refuse("0120", "refused at once: no such number", 422, "invalid_number", "the number does not exist"),
    refuse("0121", "refused at once: destination blocked", 422, "blocked", "the plan does not allow this destination"),
    ending("0122", "the last page does not arrive", Ending::Partial),
    Magic {
        digits: "0123",
        about: "delivers slowly and sends no callback",
        notify: Notify::Never,
        slow: true,
        ..ORDINARY
    },
    Magic {
        digits: "0124",
        about: "accepted, but the connection closes before the answer",
        intake: Intake::TakesSilently,
        ..ORDINARY
    },
    notify("0125", "delivers; the callback comes twice", Notify::Twice),
    notify("0126", "delivers; a forged callback says it failed", Notify::ForgedFirst),
    refuse("0127", "refused with an internal error, nothing recorded", 500, "provider_error", "internal error"),
    Magic {
        digits: "0128",
        about: "asks to slow down the first time, then delivers",
        intake: Intake::SlowsFirst,
        ..ORDINARY
    },
    ending(
        "0129",
        "the line drops on the first call, then delivers",
        Ending::FailsFirst { calls: 1, fault: Fault::LineError },
    ),
    ending("0130", "the document cannot be converted", Ending::Fails(Fault::DocumentError)),
    refuse("0131", "refused at once: the account has no funds", 402, "account_error", "the account has no funds"),
    notify("0132", "delivers; the callbacks come in reverse order", Notify::Reversed),
];

/// What the number with these last four digits does.
pub(super) fn of(tail: &str) -> &'static Magic {
    MAGIC.iter().find(|magic| magic.digits == tail).unwrap_or(&ORDINARY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_busy_twice_delivers_on_the_third_call() {
        let busy = of("0117").ending;
        let calls: Vec<Ending> = (0..4).map(|before| busy.of_call(before)).collect();
        let failed = Ending::Fails(Fault::Busy);
        assert_eq!(calls, [failed, failed, Ending::Delivered, Ending::Delivered]);
    }

    #[test]
    fn every_misbehaving_number_is_listed_once_and_others_deliver() {
        for magic in MAGIC {
            assert_eq!(MAGIC.iter().filter(|other| other.digits == magic.digits).count(), 1, "{}", magic.digits);
        }
        assert_eq!(of("0142").ending, Ending::Delivered);
    }
}
