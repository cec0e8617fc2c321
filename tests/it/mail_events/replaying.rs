//! Callbacks that come again: to the same node, to another one, changed, and to another account. Each is taken once, and what is
//! used once, such as Mailgun's token, is known on all nodes and after a restart. One that cannot be proved now is asked for again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::{Response, StatusCode};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use touchline::accounts::layers::{Layered, Limits};
use touchline::accounts::{Accounts, ConfiguredAccount};
use touchline::app::Gateway;
use touchline::domain::envelope::Envelope;
use touchline::domain::event::DeliveryEvent;
use touchline::domain::fault::Failure;
use touchline::domain::{Clock, Outcome, Timestamp};
use touchline::feedback::{self, inbox::Inbox};
use touchline::provider::mail::SPEC;
use touchline::provider::{Account, Provider, Rejection, Spec, WebhookParts};
use touchline::store::views::inbox::CallbacksOf;
use touchline::web::{self, WebState};

use crate::hinting;
use crate::providers::sample;
use crate::support::clock::FakeClock;
use crate::support::databases::each_database;

const PASSWORD: &str = "a-long-word-of-the-tests";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:mail";
const SNS: &str = "sns.us-east-1.amazonaws.com";
const RELAY: &str = "host = '127.0.0.1'\nport = 1\ntls = 'off'\n";

/// One node: its web server over its own accounts.
struct Node {
    gateway: Arc<Gateway>,
    url: String,
    stop: CancellationToken,
}

impl Node {
    async fn start(database: &str, clock: &Arc<FakeClock>, accounts: Vec<(&str, Arc<dyn Provider>)>) -> Self {
        let mut gateway = Gateway::open(hinting::config(database), clock.clone()).await.expect("a gateway");
        let second = Duration::from_secs(1);
        let limits = Limits { concurrency: 4, timeout: second * 30, breaker_faults: 50, breaker_pause: second };
        let configured = |(name, provider): (&str, Arc<dyn Provider>)| {
            (name.to_owned(), ConfiguredAccount::free(Layered::new(name, provider, limits, clock.clone())))
        };
        let accounts: BTreeMap<String, ConfiguredAccount> = accounts.into_iter().map(configured).collect();
        gateway.accounts = Arc::new(Accounts::new(accounts, Vec::new(), Vec::new()));
        let inbox = Inbox::new(feedback::Parts {
            store: gateway.store.clone(),
            queue: gateway.queue.clone(),
            accounts: gateway.accounts.clone(),
            rules: gateway.rules.clone(),
            clock: clock.clone(),
            returns: crate::support::return_rules(),
            poll: second,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let (gateway, stop) = (Arc::new(gateway), CancellationToken::new());
        tokio::spawn(web::serve(listener, WebState::new(gateway.clone(), inbox, None), stop.clone()));
        Self { gateway, url, stop }
    }

    async fn post(&self, account: &str, sent: &Sent) -> Response {
        let http = touchline::http::client().expect("a client");
        let request = http.post(format!("{}/hooks/{account}", self.url)).body(sent.body.clone());
        let request = sent.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        request.send().await.expect("an answer")
    }

    async fn status(&self, account: &str, sent: &Sent) -> StatusCode {
        self.post(account, sent).await.status()
    }

    /// How many callbacks of the account are stored.
    async fn kept(&self, account: &str) -> usize {
        let of = CallbacksOf { provider: Some(account.to_owned()), state: None, since: None };
        let mut tx = self.gateway.store.read().await.expect("tx");
        tx.callback_lines(&of, 100).await.expect("read").len()
    }

    async fn end(self) {
        self.stop.cancel();
        self.gateway.store.close().await;
    }
}

/// A callback as it travels.
#[derive(Clone)]
struct Sent {
    headers: Vec<(String, String)>,
    body: String,
}

impl Sent {
    fn new(headers: &[(&str, String)], body: String) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self { headers, body }
    }

    fn changed(&self) -> Self {
        Self { body: self.body.replacen("ana@clinic.example", "bo@clinic.example", 1), ..self.clone() }
    }
}

/// A relay's account with those events.
fn relay(name: &str, events: &str, secrets: &[(&str, &str)], http: Option<reqwest::Client>) -> Arc<dyn Provider> {
    let settings = format!("{RELAY}{events}").parse().expect("TOML");
    let secrets = secrets.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let account = sample::account(settings, &secrets, Duration::from_secs(1), FakeClock::new());
    let http = http.unwrap_or_else(|| account.http.clone());
    (SPEC.build)(Account { name: name.to_owned(), http, ..account }).expect("an account")
}

fn key_pair() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random).expect("a key")
}

/// As SendGrid shows it.
fn shown(key: &EcdsaKeyPair) -> String {
    format!("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE{}", BASE64.encode(&key.public_key().as_ref()[1..]))
}

/// The accounts of a node: of each scheme one, and one with another key; two that share Mailgun's.
fn accounts(sendgrid: &EcdsaKeyPair, other: &EcdsaKeyPair) -> Vec<(&'static str, Arc<dyn Provider>)> {
    let postmark = "events = 'postmark'\nevents_user = 'us'";
    vec![
        ("sendgrid", relay("sendgrid", "events = 'sendgrid'", &[("events_key", &shown(sendgrid))], None)),
        ("sendgrid-2", relay("sendgrid-2", "events = 'sendgrid'", &[("events_key", &shown(other))], None)),
        ("mailgun", relay("mailgun", "events = 'mailgun'", &[("events_key", "the key")], None)),
        ("mailgun-2", relay("mailgun-2", "events = 'mailgun'", &[("events_key", "another key")], None)),
        ("mailgun-3", relay("mailgun-3", "events = 'mailgun'", &[("events_key", "the key")], None)),
        ("postmark", relay("postmark", postmark, &[("events_password", PASSWORD)], None)),
        ("postmark-2", relay("postmark-2", postmark, &[("events_password", "another-long-word-of-the-tests")], None)),
        ("resend", relay("resend", "events = 'resend'", &[("events_key", SECRET)], None)),
        ("resend-2", relay("resend-2", "events = 'resend'", &[("events_key", OTHER_SECRET)], None)),
        ("standard", relay("standard", "events = 'standard_webhooks'", &[("events_key", SECRET)], None)),
        ("standard-2", relay("standard-2", "events = 'standard_webhooks'", &[("events_key", OTHER_SECRET)], None)),
    ]
}

fn of_sendgrid(key: &EcdsaKeyPair, seconds: i64) -> Sent {
    let body =
        json!([{ "email": "ana@clinic.example", "event": "spamreport", "sg_event_id": "e", "timestamp": seconds }]);
    let signed = format!("{seconds}{body}");
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).expect("signed");
    let names = ["timestamp", "signature"].map(|name| format!("x-twilio-email-event-webhook-{name}"));
    Sent::new(&[(&names[0], seconds.to_string()), (&names[1], BASE64.encode(signature))], body.to_string())
}

fn of_mailgun(seconds: i64) -> Sent {
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"the key"), format!("{seconds}t1").as_bytes());
    let event = json!({ "id": "e", "event": "complained", "timestamp": seconds, "recipient": "ana@clinic.example" });
    let signed = json!({ "timestamp": seconds.to_string(), "token": "t1", "signature": hex::encode(signature) });
    Sent::new(&[], json!({ "signature": signed, "event-data": event }).to_string())
}

fn of_postmark(password: &str) -> Sent {
    let credentials = format!("Basic {}", BASE64.encode(format!("us:{password}")));
    let body = json!({ "RecordType": "SpamComplaint", "ID": 7, "Email": "ana@clinic.example", "MessageID": "m" });
    Sent::new(&[("authorization", credentials)], body.to_string())
}

fn of_standard(prefix: &str, seconds: i64) -> Sent {
    let body = json!({ "type": "email.complained", "created_at": "2026-11-01T12:00:00Z",
        "data": { "email_id": "e", "to": ["ana@clinic.example"] } });
    let key = BASE64.decode(SECRET.trim_start_matches("whsec_")).expect("base64");
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), format!("m1.{seconds}.{body}").as_bytes());
    let names = ["id", "timestamp", "signature"].map(|name| format!("{prefix}-{name}"));
    let values = ["m1".to_owned(), seconds.to_string(), format!("v1,{}", BASE64.encode(signature))];
    let headers: Vec<(&str, String)> = names.iter().map(String::as_str).zip(values).collect();
    Sent::new(&headers, body.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_is_taken_once_wherever_it_comes_again_and_no_other_is_taken_in_its_name() {
    each_database(async |database| {
        let (clock, key, other_key) = (FakeClock::new(), key_pair(), key_pair());
        let seconds = clock.now().0 / 1000;
        let one = Node::start(&database.url, &clock, accounts(&key, &other_key)).await;
        let two = Node::start(&database.url, &clock, accounts(&key, &other_key)).await;
        for (account, other, sent) in [
            ("sendgrid", "sendgrid-2", of_sendgrid(&key, seconds)),
            ("mailgun", "mailgun-2", of_mailgun(seconds)),
            ("postmark", "postmark-2", of_postmark(PASSWORD)),
            ("resend", "resend-2", of_standard("svix", seconds)),
            ("standard", "standard-2", of_standard("webhook", seconds)),
        ] {
            for node in [&one, &one, &two] {
                assert_eq!(node.status(account, &sent).await, StatusCode::OK, "{account}");
            }
            for node in [&one, &two] {
                assert_eq!(node.status(other, &sent).await, StatusCode::UNAUTHORIZED, "{other}: another key");
                let changed = match account {
                    "postmark" => of_postmark("a-word-that-is-not-the-tests"),
                    _ => sent.changed(),
                };
                assert_eq!(node.status(account, &changed).await, StatusCode::UNAUTHORIZED, "{account}: changed");
            }
            assert_eq!((one.kept(account).await, two.kept(other).await), (1, 0), "{account}");
        }
        let mailgun = of_mailgun(seconds);
        assert_eq!(two.status("mailgun-3", &mailgun.changed()).await, StatusCode::UNAUTHORIZED, "by a shared key");
        assert_eq!(two.status("mailgun-3", &mailgun).await, StatusCode::OK, "the same to both accounts is no replay");

        one.end().await;
        two.end().await;
        let again = Node::start(&database.url, &clock, accounts(&key, &other_key)).await;
        assert_eq!(again.status("mailgun", &mailgun.changed()).await, StatusCode::UNAUTHORIZED, "after a restart");
        assert_eq!(again.status("mailgun", &mailgun).await, StatusCode::OK);
        assert_eq!(again.kept("mailgun").await, 1);
        again.end().await;
    })
    .await;
}

/// The account of an SNS topic whose certificate can be had once the test says so.
struct Recovering {
    inner: Arc<dyn Provider>,
    has_certificate: AtomicBool,
}

#[async_trait]
impl Provider for Recovering {
    fn spec(&self) -> &'static Spec {
        self.inner.spec()
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        self.inner.submit(envelope).await
    }

    async fn prepare(&self, parts: &WebhookParts, now: Timestamp) {
        self.inner.prepare(parts, now).await;
    }

    fn verify(&self, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        if self.has_certificate.load(Ordering::SeqCst) { Ok(()) } else { self.inner.verify(parts, now) }
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        self.inner.translate(parts)
    }

    async fn check(&self) -> Result<String, Failure> {
        self.inner.check().await
    }
}

/// A client for which SNS is at a port of this machine where nobody listens.
async fn without_sns() -> reqwest::Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nobody: SocketAddr = listener.local_addr().expect("bound");
    drop(listener);
    touchline::http::builder().resolve(SNS, nobody).build().expect("a client")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_proved_now_is_asked_for_again_and_then_taken_once() {
    each_database(async |database| {
        let settings = format!("events = 'ses'\nevents_topic = '{TOPIC}'");
        let inner = relay("ses", &settings, &[], Some(without_sns().await));
        let ses = Arc::new(Recovering { inner, has_certificate: AtomicBool::new(false) });
        let clock = FakeClock::new();
        let node = Node::start(&database.url, &clock, vec![("ses", ses.clone())]).await;
        let report = json!({ "eventType": "Complaint", "complaint": { "feedbackId": "f", "timestamp": "2026-11-23T15:00:00Z",
            "complainedRecipients": [{ "emailAddress": "ana@clinic.example" }] }, "mail": { "messageId": "m" } });
        let envelope = json!({ "Type": "Notification", "MessageId": "n1", "TopicArn": TOPIC, "Message": report.to_string(),
            "Timestamp": "2026-11-23T15:00:00.000Z", "SignatureVersion": "2", "Signature": "AAAA",
            "SigningCertURL": format!("https://{SNS}/SimpleNotificationService-1.pem") });
        let sent = Sent::new(&[("content-type", "text/plain; charset=UTF-8".to_owned())], envelope.to_string());
        for _ in 0..2 {
            let answer = node.post("ses", &sent).await;
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            let wait = answer.headers()["retry-after"].to_str().expect("text").parse::<u64>().expect("seconds");
            assert!((1..=60).contains(&wait), "{wait}");
            assert_eq!(node.kept("ses").await, 0, "nothing is stored that is not proved");
        }
        ses.has_certificate.store(true, Ordering::SeqCst);
        for _ in 0..2 {
            assert_eq!(node.status("ses", &sent).await, StatusCode::OK);
        }
        assert_eq!(node.kept("ses").await, 1);
        node.end().await;
    })
    .await;
}
