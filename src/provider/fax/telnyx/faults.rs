//! The tables from Telnyx' words to our faults.

use crate::domain::fault::Fault;

/// `failure_reason` of a failed fax. The published schema names only `rejected`; the support article on fax errors
/// lists the others. Anything else is [`Fault::Unknown`]; the word itself is kept beside it.
pub fn of_reason(reason: &str) -> Fault {
    match reason {
        "user_busy" => Fault::Busy,
        "receiver_no_answer" | "receiver_no_response" | "receiver_recovery_on_timer_expire" => Fault::NoAnswer,
        "receiver_call_dropped"
        | "sender_call_dropped"
        | "carrier_lost"
        | "service_unavailable"
        | "destination_unreachable"
        | "fax_signaling_error" => Fault::LineError,
        "receiver_communication_error" | "sender_communication_error" | "invalid_ecm_response_from_receiver" => {
            Fault::NegotiationError
        }
        "fax_initial_communication_timeout" | "receiver_incompatible_destination" => Fault::NotAFax,
        "receiver_invalid_number_format" | "receiver_unallocated_number" | "destination_invalid" => {
            Fault::InvalidNumber
        }
        "receiver_decline" | "rejected" => Fault::RejectedByRemote,
        "destination_not_in_service_plan"
        | "destination_not_in_countries_whitelist"
        | "unverified_destination_not_allowed" => Fault::Blocked,
        "file_format_invalid"
        | "file_download_failed"
        | "file_size_limit_exceeded"
        | "page_count_limit_exceeded"
        | "media_processing_exception" => Fault::DocumentError,
        "account_disabled"
        | "no_outbound_profile"
        | "outbound_profile_daily_spend_limit_exceeded"
        | "unverified_origination_number" => Fault::AccountError,
        "user_channel_limit_exceeded"
        | "outbound_profile_channel_limit_exceeded"
        | "connection_channel_limit_exceeded" => Fault::RateLimited,
        "sender_canceled" => Fault::Cancelled,
        _ => Fault::Unknown,
    }
}

/// The field of the request that an error points to (RFC 6901 pointer, its last part), by its name.
pub fn of_field(field: &str) -> Option<Fault> {
    match field {
        "to" => Some(Fault::InvalidNumber),
        "from" | "connection_id" | "from_display_name" | "webhook_url" => Some(Fault::AccountError),
        "contents" | "media" | "media_url" | "media_name" => Some(Fault::DocumentError),
        _ => None,
    }
}

/// An error code of the API where no field is named. Codes that may concern either number of the request say
/// nothing about the recipient's, except the two that judge a number's form: ours is checked before.
pub fn of_code(code: &str) -> Option<Fault> {
    match code {
        "10002" | "10016" => Some(Fault::InvalidNumber),
        "10003" | "10014" => Some(Fault::DocumentError),
        "10001" | "10009" | "10010" | "10013" | "10017" => Some(Fault::AccountError),
        "10011" => Some(Fault::RateLimited),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::kit::reading::excludes_transmission;

    #[test]
    fn a_reason_nobody_documented_is_unknown_and_may_have_sent_pages() {
        let fault = of_reason("solar_flare");
        assert_eq!(fault, Fault::Unknown);
        assert!(!excludes_transmission(fault));
    }

    #[test]
    fn a_busy_line_has_sent_nothing() {
        assert!(excludes_transmission(of_reason("user_busy")));
        assert!(!excludes_transmission(of_reason("receiver_call_dropped")));
    }
}
