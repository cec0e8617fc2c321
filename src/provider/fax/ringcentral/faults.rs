//! The tables from RingCentral's words to our faults.

use crate::domain::fault::Fault;

/// `faxErrorCode` of a recipient that was not reached: every value of the published schema, and `OutgoingCallError` of
/// its older versions. Anything else is [`Fault::Unknown`]; the word itself is kept beside it.
pub fn of_fax_error(code: &str) -> Fault {
    match code {
        "LineBusy" => Fault::Busy,
        "NoAnswer" => Fault::NoAnswer,
        "CallFailed" | "CallerHungUp" | "OutgoingCallError" => Fault::LineError,
        "NoFaxMachine" => Fault::NotAFax,
        "InvalidNumber" | "WrongNumber" | "UnknownCountryCode" => Fault::InvalidNumber,
        "CallDeclined" | "NotAccepted" => Fault::RejectedByRemote,
        "ProhibitedNumber"
        | "ProhibitedDestination"
        | "ThePhoneIsBlacklisted"
        | "DestinationCountryDisabled"
        | "InternationalCallingDisabled"
        | "InternationalDisabled"
        | "NoInternationalPermission"
        | "FaxSendingProhibited" => Fault::Blocked,
        "SentPartially" => Fault::PartialSend,
        "RenderingFailed" | "ConvertError" | "TooManyPages" => Fault::DocumentError,
        "NotEnoughCredits"
        | "NoFaxSendPermission"
        | "AccountSuspended"
        | "UserNotFound"
        | "SkypeBillingFailed"
        | "NoCallTime" => Fault::AccountError,
        "AllLinesInUse" | "TooManyCallsPerLine" => Fault::RateLimited,
        "InternalError" | "DBGeneralError" | "ReturnToDBQueue" | "Undefined" => Fault::ProviderError,
        _ => Fault::Unknown,
    }
}

/// The parameter of the request that an error names: `to`, `to.phoneNumber`, `to[0].phoneNumber` and the like.
pub fn of_parameter(name: &str) -> Option<Fault> {
    match name.split(['.', '[']).next().unwrap_or_default() {
        "to" | "phoneNumber" => Some(Fault::InvalidNumber),
        "attachment" | "attachments" => Some(Fault::DocumentError),
        "accountId" | "extensionId" => Some(Fault::AccountError),
        _ => None,
    }
}

/// `errorCode` of the API, as its guide lists them, where neither parameter nor status say more.
pub fn of_error_code(code: &str) -> Option<Fault> {
    match code {
        "MSG-243" => Some(Fault::Blocked),
        "MSG-245" | "MSG-304" | "MSG-310" | "MSG-314" | "MSG-331" | "MSG-340" | "MSG-341" => Some(Fault::AccountError),
        "MSG-337" | "MSG-338" | "MSG-347" | "MSG-348" | "MSG-349" | "MSG-350" | "MSG-351" => Some(Fault::DocumentError),
        "CMN-301" | "CMN-302" | "CMN-303" | "MSG-305" => Some(Fault::RateLimited),
        "CMN-109" | "CMN-120" => Some(Fault::AccountError),
        code if code.starts_with("CMN-4") || code.starts_with("OAU-") => Some(Fault::AccountError),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_nobody_documented_is_unknown() {
        assert_eq!(of_fax_error("SolarFlare"), Fault::Unknown);
        assert_eq!(of_error_code("XYZ-999"), None);
    }

    #[test]
    fn an_error_about_the_recipient_is_told_from_one_about_the_account() {
        for name in ["to", "to.phoneNumber", "to[0].phoneNumber", "phoneNumber"] {
            assert_eq!(of_parameter(name), Some(Fault::InvalidNumber), "{name}");
        }
        assert_eq!(of_parameter("extensionId"), Some(Fault::AccountError));
        assert_eq!(of_parameter("tone"), None);
    }
}
