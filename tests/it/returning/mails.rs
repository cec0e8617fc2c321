//! Mails as mailboxes hold them.

/// A report of a mailer in the standard form (RFC 3464) about a letter.
pub fn report(message_id: &str, recipient: &str, action: &str, status: &str, said: &str) -> String {
    report_to("office@lakeside-psychiatry.example", message_id, recipient, action, status, said)
}

/// The same, returned to an address.
pub fn report_to(to: &str, message_id: &str, recipient: &str, action: &str, status: &str, said: &str) -> String {
    format!(
        "Return-Path: <>\r\nDelivered-To: {to}\r\nFrom: MAILER-DAEMON@mx.relay.example (Mail Delivery System)\r\n\
         To: {to}\r\nSubject: Delivery Status\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nThis is the mail system.\r\n\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; mx.relay.example\r\n\r\n\
         Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n\
         Remote-MTA: dns; mx.clinic.example\r\nDiagnostic-Code: smtp; {said}\r\n\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\nSubject: Hello\r\n\r\n--b--\r\n"
    )
}

/// A bounce for good.
pub fn unknown_user(message_id: &str, recipient: &str) -> String {
    report(message_id, recipient, "failed", "5.1.1", &format!("550 5.1.1 <{recipient}>: User unknown"))
}

/// A bounce that proves nothing.
pub fn mailbox_full(message_id: &str, recipient: &str) -> String {
    report(message_id, recipient, "failed", "5.2.2", "552 5.2.2 Mailbox full")
}

/// A complaint (RFC 5965).
pub fn complaint(message_id: &str, recipient: &str) -> String {
    format!(
        "From: feedback@isp.example\r\nTo: office@lakeside-psychiatry.example\r\nSubject: FW: Hello\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nThis is an abuse report.\r\n\r\n\
         --b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: Loop/1\r\nVersion: 1\r\n\
         Original-Rcpt-To: <{recipient}>\r\n\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {message_id}\r\nSubject: Hello\r\n\r\nHello\r\n\r\n--b--\r\n"
    )
}

/// A person's answer.
pub fn reply(message_id: &str, from: &str, text: &str) -> String {
    format!(
        "From: Ana <{from}>\r\nTo: office@lakeside-psychiatry.example\r\nSubject: Re: Hello\r\n\
         In-Reply-To: {message_id}\r\nReferences: {message_id}\r\nMessage-ID: <1@clinic.example>\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n\r\n\
         On Tue, Dec 1, 2026 at 9:00 AM Lakeside <office@lakeside-psychiatry.example> wrote:\r\n> Unsubscribe: https://x.example\r\n"
    )
}

/// An absence.
pub fn absence(message_id: &str, from: &str, text: &str) -> String {
    format!(
        "From: Ana <{from}>\r\nTo: office@lakeside-psychiatry.example\r\nSubject: Automatic reply: Hello\r\n\
         Date: Tue, 01 Dec 2026 15:00:00 +0000\r\nAuto-Submitted: auto-replied\r\nIn-Reply-To: {message_id}\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
    )
}

/// A letter between people.
pub fn personal() -> String {
    "From: Kim <kim@elsewhere.example>\r\nTo: office@lakeside-psychiatry.example\r\nSubject: Lunch\r\n\r\nTuesday?\r\n"
        .to_owned()
}
