//! One-line replies as real and imagined servers give them, each in the bounce of a mailer, with the class that it has to have
//! (replies.tsv): a row that is mended must break no other. Written for this project.

use super::super::{Class, Recipient, read};

/// Expected class, mailer, status of the report, and the words; ` | ` is the end of a line.
const REPLIES: &str = include_str!("replies.tsv");

/// A bounce to the letter's return address of a letter to dana@clinic.example.
pub(super) fn bounce(mailer: &str, status: &str, words: &str) -> String {
    let lines = words.replace(" | ", "\n    ");
    let (text, kind) = match mailer {
        "said" => (
            format!("{POSTFIX}\n<dana@clinic.example>: host mx.clinic.example[192.0.2.9] said:\n    {lines}\n"),
            "smtp",
        ),
        "own" => (format!("{POSTFIX}\n<dana@clinic.example>: {lines}\n"), "X-Postfix"),
        "exim" => (format!("{EXIM}\n\n  dana@clinic.example\n    {lines}\n"), ""),
        "qmail" => (format!("{QMAIL}\n\n<dana@clinic.example>:\n{}\n", words.replace(" | ", "\n")), ""),
        "exchange" => (format!("{EXCHANGE}\n\n{lines}\n"), "smtp"),
        "sendmail" => (
            format!(
                "{SENDMAIL}\n<dana@clinic.example>\n\n   ----- Transcript of session follows -----\n{}\n",
                words.replace(" | ", "\n")
            ),
            "smtp",
        ),
        "text" => (format!("The following address failed:\n\n<dana@clinic.example>:\n    {lines}\n"), ""),
        _ => ("See the report.".to_owned(), "smtp"),
    };
    let head = "Return-Path: <>\nFrom: MAILER-DAEMON@relay.office.example (Mail Delivery System)\nSubject: failure notice\n\
                To: bounce+m7q2@bounces.harbor.example\n";
    if kind.is_empty() {
        return format!("{head}\n{text}");
    }
    let said = words.split(" | ").find(|line| !line.starts_with("...") && !line.starts_with(">>>")).unwrap_or_default();
    let said = said.trim_start_matches("<<< ");
    let status = if status.is_empty() { "5.0.0" } else { status };
    format!(
        "{head}Content-Type: multipart/report; report-type=delivery-status; boundary=b1-b1-b1\n\n--b1-b1-b1\n\n{text}\n\
         --b1-b1-b1\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; relay.office.example\n\n\
         Final-Recipient: rfc822; dana@clinic.example\nAction: failed\nStatus: {status}\nDiagnostic-Code: {kind}; {said}\n\n\
         --b1-b1-b1\nContent-Type: text/rfc822-headers\n\nReturn-Path: <bounce+m7q2@bounces.harbor.example>\n\
         From: Harbor Clinic <letters@harbor.example>\nTo: dana@clinic.example\n\n--b1-b1-b1--\n"
    )
}

const POSTFIX: &str = "This is the mail system at host relay.office.example.\n\nI'm sorry to have to inform you that your message could not\n\
    be delivered to one or more recipients. It's attached below.\n\nFor further assistance, please send mail to postmaster.\n\n\
    If you do so, please include this problem report. You can\ndelete your own text from the attached returned message.\n\n\
    \x20                  The mail system\n";
const EXIM: &str = "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or \
    more of its\nrecipients. This is a permanent error. The following address(es) failed:";
const QMAIL: &str = "Hi. This is the qmail-send program at mail.isp.example.\nI'm afraid I wasn't able to deliver your message to the following \
    addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.";
const SENDMAIL: &str = "The original message was received at Mon, 30 Nov 2026 09:12:05 -0500\nfrom gw.harbor.example [198.51.100.7]\n\n   \
    ----- The following addresses had permanent fatal errors -----";
const EXCHANGE: &str = "Delivery has failed to these recipients or groups:\n\ndana@clinic.example\nAn error occurred while trying to deliver this \
    message to the recipient's e-mail address. Microsoft Exchange will not try to redeliver this message for you. Please try resending this \
    message later, or provide the following diagnostic text to your system administrator.\n\nThe following organization rejected your message: \
    mx.clinic.example.\n";

pub(super) fn only(mail: &str) -> Recipient {
    let read = read(mail.as_bytes());
    assert_eq!(read.recipients.len(), 1, "{mail}\n{read:?}");
    let one = read.recipients.into_iter().next().expect("one");
    assert_eq!(one.recipient, "dana@clinic.example", "{mail}");
    one
}

#[test]
fn every_reply_has_its_class() {
    let mut wrong = Vec::new();
    for line in REPLIES.lines() {
        let [wanted, mailer, status, words] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let one = only(&bounce(mailer, status, words));
        let class = one.class.map_or("none", Class::as_str);
        if class != wanted {
            wrong.push(format!("{wanted}, not {class}/{:?}: {mailer} {status} {words} by {:?}", one.reason, one.row));
        }
    }
    assert!(REPLIES.lines().count() >= 200);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
