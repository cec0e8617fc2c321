//! Who is believed: published signatures, and what is forged, stale or replayed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::Deserialize;

use super::super::MailEvents;
use super::{NOW, events, parts};
use crate::domain::Timestamp;
use crate::provider::{Rejection, WebhookParts};

const PASSWORD: &str = "a-long-word-of-the-tests";
const MINUTE: i64 = 60_000;

#[derive(Deserialize)]
struct Published {
    key: String,
    #[serde(default)]
    id: String,
    timestamp: String,
    body: String,
    signature: String,
}

impl Published {
    fn of(name: &str) -> Self {
        let text = include_str!("../../../../../tests/it/fixtures/mail-events/signed.toml");
        let mut all: std::collections::BTreeMap<String, Self> = toml::from_str(text).expect("signatures");
        all.remove(name).expect("it is there")
    }

    fn sent(&self) -> Timestamp {
        Timestamp(self.timestamp.parse::<i64>().expect("seconds") * 1000)
    }

    /// As it travels, its headers named with that prefix.
    fn callback(&self, prefix: &str) -> WebhookParts {
        let headers = [("id", &self.id), ("timestamp", &self.timestamp), ("signature", &self.signature)];
        let headers: Vec<(String, &str)> =
            headers.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value.as_str())).collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        parts(&headers, self.body.as_str())
    }
}

/// The published callback is believed within five minutes; with anything changed, it is not.
fn hold(events: &dyn MailEvents, callback: &WebhookParts, sent: Timestamp) {
    for (off, believed) in [(0, true), (-5, true), (5, true), (-6, false), (6, false)] {
        let verdict = events.verify(callback, Timestamp(sent.0 + off * MINUTE));
        assert_eq!(verdict, if believed { Ok(()) } else { Err(Rejection::Stale) }, "{off} minutes");
    }
    let body = WebhookParts { body: [callback.body.as_slice(), b"\r\n"].concat(), ..callback.clone() };
    assert_eq!(events.verify(&body, sent), Err(Rejection::Forged), "another body");
    for index in 0..callback.headers.len() {
        let mut other = callback.clone();
        let value = other.headers[index].1.clone();
        other.headers[index].1 = format!("{}1", &value[..value.len() - 1]);
        assert_eq!(events.verify(&other, sent), Err(Rejection::Forged), "another {}", callback.headers[index].0);
        other.headers.remove(index);
        assert_eq!(events.verify(&other, sent), Err(Rejection::Forged), "no {}", callback.headers[index].0);
    }
}

#[test]
fn sendgrids_published_signature_is_believed_and_nothing_else() {
    let published = Published::of("sendgrid");
    let events = events("events = 'sendgrid'", &[("events_key", &published.key)]).expect("opened");
    let mut callback = published.callback("x-twilio-email-event-webhook-");
    callback.headers.retain(|(name, _)| !name.ends_with("-id"));
    hold(&*events, &callback, published.sent());
    let swapped =
        published.body.replacen("category", "event", 1).replacen("\"event\":\"test", "\"category\":\"test", 1);
    let swapped = WebhookParts { body: swapped.into_bytes(), ..callback };
    assert_eq!(events.verify(&swapped, published.sent()), Err(Rejection::Forged));
}

#[test]
fn the_standards_published_signature_is_believed_and_nothing_else() {
    let published = Published::of("standard_webhooks");
    for (scheme, prefix) in [("standard_webhooks", "webhook-"), ("resend", "svix-"), ("standard_webhooks", "svix-")] {
        let opened = |key: &str| events(&format!("events = '{scheme}'"), &[("events_key", key)]).expect("opened");
        let callback = published.callback(prefix);
        hold(&*opened(&published.key), &callback, published.sent());
        let other = opened("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        assert_eq!(other.verify(&callback, published.sent()), Err(Rejection::Forged), "another key");
    }
}

#[test]
fn one_of_several_signatures_is_enough_and_public_keys_count_only_for_theirs() {
    let published = Published::of("standard_webhooks");
    let signed = format!("{}.{}.{}", published.id, published.timestamp, published.body);
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
    let signature = BASE64.encode(pair.sign(signed.as_bytes()));
    let public = format!("whpk_{}", BASE64.encode(pair.public_key().as_ref()));
    let opened = |key: &str| events("events = 'standard_webhooks'", &[("events_key", key)]).expect("opened");
    let with = |signature: String| Published { signature, ..Published::of("standard_webhooks") }.callback("webhook-");
    let both = with(format!("v1,AAAA v1a,{signature} {}", published.signature));
    assert_eq!(opened(&public).verify(&both, published.sent()), Ok(()));
    assert_eq!(opened(&published.key).verify(&both, published.sent()), Ok(()));
    let mislabeled = with(format!("v1,{signature}"));
    assert_eq!(opened(&public).verify(&mislabeled, published.sent()), Err(Rejection::Forged));
}

fn of_mailgun(key: &str, seconds: i64, token: &str, event: &str) -> WebhookParts {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let signature = hex::encode(hmac::sign(&key, format!("{seconds}{token}").as_bytes()));
    parts(
        &[],
        format!(
            r#"{{"signature":{{"timestamp":"{seconds}","token":"{token}","signature":"{signature}"}},"event-data":{{"event":"{event}"}}}}"#
        ),
    )
}

#[test]
fn mailguns_token_is_good_for_five_minutes_and_is_the_same_whatever_body_it_comes_with() {
    let events = events("events = 'mailgun'", &[("events_key", "the signing key")]).expect("opened");
    let seconds = NOW.0 / 1000;
    let callback = of_mailgun("the signing key", seconds, "t1", "delivered");
    assert_eq!(events.verify(&callback, NOW), Ok(()));
    let once = |callback: &WebhookParts| events.used_once(callback).expect("a token");
    let replayed = of_mailgun("the signing key", seconds, "t1", "complained");
    assert_eq!(once(&callback), once(&replayed), "the inbox tells them apart by their content");
    assert_ne!(once(&callback), once(&of_mailgun("the signing key", seconds, "t2", "delivered")));
    let cut_elsewhere = once(&of_mailgun("the signing key", seconds / 10, &format!("{}t1", seconds % 10), "delivered"));
    assert_eq!(once(&callback), cut_elsewhere, "what is signed is the same");
    assert!(!once(&callback).contains("t1"), "the token itself is not kept");
    for (off, believed) in [(-5, true), (5, true), (-6, false), (6, false)] {
        let callback = of_mailgun("the signing key", seconds, &format!("t{off}"), "delivered");
        let verdict = events.verify(&callback, Timestamp(NOW.0 + off * MINUTE));
        assert_eq!(verdict, if believed { Ok(()) } else { Err(Rejection::Stale) }, "{off} minutes");
    }
    assert_eq!(events.verify(&of_mailgun("another key", seconds, "t3", "delivered"), NOW), Err(Rejection::Forged));
    assert_eq!(events.verify(&parts(&[], "{}"), NOW), Err(Rejection::Forged));
}

#[test]
fn postmark_is_believed_by_its_password_or_its_header() {
    let basic = |credentials: &str| parts(&[("authorization", &format!("Basic {}", BASE64.encode(credentials)))], "{}");
    let by_password =
        events("events = 'postmark'\nevents_user = 'us'", &[("events_password", PASSWORD)]).expect("opened");
    assert_eq!(by_password.verify(&basic(&format!("us:{PASSWORD}")), NOW), Ok(()));
    for wrong in ["us:", "us:a-long-word-of-the-test", "you:a-long-word-of-the-tests", ""] {
        assert_eq!(by_password.verify(&basic(wrong), NOW), Err(Rejection::Forged), "{wrong}");
    }
    assert_eq!(by_password.verify(&parts(&[], "{}"), NOW), Err(Rejection::Forged));
    assert_eq!(by_password.secret_header(), Some("authorization"));
    let by_header =
        events("events = 'postmark'\nevents_header = 'X-Our-Key'", &[("events_key", PASSWORD)]).expect("opened");
    assert_eq!(by_header.verify(&parts(&[("x-our-key", PASSWORD)], "{}"), NOW), Ok(()));
    assert_eq!(
        by_header.verify(&parts(&[("x-our-key", "a-long-word-of-the-test")], "{}"), NOW),
        Err(Rejection::Forged)
    );
    assert_eq!(by_header.secret_header(), Some("x-our-key"), "it is never kept");
}
