//! Mails that are broken, huge or deep.

use std::path::Path;

use proptest::prelude::*;

use super::super::read;

fn samples() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/bounces/eml");
    let files = std::fs::read_dir(folder).expect("the samples").map(|file| file.expect("a file").path());
    files.map(|path| std::fs::read(path).expect("a sample")).collect()
}

/// One change to a mail.
#[derive(Debug, Clone)]
enum Change {
    Cut(usize),
    Flip(usize, u8),
    Drop(usize, usize),
    Double(usize, usize),
    Put(usize, Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    let telling = prop::sample::select(vec![
        "\n\n",
        "\r",
        "--",
        "@",
        "<",
        "550 ",
        "=?utf-8?B?",
        "=",
        "\0",
        "ü",
        "(generated from ",
        "Final-Recipient: ",
        "&#",
        "{",
        "\"",
        ";",
        "\u{1b}$B",
    ]);
    prop_oneof![
        any::<usize>().prop_map(Change::Cut),
        (any::<usize>(), any::<u8>()).prop_map(|(place, octet)| Change::Flip(place, octet)),
        (any::<usize>(), 0usize..400).prop_map(|(place, count)| Change::Drop(place, count)),
        (any::<usize>(), 0usize..400).prop_map(|(place, count)| Change::Double(place, count)),
        (any::<usize>(), telling).prop_map(|(place, text)| Change::Put(place, text.as_bytes().to_vec())),
    ]
}

fn changed(mut mail: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let length = mail.len().max(1);
        match change {
            Change::Cut(place) => mail.truncate(place % length),
            Change::Flip(place, octet) => {
                if let Some(old) = mail.get_mut(place % length) {
                    *old = *octet;
                }
            }
            Change::Drop(place, count) => {
                let start = (place % length).min(mail.len());
                mail.drain(start..(start + count).min(mail.len()));
            }
            Change::Double(place, count) => {
                let start = (place % length).min(mail.len());
                let piece = mail.get(start..(start + count).min(mail.len())).unwrap_or_default().to_vec();
                mail.splice(start..start, piece);
            }
            Change::Put(place, text) => {
                let start = (place % length).min(mail.len());
                mail.splice(start..start, text.iter().copied());
            }
        }
    }
    mail
}

/// What holds of every reading.
fn check(mail: &[u8]) {
    let read = read(mail);
    assert!(read.recipients.len() <= 200);
    for one in &read.recipients {
        assert!(one.diagnostic.chars().count() <= 500 && !one.diagnostic.chars().any(char::is_control), "{one:?}");
        assert!(!one.recipient.is_empty() && one.recipient.len() <= 400, "{one:?}");
        assert!(one.class.is_none() || one.row.is_some(), "{one:?}");
    }
}

fn many(cases: u32) {
    let samples = samples();
    let mails = (prop::sample::select(samples), prop::collection::vec(change(), 1..8));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let ended = runner.run(&mails, |(mail, changes)| {
        check(&changed(mail, &changes));
        Ok(())
    });
    assert!(ended.is_ok(), "{ended:?}");
}

#[test]
fn a_mail_broken_in_any_way_is_read() {
    many(300);
}

#[test]
#[ignore = "the long form, for the night"]
fn ten_thousand_mails_broken_in_any_way_are_read() {
    many(10_000);
}

#[test]
fn a_mail_that_is_huge_deep_or_endless_is_read() {
    let huge =
        [b"Subject: failure notice\n\n".to_vec(), b"<dana@clinic.example>:\n550 no\n".repeat(1_000_000)].concat();
    let parts = "--b-b-b-b\nContent-Type: text/plain\n\nx\n".repeat(5_000);
    let many_parts =
        format!("From: mailer-daemon@x.example\nContent-Type: multipart/report; boundary=b-b-b-b\n\n{parts}");
    let mut deep = "Subject: x\n\nbody".to_owned();
    for depth in 0..1_000 {
        deep = format!(
            "Content-Type: multipart/mixed; boundary=\"n{depth}\"\n\n--n{depth}\nContent-Type: message/rfc822\n\n{deep}"
        );
    }
    let long_field = format!(
        "Subject: failure notice\nX-Long: {}\nFrom: mailer-daemon@x.example\n\nto <a@b.example> failed",
        "a@b.c ".repeat(170_000)
    );
    let many_fields = format!("{}\n\nbody", "X-A: b\n".repeat(100_000));
    let ats = format!("Subject: failure notice\n\ncould not be delivered to {}", "a@b.example ".repeat(100_000));
    for mail in [
        huge,
        many_parts.into(),
        deep.into(),
        long_field.into(),
        many_fields.into(),
        ats.into(),
        Vec::new(),
        vec![b'\n'; 100_000],
        vec![0xff; 100_000],
    ] {
        check(&mail);
    }
}

/// A bounce with parts of one kind, each as long as a text may be.
fn bounce_of(kind: &str, parts: &[String]) -> Vec<u8> {
    let parts: String = parts.iter().map(|part| format!("--b-b-b-b\nContent-Type: {kind}\n\n{part}\n")).collect();
    format!(
        "From: mailer-daemon@relay.example\nSubject: Undelivered\nContent-Type: multipart/report; boundary=b-b-b-b\n\n{parts}--b-b-b-b--\n"
    )
    .into_bytes()
}

/// Each of these once took time in the square of its length.
#[test]
fn a_mail_that_repeats_what_begins_something_is_read() {
    const PARTS: usize = 4;
    let repeated = |text: &str| vec![text.repeat(256 * 1024 / text.len()); PARTS];
    let group = "Final-Recipient: rfc822; dana@clinic.example\nAction: failed\nStatus: 5.1.1\n\n";
    let mut groups = repeated("X-Note: y\n\n");
    groups[0].insert_str(0, group);
    for (kind, parts) in [
        ("text/html", repeated("&")),
        ("text/html", repeated("<style>x</style>")),
        ("message/delivery-status", groups),
        ("text/plain", repeated("dana@[")),
        ("text/plain", repeated("500 kb ")),
    ] {
        check(&bounce_of(kind, &parts));
    }
}

#[test]
fn the_recipients_of_a_mail_with_many_reports_are_bounded() {
    let reports: Vec<String> = (0..20)
        .map(|report| {
            let group = |one: i32| {
                format!("Final-Recipient: rfc822; dana{report}.{one}@clinic.example\nAction: failed\nStatus: 5.1.1\n\n")
            };
            (0..50).map(group).collect()
        })
        .collect();
    let mail = bounce_of("message/delivery-status", &reports);
    check(&mail);
    assert_eq!(read(&mail).recipients.len(), 200);
}
