//! One mail of each kind, as they are written.

use super::super::Automatic;
use super::super::{Class, Kind, Return, read};
use crate::domain::Fault;

const ATTEMPT: &str = "0190b0b0-1c1c-7d1d-8e1e-0123456789ab";

fn of(mail: &str) -> Return {
    read(mail.as_bytes())
}

/// A report about `recipient`, with whatever stands in its group.
fn report(group: &str, human: &str) -> String {
    format!(
        "Return-Path: <>\nFrom: Mail Delivery System <mailer-daemon@relay.example>\nTo: letters@harbor.example\nSubject: Undelivered\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b1-b1-b1\n\n--b1-b1-b1\n\n{human}\n\
         --b1-b1-b1\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example\n\n{group}\n\n\
         --b1-b1-b1\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{ATTEMPT}@harbor.example>\nTo: dana@clinic.example\n\n--b1-b1-b1--\n"
    )
}

#[test]
fn a_report_gives_whom_why_and_which_attempt() {
    let read = of(&report(
        "Final-Recipient: rfc822; dana@clinic.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 <dana@clinic.example>: User unknown",
        "Sorry",
    ));
    assert_eq!(read.kind, Kind::Bounce);
    let one = &read.recipients[0];
    assert_eq!((one.recipient.as_str(), one.class), ("dana@clinic.example", Some(Class::Hard)));
    assert_eq!((one.status.as_deref(), one.code), (Some("5.1.1"), Some(550)));
    assert_eq!(read.attempt.map(|attempt| attempt.to_string()).as_deref(), Some(ATTEMPT));
}

#[test]
fn a_forwarded_report_is_read_whether_attached_or_quoted() {
    let inner = report(
        "Final-Recipient: rfc822; dana@clinic.example\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 mailbox full",
        "Sorry",
    );
    let attached = format!(
        "From: Sam <sam@harbor.example>\nSubject: Fwd: Undelivered\nContent-Type: multipart/mixed; boundary=outer-outer\n\n--outer-outer\n\nsee below\n\
         --outer-outer\nContent-Type: message/rfc822\n\n{inner}\n--outer-outer--\n"
    );
    let quoted = "From: Sam <sam@harbor.example>\nSubject: Fwd: Undelivered\n\n> Reporting-MTA: dns; relay.example\n>\n\
                  > Final-Recipient: rfc822; dana@clinic.example\n> Action: failed\n> Status: 5.2.2\n";
    for mail in [attached.as_str(), quoted] {
        let read = of(mail);
        assert_eq!(read.kind, Kind::Bounce, "{mail}");
        assert_eq!(read.recipients[0].class, Some(Class::Soft), "{mail}");
    }
}

#[test]
fn what_still_is_tried_is_a_delay_and_what_passes_never_hard() {
    let group = |action: &str, status: &str, said: &str| {
        format!(
            "Final-Recipient: rfc822; dana@clinic.example\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {said}"
        )
    };
    for (action, status, said, kind) in [
        ("delayed", "4.1.1", "450 4.1.1 user unknown", Kind::Delay),
        ("failed", "4.4.7", "450 4.1.1 user unknown", Kind::Bounce),
        ("failed", "4.4.7", "delivery time expired", Kind::Bounce),
    ] {
        let read = of(&report(&group(action, status, said), "x"));
        assert_eq!((read.kind, read.recipients[0].class), (kind, Some(Class::Soft)), "{action} {said}");
    }
    assert_eq!(of(&report(&group("relayed", "2.0.0", "250 ok"), "x")).kind, Kind::Delivered);
}

#[test]
fn a_complaint_names_whom_and_what_is_not_spam_is_none() {
    let arf = |what: &str| {
        format!(
            "From: fbl@far.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b1-b1-b1\n\n--b1-b1-b1\n\nabuse\n\
             --b1-b1-b1\nContent-Type: message/feedback-report\n\nFeedback-Type: {what}\nUser-Agent: x\nOriginal-Rcpt-To: <dana@clinic.example>\n\n\
             --b1-b1-b1\nContent-Type: message/rfc822\n\nMessage-ID: <{ATTEMPT}@harbor.example>\n\nletter\n--b1-b1-b1--\n"
        )
    };
    let read = of(&arf("abuse"));
    assert_eq!((read.kind, read.recipients[0].recipient.as_str()), (Kind::Complaint, "dana@clinic.example"));
    assert!(read.attempt.is_some());
    assert_eq!(of(&arf("not-spam")).kind, Kind::None);
}

#[test]
fn outlook_complains_with_the_letter_alone() {
    let mail = format!(
        "From: staff@hotmail.com\nSubject: complaint about message from 192.0.2.7\nContent-Type: multipart/mixed; boundary=b1-b1-b1\n\n\
         --b1-b1-b1\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: dana@clinic.example\nMessage-ID: <{ATTEMPT}@harbor.example>\n\n\
         letter\n--b1-b1-b1--\n"
    );
    let read = of(&mail);
    assert_eq!((read.kind, read.recipients[0].recipient.as_str()), (Kind::Complaint, "dana@clinic.example"));
    assert!(read.attempt.is_some());
}

#[test]
fn a_receipt_is_a_delivery_unless_it_refuses() {
    let receipt = |text: &str| {
        format!(
            "From: dana@clinic.example\nSubject: Read: Letter\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b1-b1-b1\n\n\
             --b1-b1-b1\n\n{text}\n--b1-b1-b1\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; dana@clinic.example\n\
             Original-Message-ID: <{ATTEMPT}@harbor.example>\nDisposition: automatic-action/MDN-sent-automatically; displayed\n\n--b1-b1-b1--\n"
        )
    };
    assert_eq!(of(&receipt("was read")).kind, Kind::Delivered);
    let refused = of(&receipt("Your message was automatically rejected:\nQuota exceeded"));
    assert_eq!((refused.kind, refused.recipients[0].class), (Kind::Bounce, Some(Class::Soft)));
}

#[test]
fn answers_are_told_from_people_and_from_other_mail() {
    let answers = |head: &str, text: &str| {
        format!("From: Dana <dana@clinic.example>\nDate: Tue, 22 Dec 2026 09:00:00 +0000\n{head}\n\n{text}\n")
    };
    let to_ours = format!("Subject: Re: Letter\nIn-Reply-To: <{ATTEMPT}@harbor.example>");
    for (head, text, kind, what) in [
        (to_ours.as_str(), "Thank you, I will call.", Kind::Reply, None),
        (
            "Subject: Automatic reply: Letter\nAuto-Submitted: auto-replied",
            "I am away.",
            Kind::AutoReply,
            Some(Automatic::Absence),
        ),
        ("Subject: Out of Office", "Back on January 5.", Kind::AutoReply, Some(Automatic::Absence)),
        (
            format!("{to_ours}\nAuto-Submitted: auto-replied").as_str(),
            "Dr. Dana no longer works here. Please write to sam@clinic.example",
            Kind::AutoReply,
            Some(Automatic::Moved),
        ),
        (to_ours.as_str(), "I no longer work here. Please remove me.", Kind::Reply, None),
        (
            to_ours.as_str(),
            "Thank you for contacting us. We have a patient for you, please call me.",
            Kind::Reply,
            None,
        ),
        (to_ours.as_str(), "Thanks! I'm out of the office today. Does Thursday work?", Kind::Reply, None),
        (to_ours.as_str(), "Is there a guest list for the lunch?", Kind::Reply, None),
        (to_ours.as_str(), "Please verify your address so I can mail the referral", Kind::Reply, None),
        (
            format!("{to_ours}\nX-MS-Exchange-Inbox-Rules-Loop: office@clinic.example").as_str(),
            "I would like to refer.",
            Kind::Reply,
            None,
        ),
        (
            format!("{to_ours}\nList-Unsubscribe: <https://crm.example/u>").as_str(),
            "Please remove us.",
            Kind::Reply,
            None,
        ),
        (format!("{to_ours}\nList-Id: <staff.clinic.example>").as_str(), "Please call me.", Kind::Reply, None),
        (format!("{to_ours}\nPrecedence: bulk").as_str(), "Please call me.", Kind::Reply, None),
        ("Subject: Re: Letter\nPrecedence: bulk", "Please call me.", Kind::None, None),
        ("Subject: Offers\nList-Unsubscribe: <https://x.example>", "Undeliverable prices! Call us.", Kind::None, None),
        ("Subject: A question", "Do you take new patients?", Kind::None, None),
        ("Subject: Newsletter\nList-Id: <a.b>", "We are out of the office on Monday", Kind::None, None),
    ] {
        let read = of(&answers(head, text));
        assert_eq!((read.kind, read.answer.map(|answer| answer.what)), (kind, what), "{head}\n{text}");
    }
    assert!(of(&answers(to_ours.as_str(), "Thank you")).attempt.is_some());
}

#[test]
fn people_who_write_of_returned_mail_and_those_who_are_after_passwords_are_no_mailers() {
    for (head, text) in [
        (
            "From: Dana <dana@clinic.example>\nSubject: Returned mail problem",
            "Hello, my mail to intake@harbor.example came back, user unknown. What is the right address?",
        ),
        (
            "From: Mail Admin <admin@phish.example>\nSubject: [Action required] 5 undelivered messages for office@harbor.example",
            "Your mailbox is full. 5 incoming messages could not be delivered. Release messages: http://phish.example/",
        ),
    ] {
        let read = of(&format!("{head}\nTo: office@harbor.example\n\n{text}\n"));
        assert_eq!(read.kind, Kind::None, "{head}");
    }
}

#[test]
fn a_responders_notice_is_no_bounce_whatever_its_subject_calls_it() {
    for (from, subject, text, what) in [
        ("Dana <dana@clinic.example>", "Undeliverable address", "This address is no longer in use.", Automatic::Moved),
        (
            "Dana <dana@clinic.example>",
            "Delivery problem: address changed",
            "My email has changed. This one does not exist any more after Dec 31",
            Automatic::Moved,
        ),
        (
            "Mail Delivery System <postmaster@clinic.example>",
            "Mail delivery: Out of office",
            "Out of office until 12/9. Mails to dana@clinic.example are not forwarded.",
            Automatic::Absence,
        ),
    ] {
        let read = of(&format!(
            "Return-Path: <>\nFrom: {from}\nTo: office@harbor.example\nSubject: {subject}\nAuto-Submitted: auto-replied\n\n{text}\n"
        ));
        assert_eq!((read.kind, read.answer.map(|answer| answer.what)), (Kind::AutoReply, Some(what)), "{subject}");
    }
}

#[test]
fn another_programs_message_id_is_no_attempt_of_ours() {
    let apple = "Subject: Re: x\nIn-Reply-To: <CBA48452-0888-4AAC-AA4E-0F54D382117F@gmail.com>\n\nhello\n";
    assert_eq!(of(apple).attempt, None);
}

#[test]
fn an_unknown_user_behind_the_whole_letter_proves_nothing_without_its_code() {
    let group = |said: &str| {
        format!(
            "Final-Recipient: rfc822; dana@clinic.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; {said}"
        )
    };
    for (said, class) in [
        ("550 Unknown user dana@clinic.example (in reply to end of DATA command)", Class::Soft),
        ("550 5.1.1 Unknown user dana@clinic.example (in reply to end of DATA command)", Class::Hard),
        ("550 Unknown user dana@clinic.example (in reply to RCPT TO command)", Class::Hard),
    ] {
        assert_eq!(of(&report(&group(said), "x")).recipients[0].class, Some(class), "{said}");
    }
}

#[test]
fn a_status_beside_another_reply_and_a_disclaimer_prove_nothing() {
    let group = |said: &str| {
        format!(
            "Final-Recipient: rfc822; dana@clinic.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; {said}"
        )
    };
    let refused =
        of(&report(&group("553 Sender Policy Framework (SPF) fail"), "550 5.1.1 dana@clinic.example... User unknown"));
    assert_eq!(refused.recipients[0].class, Some(Class::Ours));
    let footer = "Delivery to the following recipients failed.\n\n  dana@clinic.example\n\n__________ Scanned, 1.1856 __________\nby an antivirus system\n";
    let alone = of(&report("Final-Recipient: rfc822; dana@clinic.example\nAction: failed\nStatus: 5.1.1", footer));
    assert_eq!(alone.recipients[0].class, Some(Class::Hard));
}

#[test]
fn a_code_alone_gives_way_to_what_the_mailer_says() {
    let mail = "From: postmaster@outlook.com\nSubject: Undeliverable: Letter\n\nYour message to dana@clinic.example couldn't be delivered.\n\n\
                dana wasn't found at clinic.example.\n\nStatus code: 550 5.1.10\n";
    let read = of(mail);
    assert_eq!((read.recipients[0].class, read.recipients[0].reason), (Some(Class::Hard), Some(Fault::MailboxUnknown)));
}

#[test]
fn everyone_whom_the_header_names_as_failed_is_found() {
    let mail = "X-Failed-Recipients: dana@clinic.example, sam@clinic.example\nFrom: Mail Delivery System <mailer-daemon@relay.example>\n\
                Subject: Mail delivery failed\n\nThe following address failed:\n\n  dana@clinic.example\n    mailbox is full\n";
    let read = of(mail);
    let names: Vec<&str> = read.recipients.iter().map(|one| one.recipient.as_str()).collect();
    assert_eq!(names, ["dana@clinic.example", "sam@clinic.example"]);
}

#[test]
fn a_bounce_that_answers_or_has_its_words_in_raw_japanese_is_one() {
    let answering = "From: post_master@sms.example\nTo: letters@harbor.example\nIn-Reply-To: <1@harbor.example>\nSubject: Re: Letter\n\n\
                     Error: Invalid user address\n\nError message below:\n550 - Requested action not taken: no such user here\n\n\
                     Message details:\n  MAIL FROM: letters@harbor.example\n  RCPT TO: dana@sms.example\n";
    let japanese = "From: no-reply@mail.example\nTo: letters@harbor.example\nSubject: \u{1b}$B%a!<%k%(%i!<DLCN\u{1b}(B\n\n\
                    Your mail\n     Could not be delivered to: <dana@mail.example>\n     As their mailbox is full.\n";
    for (mail, recipient, class) in
        [(answering, "dana@sms.example", Class::Hard), (japanese, "dana@mail.example", Class::Soft)]
    {
        let read = of(mail);
        assert_eq!(read.kind, Kind::Bounce, "{mail}");
        let found = read.recipients.iter().map(|one| (one.recipient.as_str(), one.class)).collect::<Vec<_>>();
        assert_eq!(found, [(recipient, Some(class))], "{mail}");
    }
}

#[test]
fn each_recipient_of_a_report_keeps_its_own_action() {
    let group = |to: &str, action: &str, status: &str| {
        format!("Final-Recipient: rfc822; {to}@clinic.example\nAction: {action}\nStatus: {status}\n")
    };
    let mail = report(
        &[
            group("well", "delivered", "2.0.0"),
            group("gone", "failed", "5.1.1"),
            group("list", "expanded", "2.0.0"),
            group("slow", "delayed", "4.4.1"),
            group("gone", "failed", "5.1.1"),
            group("half", "failed", "5.1.1"),
            group("half", "relayed", "2.0.0"),
        ]
        .join("\n"),
        "Sorry",
    );
    let read = of(&mail);
    assert_eq!(read.kind, Kind::Bounce);
    let seen: Vec<_> =
        read.recipients.iter().map(|one| (one.recipient.split('@').next().unwrap_or_default(), one.kind)).collect();
    let wanted = [
        ("well", Kind::Delivered),
        ("gone", Kind::Bounce),
        ("list", Kind::Delivered),
        ("slow", Kind::Delay),
        ("half", Kind::Delivered),
    ];
    assert_eq!(seen, wanted);
}

#[test]
fn whoever_writes_a_mail_does_not_decide_how_much_work_it_is() {
    let said = "550 5.7.1 words that go on and on ".repeat(27);
    let text: String = (0..262).map(|n| format!("<a{n}@b.example>: host said: {said}\n")).collect();
    let read = of(&format!(
        "From: MAILER-DAEMON@mx.example\nTo: office@harbor.example\nSubject: Undelivered Mail Returned to Sender\n\n{text}"
    ));
    assert_eq!((read.kind, read.recipients.len()), (Kind::Bounce, 50));
    let weighed = read.recipients.iter().filter(|one| one.row.as_deref() != Some("nothing-said")).count();
    assert!((1..=20).contains(&weighed), "16 KiB of what is said are weighed: {weighed}");
}
