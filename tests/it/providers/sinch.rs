//! The Sinch adapter against the samples that Sinch published itself, and what its tokens do over several calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use touchline::domain::attempt::ProviderReference;
use touchline::domain::event::{Billed, Fact};
use touchline::domain::fault::Fault;
use touchline::domain::{Channel, Clock};
use touchline::provider::{Provider, WebhookParts, find_spec};

use crate::providers::fixture::{Answer, Exchange};
use crate::providers::replay::Replay;
use crate::providers::sample;
use crate::support::PATIENCE;
use crate::support::clock::FakeClock;
use crate::support::require;

const SECRET: &str = "path-canary-31bc0d9e";

/// A published sample, if it is on this machine.
fn published(name: &str) -> Option<Value> {
    let file = format!("sinch/{name}");
    let Some(path) = require::contract(&file) else {
        require::skip(&file);
        return None;
    };
    let text = std::fs::read_to_string(path).expect("the sample can be read");
    Some(serde_json::from_str(&text).expect("the sample is JSON"))
}

/// An account at a server on that port, with these further settings.
fn sinch(port: u16, further: &str, clock: Arc<FakeClock>) -> Arc<dyn Provider> {
    let mut settings: toml::Table = toml::from_str(further).expect("settings in the test");
    for (key, value) in [
        ("base_url", format!("http://127.0.0.1:{port}/v3")),
        ("auth_url", format!("http://127.0.0.1:{port}/oauth2/token")),
        ("project_id", "projectId".to_owned()),
        ("key_id", "keyId".to_owned()),
    ] {
        settings.insert(key.to_owned(), value.into());
    }
    let secrets = BTreeMap::from([
        ("key_secret".to_owned(), "secret-canary".to_owned()),
        ("callback_secret".to_owned(), SECRET.to_owned()),
    ]);
    let account = sample::account(settings, &secrets, PATIENCE, clock);
    (find_spec("sinch").expect("sinch is in the registry").build)(account).expect("a complete account")
}

fn exchange(method: &str, path: &str, authorization: &str, status: u16, body: &Value) -> Exchange {
    Exchange {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: BTreeMap::from([("authorization".to_owned(), authorization.to_owned())]),
        answer: Answer { status, body: body.to_string(), ..Answer::default() },
        ..Exchange::default()
    }
}

fn token(word: &str) -> Exchange {
    let answer = json!({ "access_token": word, "expires_in": 3599, "token_type": "bearer" });
    exchange("POST", "/oauth2/token", "Basic a2V5SWQ6c2VjcmV0LWNhbmFyeQ==", 200, &answer)
}

fn asks(word: &str, status: u16, body: &Value) -> Exchange {
    exchange("GET", "/v3/projects/projectId/faxes/fax_id", &format!("Bearer {word}"), status, body)
}

fn reference() -> ProviderReference {
    ProviderReference::new("fax_id").expect("a constant id")
}

fn callback(body: &Value) -> WebhookParts {
    WebhookParts {
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
        secret: Some(SECRET.to_owned()),
        ..WebhookParts::default()
    }
}

#[tokio::test]
async fn the_published_fax_is_read() {
    let Some(fax) = published("fax-object.json") else { return };
    for body in [fax.clone(), json!([fax.clone()]), json!({ "faxes": [fax] })] {
        let server = Replay::start(&[token("one"), asks("one", 200, &body)]).await;
        let provider = sinch(server.port, "", FakeClock::at(sample::NOW));
        let report = provider.status(&reference()).await.expect("an answer");
        assert_eq!(report.fact, Fact::Delivered { pages: Some(1) }, "an old error beside a success is none");
        assert_eq!(report.billed, Billed::new("0.210", "USD"));
        assert_eq!(server.complaints(), Vec::<String>::new());
    }
}

#[test]
fn the_published_callbacks_are_read() {
    let now = FakeClock::at(sample::NOW).now();
    let provider = sinch(9, "", FakeClock::at(sample::NOW));
    if let Some(completed) = published("callback-completed.json") {
        let events = provider.receive(&callback(&completed), now).expect("theirs");
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].reference, ProviderReference::new("01HDFHACK1YN7CCDYRA6ZRMA8Z"));
        assert_eq!(events[0].fact, Fact::Delivered { pages: Some(1) });
        assert_eq!(events[0].billed, Billed::new("0.07", "USD"));
        assert_eq!(events[0].occurred_ms, Some(FakeClock::at("2021-11-01T23:25:39Z").now()));
    }
    if let Some(incoming) = published("callback-incoming.json") {
        assert_eq!(provider.receive(&callback(&incoming), now), Ok(Vec::new()), "a received fax is none of ours");
    }
}

#[tokio::test]
async fn a_token_is_used_until_it_ends_or_is_not_taken() {
    let fax = json!({ "id": "fax_id", "status": "QUEUED" });
    let clock = FakeClock::at(sample::NOW);
    let exchanges = [
        token("one"),
        asks("one", 200, &fax),
        asks("one", 200, &fax),
        asks("one", 401, &Value::Null),
        token("two"),
        asks("two", 200, &fax),
        token("three"),
        asks("three", 200, &fax),
    ];
    let server = Replay::start(&exchanges).await;
    let provider = sinch(server.port, "", clock.clone());
    assert!(provider.status(&reference()).await.is_ok());
    assert!(provider.status(&reference()).await.is_ok(), "the same token");
    let failure = provider.status(&reference()).await.expect_err("it is not taken any more");
    assert_eq!(failure.fault, Fault::ProviderError, "nothing is wrong with the account");
    assert!(provider.status(&reference()).await.is_ok(), "another token");
    clock.advance(Duration::from_secs(3599));
    assert!(provider.status(&reference()).await.is_ok(), "a third one after its time");
    assert_eq!(server.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn one_submit_makes_one_call_that_can_take_effect() {
    let fax = json!({ "id": "fax_id", "status": "QUEUED" });
    let path = "/v3/projects/projectId/faxes";
    let server = Replay::start(&[token("one"), exchange("POST", path, "Bearer one", 503, &fax)]).await;
    let provider = sinch(server.port, "", FakeClock::at(sample::NOW));
    let outcome = provider.submit(&sample::envelope(Channel::Fax)).await;
    assert_eq!(outcome.as_str(), "unknown", "and it is not made again");
    assert_eq!(server.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn check_tells_what_the_fax_service_adds() {
    let service =
        json!({ "id": "s1", "defaultForProject": true, "coverPageId": "01ABC", "saveOutboundFaxDocuments": true });
    let path = "/v3/projects/projectId/services";
    let answer = json!({ "services": [{ "id": "s0" }, service] });
    let server = Replay::start(&[token("one"), exchange("GET", path, "Bearer one", 200, &answer)]).await;
    let words = sinch(server.port, "", FakeClock::at(sample::NOW)).check().await.expect("the project is known");
    assert!(words.contains("cover page") && words.contains("keeps sent documents"), "{words}");
}

#[test]
fn settings_are_refused_without_repeating_them() {
    for (key, value) in [
        ("project_id", "../services"),
        ("service_id", "a/b"),
        ("key_id", " "),
        ("auth", "digest"),
        ("auth_url", "https://user:pass-canary@auth.sinch.com/oauth2/token"),
        ("header_text", "this text is longer than the fifty characters taken"),
        ("callback_secret", "short"),
    ] {
        let mut settings =
            toml::Table::from_iter([("project_id", "p"), ("key_id", "k")].map(|(k, v)| (k.to_owned(), v.into())));
        let mut secrets = BTreeMap::from([("key_secret".to_owned(), "secret-canary".to_owned())]);
        if key == "callback_secret" {
            secrets.insert(key.to_owned(), value.to_owned());
        } else {
            settings.insert(key.to_owned(), value.into());
        }
        let account = sample::account(settings, &secrets, PATIENCE, FakeClock::at(sample::NOW));
        let error = (find_spec("sinch").expect("sinch is in the registry").build)(account).expect_err(key).to_string();
        assert!(error.contains("providers.office"), "{error}");
        assert!(key == "auth" || value == " " || !error.contains(value), "{error}");
    }
}
