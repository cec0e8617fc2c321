//! The errors of Phaxio and of Sinch, which bought it. Both use one numbering; Sinch publishes the shorter list of line
//! errors, so this is the union of both. A number means the same thing whatever its type, except 133.
//!
//! Sources: phaxio.com/docs/errorMessages; sinch/sinch-sdk-node packages/fax/src/models/v3/errors @175b050.

use crate::domain::fault::{Failure, Fault};
use crate::provider::kit::reading::excludes_transmission;

/// Why a fax failed, as either of them reports it.
#[derive(Debug, Clone, Default)]
pub struct Cause {
    /// `lineError` or `LINE_ERROR` and the like, as received.
    pub kind: Option<String>,
    /// The error number.
    pub number: Option<u32>,
    /// Their description.
    pub message: Option<String>,
}

impl Cause {
    /// Whether anything is given at all.
    pub const fn is_told(&self) -> bool {
        self.kind.is_some() || self.number.is_some()
    }

    /// The same, its words passed through `clean`.
    pub fn cleaned(&self, clean: impl Fn(&str) -> String) -> Self {
        let words = |text: &Option<String>| text.as_deref().map(&clean);
        Self { kind: words(&self.kind), number: self.number, message: words(&self.message) }
    }

    /// The corresponding [`Fault`].
    pub fn fault(&self) -> Fault {
        let kind = Kind::read(self.kind.as_deref().unwrap_or_default());
        match self.number {
            Some(number) => of_number(kind, number),
            None => of_kind(kind),
        }
    }

    /// Type and number, such as `lineError 17`; whichever of them is given.
    pub fn code(&self) -> Option<String> {
        let parts: Vec<String> = self.kind.clone().into_iter().chain(self.number.map(|n| n.to_string())).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// The failure of a fax that ended this way. Where the cause itself rules out that a page arrived, none did; else
    /// it is not known.
    pub fn failure(&self) -> Failure {
        let fault = self.fault();
        let failure = Failure::new(fault).pages(excludes_transmission(fault).then_some(0));
        let failure = self.code().iter().fold(failure, Failure::code);
        self.message.iter().fold(failure, Failure::text)
    }
}

/// The type of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The document could not be converted.
    Document,
    /// The call could not be placed.
    Line,
    /// The two machines could not agree.
    Fax,
    /// An error on their side.
    Internal,
    /// Undocumented.
    Other,
}

impl Kind {
    /// Phaxio writes `lineError`, Sinch `LINE_ERROR` or `CALL_ERROR`.
    fn read(word: &str) -> Self {
        let word: String = word.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
        match word.as_str() {
            "documentconversionerror" => Self::Document,
            "lineerror" | "callerror" => Self::Line,
            "faxerror" => Self::Fax,
            "fatalerror" | "generalerror" => Self::Internal,
            _ => Self::Other,
        }
    }
}

/// A type without a number.
const fn of_kind(kind: Kind) -> Fault {
    match kind {
        Kind::Document => Fault::DocumentError,
        Kind::Line => Fault::LineError,
        Kind::Fax => Fault::NegotiationError,
        Kind::Internal => Fault::ProviderError,
        Kind::Other => Fault::Unknown,
    }
}

/// A number, with its type where that matters. Simulated errors (119, 121, 122) count as what they simulate, so that a
/// test goes as the real thing would. 79 says that a cancellation came too late, which is no cause of a failure.
const fn of_number(kind: Kind, number: u32) -> Fault {
    match number {
        133 if matches!(kind, Kind::Document) => Fault::DocumentError,
        133 => Fault::Blocked,
        17 => Fault::Busy,
        16 | 48 | 87 | 112 => Fault::NoAnswer,
        11 | 15 | 19 | 40 | 43 | 44 | 52 | 88 | 89 | 100 | 110 | 121 => Fault::LineError,
        6 | 7 | 8 | 10 | 12 | 18 | 20 | 21 | 22 | 25 | 26 | 28 | 29 | 31 | 41 | 53 | 60 | 63 | 68 | 77 | 80 | 82
        | 84 | 119 => Fault::NegotiationError,
        13 | 14 | 30 | 32 | 38 | 132 => Fault::NotAFax,
        34 | 49 | 73 | 115 => Fault::InvalidNumber,
        50 => Fault::RejectedByRemote,
        131 => Fault::PartialSend,
        4 | 54 | 55 | 57 | 69 | 113 | 117 | 122 | 128 | 129 | 130 => Fault::DocumentError,
        46 => Fault::AccountError,
        75 => Fault::Cancelled,
        76 => Fault::Expired,
        _ if matches!(kind, Kind::Internal) => Fault::ProviderError,
        _ => Fault::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(kind: &str, number: Option<u32>) -> Cause {
        Cause { kind: Some(kind.to_owned()), number, message: None }
    }

    #[test]
    fn one_number_means_two_things_by_its_type() {
        for kind in ["documentConversionError", "DOCUMENT_CONVERSION_ERROR"] {
            assert_eq!(cause(kind, Some(133)).fault(), Fault::DocumentError, "{kind}");
        }
        for kind in ["faxError", "FAX_ERROR"] {
            assert_eq!(cause(kind, Some(133)).fault(), Fault::Blocked, "{kind}");
        }
    }

    #[test]
    fn both_spellings_of_a_type_are_the_same() {
        for kind in ["lineError", "LINE_ERROR", "CALL_ERROR"] {
            assert_eq!(cause(kind, Some(17)).fault(), Fault::Busy, "{kind}");
            assert_eq!(cause(kind, None).fault(), Fault::LineError, "{kind}");
        }
    }

    #[test]
    fn what_nobody_documented_is_unknown_and_keeps_its_code() {
        let failure = cause("faxError", Some(999)).failure();
        assert_eq!((failure.fault, failure.raw_code.as_deref()), (Fault::Unknown, Some("faxError 999")));
        assert_eq!(failure.pages_confirmed, None, "some of it may have arrived");
        assert!(Cause::default().code().is_none());
    }

    #[test]
    fn only_a_cause_that_rules_it_out_says_that_no_page_arrived() {
        assert_eq!(cause("lineError", Some(17)).failure().pages_confirmed, Some(0));
        assert_eq!(cause("faxError", Some(21)).failure().pages_confirmed, None, "the line broke after a page");
    }
}
