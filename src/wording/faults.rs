//! Faults in plain words: what went wrong at the far end, on the line or at the provider, and what to do about it.

use crate::domain::Fault;

/// What to say of an account that has failed without a known fault.
pub const NO_FAULT_KNOWN: &str = "It is not responding correctly.";

/// What a fault means, in one plain sentence.
#[must_use]
pub const fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Busy => "The line was busy.",
        Fault::NoAnswer => "Nobody answered the call.",
        Fault::LineError => "The call was dropped by the telephone network.",
        Fault::NegotiationError => "The receiving fax machine answered, but the two machines could not negotiate.",
        Fault::NotAFax => "Something answered, but no fax tone was heard: it may be a voice line.",
        Fault::InvalidNumber => "The number does not exist or is disconnected.",
        Fault::RejectedByRemote => "The receiving side declined the call.",
        Fault::Blocked => "The provider does not send to this destination.",
        Fault::PartialSend => "Only some of the pages arrived.",
        Fault::DocumentError => "The provider could not process the document.",
        Fault::AccountError => "The provider account has a problem: credentials, funds or permissions.",
        Fault::RateLimited => "The provider asked us to slow down.",
        Fault::QuotaReached => "The account's sending quota is used up for now.",
        Fault::ProviderError => "The provider had an error or could not be reached.",
        Fault::Cancelled => "It was cancelled at the provider.",
        Fault::Expired => "The provider gave up trying.",
        Fault::MailboxUnknown => "There is no such mailbox.",
        Fault::DomainUnknown => "The domain (after the @) does not exist or accepts no mail.",
        Fault::MailboxFull => "The mailbox is full.",
        Fault::MailboxDisabled => "The mailbox is disabled.",
        Fault::Deferred => "The receiving mail server asked us to try again later.",
        Fault::PolicyRefusal => "The receiving mail server refused it by policy.",
        Fault::TooLarge => "It is larger than the receiving side accepts.",
        Fault::TlsRequired => "Encryption was required and could not be set up, so it was not sent.",
        Fault::Complaint => "The recipient reported it as unwanted.",
        Fault::ProtocolError => "The provider's response could not be understood.",
        Fault::Unknown => "It failed, and the provider did not explain why.",
    }
}

/// What a person can do about a fault once it is final, in one sentence.
#[must_use]
pub const fn fault_advice(fault: Fault) -> &'static str {
    match fault {
        Fault::NotAFax | Fault::InvalidNumber => "Ask the office for its fax number, correct it, then retry.",
        Fault::Busy | Fault::NoAnswer | Fault::LineError | Fault::NegotiationError | Fault::Expired => {
            "Retry at another time of day, or call the office."
        }
        Fault::RejectedByRemote => "Call the office before sending again.",
        Fault::Blocked => "Look at the provider why it does not send there, or call the office before sending again.",
        Fault::PartialSend => "Ask the office what arrived before sending again.",
        Fault::DocumentError | Fault::TooLarge => "Shorten or repair the letter, then retry.",
        Fault::AccountError => "Fix the provider account, then retry.",
        Fault::QuotaReached => "Nothing to do: it is sent when the quota resets. To stay below it, set a daily budget.",
        Fault::RateLimited
        | Fault::ProviderError
        | Fault::ProtocolError
        | Fault::Unknown
        | Fault::Deferred
        | Fault::MailboxFull => "Retry later; if it keeps failing, check the provider.",
        Fault::Cancelled => "Retry if it should still be sent.",
        Fault::MailboxUnknown | Fault::DomainUnknown | Fault::MailboxDisabled => {
            "Ask for the current email address, correct it, then retry."
        }
        Fault::PolicyRefusal => "Read the server's reply; check the sending domain's SPF, DKIM and DMARC.",
        Fault::TlsRequired => "Check the account's tls setting and port, or send it by fax.",
        Fault::Complaint => "Do not write to this address again.",
    }
}
