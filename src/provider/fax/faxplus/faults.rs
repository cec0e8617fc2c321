//! The table from Fax.Plus' final statuses to our faults.

use crate::domain::fault::Fault;

/// A final status other than `success`: every value of the published schema. A record may have
/// a description beside it. What its page calls a generic error, and anything not listed, is [`Fault::Unknown`]; the word itself is kept.
///
/// `failed_fs_…` are not explained; read as result codes of the `FreeSWITCH` engine, 49 is a dropped call and 2 a time-out
/// before the machines spoke. What is only inferred casts no doubt on a number, so 2 is not taken for a voice line.
pub fn of_status(status: &str) -> Option<Fault> {
    Some(match status {
        // The service's own page on statuses glosses normal clearing as a busy destination.
        "failed_user_busy" | "failed_normal_clearing" => Fault::Busy,
        "failed_no_answer" => Fault::NoAnswer,
        "failed_normal_temporary_failure" | "failed_fs_49" => Fault::LineError,
        "failed_fs_2" => Fault::NegotiationError,
        // In no list, but customers have met them (AlohiHQ/faxplus-python, issue 3).
        "failed_zero_page_transmitted" => Fault::NegotiationError,
        "failed_call_rejected" => Fault::RejectedByRemote,
        "failed_unallocated_number" | "failed_invalid_number_format" => Fault::InvalidNumber,
        "failed_destination_not_supported" => Fault::Blocked,
        "partially_sent" | "partially_received" => Fault::PartialSend,
        "failed_office_converter_issue"
        | "failed_convert_to_tiff_issue"
        | "failed_image_preparation"
        | "failed_mimetype_not_supported"
        | "failed_unknown_converter_issue"
        | "failed_separate_file_pages_issue"
        | "failed_render_header_issue" => Fault::DocumentError,
        "insufficient_credit" => Fault::AccountError,
        "failed_to_send" => Fault::RateLimited,
        "failed_internal_process_error" => Fault::ProviderError,
        status if status == "failed" || status.starts_with("failed_") => Fault::Unknown,
        _ => return None,
    })
}

/// The word of an error answer, where the documentation names it.
pub fn of_error(word: &str) -> Option<Fault> {
    match word {
        "too_many_files" => Some(Fault::DocumentError),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_nobody_documented_is_final_and_unknown() {
        assert_eq!(of_status("failed_fs_99"), Some(Fault::Unknown));
        assert_eq!(of_status("polishing"), None, "any other word is progress");
    }
}
