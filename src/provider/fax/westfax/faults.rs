//! WestFax' words: the result of a call, the state of a job, the error of an answer.

use crate::domain::fault::Fault;

/// Letters and digits in lower case: the same word comes as `NoAnswer`, `No Answer` and `noanswer`.
pub fn plain(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// What became of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallResult {
    Sent,
    UnderWay,
    Failed(Fault),
}

/// `CallResult` or `Result` of a call, by the published reference of result values. [`Fault::Unknown`] for what is not
/// in it, and for `Failed` and `Unknown`, which say no more.
pub fn of_call(word: &str) -> CallResult {
    CallResult::Failed(match plain(word).as_str() {
        "sent" | "success" | "inboundfaxreceived" => return CallResult::Sent,
        "" | "waitingtodial" | "sending" | "dialing" | "unassigned" => return CallResult::UnderWay,
        "busy" => Fault::Busy,
        "noanswer" => Fault::NoAnswer,
        "nofaxdevice" | "faxormodemdetected" => Fault::NotAFax,
        "connectionfailure" | "connectioninterrupt" => Fault::LineError,
        "badnumber" | "invalidnumber" | "operatorintercept" | "unreachablenumber" => Fault::InvalidNumber,
        "removed" | "removallist" | "blocked" | "tierblocked" | "areacodeblocked" | "duplicatenumber"
        | "duplicatenumbermax" => Fault::Blocked,
        "documentconversionerror" | "fileerror" => Fault::DocumentError,
        "invalidcsid" => Fault::AccountError,
        "cancelled" | "canceled" => Fault::Cancelled,
        _ => Fault::Unknown,
    })
}

/// Whether a call with that result was connected to a machine and then broke off: some of it may have arrived.
pub fn broke_off(word: &str) -> bool {
    plain(word) == "connectioninterrupt"
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Nobody works on it any more; its calls say what became of it.
    Complete,
    /// Something went wrong with the job itself, if its calls say nothing else.
    Failed,
    Cancelled,
    /// In the pipeline, or in a state nobody documented.
    UnderWay,
}

/// `JobState` or `Status` of a job.
pub fn of_job(word: &str) -> JobState {
    match plain(word).as_str() {
        "complete" => JobState::Complete,
        "failed" => JobState::Failed,
        "cancelled" | "canceled" => JobState::Cancelled,
        _ => JobState::UnderWay,
    }
}

/// `ErrorString` of an answer without success.
pub fn of_error(error: &str) -> Fault {
    let error = plain(error);
    let account = ["authorizationfailed", "authenticationfailed", "productnotfound", "insufficientbalance"];
    if account.iter().any(|words| error.starts_with(words)) {
        Fault::AccountError
    } else if error == "apifailedmissingdiallist" {
        Fault::InvalidNumber
    } else {
        Fault::Unknown
    }
}
