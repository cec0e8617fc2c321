//! Which settings open what, and what is refused.

use super::super::declared::{POSTMARK_EXAMPLE, of_text};
use super::super::{MailEvents, locate, open, spec_of};
use super::{NOW, account, events, parts};
use crate::provider::{Rejection, WebhookAuthenticity};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const LONG: &str = "a-long-word-of-the-tests";

#[test]
fn an_account_without_events_takes_no_callbacks_and_with_them_says_what_they_prove() {
    assert!(open(&mut account("", &[])).expect("opened").is_none());
    assert_eq!(spec_of(None).capabilities.webhook, WebhookAuthenticity::NoWebhook);
    for (settings, secrets, proves) in [
        ("events = 'resend'", vec![("events_key", KEY)], WebhookAuthenticity::SignedWithTime),
        ("events = 'mailgun'", vec![("events_key", "key")], WebhookAuthenticity::Signed),
        ("events = 'postmark'\nevents_user = 'us'", vec![("events_password", LONG)], WebhookAuthenticity::SharedSecret),
        (
            "events = 'ses'\nevents_topic = 'arn:aws:sns:us-east-1:123456789012:mail'",
            vec![],
            WebhookAuthenticity::SignedWithTime,
        ),
    ] {
        let opened = events(settings, &secrets).unwrap_or_else(|error| panic!("{settings}: {error}"));
        let spec = spec_of(Some(&*opened));
        assert_eq!((spec.capabilities.webhook, spec.kind), (proves, "smtp"), "{settings}");
    }
}

#[test]
fn what_is_missing_wrong_or_of_another_scheme_is_named() {
    for (settings, secrets, key) in [
        ("events = 'other'", vec![], "unknown variant"),
        ("events_topic = 'arn'", vec![], "events_topic: needs events"),
        ("", vec![("events_key", KEY)], "events_key: needs events"),
        ("events = 'sendgrid'", vec![], "events_key is missing"),
        ("events = 'sendgrid'", vec![("events_key", KEY)], "events_key: must be SendGrid's"),
        ("events = 'sendgrid'\nevents_topic = 'arn'", vec![("events_key", KEY)], "events_topic: is not used"),
        ("events = 'resend'", vec![("events_key", "whsec_AAAA")], "events_key: must be the endpoint's"),
        ("events = 'ses'", vec![], "events_topic: is missing"),
        ("events = 'ses'\nevents_topic = 'arn:aws:sqs:us-east-1:123456789012:mail'", vec![], "events_topic: must be"),
        ("events = 'ses'\nevents_topic = 'arn:aws:sns:a.evil:123456789012:mail'", vec![], "events_topic: must be"),
        ("events = 'postmark'", vec![], "events_user: is missing"),
        ("events = 'postmark'\nevents_user = 'us'", vec![], "events_password: is missing"),
        (
            "events = 'postmark'\nevents_user = 'us'",
            vec![("events_password", "short")],
            "events_password: must have at least 16",
        ),
        ("events = 'postmark'\nevents_header = 'X Y'", vec![("events_key", LONG)], "events_header: must be the name"),
        (
            "events = 'mailgun'\nevents_tolerance_minutes = 0",
            vec![("events_key", KEY)],
            "events_tolerance_minutes: must lie",
        ),
        ("events = 'declared'", vec![("events_key", KEY)], "events_file: is missing"),
    ] {
        let refused = events(settings, &secrets).err().unwrap_or_else(|| panic!("{settings}: opened")).to_string();
        assert!(refused.contains(key) && !refused.contains(LONG), "{settings}: {refused}");
    }
}

#[test]
fn a_description_is_found_in_its_folder_and_nowhere_else_and_opens_the_account() {
    let house = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(house.path().join("providers")).expect("made");
    let write =
        |name: &str, text: &str| std::fs::write(house.path().join("providers").join(name), text).expect("written");
    write("acme-events.toml", POSTMARK_EXAMPLE);
    write("broken.toml", "name = 7");
    let path = locate(house.path(), "acme-events.toml").expect("found");
    let settings = format!("events = 'declared'\nevents_user = 'us'\nevents_file = '{}'", path.display());
    let opened = events(&settings, &[("events_password", LONG)]).expect("opened");
    assert_eq!(opened.authenticity(), WebhookAuthenticity::SharedSecret);
    let refused = events(&settings.replace("events_user = 'us'\n", ""), &[]).err().expect("refused").to_string();
    assert!(refused.contains("events_user: is missing"), "{refused}");
    for (name, said) in
        [("broken.toml", "broken.toml:1:8: "), ("../acme.toml", "name a file"), ("none.toml", "no such file")]
    {
        let refused = locate(house.path(), name).expect_err(name).to_string();
        assert!(refused.contains(said), "{name}: {refused}");
    }
}

#[test]
fn a_description_is_checked_before_anything_starts() {
    for (change, becomes, said) in [
        ("kind = \"basic\"", "kind = \"hmac_sha256\"", "header must name"),
        (
            "kind = \"basic\"",
            "kind = \"hmac_sha256\"\nheader = \"X-S\"\nsigned = \"{timestamp}\"",
            "signed must hold {body}",
        ),
        (
            "kind = \"basic\"",
            "kind = \"hmac_sha256\"\nheader = \"X-S\"\nsigned = \"{time}{body}\"",
            "there is no {time}",
        ),
        ("kind = \"basic\"", "kind = \"magic\"", "unknown variant"),
        ("name    = \"postmark\"", "name = \"Post mark\"", "name must be"),
        ("id         = \"/ID\"", "id = \"ID\"", "JSON pointer"),
        ("= \"complaint\"", "= \"annoyed\"", "write delivered"),
        (
            "{ class = \"soft\", fault = \"unknown\" }",
            "{ class = \"soft\", fault = \"mailbox_unknown\" }",
            "write class = \"hard\"",
        ),
    ] {
        let text = POSTMARK_EXAMPLE.replacen(change, becomes, 1);
        assert_ne!(text, POSTMARK_EXAMPLE, "{change}");
        let refused = of_text(&account("", &[("events_key", LONG)]), &text, None).err().expect("refused").to_string();
        assert!(refused.contains(said), "{becomes}: {refused}");
    }
}

#[test]
fn a_described_provider_is_believed_by_the_signature_that_its_description_names() {
    let signed = "kind = \"hmac_sha256\"\nheader = \"X-Signature\"\nprefix = \"sha256=\"\ntimestamp_header = \"X-Time\"\nsigned = \"{timestamp}.{body}\"";
    let text = POSTMARK_EXAMPLE.replacen("kind = \"basic\"", signed, 1);
    let events = of_text(&account("", &[("events_key", LONG)]), &text, None).expect("opened");
    assert_eq!(events.authenticity(), WebhookAuthenticity::SignedWithTime);
    let seconds = (NOW.0 / 1000).to_string();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, LONG.as_bytes());
    let signature = format!("sha256={}", hex::encode(ring::hmac::sign(&key, format!("{seconds}.{{}}").as_bytes())));
    let callback = |body: &str| parts(&[("x-time", &seconds), ("x-signature", &signature)], body);
    assert_eq!(events.verify(&callback("{}"), NOW), Ok(()));
    assert_eq!(events.verify(&callback("{ }"), NOW), Err(Rejection::Forged));
    let later = crate::domain::Timestamp(NOW.0 + 6 * 60_000);
    assert_eq!(events.verify(&callback("{}"), later), Err(Rejection::Stale));
}
