//! Callbacks: every published sample, every documented reason, and the ways in which one can be wrong.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use touchline::domain::event::{DeliveryEvent, Fact};
use touchline::domain::fault::Fault;
use touchline::domain::{Clock, Timestamp};
use touchline::provider::{Provider, Rejection, WebhookParts};

use super::{FAX, document, reference, telnyx};
use crate::providers::sample;
use crate::support::clock::FakeClock;
use crate::support::openapi_mock::document::Document;

fn key_pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("32 bytes")
}

/// An account that knows the public half of the test key. Nothing is called, so nobody need listen.
fn office() -> std::sync::Arc<dyn Provider> {
    let public_key = BASE64.encode(key_pair().public_key().as_ref());
    telnyx("http://127.0.0.1:9/v2", &format!("public_key = '{public_key}'"))
}

fn now() -> Timestamp {
    FakeClock::at(sample::NOW).now()
}

/// A callback signed as Telnyx signs, at that many seconds from now.
fn signed(body: &[u8], seconds_from_now: i64) -> WebhookParts {
    let timestamp = (now().0 / 1000 + seconds_from_now).to_string();
    let signature = key_pair().sign(&[timestamp.as_bytes(), b"|", body].concat());
    let headers = vec![
        ("telnyx-timestamp".to_owned(), timestamp),
        ("telnyx-signature-ed25519".to_owned(), BASE64.encode(signature.as_ref())),
    ];
    WebhookParts { headers, body: body.to_vec(), ..WebhookParts::default() }
}

fn receive(body: &Value) -> Result<Vec<DeliveryEvent>, Rejection> {
    office().receive(&signed(body.to_string().as_bytes(), 0), now())
}

fn failed(reason: &str) -> Value {
    json!({ "data": { "event_type": "fax.failed", "id": "e-1", "payload": {
        "fax_id": FAX, "direction": "outbound", "status": "failed", "failure_reason": reason } } })
}

#[tokio::test]
async fn every_published_callback_is_read() {
    let Some(document) = document() else { return };
    let document = Document::new(document);
    let webhooks = document.at("/webhooks").as_object().expect("the document has webhooks");
    assert_eq!(webhooks.len(), 5);
    for (name, webhook) in webhooks {
        let body = document.example(&webhook["post"]["requestBody"]["content"]["application/json"]["schema"]);
        for body in [body.clone(), body["data"].clone()] {
            let events = receive(&body).unwrap_or_else(|rejection| panic!("{name}: {rejection}"));
            let [event] = events.as_slice() else { panic!("{name}: {} events", events.len()) };
            assert_eq!(event.reference.as_ref().map(|it| it.0.as_str()), body_fax(&body), "{name}");
            assert!(event.occurred_ms.is_some(), "{name}");
            let word = match &event.fact {
                Fact::Delivered { pages: Some(2) } => "fax.delivered".to_owned(),
                Fact::Failed(failure) if failure.fault == Fault::RejectedByRemote => "fax.failed".to_owned(),
                Fact::Progress { stage } => format!("fax.{stage}"),
                fact => panic!("{name}: {fact:?}"),
            };
            assert_eq!(&word, name);
        }
    }
}

fn body_fax(body: &Value) -> Option<&str> {
    let envelope = body.get("data").unwrap_or(body);
    envelope["payload"]["fax_id"].as_str()
}

/// The support article on fax errors, with what each reason means to us; and `rejected`, which only the schema names.
const REASONS: &[(Fault, &[&str])] = &[
    (Fault::Busy, &["user_busy"]),
    (Fault::NoAnswer, &["receiver_no_answer", "receiver_no_response", "receiver_recovery_on_timer_expire"]),
    (
        Fault::LineError,
        &[
            "receiver_call_dropped",
            "sender_call_dropped",
            "carrier_lost",
            "service_unavailable",
            "destination_unreachable",
            "fax_signaling_error",
        ],
    ),
    (
        Fault::NegotiationError,
        &["receiver_communication_error", "sender_communication_error", "invalid_ecm_response_from_receiver"],
    ),
    (Fault::NotAFax, &["fax_initial_communication_timeout", "receiver_incompatible_destination"]),
    (Fault::InvalidNumber, &["receiver_invalid_number_format", "receiver_unallocated_number", "destination_invalid"]),
    (Fault::RejectedByRemote, &["receiver_decline", "rejected"]),
    (
        Fault::Blocked,
        &[
            "destination_not_in_service_plan",
            "destination_not_in_countries_whitelist",
            "unverified_destination_not_allowed",
        ],
    ),
    (
        Fault::DocumentError,
        &[
            "file_format_invalid",
            "file_download_failed",
            "file_size_limit_exceeded",
            "page_count_limit_exceeded",
            "media_processing_exception",
        ],
    ),
    (
        Fault::AccountError,
        &[
            "account_disabled",
            "no_outbound_profile",
            "outbound_profile_daily_spend_limit_exceeded",
            "unverified_origination_number",
        ],
    ),
    (
        Fault::RateLimited,
        &[
            "user_channel_limit_exceeded",
            "outbound_profile_channel_limit_exceeded",
            "connection_channel_limit_exceeded",
        ],
    ),
    (Fault::Cancelled, &["sender_canceled"]),
];

#[tokio::test]
async fn every_documented_reason_has_its_fault_and_keeps_its_word() {
    assert_eq!(REASONS.iter().map(|(_, reasons)| reasons.len()).sum::<usize>(), 36);
    for (fault, reasons) in REASONS {
        for reason in *reasons {
            let events = receive(&failed(reason)).expect("authentic");
            let Fact::Failed(failure) = &events[0].fact else { panic!("{reason}: not a failure") };
            assert_eq!((failure.fault, failure.raw_code.as_deref()), (*fault, Some(*reason)));
        }
    }
}

#[tokio::test]
async fn a_page_count_beside_a_busy_line_is_not_a_partial_send() {
    let mut body = failed("user_busy");
    body["data"]["payload"]["page_count"] = json!(3);
    let events = receive(&body).expect("authentic");
    let Fact::Failed(failure) = &events[0].fact else { panic!("not a failure") };
    assert_eq!((failure.fault, failure.pages_confirmed), (Fault::Busy, Some(0)));
}

#[tokio::test]
async fn a_forged_callback_is_turned_away() {
    let body = failed("user_busy").to_string();
    let genuine = signed(body.as_bytes(), 0);
    assert!(office().receive(&genuine, now()).is_ok());
    let mut changed = genuine.clone();
    changed.body = body.replace("user_busy", "no_outbound_profile").into_bytes();
    let mut moved = genuine.clone();
    moved.headers[0].1 = (now().0 / 1000 + 1).to_string();
    let mut unsigned = genuine.clone();
    unsigned.headers.truncate(1);
    let mut undated = genuine.clone();
    undated.headers.remove(0);
    for (what, parts) in [("changed", changed), ("moved", moved), ("unsigned", unsigned), ("undated", undated)] {
        assert_eq!(office().receive(&parts, now()), Err(Rejection::Forged), "{what}");
    }
}

#[tokio::test]
async fn a_callback_is_believed_within_300_seconds_either_way() {
    let body = failed("user_busy").to_string();
    for (seconds, expected) in [(-300, true), (300, true), (-301, false), (301, false)] {
        let answer = office().receive(&signed(body.as_bytes(), seconds), now());
        assert_eq!(answer.is_ok(), expected, "{seconds} s: {answer:?}");
        assert!(expected || answer == Err(Rejection::Stale), "{seconds} s");
    }
}

#[tokio::test]
async fn a_callback_that_comes_twice_is_one_fact_and_two_facts_are_two() {
    let key = |events: Vec<DeliveryEvent>| events[0].dedupe.clone();
    let mut again = failed("user_busy");
    again["meta"] = json!({ "attempt": 2 });
    let mut delivered = failed("user_busy");
    delivered["data"]["event_type"] = json!("fax.delivered");
    let first = key(receive(&failed("user_busy")).expect("authentic"));
    assert_eq!(first, key(receive(&again).expect("authentic")));
    assert_ne!(first, key(receive(&delivered).expect("authentic")));
}

#[tokio::test]
async fn a_callback_names_our_attempt_where_it_carries_one() {
    let mut body = failed("user_busy");
    body["data"]["payload"]["client_state"] = json!(BASE64.encode(sample::ATTEMPT));
    let events = receive(&body).expect("authentic");
    assert_eq!(events[0].attempt, Some(sample::attempt()));
    assert_eq!(events[0].reference, Some(reference()));
    body["data"]["payload"]["client_state"] = json!("aGF2ZSBhIG5pY2UgZGF5ID1d");
    assert_eq!(receive(&body).expect("authentic")[0].attempt, None);
}

#[tokio::test]
async fn without_a_public_key_nothing_is_believed() {
    let provider = telnyx("http://127.0.0.1:9/v2", "");
    let parts = signed(failed("user_busy").to_string().as_bytes(), 0);
    assert_eq!(provider.receive(&parts, now()), Err(Rejection::Forged));
}
