//! What bodies mean.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde::Deserialize;

use super::super::declared::{POSTMARK_EXAMPLE, of_text};
use super::super::secret::Shared;
use super::super::{MailEvents, ses};
use super::{account, events, parts};
use crate::domain::event::{DeliveryEvent, Fact};
use crate::domain::fault::{AddressEvidence, Fault};
use crate::domain::returned::{ReturnClass, ReturnKind};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const VERIFICATION_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA==";
const PASSWORD: &str = "a-long-word-of-the-tests";
const ATTEMPT: &str = "0199c0de-7a11-7000-8000-00000000c0de";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    kind: Option<ReturnKind>,
    class: Option<ReturnClass>,
    fault: Option<Fault>,
    #[serde(default = "one")]
    facts: usize,
    #[serde(default)]
    unreadable: bool,
    body: String,
}

const fn one() -> usize {
    1
}

#[derive(Debug, Deserialize)]
struct Table {
    case: Vec<Case>,
}

fn table(text: &str) -> Vec<Case> {
    toml::from_str::<Table>(text).expect("a table of cases").case
}

/// A scheme, its table, and how a body of the table travels.
type Scheme = (&'static str, Arc<dyn MailEvents>, Vec<Case>, fn(&str) -> String);

fn schemes() -> &'static [Scheme] {
    static SCHEMES: LazyLock<Vec<Scheme>> = LazyLock::new(all);
    &SCHEMES
}

fn all() -> Vec<Scheme> {
    let plain: fn(&str) -> String = str::to_owned;
    let of = |settings: &str, secrets: &[(&str, &str)]| events(settings, secrets).expect("opened");
    macro_rules! cases {
        ($name:literal) => {
            table(include_str!(concat!("../../../../../tests/it/fixtures/mail-events/", $name, ".toml")))
        };
    }
    vec![
        ("ses", Arc::new(ses::tests::unread()), cases!("ses"), ses::tests::notification),
        ("sendgrid", of("events = 'sendgrid'", &[("events_key", VERIFICATION_KEY)]), cases!("sendgrid"), plain),
        (
            "postmark",
            of("events = 'postmark'\nevents_user = 'us'", &[("events_password", PASSWORD)]),
            cases!("postmark"),
            plain,
        ),
        ("mailgun", of("events = 'mailgun'", &[("events_key", "key")]), cases!("mailgun"), plain),
        ("resend", of("events = 'resend'", &[("events_key", KEY)]), cases!("resend"), plain),
        (
            "standard_webhooks",
            of("events = 'standard_webhooks'", &[("events_key", KEY)]),
            cases!("standard_webhooks"),
            plain,
        ),
        ("postmark, declared", Arc::new(postmark_declared()), cases!("postmark"), plain),
    ]
}

fn postmark_declared() -> impl MailEvents {
    let basic = Shared::Basic("us".to_owned(), PASSWORD.into());
    of_text(&account("", &[]), POSTMARK_EXAMPLE, Some(basic)).expect("a sound description")
}

#[test]
fn every_body_means_what_its_table_says() {
    let mut wrong = Vec::new();
    for (scheme, events, cases, travels) in schemes() {
        for case in cases {
            let facts = events.translate(&parts(&[], travels(&case.body)));
            if let Err(what) = check(case, facts.as_deref()) {
                wrong.push(format!("{scheme}, {}: {what}\n  {facts:?}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(case: &Case, facts: Option<&[DeliveryEvent]>) -> Result<(), String> {
    let Some(facts) = facts else {
        return if case.unreadable { Ok(()) } else { Err("it could not be read".to_owned()) };
    };
    let wanted = if case.kind.is_none() { 0 } else { case.facts };
    if case.unreadable || facts.len() != wanted {
        return Err(format!("{} facts", facts.len()));
    }
    let keys: BTreeSet<&str> = facts.iter().map(|fact| fact.dedupe.as_str()).collect();
    if keys.len() != facts.len() || keys.iter().any(|key| key.is_empty() || key.chars().count() > 200) {
        return Err("its keys do not tell its facts apart".to_owned());
    }
    facts.iter().try_for_each(|fact| check_one(case, fact))
}

fn check_one(case: &Case, event: &DeliveryEvent) -> Result<(), String> {
    let returned = event.returned.as_ref().ok_or("nothing is said of what came back")?;
    if Some(returned.kind) != case.kind || returned.class != case.class {
        return Err(format!("{}, {:?}", returned.kind, returned.class));
    }
    if event.occurred_ms.is_none() || returned.recipient.is_none() || returned.row.is_none() {
        return Err("without time, recipient or word".to_owned());
    }
    let names_us = case.body.contains(ATTEMPT);
    if names_us != event.attempt.is_some() || (names_us && event.reference.is_some()) {
        return Err("matched by the wrong thing".to_owned());
    }
    let Fact::Failed(failure) = &event.fact else {
        return if case.class.is_some() { Err("no failure".to_owned()) } else { Ok(()) };
    };
    // A letter that was not tried because of an earlier complaint or opt-out failed, and is told as what was said.
    if case.class.is_none() || case.fault.is_some_and(|fault| fault != failure.fault) {
        return Err(format!("the failure {}", failure.fault));
    }
    let is_held_against_it = failure.fault.evidence() == AddressEvidence::Dead;
    if is_held_against_it != (returned.class == Some(ReturnClass::Hard)) {
        return Err(format!("{} is held against the address, or is not", failure.fault));
    }
    Ok(())
}

#[test]
fn postmark_described_says_what_the_built_in_one_says() {
    let built_in = events("events = 'postmark'\nevents_user = 'us'", &[("events_password", PASSWORD)]).expect("opened");
    let declared = postmark_declared();
    for case in table(include_str!("../../../../../tests/it/fixtures/mail-events/postmark.toml")) {
        let callback = parts(&[], case.body);
        assert_eq!(declared.translate(&callback), built_in.translate(&callback), "{}", case.name);
    }
}

#[test]
fn what_is_told_again_has_the_same_key_and_what_is_said_of_another_recipient_has_another() {
    let mut keys = BTreeSet::new();
    for (scheme, events, cases, travels) in schemes().iter().filter(|(scheme, ..)| !scheme.contains("declared")) {
        for case in cases {
            let callback = parts(&[], travels(&case.body));
            let again = parts(&[("webhook-id", "another")], travels(&case.body));
            assert_eq!(events.translate(&callback), events.translate(&again), "{scheme}, {}", case.name);
            let other = parts(&[], travels(&case.body.replace("ana@", "someone.else@")));
            for fact in events.translate(&callback).into_iter().chain(events.translate(&other)).flatten() {
                let said =
                    format!("{scheme} {:?} {}", fact.returned.and_then(|returned| returned.recipient), case.name);
                assert!(keys.insert(format!("{scheme} {}", fact.dedupe)) || said.contains("bo@"), "{said}");
            }
        }
    }
}

#[test]
fn no_text_of_theirs_holds_what_a_database_does_not_take() {
    let body = r#"{"RecordType":"Bounce","ID":1,"Type":"HardBounce","Details":"a\u0000b\nc","Email":"ana\u0000@clinic.example","MessageID":"\u0000","BouncedAt":"2026-11-01T12:00:00Z"}"#;
    let facts = postmark_declared().translate(&parts(&[], body)).expect("read");
    let told = serde_json::to_value(&facts).expect("JSON");
    assert_eq!(crate::domain::storable::unstorable_in(&told), None, "{told}");
    assert_eq!(facts[0].returned.as_ref().map(|returned| returned.diagnostic.as_str()), Some("a b c"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200), word in "\\PC{0,12}", number in any::<i64>()) {
        let text = serde_json::to_string(&word).expect("JSON");
        let odd = format!(
            r#"{{"event":{text},"type":{text},"RecordType":{number},"notificationType":"Bounce","bounce":[{number}],
                "event-data":{{"event":"failed","timestamp":{number},"delivery-status":{{"code":{number}}}}},
                "data":{{"to":[{number},null],"bounce":{text}}}}}"#
        );
        for (_, events, _, travels) in schemes() {
            let _ = events.translate(&parts(&[], octets.clone()));
            let _ = events.verify(&parts(&[("svix-id", &word), ("svix-timestamp", "1"), ("svix-signature", &word)], octets.clone()), super::NOW);
            let _ = events.translate(&parts(&[], odd.clone()));
            let _ = events.translate(&parts(&[], travels(&odd)));
            let _ = events.translate(&parts(&[], format!("[{odd}]")));
        }
    }
}
