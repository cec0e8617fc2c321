//! SRFax' words, of which few are published: anything else is unknown, with the words beside it.

use crate::domain::fault::Fault;

/// `ErrorCode` of a failed fax: the documentation names three of "a wide range".
pub fn of_error(error: &str) -> Fault {
    let error = error.to_ascii_lowercase();
    let says = |words: &str| error.contains(words);
    if says("no remote fax") {
        Fault::NotAFax
    } else if says("no answer") {
        Fault::NoAnswer
    } else if says("busy") {
        Fault::Busy
    } else if says("partially sent") {
        Fault::PartialSend
    } else if says("fax cancelled") {
        Fault::Cancelled
    } else {
        Fault::Unknown
    }
}

/// `Result` of a cancellation that came too late. Their page has it among the failures; a customer's program has met it
/// in an answer that calls itself a success.
pub fn is_over(result: &str) -> bool {
    result.to_ascii_lowercase().contains("transmission completed")
}

/// `Result` of a call that failed.
pub fn of_result(result: &str) -> Fault {
    let result = result.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| result.contains(words));
    if says(&["invalid access code", "invalid authentication", "access is denied"])
        || says(&["invalid callerid", "invalid senders email"])
    {
        Fault::AccountError
    } else if says(&["no files to fax"]) {
        Fault::DocumentError
    } else {
        Fault::Unknown
    }
}
