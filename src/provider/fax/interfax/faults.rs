//! InterFAX' numbers: the status of a fax, and the codes of an answer that is no success.

use crate::domain::fault::Fault;

/// Why a fax with a positive status failed, by the published table of fax status codes. Numbers that are not in it, and
/// those that it calls unspecified, are [`Fault::Unknown`]; the number itself is kept beside it.
pub const fn of_status(status: i64) -> Fault {
    match status {
        263 | 3931 | 3933 | 3937 | 6017 | 8025 => Fault::Busy,
        3935 | 6018 | 8021 => Fault::NoAnswer,
        2 | 12 | 3072 | 3080 | 3300 | 3510 | 3830 | 6002 | 6003 | 6004 | 6016 | 6019 | 6031 | 6034 | 6038 | 6041
        | 6042 | 6043 | 6044 | 6047 | 6050 | 6054 | 6057 | 6058 | 6063 | 6065 | 6069 | 6079 | 6102 | 6111 | 6127
        | 7004 | 7012 | 7013 => Fault::LineError,
        1 | 3211 | 3220 | 3223 | 3224 | 3225 | 3230 | 3231 | 3233 | 3264 | 3267 | 3268 | 3269 | 8010 => {
            Fault::NegotiationError
        }
        3936 | 6088 | 6095 | 6097 | 6099 | 6100 => Fault::NotAFax,
        3912 | 3921 | 3932 | 3938 | 6001 | 6022 | 6027 | 6028 => Fault::InvalidNumber,
        6021 | 6029 => Fault::RejectedByRemote,
        204_000 | 204_001 => Fault::DocumentError,
        205_000 => Fault::AccountError,
        256 | 205_001 | 206_001 => Fault::ProviderError,
        403 => Fault::Cancelled,
        _ => Fault::Unknown,
    }
}

/// What stage a fax with a negative status is at, in the words of the table.
pub const fn stage(status: i64) -> &'static str {
    match status {
        -11 | -1 => "pre-processing",
        -2 => "ready",
        -3 => "sending or awaiting its next attempt",
        -22 => "out of credit",
        _ => "being handled",
    }
}

/// What the `code` in the body of an answer says, by the published table of web service return codes; `None` where it
/// says nothing of a hand-over.
pub const fn of_code(code: i64) -> Option<Fault> {
    match code {
        -111 => Some(Fault::Blocked),
        -112 => Some(Fault::InvalidNumber),
        -123 | -1002 | -1004 | -1007 | -1008 | -1061 | -1063 => Some(Fault::DocumentError),
        -310 | -311 | -666 | -677 | -1003 | -1876 => Some(Fault::AccountError),
        -1011 => Some(Fault::RateLimited),
        // An exception somewhere inside: the fax may have been taken before it.
        -150 => Some(Fault::ProviderError),
        _ => None,
    }
}
