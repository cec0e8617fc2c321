//! The codes alone, where the words say nothing that the table knows: the enhanced code (RFC 3463, RFC 5248 and the IANA
//! registry), else the basic one by phase (RFC 5321 section 4.2.3), at last the class.

use super::*;

/// Fits everything.
pub const LAST: Row =
    row(ANY, "*", "*", &[], UNEXPLAINED, "default: nothing is held against anybody", "299 Something else");

pub(super) const ROWS: &[Row] = &[
    row(
        ANY,
        "421",
        "*",
        &[],
        SLOWER,
        "RFC 5321 section 3.8",
        "421 4.3.2 Service not available, closing transmission channel",
    ),
    row(SENDING, "5xx", "5.4.5", &[], QUOTA_OF_A_DAY, "Google: SMTP error reference", "550 5.4.5 Congestion"),
    // The login
    row(AUTH, "535 530 534", "*", &[], PASSWORD, "RFC 4954 section 6", "535 5.7.8 No"),
    row(AUTH, "5xx", "*", &[], PASSWORD, "RFC 4954 section 6", "550 5.7.1 Login refused"),
    row(SENDING, "530 534 535", "*", &[], LOGIN_WANTED, "RFC 4954 section 6", "530 5.7.0 No"),
    // Before a recipient is named
    row(OPENING, "4xx 5xx", "4.7.8 4.7.9 5.7.8 5.7.9", &[], LOGIN_WANTED, "RFC 5248", "550 5.7.8 Credentials"),
    row(
        OPENING,
        "4xx 5xx",
        "4.7.10 4.7.11 4.7.30 5.7.10 5.7.11 5.7.30",
        &[],
        ENCRYPTION,
        "RFC 5248",
        "554 5.7.10 Encryption",
    ),
    row(
        OPENING,
        "4xx 5xx",
        "4.3.2 4.7.x 4.5.3 5.5.3 5.7.28",
        &[],
        SLOWER,
        "RFC 3463 section 3.8; Google: slow down",
        "451 4.7.1 Later",
    ),
    row(OPENING, "5xx", "5.3.4", &[], TOO_LARGE, "RFC 1870 section 6", "552 5.3.4 Big"),
    row(
        SENDING,
        "5xx",
        "5.2.3",
        &["size", "large", "big", "long", "length", "exceed", "limit", "maximum"],
        TOO_LARGE,
        "RFC 3463 section 3.3",
        "552 5.2.3 Message length exceeds administrative limit",
    ),
    row(OPENING, "5xx", "5.5.x", &[], NO_SENSE, "RFC 3463 section 3.6", "555 5.5.4 Unsupported option"),
    row(OPENING, "5xx", "5.7.x", &[], CLOSED_ACCOUNT, "RFC 3463 section 3.8", "554 5.7.1 Go away"),
    row(OPENING, "432 454", "*", &[], SLOWER, "RFC 4954 section 6", "454 Later"),
    row(&[Phase::Mail], "552", "*", &[], TOO_LARGE, "RFC 1870 section 6", "552 No"),
    row(&[Phase::Mail], "550 551 553 554", "*", &[], SEND_AS, "RFC 5321 section 4.2.3", "550 No"),
    row(&[Phase::Mail], "5xx", "*", &[], NO_SENSE, "RFC 5321 section 4.2.3", "501 What"),
    row(OPENING, "4xx 5xx", "*", &[], RELAY_TROUBLE, "RFC 5321 section 3.1", "554 No service"),
    // Once it is named: enhanced codes
    row(DELIVERY, "4xx", "4.2.2", &[], FULL, "RFC 3463 section 3.3", "452 4.2.2 Full"),
    row(DELIVERY, "4xx", "4.4.7", &[], GAVE_UP, "RFC 3463 section 3.5; bounce lhost-gmx-04", "451 4.4.7 Time ran out"),
    row(DELIVERY, "4xx", "4.5.3 4.7.28", &[], SLOWER, "RFC 3463 section 3.6", "452 4.5.3 Many"),
    row(DELIVERY, "4xx", "4.7.8 4.7.9", &[], LOGIN_WANTED, "RFC 5248", "450 4.7.8 Credentials"),
    row(DELIVERY, "4xx", "4.x.x", &[], LATER, "RFC 3463 section 2", "450 4.3.0 Later"),
    row(DELIVERY, "5xx", "5.2.2", &[], FULL, "RFC 3463 section 3.3", "552 5.2.2 Full"),
    row(DELIVERY, "5xx", "5.3.4", &[], TOO_LARGE, "RFC 3463 section 3.4", "552 5.3.4 Long"),
    row(
        DELIVERY,
        "5xx",
        "5.2.3",
        &[],
        POLICY,
        "Zoho: policies of the receiving side",
        "554 5.2.3 MailPolicy violation Error delivering to mailboxes",
    ),
    row(DELIVERY, "5xx", "5.4.7", &[], GAVE_UP, "RFC 3463 section 3.5", "554 5.4.7 Time ran out"),
    row(DELIVERY, "5xx", "5.5.3 5.7.28", &[], SLOWER, "RFC 3463 section 3.6", "550 5.5.3 Many"),
    row(
        DELIVERY,
        "5xx",
        "5.5.x",
        &[],
        Verdict { about: About::Letter, ..NO_SENSE },
        "RFC 3463 section 3.6",
        "555 5.5.4 What",
    ),
    row(DELIVERY, "5xx", "5.7.8 5.7.9", &[], LOGIN_WANTED, "RFC 5248", "550 5.7.8 Credentials"),
    row(DELIVERY, "5xx", "5.6.x 5.7.x", &[], POLICY, "RFC 3463 sections 3.7 and 3.8", "550 5.7.1 No"),
    row(DELIVERY, "5xx", "5.x.x", &[], UNEXPLAINED, "RFC 3463 section 2", "550 5.4.4 Unroutable"),
    // Basic codes
    row(DELIVERY, "432 454", "*", &[], SLOWER, "RFC 4954 section 6", "454 Later"),
    row(DELIVERY, "4xx", "*", &[], LATER, "RFC 5321 section 4.2.1", "450 Later"),
    row(
        DELIVERY,
        "500 501 502 503 504 555",
        "*",
        &[],
        Verdict { about: About::Letter, ..NO_SENSE },
        "RFC 5321 section 4.2.3",
        "503 What",
    ),
    row(RCPT, "552", "*", &[], FULL, "RFC 5321 section 4.2.3", "552 No"),
    row(LETTER, "552", "*", &[], TOO_LARGE, "RFC 1870 section 6", "552 No"),
    row(LETTER, "550 554", "*", &[], POLICY, "RFC 5321 section 4.2.3", "554 No"),
    row(RCPT, "554", "*", &[], POLICY, "RFC 5321 section 4.2.3", "554 No"),
    row(
        DELIVERY,
        "5xx",
        "*",
        &[],
        UNEXPLAINED,
        "RFC 5321 section 4.2.3: no access, or a policy, as well as no mailbox",
        "550 No",
    ),
];
