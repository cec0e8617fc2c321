//! The mail as it travels: read back by an independent parser, and proof against data that tries to be more than data.

use mail_parser::{HeaderValue, MessageParser, MimeHeaders};
use proptest::prelude::*;
use touchline::domain::Timestamp;
use touchline::domain::envelope::Mail;
use touchline::domain::id::AttemptId;
use touchline::provider::mail::{ComposeError, compose};

use super::{email, mail};

const NOW: Timestamp = Timestamp(1_795_446_000_000);

fn composed(mail: &Mail) -> Vec<u8> {
    compose(mail, &email("dana@clinic.example"), AttemptId::new(), NOW, None).expect("a mail that can travel")
}

#[test]
fn a_letter_is_text_first_then_html_under_a_complete_header() {
    let attempt = AttemptId::new();
    let eml = compose(&mail(), &email("dana@clinic.example"), attempt, NOW, None).expect("a mail that can travel");
    let parsed = MessageParser::default().parse(&eml).expect("a mail");
    assert_eq!(parsed.message_id(), Some(format!("{attempt}@harbor.example").as_str()));
    assert_eq!(parsed.subject(), Some("New evening hours"));
    assert_eq!(parsed.date().map(|date| date.to_timestamp()), Some(NOW.0 / 1000));
    let from = parsed.from().and_then(|from| from.first()).expect("a sender");
    assert_eq!((from.name(), from.address()), (Some("Harbor Shoulder Clinic"), Some("letters@harbor.example")));
    let to = parsed.to().and_then(|to| to.first()).expect("a recipient");
    assert_eq!((to.name(), to.address()), (Some("Dr. Dana Whitfield"), Some("dana@clinic.example")));
    let kinds: Vec<_> = parsed.parts.iter().filter_map(|part| part.content_type()?.subtype()).collect();
    assert_eq!(kinds, ["alternative", "plain", "html"]);
    assert_eq!(parsed.body_text(0).as_deref(), Some("Dear Dr. Whitfield,\r\n.\r\nwe are open until eight.\r\n"));
    assert!(parsed.body_html(0).is_some_and(|html| html.contains("<p>we are open until eight.</p>")));
}

#[test]
fn the_same_attempt_gives_the_same_octets() {
    let attempt = AttemptId::new();
    let once = || compose(&mail(), &email("dana@clinic.example"), attempt, NOW, None);
    assert_eq!(once(), once());
}

#[test]
fn unsubscribing_and_automatic_mail_are_marked_where_asked_and_only_there() {
    let marked = Mail { unsubscribe: Some("https://harbor.example/u/8f1c".into()), automatic: true, ..mail() };
    let text = String::from_utf8(composed(&marked)).expect("ASCII");
    assert!(text.contains("\r\nList-Unsubscribe: <https://harbor.example/u/8f1c>\r\n"), "{text}");
    assert!(text.contains("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{text}");
    assert!(text.contains("\r\nAuto-Submitted: auto-generated\r\n"), "{text}");
    let mailbox = email("bounces+u2@harbor.example");
    let both = compose(&marked, &email("dana@clinic.example"), AttemptId::new(), NOW, Some(&mailbox)).expect("a mail");
    let both = String::from_utf8(both).expect("ASCII");
    let field = "\r\nList-Unsubscribe: <https://harbor.example/u/8f1c>,\r\n <mailto:bounces+u2@harbor.example?subject=unsubscribe>\r\n";
    assert!(both.contains(field), "{both}");
    let parsed = MessageParser::default().parse(both.as_bytes()).expect("a mail");
    let HeaderValue::Address(list) = parsed.list_unsubscribe() else { panic!("no list of addresses: {both}") };
    assert_eq!(list.iter().count(), 2, "an independent parser reads two");
    let odd = email("\"a?b=%\"@harbor.example");
    let eml = compose(&marked, &email("dana@clinic.example"), AttemptId::new(), NOW, Some(&odd)).expect("a mail");
    assert!(
        String::from_utf8(eml)
            .expect("ASCII")
            .contains("<mailto:%22a%3Fb%3D%25%22@harbor.example?subject=unsubscribe>")
    );
    let plain = compose(&mail(), &email("dana@clinic.example"), AttemptId::new(), NOW, Some(&mailbox)).expect("a mail");
    let plain = String::from_utf8(plain).expect("ASCII");
    assert!(!plain.contains("List-Unsubscribe") && !plain.contains("Auto-Submitted"), "{plain}");
}

#[test]
fn answers_go_to_the_mailbox_that_is_read() {
    let answered = Mail { reply_to: Some(email("frontdesk@müller.example")), ..mail() };
    let text = String::from_utf8(composed(&answered)).expect("ASCII");
    assert!(text.contains("\r\nReply-To: frontdesk@xn--mller-kva.example\r\n"), "{text}");
    assert!(!String::from_utf8(composed(&mail())).expect("ASCII").contains("Reply-To"));
}

#[test]
fn an_unsubscribe_link_that_is_no_web_address_is_refused() {
    for target in
        ["", "mailto:a@b.example", "javascript:x", "not a link", &format!("https://a.example/{}", "x".repeat(900))]
    {
        let mail = Mail { unsubscribe: Some(target.to_owned()), ..mail() };
        let result = compose(&mail, &email("a@b.example"), AttemptId::new(), NOW, None);
        assert_eq!(result, Err(ComposeError::UnsubscribeTarget), "{target}");
    }
    let sly = Mail { unsubscribe: Some("https://a.example/x\r\nBcc: e@f.example".into()), ..mail() };
    assert!(!String::from_utf8(composed(&sly)).expect("ASCII").contains("\r\nBcc"));
}

#[test]
fn letters_in_other_scripts_travel_as_ascii_and_arrive_as_written() {
    let written = Mail {
        from_name: "Praxis Müller, \"Schulter\"".into(),
        to_name: "Dr. José Núñez".into(),
        subject: "Öffnungszeiten: täglich bis acht, auch für Ihre Patientinnen und Patienten mit längerer Anfahrt"
            .into(),
        text: "Größe — 10 µm\n".into(),
        ..mail()
    };
    let eml = composed(&written);
    assert!(eml.is_ascii());
    let parsed = MessageParser::default().parse(&eml).expect("a mail");
    assert_eq!(parsed.subject(), Some(written.subject.as_str()));
    assert_eq!(parsed.from().and_then(|from| from.first()?.name()), Some(written.from_name.as_str()));
    assert_eq!(parsed.to().and_then(|to| to.first()?.name()), Some(written.to_name.as_str()));
    assert_eq!(parsed.body_text(0).as_deref(), Some("Größe — 10 µm\r\n"));
}

#[test]
fn a_header_that_no_line_can_hold_is_refused() {
    let mail = Mail { subject: "x".repeat(2000), ..mail() };
    let result = compose(&mail, &email("a@b.example"), AttemptId::new(), NOW, None);
    assert_eq!(result, Err(ComposeError::LineTooLong));
}

#[test]
fn an_international_domain_is_written_in_its_ascii_form_and_an_international_mailbox_is_refused() {
    let sender = Mail { from: email("praxis@müller.example"), ..mail() };
    let text = String::from_utf8(composed(&sender)).expect("ASCII");
    assert!(text.contains("<praxis@xn--mller-kva.example>") && text.contains("@xn--mller-kva.example>\r\n"), "{text}");
    let result = compose(&mail(), &email("jürgen@clinic.example"), AttemptId::new(), NOW, None);
    assert_eq!(result, Err(ComposeError::AddressNotAscii));
}

/// Text with everything that could break out of a header.
fn nasty() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            Just("\r\n".to_owned()),
            Just("\n".to_owned()),
            Just("\r".to_owned()),
            Just("\0".to_owned()),
            Just("\u{2028}".to_owned()),
            Just("\u{85}".to_owned()),
            Just("Bcc: eve@evil.example".to_owned()),
            Just("\r\n\r\n.\r\n".to_owned()),
            Just("\"<>,;:\\".to_owned()),
            Just("=?utf-8?q?=0D=0ABcc:?=".to_owned()),
            "\\PC{0,20}",
        ],
        0..8,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_name_subject_or_body_adds_a_header_or_a_line_end(
        from_name in nasty(), to_name in nasty(), subject in nasty(), text in nasty(), html in nasty(),
    ) {
        let written = Mail { from_name, to_name, subject, text, html, ..mail() };
        let Ok(eml) = compose(&written, &email("dana@clinic.example"), AttemptId::new(), NOW, None) else {
            return Err(TestCaseError::fail("refused"));
        };
        prop_assert!(eml.is_ascii() && !eml.contains(&0));
        let text = String::from_utf8(eml.clone()).expect("ASCII");
        prop_assert!(text.replace("\r\n", "").find(['\r', '\n']).is_none());
        prop_assert!(text.split("\r\n").all(|line| line.len() <= 998));
        let parsed = MessageParser::default().parse(&eml).expect("a mail");
        let mut names: Vec<_> = parsed.headers().iter().map(|header| header.name().to_lowercase()).collect();
        names.sort();
        prop_assert_eq!(names, ["content-type", "date", "from", "message-id", "mime-version", "subject", "to"]);
        let addresses: Vec<_> = parsed.headers().iter().filter_map(|header| match &header.value {
            HeaderValue::Address(address) => Some(address.iter().count()),
            _ => None,
        }).collect();
        prop_assert_eq!(addresses, [1, 1]);
        prop_assert_eq!(parsed.parts.len(), 3);
    }
}
