//! The Phaxio adapter against what Phaxio published itself: the exchanges that its Ruby library recorded with test
//! keys, and the library's signature of a callback.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use touchline::domain::attempt::ProviderReference;
use touchline::domain::event::Fact;
use touchline::domain::{Channel, Clock, Outcome};
use touchline::provider::{FindQuery, FindResult, Provider, Rejection, WebhookParts, find_spec};

use crate::providers::fixture::{Answer, Exchange};
use crate::providers::replay::Replay;
use crate::providers::sample;
use crate::support::PATIENCE;
use crate::support::clock::FakeClock;
use crate::support::require;

/// An account at that address, with that callback token.
fn phaxio(base_url: &str, callback_token: &str) -> Arc<dyn Provider> {
    let settings = toml::Table::from_iter([("base_url".to_owned(), base_url.into())]);
    let secrets = [("api_key", "key-canary"), ("api_secret", "secret-canary"), ("callback_token", callback_token)];
    let secrets: BTreeMap<String, String> =
        secrets.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let account = sample::account(settings, &secrets, PATIENCE, FakeClock::at(sample::NOW));
    let spec = find_spec("phaxio").expect("phaxio is in the registry");
    (spec.build)(account).expect("a complete account")
}

/// The exchanges of a recording, if it is on this machine. The files are YAML as one tool writes it: each key on a line
/// of its own, answers in single quotes on one line.
fn recorded(name: &str) -> Option<Vec<Exchange>> {
    let file = format!("phaxio/cassettes/{name}.yml");
    let Some(path) = require::contract(&file) else {
        require::skip(&file);
        return None;
    };
    let text = std::fs::read_to_string(path).expect("the recording can be read");
    let exchanges: Vec<Exchange> = text.split("- request:").skip(1).map(exchange).collect();
    assert!(!exchanges.is_empty(), "{name} holds no exchange");
    Some(exchanges)
}

fn exchange(text: &str) -> Exchange {
    let (request, response) = text.split_once("\n  response:").expect("each request has its answer");
    let value = |text: &str, key: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(&format!("{key}: ")).map(str::to_owned));
        line.unwrap_or_else(|| panic!("no {key}"))
    };
    let url: url::Url = value(request, "uri").parse().expect("a recorded address");
    let body = value(response, "string");
    Exchange {
        method: value(request, "method").to_uppercase(),
        path: url.path().to_owned(),
        // The recorded create calls hold these two parts and nothing else.
        body_has: if request.contains("!binary") {
            vec![r#"name="to""#.to_owned(), r#"name="file"; filename="#.to_owned(), "application/pdf".to_owned()]
        } else {
            Vec::new()
        },
        answer: Answer {
            status: value(response, "code").parse().expect("a status"),
            body: body.trim_matches('\'').replace("''", "'"),
            ..Answer::default()
        },
        ..Exchange::default()
    }
}

/// The id in a recorded answer.
fn recorded_id(exchange: &Exchange) -> ProviderReference {
    let body: Value = serde_json::from_str(&exchange.answer.body).expect("a recorded answer is JSON");
    ProviderReference::new(&body["data"]["id"].to_string()).expect("a recorded id")
}

/// Plays the recorded create call, then lets `ask` make the one that the recording is named for.
async fn after_create<F, Fut>(name: &str, ask: F)
where
    F: FnOnce(Arc<dyn Provider>, ProviderReference) -> Fut,
    Fut: Future<Output = ()>,
{
    let Some(exchanges) = recorded(name) else { return };
    let server = Replay::start(&exchanges).await;
    let provider = phaxio(&format!("http://127.0.0.1:{}/v2.1", server.port), "unused");
    let outcome = provider.submit(&sample::envelope(Channel::Fax)).await;
    let reference = recorded_id(&exchanges[0]);
    assert_eq!(outcome, Outcome::Accepted { reference: reference.clone() }, "{name}");
    ask(provider, reference).await;
    assert_eq!(server.complaints(), Vec::<String>::new(), "{name}");
}

#[tokio::test]
async fn the_recorded_create_is_an_acceptance() {
    after_create("create", |_, _| async {}).await;
}

#[tokio::test]
async fn the_recorded_states_are_read() {
    for name in ["get", "reference"] {
        after_create(name, |provider, reference| async move {
            let report = provider.status(&reference).await.expect("a recorded answer");
            assert_eq!(report.reference, reference);
            assert_eq!(report.fact, Fact::Progress { stage: "queued".to_owned() });
            assert_eq!(report.billed, None, "what it costs is told at its end");
        })
        .await;
    }
}

#[tokio::test]
async fn the_recorded_cancellation_and_deletion_work() {
    after_create("cancel", |provider, reference| async move {
        assert_eq!(provider.cancel(&reference).await, Ok(()));
    })
    .await;
    after_create("delete_file", |provider, reference| async move {
        assert_eq!(provider.purge(&reference).await, Ok(()));
    })
    .await;
}

#[tokio::test]
async fn the_recorded_empty_listing_is_an_absence() {
    let Some(exchanges) = recorded("list") else { return };
    let server = Replay::start(&exchanges).await;
    let provider = phaxio(&format!("http://127.0.0.1:{}/v2.1", server.port), "unused");
    let opened_ms = FakeClock::at(sample::NOW).now();
    let search = FindQuery { attempt: sample::attempt(), to: sample::to(Channel::Fax), opened_ms };
    assert_eq!(provider.find(&search).await, Ok(FindResult::Absent));
    assert_eq!(server.complaints(), Vec::<String>::new());
}

#[test]
fn the_published_signature_is_known_and_no_other() {
    let Some(path) = require::contract("phaxio/webhook-signature-vector.json") else {
        return require::skip("phaxio/webhook-signature-vector.json");
    };
    let text = std::fs::read_to_string(path).expect("the vector can be read");
    let vector: Value = serde_json::from_str(&text).expect("the vector is JSON");
    let word = |key: &str| vector[key].as_str().expect("a text").to_owned();
    let provider = phaxio("http://127.0.0.1:9/v2.1", &word("webhook_token"));
    let now = FakeClock::at(sample::NOW).now();
    let values = vector["params"].as_object().expect("values");
    let body = |form: &str| match form {
        "multipart/form-data; boundary=b" => {
            let part = |(name, value): (&String, &Value)| {
                let value = value.as_str().expect("a text");
                format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
            };
            values.iter().map(part).collect::<String>() + "--b--\r\n"
        }
        _ => url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(values.iter().map(|(name, value)| (name, value.as_str().expect("a text"))))
            .finish(),
    };
    for form in ["multipart/form-data; boundary=b", "application/x-www-form-urlencoded"] {
        let parts = |signature: &str| WebhookParts {
            url: word("url"),
            headers: vec![
                ("content-type".to_owned(), form.to_owned()),
                ("x-phaxio-signature".to_owned(), signature.to_owned()),
            ],
            body: body(form).into_bytes(),
            secret: None,
        };
        let signature = word("signature_hex");
        // It is theirs, but the sample holds no fax.
        assert_eq!(provider.receive(&parts(&signature), now), Err(Rejection::Unreadable), "{form}");
        let other = signature.replace('6', "7");
        assert_eq!(provider.receive(&parts(&other), now), Err(Rejection::Forged), "{form}");
        let elsewhere = WebhookParts { url: "example.com/".to_owned(), ..parts(&signature) };
        assert_eq!(provider.receive(&elsewhere, now), Err(Rejection::Forged), "{form}");
    }
}

#[test]
fn without_a_token_no_callback_is_taken_or_asked_for() {
    let settings = toml::Table::new();
    let secrets = BTreeMap::from([
        ("api_key".to_owned(), "key-canary".to_owned()),
        ("api_secret".to_owned(), "secret-canary".to_owned()),
    ]);
    let account = sample::account(settings, &secrets, PATIENCE, FakeClock::at(sample::NOW));
    let provider = (find_spec("phaxio").expect("phaxio is in the registry").build)(account).expect("an account");
    let answer = provider.receive(&WebhookParts::default(), FakeClock::at(sample::NOW).now());
    assert_eq!(answer, Err(Rejection::Unsupported));
}

#[test]
fn settings_are_refused_without_repeating_them() {
    for (key, value) in [
        ("header_text", "this text is longer than the fifty characters taken"),
        ("header_text", " "),
        ("test_fail", "solarFlare"),
        ("from", "12-canary"),
        ("base_url", "ftp://api.phaxio.com"),
    ] {
        let settings = toml::Table::from_iter([(key.to_owned(), value.into())]);
        let secrets = BTreeMap::from([
            ("api_key".to_owned(), "key-canary".to_owned()),
            ("api_secret".to_owned(), "secret-canary".to_owned()),
        ]);
        let account = sample::account(settings, &secrets, PATIENCE, FakeClock::at(sample::NOW));
        let error = (find_spec("phaxio").expect("phaxio is in the registry").build)(account).expect_err(key);
        assert!(error.to_string().contains("providers.office"), "{error}");
    }
}
