//! The Notifyre adapter against the signature that its own library's tests publish.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use touchline::domain::event::Fact;
use touchline::domain::{Clock, Timestamp};
use touchline::provider::{Provider, Rejection, WebhookParts, find_spec};

use crate::providers::sample;
use crate::support::PATIENCE;
use crate::support::clock::FakeClock;
use crate::support::require;

const VECTOR: &str = "notifyre/webhook-signature-vector.json";

/// The published signature, if it is on this machine.
fn vector() -> Option<Value> {
    let Some(path) = require::contract(VECTOR) else {
        require::skip(VECTOR);
        return None;
    };
    let text = std::fs::read_to_string(path).expect("the file can be read");
    Some(serde_json::from_str(&text).expect("the file is JSON"))
}

fn notifyre(secret: &str) -> Arc<dyn Provider> {
    let secrets = BTreeMap::from([
        ("api_token".to_owned(), "notifyre-canary".to_owned()),
        ("webhook_secret".to_owned(), secret.to_owned()),
    ]);
    let clock = FakeClock::at(sample::NOW);
    let account = sample::account(toml::Table::new(), &secrets, PATIENCE, clock);
    let spec = find_spec("notifyre").expect("notifyre is in the registry");
    (spec.build)(account).expect("a complete account")
}

fn text<'a>(vector: &'a Value, key: &str) -> &'a str {
    vector[key].as_str().unwrap_or_else(|| panic!("the vector has no {key}"))
}

/// When it was signed, by its own time.
fn signed_at(vector: &Value) -> Timestamp {
    let seconds = text(vector, "header_value").trim_start_matches("t=").split(',').next().expect("a time");
    Timestamp(seconds.parse::<i64>().expect("seconds") * 1000)
}

fn callback(vector: &Value, header: &str) -> WebhookParts {
    WebhookParts {
        headers: vec![("notifyre-signature".to_owned(), header.to_owned())],
        body: text(vector, "raw_body").as_bytes().to_vec(),
        ..WebhookParts::default()
    }
}

#[test]
fn the_published_signature_is_believed() {
    let Some(vector) = vector() else { return };
    let provider = notifyre(text(&vector, "secret"));
    let parts = callback(&vector, text(&vector, "header_value"));
    let events = provider.receive(&parts, signed_at(&vector)).expect("authentic");
    let event = events.first().expect("one fact");
    assert_eq!(event.reference.as_ref().map(|id| id.0.as_str()), Some("cbf16f4b-d6b9-478c-afa2-c9a1d6ca41e1"));
    assert_eq!((event.attempt, &event.fact), (None, &Fact::Delivered { pages: Some(3) }), "the reference is not ours");
    let late = signed_at(&vector).after(Duration::from_secs(301));
    assert_eq!(provider.receive(&parts, late), Err(Rejection::Stale));
    assert_eq!(provider.receive(&parts, FakeClock::at(sample::NOW).now()), Err(Rejection::Stale));
}

#[test]
fn the_published_counterexamples_are_forged() {
    let Some(vector) = vector() else { return };
    let now = signed_at(&vector);
    for key in ["wrong_signature_header", "missing_t", "missing_v"] {
        let parts = callback(&vector, text(&vector, key));
        assert_eq!(notifyre(text(&vector, "secret")).receive(&parts, now), Err(Rejection::Forged), "{key}");
    }
    let parts = callback(&vector, text(&vector, "header_value"));
    assert_eq!(notifyre("another").receive(&parts, now), Err(Rejection::Forged), "another secret");
}
