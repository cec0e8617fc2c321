//! The line in the guise of Phaxio and of InterFAX, used through the gateway's own adapters: what each number does is
//! understood correctly.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use touchline::domain::event::Fact;
use touchline::domain::fault::Fault;
use touchline::domain::id::AttemptId;
use touchline::domain::{Clock, SystemClock};
use touchline::http;
use touchline::provider::{Account, FindResult, Provider, Rejection, find_spec};
use touchline::sandbox::fax::{FaxLine, Guise};

use super::bench::{API_KEY, SECRET, accepted, envelope};
use super::callbacks::Receiver;
use super::failure_of;
use super::passing::{ACCOUNT, ended, line, search};
use crate::support::PATIENCE;

/// What a call to each number ends in, for both.
const ENDINGS: &[(&str, Fault)] = &[
    ("0260", Fault::Busy),
    ("0118", Fault::NoAnswer),
    ("0261", Fault::LineError),
    ("0262", Fault::NegotiationError),
    ("0119", Fault::NotAFax),
    ("0263", Fault::InvalidNumber),
    ("0264", Fault::RejectedByRemote),
    ("0130", Fault::DocumentError),
    ("0266", Fault::AccountError),
    ("0268", Fault::ProviderError),
    ("0269", Fault::Cancelled),
    ("0271", Fault::Unknown),
];

/// What a request to send is refused for, for both.
const REFUSALS: &[(&str, Fault)] = &[
    ("0120", Fault::InvalidNumber),
    ("0131", Fault::AccountError),
    ("0274", Fault::DocumentError),
    ("0275", Fault::RateLimited),
];

/// The gateway's adapter for what the line passes for, with this key.
fn adapter(line: &FaxLine, guise: Guise, key: &str, callback_url: Option<&str>) -> Arc<dyn Provider> {
    let mut settings =
        toml::Table::from_iter([("base_url".to_owned(), format!("{}{}", line.base_url(), guise.base_path()).into())]);
    let secrets = match guise {
        Guise::Phaxio => vec![("api_key", ACCOUNT), ("api_secret", key), ("callback_token", SECRET)],
        _ => {
            settings.insert("username".to_owned(), ACCOUNT.into());
            vec![("password", key)]
        }
    };
    let account = Account {
        name: "rehearsal".into(),
        settings,
        secrets: BTreeMap::from_iter(secrets.into_iter().map(|(name, word)| (name.to_owned(), word.into()))),
        http: http::client().expect("a client"),
        timeout: PATIENCE,
        concurrency: 4,
        sender: None,
        callback_url: callback_url.map(str::to_owned),
        documents_url: None,
        tokens: Arc::new(touchline::provider::sign_in::Unkept),
        returns: touchline::domain::return_path::ReturnPaths::new(b"key"),
        baa: false,
        clock: Arc::new(SystemClock),
    };
    (find_spec(guise.kind()).expect("it is registered").build)(account).expect("it can be built")
}

async fn understands_every_number(guise: Guise) {
    let line = line(guise, |_| {}).await;
    let provider = adapter(&line, guise, API_KEY, None);
    provider.check().await.expect("the key is right");
    for (digits, fault) in ENDINGS {
        let reference = accepted(provider.submit(&envelope(digits)).await);
        ended(&line, &reference.0).await;
        let failure = failure_of(provider.status(&reference).await.expect("it answers").fact);
        assert_eq!(failure.fault, *fault, "{digits}");
    }
    for (digits, fault) in REFUSALS {
        let outcome = provider.submit(&envelope(digits)).await;
        let failure = outcome.failure().unwrap_or_else(|| panic!("{digits}: {outcome:?}"));
        assert_eq!((outcome.as_str(), failure.fault), ("refused", *fault), "{digits}");
        assert_eq!(failure.retry_after_seconds, (*fault == Fault::RateLimited).then_some(1), "{digits}");
    }
    let stranger = adapter(&line, guise, "another key", None);
    assert_eq!(stranger.submit(&envelope("0142")).await.failure().map(|one| one.fault), Some(Fault::AccountError));
    assert_eq!(stranger.check().await.expect_err("a wrong key").fault, Fault::AccountError);
}

async fn finds_what_got_no_answer(guise: Guise) {
    let line = line(guise, |_| {}).await;
    let provider = adapter(&line, guise, API_KEY, None);
    for (digits, was_taken) in [("0124", true), ("0276", false), ("0127", false), ("0278", true), ("0279", true)] {
        let envelope = envelope(digits);
        assert_eq!(provider.submit(&envelope).await.as_str(), "unknown", "{digits}");
        let lookup = provider.find(&search(envelope.attempt, digits)).await.expect("it answers");
        assert_eq!(matches!(lookup, FindResult::Found(_)), was_taken, "{digits}: {lookup:?}");
        assert!(was_taken || lookup == FindResult::Absent, "{digits}: {lookup:?}");
    }
    let nobody = provider.find(&search(AttemptId::new(), "0142")).await;
    assert_eq!(nobody, Ok(FindResult::Absent));
}

async fn withdraws_until_the_call_ends(guise: Guise) {
    let line = line(guise, |options| options.call_takes = Duration::from_secs(3_600)).await;
    let provider = adapter(&line, guise, API_KEY, None);
    let reference = accepted(provider.submit(&envelope("0142")).await);
    provider.cancel(&reference).await.expect("its call has not ended");
    let failure = failure_of(provider.status(&reference).await.expect("it answers").fact);
    assert_eq!(failure.fault, Fault::Cancelled);
    assert!(provider.cancel(&reference).await.is_err(), "it is too late");
}

#[tokio::test]
async fn phaxios_adapter_understands_every_number() {
    understands_every_number(Guise::Phaxio).await;
}

#[tokio::test]
async fn phaxios_adapter_finds_what_got_no_answer() {
    finds_what_got_no_answer(Guise::Phaxio).await;
}

#[tokio::test]
async fn phaxios_adapter_withdraws_until_the_call_ends() {
    withdraws_until_the_call_ends(Guise::Phaxio).await;
}

#[tokio::test]
async fn phaxios_adapter_believes_signed_callbacks_only() {
    let mut receiver = Receiver::start(&[]).await;
    let line = line(Guise::Phaxio, |_| {}).await;
    let provider = adapter(&line, Guise::Phaxio, API_KEY, Some(&receiver.url));
    let envelope = envelope("0126");
    accepted(provider.submit(&envelope).await);
    let url = receiver.url.clone();
    let mut next = async || {
        let parts = touchline::provider::WebhookParts { url: url.clone(), ..receiver.next().await };
        provider.receive(&parts, SystemClock.now()).map(|mut events| events.remove(0))
    };
    assert_eq!(next().await, Err(Rejection::Forged));
    let event = next().await.expect("authentic");
    assert_eq!(event.attempt, Some(envelope.attempt));
    assert!(matches!(event.fact, Fact::Delivered { .. }), "{event:?}");
}

#[tokio::test]
async fn interfaxs_adapter_understands_every_number() {
    understands_every_number(Guise::InterFax).await;
}

#[tokio::test]
async fn interfaxs_adapter_finds_what_got_no_answer() {
    finds_what_got_no_answer(Guise::InterFax).await;
}

#[tokio::test]
async fn interfaxs_adapter_withdraws_until_the_call_ends() {
    withdraws_until_the_call_ends(Guise::InterFax).await;
}
