//! What SNS signs: published messages, and a small authority of the tests whose certificates and answers are given.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, IsCa, Issuer, KeyPair};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use url::Url;

use super::certificate::{Trust, Web, Wrong, issuer_address, verify_by};
use super::envelope::{Envelope, Topic};
use super::{MailEvents, Ses, TOLERANCE};
use crate::domain::Timestamp;
use crate::domain::returned::{ReturnClass, ReturnKind};
use crate::provider::{Rejection, WebhookParts};

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:mail";
const HOST: &str = "https://sns.us-east-1.amazonaws.com";
const CERTIFICATE: &str = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123.pem";
const ISSUER: &str = "http://crt.r2m01.amazontrust.com/r2m01.cer";
const RSA: &str = include_str!("../../../../../tests/it/fixtures/dkim/rsa.pem");
/// 2026-11-23T15:00:00Z, when the tests' messages are sent.
const NOW: Timestamp = Timestamp(1_795_446_000_000);
const SENT: &str = "2026-11-23T15:00:00.000Z";
const MINUTE: i64 = 60_000;

/// Answers from a table, and counts what it is asked for.
#[derive(Default)]
struct Given {
    pages: Mutex<BTreeMap<String, Vec<u8>>>,
    asked: Mutex<Vec<String>>,
}

impl Given {
    fn answer(&self, address: &str, page: impl Into<Vec<u8>>) {
        self.pages.lock().expect("sound").insert(address.to_owned(), page.into());
    }

    fn asked(&self, address: &str) -> usize {
        self.asked.lock().expect("sound").iter().filter(|asked| asked.starts_with(address)).count()
    }
}

#[async_trait]
impl Web for Given {
    async fn get(&self, url: &Url) -> Result<Vec<u8>, String> {
        self.asked.lock().expect("sound").push(url.to_string());
        self.pages.lock().expect("sound").get(url.as_str()).cloned().ok_or_else(|| "the answer was HTTP 404".to_owned())
    }
}

/// An authority, one that it has certified, and a certificate of that one, which names where its issuer's is.
struct Authority {
    root: CertificateDer<'static>,
    middle: CertificateDer<'static>,
    signer: String,
}

impl Authority {
    fn certifying(name: &str) -> Self {
        let authority = |name: &str| {
            let mut params = CertificateParams::new(Vec::new()).expect("parameters");
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params
        };
        let (root_key, middle_key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
        let root = authority("root").self_signed(&root_key).expect("signed");
        let root_issuer = Issuer::new(authority("root"), root_key);
        let middle = authority("middle").signed_by(&middle_key, &root_issuer).expect("signed");
        let middle_issuer = Issuer::new(authority("middle"), middle_key);
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2027, 1, 1);
        let location = [
            &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02, 0x86, ISSUER.len() as u8],
            ISSUER.as_bytes(),
        ]
        .concat();
        let inner = [&[0x30, location.len() as u8], location.as_slice()].concat();
        let whole = [&[0x30, inner.len() as u8], inner.as_slice()].concat();
        params.custom_extensions.push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], whole));
        let signer = params.signed_by(&KeyPair::from_pem(RSA).expect("an RSA key"), &middle_issuer).expect("signed");
        Self { root: root.der().clone(), middle: middle.der().clone(), signer: signer.pem() }
    }
}

/// An account of that topic, with what the web answers.
fn ses(authority: &Authority) -> (Ses, Arc<Given>) {
    let web = Arc::new(Given::default());
    web.answer(CERTIFICATE, authority.signer.as_bytes());
    web.answer(ISSUER, authority.middle.to_vec());
    let topic = Topic::parse(TOPIC).expect("a topic");
    (Ses::over("relay", topic, TOLERANCE, Trust::only(authority.root.clone()), web.clone()), web)
}

/// An account that is only to read.
pub(in super::super) fn unread() -> impl MailEvents {
    ses(&Authority::certifying("sns.amazonaws.com")).0
}

/// An account that has its certificate, and another one of another topic that has it too.
pub(in super::super) async fn ready() -> (impl MailEvents, impl MailEvents) {
    let authority = Authority::certifying("sns.amazonaws.com");
    let (ours, web) = ses(&authority);
    let topic = Topic::parse("arn:aws:sns:us-east-1:123456789012:other").expect("a topic");
    let other = Ses::over("other", topic, TOLERANCE, Trust::only(authority.root.clone()), web);
    for account in [&ours, &other] {
        account.certificates.fetch(&account.topic, CERTIFICATE, NOW).await.expect("fetched");
    }
    (ours, other)
}

/// A report as it travels, signed.
pub(in super::super) fn sealed(report: &str) -> WebhookParts {
    signed(&notification(report))
}

/// A report as it travels.
pub(in super::super) fn notification(report: &str) -> String {
    message("Notification", report, "")
}

fn message(kind: &str, text: &str, more: &str) -> String {
    let text = serde_json::to_string(text).expect("JSON");
    format!(
        r#"{{"Type":"{kind}","MessageId":"m1","TopicArn":"{TOPIC}","Message":{text},"Timestamp":"{SENT}","SignatureVersion":"2","Signature":"","SigningCertURL":"{CERTIFICATE}"{more}}}"#
    )
}

/// The message with a signature that fits.
fn signed(message: &str) -> WebhookParts {
    let envelope = Envelope::read(message.as_bytes()).expect("an envelope");
    let der = PrivatePkcs8KeyDer::from_pem_slice(RSA.as_bytes()).expect("a key");
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("an RSA key");
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), envelope.signed().as_bytes(), &mut signature).expect("signed");
    parts(message.replacen(r#""Signature":"""#, &format!(r#""Signature":"{}""#, BASE64.encode(signature)), 1))
}

fn parts(body: String) -> WebhookParts {
    WebhookParts { body: body.into_bytes(), ..WebhookParts::default() }
}

async fn taken(ses: &Ses, callback: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
    ses.prepare(callback, now).await;
    ses.verify(callback, now)
}

#[test]
fn published_messages_of_both_versions_are_signed_and_changed_ones_are_not() {
    let pem = include_bytes!("../../../../../tests/it/fixtures/mail-events/sns-certificate.pem");
    let certificate = CertificateDer::from_pem_slice(pem).expect("a certificate");
    let issuer = issuer_address(&certificate).map(String::from);
    assert_eq!(issuer.as_deref(), Some("http://crt.sca1b.amazontrust.com/sca1b.crt"));
    for text in [
        include_str!("../../../../../tests/it/fixtures/mail-events/sns-version-1.json"),
        include_str!("../../../../../tests/it/fixtures/mail-events/sns-version-2.json"),
    ] {
        let verdict = |text: &str| verify_by(&certificate, &Envelope::read(text.as_bytes()).expect("an envelope"));
        assert_eq!(verdict(text), Ok(()));
        for (from, to) in [
            ("Hello world", "Hello World"),
            ("\"MessageId\" : \"", "\"MessageId\" : \"0"),
            ("2022-07-28", "2022-07-29"),
            ("publish-and-verify", "publish-and-verifv"),
            ("\"Type\" : \"Notification\"", "\"Subject\" : \"a\", \"Type\" : \"Notification\""),
            ("\"SignatureVersion\" : \"1\"", "\"SignatureVersion\" : \"2\""),
            ("\"SignatureVersion\" : \"2\"", "\"SignatureVersion\" : \"3\""),
        ] {
            let changed = text.replacen(from, to, 1);
            assert!(changed == text || verdict(&changed) == Err(Wrong::Signature), "{to}");
        }
    }
}

#[test]
fn real_notifications_are_read() {
    let ses = unread();
    let whole = include_bytes!("../../../../../tests/it/fixtures/bounces/ses-json/json-amazonses-02.json");
    let complaint = include_str!("../../../../../tests/it/fixtures/bounces/ses-json/json-amazonses-03.json");
    let delivery = include_str!("../../../../../tests/it/fixtures/bounces/ses-json/json-amazonses-05.json");
    for (body, kind, class) in [
        (whole.to_vec(), ReturnKind::Bounce, Some(ReturnClass::Hard)),
        (notification(complaint).into_bytes(), ReturnKind::Complaint, None),
        (notification(delivery).into_bytes(), ReturnKind::Delivered, None),
    ] {
        let facts = ses.translate(&WebhookParts { body, ..WebhookParts::default() }).expect("read");
        let returned = facts.iter().map(|fact| fact.returned.as_ref().expect("said")).collect::<Vec<_>>();
        assert_eq!(returned.iter().map(|one| (one.kind, one.class)).collect::<Vec<_>>(), [(kind, class)]);
        assert!(facts[0].reference.is_some() && facts[0].occurred_ms.is_some());
    }
}

#[tokio::test]
async fn a_signed_message_is_believed_for_an_hour_and_its_certificate_fetched_once() {
    for name in ["sns.amazonaws.com", "sns.us-east-1.amazonaws.com", "sns-signing.us-east-1.amazonaws.com"] {
        let (ses, web) = ses(&Authority::certifying(name));
        let callback = signed(&notification("{}"));
        assert_eq!(ses.verify(&callback, NOW), Err(Rejection::Later), "nothing was fetched yet");
        for _ in 0..3 {
            assert_eq!(taken(&ses, &callback, NOW).await, Ok(()), "{name}");
        }
        assert_eq!((web.asked(CERTIFICATE), web.asked(ISSUER)), (1, 1));
        for (off, believed) in [(-64, true), (64, true), (-66, false), (66, false)] {
            let verdict = ses.verify(&callback, Timestamp(NOW.0 + off * MINUTE));
            assert_eq!(verdict, if believed { Ok(()) } else { Err(Rejection::Stale) }, "{off} minutes");
        }
        let next_year = Timestamp(NOW.0 + 60 * 24 * 60 * MINUTE);
        assert_eq!(ses.verify(&callback, next_year), Err(Rejection::Forged), "the certificate has expired");
    }
}

#[tokio::test]
async fn what_came_while_the_certificate_could_not_be_had_is_believed_when_it_comes_again() {
    let authority = Authority::certifying("sns.amazonaws.com");
    for missing in [CERTIFICATE, ISSUER] {
        let (ses, web) = ses(&authority);
        let page = web.pages.lock().expect("sound").remove(missing).expect("it was there");
        let callback = signed(&notification("{}"));
        assert_eq!(taken(&ses, &callback, NOW).await, Err(Rejection::Later), "{missing}");
        assert_eq!(taken(&ses, &callback, NOW).await, Err(Rejection::Later), "{missing}");
        web.answer(missing, page);
        let later = Timestamp(NOW.0 + 20_000);
        assert_eq!(taken(&ses, &callback, later).await, Ok(()), "{missing}");
    }
}

#[tokio::test]
async fn what_is_changed_or_certified_by_others_is_not_believed() {
    let authority = Authority::certifying("sns.amazonaws.com");
    let (ses, _) = ses(&authority);
    let callback = signed(&notification("{}"));
    assert_eq!(taken(&ses, &callback, NOW).await, Ok(()));
    let text = String::from_utf8(callback.body).expect("text");
    for (from, to) in [
        ("\"{}\"", "\"{ }\""),
        ("m1", "m2"),
        ("Notification", "UnsubscribeConfirmation"),
        (SENT, "2026-11-23T15:00:01.000Z"),
    ] {
        let changed = parts(text.replacen(from, to, 1));
        assert_eq!(taken(&ses, &changed, NOW).await, Err(Rejection::Forged), "{to}");
    }
    for name in ["sns.evil.example", "sns.eu-west-1.amazonaws.com", "s3.amazonaws.com"] {
        let (other, _) = super::tests::ses(&Authority::certifying(name));
        assert_eq!(taken(&other, &signed(&notification("{}")), NOW).await, Err(Rejection::Forged), "{name}");
    }
    let (stranger, web) = super::tests::ses(&authority);
    let unknown = Authority::certifying("sns.amazonaws.com");
    web.answer(CERTIFICATE, unknown.signer.as_bytes());
    web.answer(ISSUER, unknown.middle.to_vec());
    assert_eq!(
        taken(&stranger, &signed(&notification("{}")), NOW).await,
        Err(Rejection::Later),
        "its chain ends nowhere"
    );
}

#[tokio::test]
async fn nothing_is_fetched_but_from_the_topics_host_and_only_so_often() {
    let (ses, web) = ses(&Authority::certifying("sns.amazonaws.com"));
    let good = notification("{}");
    for address in [
        "http://sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/a.pem",
        "https://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com:8443/a.pem",
        "https://user@sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com/a.pem?b",
        "https://sns.us-east-1.amazonaws.com/a.key",
        "https://s3.amazonaws.com/a.pem",
        "file:///etc/a.pem",
        "",
    ] {
        let callback = parts(good.replacen(CERTIFICATE, address, 1));
        assert_eq!(taken(&ses, &callback, NOW).await, Err(Rejection::Forged), "{address}");
    }
    let other_topic = parts(good.replace(TOPIC, "arn:aws:sns:us-east-1:123456789012:other"));
    assert_eq!(taken(&ses, &other_topic, NOW).await, Err(Rejection::Forged));
    assert_eq!(web.asked(""), 0);
    for count in 0..30 {
        let callback = parts(good.replacen("0123.pem", &format!("{count}.pem"), 1));
        assert_eq!(taken(&ses, &callback, NOW).await, Err(Rejection::Later));
    }
    assert_eq!(web.asked(HOST), 10, "a stranger makes us ask only so often");
    let later = Timestamp(NOW.0 + 2 * MINUTE);
    assert_eq!(taken(&ses, &signed(&good), later).await, Ok(()), "and keeps nobody out for long");
}

#[tokio::test]
async fn a_subscription_is_confirmed_once_and_only_where_it_is_signed_for_this_topic() {
    let confirmation = |address: &str| {
        message("SubscriptionConfirmation", "You have chosen", &format!(r#","Token":"t1","SubscribeURL":"{address}""#))
    };
    let address = format!("{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t1");
    let (ses, web) = ses(&Authority::certifying("sns.amazonaws.com"));
    let unsigned = parts(confirmation(&address));
    assert_eq!(taken(&ses, &unsigned, NOW).await, Err(Rejection::Forged));
    for elsewhere in [
        address.replace("us-east-1.amazonaws.com/", "us-east-1.evil.example/"),
        address.replace("ConfirmSubscription", "Unsubscribe"),
        address.replace(":mail&", ":other&"),
    ] {
        let callback = signed(&confirmation(&elsewhere));
        assert_eq!(taken(&ses, &callback, NOW).await, Err(Rejection::Later), "{elsewhere}");
    }
    assert_eq!(web.asked(&format!("{HOST}/?")), 0);
    let callback = signed(&confirmation(&address));
    assert_eq!(taken(&ses, &callback, NOW).await, Err(Rejection::Later), "it did not answer; SNS sends it again");
    web.answer(&address, "<ConfirmSubscriptionResponse/>");
    for _ in 0..3 {
        assert_eq!(taken(&ses, &callback, NOW).await, Ok(()));
    }
    assert_eq!(web.asked(&format!("{HOST}/?")), 2, "the one that failed, and one");
    assert_eq!(ses.translate(&callback), Some(Vec::new()), "it is no fact");
}
