//! One table over every scheme: what each believes of a callback that is changed, late, early, empty, large, meant for another
//! account, or has a header twice. Replays are told apart by the inbox, on all nodes: `tests/it/mail_events.rs`.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

use super::super::declared::{POSTMARK_EXAMPLE, of_text};
use super::super::{MailEvents, ses};
use super::{NOW, account, events, parts};
use crate::domain::Timestamp;
use crate::provider::{Rejection, WebhookParts};

const MINUTE: i64 = 60_000;
const PASSWORD: &str = "a-long-word-of-the-tests";
const OTHER_PASSWORD: &str = "another-long-word-of-the-tests";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// What the proof of a scheme covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Covers {
    /// The body and the time.
    All,
    /// The time and what is used once, not what happened.
    TimeAndToken,
    /// Nothing: the callback carries a secret.
    Nothing,
}

type Headers = Vec<(String, String)>;
type Seal = Box<dyn Fn(&str) -> WebhookParts>;

struct Scheme {
    name: &'static str,
    ours: Arc<dyn MailEvents>,
    /// An account with another key or topic.
    other: Arc<dyn MailEvents>,
    /// A callback sent at [`NOW`] whose event holds this text.
    seal: Seal,
    covers: Covers,
    /// How far its time may be off.
    minutes: i64,
}

async fn schemes() -> Vec<Scheme> {
    let of = |settings: &str, secrets: &[(&str, &str)]| events(settings, secrets).expect("opened");
    let pair = || {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).expect("a key");
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &SystemRandom::new())
            .expect("a key")
    };
    let (ecdsa, other_ecdsa) = (pair(), pair());
    let sendgrid = |key: &EcdsaKeyPair| of("events = 'sendgrid'", &[("events_key", info(key).as_str())]);
    let basic = |password: &str| of("events = 'postmark'\nevents_user = 'us'", &[("events_password", password)]);
    let (ses_ours, ses_other) = ses::tests::ready().await;
    let scheme = |name, ours, other, seal: Seal, covers, minutes| Scheme { name, ours, other, seal, covers, minutes };
    let whole = |name: &'static str, prefix: &'static str| {
        let opened = |key: &str| of(&format!("events = '{name}'"), &[("events_key", key)]);
        let seal: Seal = Box::new(move |text| of_standard(prefix, text));
        scheme(name, opened(SECRET), opened(OTHER_SECRET), seal, Covers::All, 5)
    };
    vec![
        scheme(
            "ses",
            Arc::new(ses_ours),
            Arc::new(ses_other),
            Box::new(|text| ses::tests::sealed(&format!(r#"{{"eventType":"Send","pad":"{text}"}}"#))),
            Covers::All,
            65,
        ),
        scheme(
            "sendgrid",
            sendgrid(&ecdsa),
            sendgrid(&other_ecdsa),
            Box::new(move |text| of_sendgrid(&ecdsa, text)),
            Covers::All,
            5,
        ),
        scheme(
            "mailgun",
            of("events = 'mailgun'", &[("events_key", "the signing key")]),
            of("events = 'mailgun'", &[("events_key", "another key")]),
            Box::new(of_mailgun),
            Covers::TimeAndToken,
            5,
        ),
        scheme("postmark", basic(PASSWORD), basic(OTHER_PASSWORD), Box::new(of_postmark), Covers::Nothing, 0),
        whole("resend", "svix"),
        whole("standard_webhooks", "webhook"),
        scheme(
            "declared",
            Arc::new(declared(PASSWORD)),
            Arc::new(declared(OTHER_PASSWORD)),
            Box::new(of_declared),
            Covers::All,
            5,
        ),
    ]
}

fn seconds() -> String {
    (NOW.0 / 1000).to_string()
}

/// The key as SendGrid shows it: what stands before the point of P-256 (RFC 5480), then the point.
fn info(key: &EcdsaKeyPair) -> String {
    format!("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE{}", BASE64.encode(&key.public_key().as_ref()[1..]))
}

fn of_sendgrid(key: &EcdsaKeyPair, text: &str) -> WebhookParts {
    let body = format!(r#"[{{"event":"processed","pad":"{text}"}}]"#);
    let signature = key.sign(&SystemRandom::new(), format!("{}{body}", seconds()).as_bytes()).expect("signed");
    let headers = [
        ("x-twilio-email-event-webhook-timestamp", seconds()),
        ("x-twilio-email-event-webhook-signature", BASE64.encode(signature)),
    ];
    with(&headers, body)
}

fn of_mailgun(text: &str) -> WebhookParts {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"the signing key");
    let signature = hex::encode(hmac::sign(&key, format!("{}t1", seconds()).as_bytes()));
    let body = format!(
        r#"{{"signature":{{"timestamp":"{}","token":"t1","signature":"{signature}"}},"event-data":{{"event":"accepted","pad":"{text}"}}}}"#,
        seconds()
    );
    with(&[], body)
}

fn of_postmark(text: &str) -> WebhookParts {
    let credentials = format!("Basic {}", BASE64.encode(format!("us:{PASSWORD}")));
    with(&[("authorization", credentials)], format!(r#"{{"RecordType":"Open","pad":"{text}"}}"#))
}

fn of_standard(prefix: &str, text: &str) -> WebhookParts {
    let body = format!(r#"{{"type":"email.sent","data":{{"pad":"{text}"}}}}"#);
    let secret = BASE64.decode(SECRET.trim_start_matches("whsec_")).expect("base64");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let signature = hmac::sign(&key, format!("msg_1.{}.{body}", seconds()).as_bytes());
    let names = ["id", "timestamp", "signature"].map(|name| format!("{prefix}-{name}"));
    let values = ["msg_1".to_owned(), seconds(), format!("v1,{}", BASE64.encode(signature))];
    let headers: Vec<(&str, String)> = names.iter().map(String::as_str).zip(values).collect();
    with(&headers, body)
}

/// Postmark's words, signed as many others sign theirs.
fn declared(key: &str) -> impl MailEvents {
    let signed = "kind = \"hmac_sha256\"\nheader = \"X-Signature\"\ntimestamp_header = \"X-Time\"\nsigned = \"{timestamp}.{body}\"";
    let text = POSTMARK_EXAMPLE.replacen("kind = \"basic\"", signed, 1);
    of_text(&account("", &[("events_key", key)]), &text, None).expect("opened")
}

fn of_declared(text: &str) -> WebhookParts {
    let body = format!(r#"{{"RecordType":"Open","pad":"{text}"}}"#);
    let key = hmac::Key::new(hmac::HMAC_SHA256, PASSWORD.as_bytes());
    let signature = hex::encode(hmac::sign(&key, format!("{}.{body}", seconds()).as_bytes()));
    with(&[("x-time", seconds()), ("x-signature", signature)], body)
}

fn with(headers: &[(&str, String)], body: String) -> WebhookParts {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    parts(&headers, body)
}

/// The same with one octet of the event changed, and no other.
fn with_another_event(callback: &WebhookParts) -> WebhookParts {
    let at = callback.body.windows(5).position(|window| window == b"event").expect("the text of the event");
    let mut other = callback.clone();
    other.body[at] = b'E';
    other
}

fn at(minutes: i64) -> Timestamp {
    Timestamp(NOW.0 + minutes * MINUTE)
}

#[tokio::test]
async fn no_scheme_believes_what_is_changed_late_early_empty_or_meant_for_others() {
    for Scheme { name, ours, other, seal, covers, minutes } in schemes().await {
        let callback = seal("one event");
        let says = |callback: &WebhookParts, now| ours.verify(callback, now);
        let if_covered = |rejection| if covers == Covers::Nothing { Ok(()) } else { Err(rejection) };
        assert_eq!(says(&callback, NOW), Ok(()), "{name}: as it was sent");
        assert_eq!(ours.translate(&callback), Some(Vec::new()), "{name}: and read");

        let changed = with_another_event(&callback);
        let expected = if covers == Covers::All { Err(Rejection::Forged) } else { Ok(()) };
        assert_eq!(says(&changed, NOW), expected, "{name}: another body");
        let once = (ours.used_once(&callback), ours.used_once(&changed));
        assert_eq!(once.0.is_some(), covers == Covers::TimeAndToken, "{name}: what the inbox keeps to know a replay");
        assert_eq!(once.0, once.1, "{name}: whatever body it comes with");

        for minutes_off in [-1, 1].map(|sign| sign * (minutes + 1)) {
            assert_eq!(says(&callback, at(minutes_off)), if_covered(Rejection::Stale), "{name}: {minutes_off} minutes");
            assert_eq!(says(&callback, at(minutes_off - minutes_off.signum())), Ok(()), "{name}: within its time");
        }
        assert_eq!(other.verify(&callback, NOW), Err(Rejection::Forged), "{name}: another account's");

        let empty = WebhookParts { body: Vec::new(), ..callback.clone() };
        assert_eq!(says(&empty, NOW), if_covered(Rejection::Forged), "{name}: an empty body");
        assert_eq!(ours.translate(&empty), None, "{name}: an empty body is not read");

        let large = seal(&format!("one event {}", "x".repeat(1024 * 1024)));
        assert_eq!(says(&large, NOW), Ok(()), "{name}: a megabyte");
        assert_eq!(ours.translate(&large), Some(Vec::new()), "{name}: a megabyte is read");
        assert_eq!(says(&with_another_event(&large), NOW), expected, "{name}: a megabyte, changed");
    }
}

#[tokio::test]
async fn no_scheme_believes_a_header_that_is_changed_missing_or_stands_before_the_true_one() {
    for Scheme { name, ours, seal, .. } in schemes().await {
        let callback = seal("one event");
        for index in 0..callback.headers.len() {
            let (header, value) = callback.headers[index].clone();
            let wrong = format!("!{}", &value[1..]);
            let with_headers = |change: &dyn Fn(&mut Headers)| {
                let mut other = callback.clone();
                change(&mut other.headers);
                ours.verify(&other, NOW)
            };
            let forged = Err(Rejection::Forged);
            assert_eq!(with_headers(&|all| all[index].1.clone_from(&wrong)), forged, "{name}: another {header}");
            assert_eq!(with_headers(&|all| drop(all.remove(index))), forged, "{name}: no {header}");
            let before = |all: &mut Vec<_>| all.insert(0, (header.clone(), wrong.clone()));
            assert_eq!(with_headers(&before), forged, "{name}: the first {header} counts");
            let behind = |all: &mut Vec<_>| all.push((header.clone(), wrong.clone()));
            assert_eq!(with_headers(&behind), Ok(()), "{name}: a second {header} counts for nothing");
        }
    }
}
