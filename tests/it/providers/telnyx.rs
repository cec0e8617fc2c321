//! The Telnyx adapter against Telnyx' own published OpenAPI document: requests as documented, and every documented
//! answer, status and callback understood.

mod callbacks;
mod find;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use touchline::domain::attempt::ProviderReference;
use touchline::domain::event::Fact;
use touchline::domain::fault::Fault;
use touchline::domain::{Channel, Outcome};
use touchline::provider::{FindResult, Provider, find_spec};

use crate::providers::sample;
use crate::support::PATIENCE;
use crate::support::clock::FakeClock;
use crate::support::openapi_mock::OpenApiMock;
use crate::support::require;

/// An id as Telnyx gives them.
const FAX: &str = "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0";

/// The published document, if it is on this machine.
fn document() -> Option<Value> {
    let Some(path) = require::contract("telnyx/openapi-fax.json") else {
        require::skip("telnyx/openapi-fax.json");
        return None;
    };
    let text = std::fs::read_to_string(path).expect("the document can be read");
    Some(serde_json::from_str(&text).expect("the document is JSON"))
}

async fn mock() -> Option<OpenApiMock> {
    Some(OpenApiMock::start(document()?, "/v2").await)
}

/// An account at that address with these further settings.
fn telnyx(base_url: &str, further: &str) -> Arc<dyn Provider> {
    let mut settings: toml::Table = toml::from_str(further).expect("settings in the test");
    settings.insert("base_url".to_owned(), base_url.into());
    settings.insert("connection_id".to_owned(), "1293384261075731499".into());
    let secrets = BTreeMap::from([("api_key".to_owned(), "KEY-canary-5f1d0c".to_owned())]);
    let account = sample::account(settings, &secrets, PATIENCE, FakeClock::at(sample::NOW));
    let spec = find_spec("telnyx").expect("telnyx is in the registry");
    (spec.build)(account).expect("a complete account")
}

fn reference() -> ProviderReference {
    ProviderReference::new(FAX).expect("a constant id")
}

#[tokio::test]
async fn an_uploaded_letter_is_sent_as_the_document_has_it() {
    let Some(mock) = mock().await else { return };
    let outcome = telnyx(&mock.base_url, "").submit(&sample::envelope(Channel::Fax)).await;
    mock.assert_valid();
    assert_eq!(outcome, Outcome::Accepted { reference: reference() });
    let requests = mock.requests();
    assert_eq!(requests.len(), 1, "one call, or a fax might be sent twice");
    let body = &requests[0].body;
    assert_eq!(requests[0].content_type.as_deref(), Some("multipart/form-data"));
    assert_eq!((body["to"].as_str(), body["from"].as_str()), (Some(sample::FAX_TO), Some("+13125550100")));
    assert_eq!((body["quality"].as_str(), body["store_media"].as_str()), (Some("high"), Some("false")));
    assert!(body["contents"].as_str().is_some_and(|text| text.starts_with("%PDF") && text.ends_with("%%EOF")));
}

#[tokio::test]
async fn a_letter_in_media_storage_is_sent_with_our_reference() {
    let Some(mock) = mock().await else { return };
    let media_name = format!("touchline-{}", sample::ATTEMPT);
    mock.allow("POST /media", 201, json!({ "data": { "media_name": media_name } }));
    let provider = telnyx(&mock.base_url, "document = 'media'\nquality = 'ultra_dark'\nfrom = '+13125550111'");
    let outcome = provider.submit(&sample::envelope(Channel::Fax)).await;
    mock.assert_valid();
    assert_eq!(outcome, Outcome::Accepted { reference: reference() });
    let calls: Vec<String> = mock.requests().iter().map(|request| request.call()).collect();
    assert_eq!(calls, ["POST /media", "POST /faxes"]);
    let expected = json!({
        "connection_id": "1293384261075731499",
        "from": "+13125550111",
        "to": sample::FAX_TO,
        "quality": "ultra_dark",
        "media_name": media_name,
        "client_state": "MDE5OWMwZGUtN2ExMS03MDAwLTgwMDAtMDAwMDAwMDBjMGRl",
        "webhook_url": "https://touchline.example/hooks/office",
    });
    assert_eq!(mock.requests()[1].body, expected);
}

#[tokio::test]
async fn a_trailing_slash_in_the_address_changes_nothing() {
    let Some(mock) = mock().await else { return };
    let outcome = telnyx(&format!("{}/", mock.base_url), "").submit(&sample::envelope(Channel::Fax)).await;
    mock.assert_valid();
    assert_eq!(outcome.as_str(), "accepted");
}

#[tokio::test]
async fn every_other_call_is_made_as_the_document_has_it() {
    let Some(mock) = mock().await else { return };
    let provider = telnyx(&mock.base_url, "");
    assert!(provider.status(&reference()).await.is_ok());
    assert!(provider.find(&find::search()).await.is_ok());
    assert!(provider.cancel(&reference()).await.is_ok());
    assert!(provider.purge(&reference()).await.is_ok());
    let words = provider.check().await.expect("the application is there");
    mock.assert_valid();
    assert!(words.contains("public_key"), "without a public key, `check` says what that means: {words}");
}

/// The errors to try for a call: the documented ones, and where the document allows any other, the usual ones.
fn errors(mock: &OpenApiMock, method: &str, path: &str) -> Vec<u16> {
    let operation = mock.document.operation(method, path).expect("a documented call");
    let mut statuses: Vec<u16> = operation.statuses().into_iter().filter(|status| *status >= 400).collect();
    if operation.has_default() {
        statuses.extend([400, 401, 402, 403, 404, 409, 413, 415, 429, 500, 502, 503]);
    }
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

#[tokio::test]
async fn every_documented_error_of_a_send_is_a_refusal_or_a_doubt() {
    let Some(mock) = mock().await else { return };
    mock.allow("POST /media", 201, json!({ "data": {} }));
    let statuses = errors(&mock, "POST", "/faxes");
    assert!(statuses.contains(&422) && statuses.contains(&429));
    for further in ["", "document = 'media'"] {
        let provider = telnyx(&mock.base_url, further);
        for status in &statuses {
            mock.force(Some(*status));
            let outcome = provider.submit(&sample::envelope(Channel::Fax)).await;
            mock.assert_valid();
            let expected = if *status < 500 { "refused" } else { "unknown" };
            assert_eq!(outcome.as_str(), expected, "HTTP {status}");
            let failure = outcome.failure().expect("a failure");
            let fault = match status {
                401..=404 => Fault::AccountError,
                413 | 415 => Fault::DocumentError,
                429 => Fault::RateLimited,
                500.. => Fault::ProviderError,
                _ => Fault::Unknown,
            };
            assert_eq!(failure.fault, fault, "HTTP {status}");
            assert_eq!(failure.retry_after_seconds, (*status == 429).then_some(7), "HTTP {status}");
            assert!(failure.raw_code.is_some(), "HTTP {status}");
        }
    }
}

#[tokio::test]
async fn every_documented_error_of_a_question_is_a_failure_that_settles_nothing() {
    let Some(mock) = mock().await else { return };
    let provider = telnyx(&mock.base_url, "");
    let one = format!("/faxes/{FAX}");
    for status in errors(&mock, "GET", &one) {
        mock.force(Some(status));
        assert!(provider.status(&reference()).await.is_err(), "status: HTTP {status}");
        assert!(provider.find(&find::search()).await.is_err(), "find: HTTP {status}");
        assert!(provider.cancel(&reference()).await.is_err(), "cancel: HTTP {status}");
        assert_eq!(provider.purge(&reference()).await.is_ok(), status == 404, "purge: HTTP {status}");
    }
    for status in errors(&mock, "GET", "/fax_applications/1293384261075731499") {
        mock.force(Some(status));
        let failure = provider.check().await.expect_err("an error");
        let account_is_wrong = matches!(status, 401 | 403 | 404);
        assert_eq!(failure.fault == Fault::AccountError, account_is_wrong, "check: HTTP {status}");
    }
    mock.assert_valid();
}

#[tokio::test]
async fn every_published_status_is_understood() {
    let Some(mock) = mock().await else { return };
    let provider = telnyx(&mock.base_url, "");
    let statuses = mock.document.at("/components/schemas/Fax/properties/status/enum").as_array().cloned();
    let statuses = statuses.expect("the document lists them");
    assert!(statuses.len() >= 10);
    for status in statuses {
        mock.answer_next(json!({ "data": { "id": FAX, "status": status } }));
        let report = provider.status(&reference()).await.expect("an answer");
        let word = status.as_str().expect("a text");
        match (word, &report.fact) {
            ("delivered", Fact::Delivered { pages: None }) => {}
            ("failed", Fact::Failed(failure)) => assert_eq!(failure.fault, Fault::Unknown),
            (_, Fact::Progress { stage }) if !matches!(word, "delivered" | "failed") => assert_eq!(stage, word),
            (_, fact) => panic!("{word} became {fact:?}"),
        }
    }
    mock.assert_valid();
}

#[tokio::test]
async fn a_letter_that_is_too_large_is_never_sent() {
    let Some(mock) = mock().await else { return };
    let mut envelope = sample::envelope(Channel::Fax);
    if let touchline::domain::envelope::Content::Fax { pages, .. } = &mut envelope.content {
        *pages = 351;
    }
    let outcome = telnyx(&mock.base_url, "").submit(&envelope).await;
    assert!(matches!(&outcome, Outcome::NotSent(failure) if failure.fault == Fault::DocumentError), "{outcome:?}");
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn a_reference_that_could_bend_a_path_is_never_asked_for() {
    let Some(mock) = mock().await else { return };
    let provider = telnyx(&mock.base_url, "");
    for text in ["..", "../fax_applications/1", "a/b", "a?b", "%2e%2e"] {
        let reference = ProviderReference::new(text).expect("short");
        assert!(provider.purge(&reference).await.is_err(), "{text}");
        assert!(provider.status(&reference).await.is_err(), "{text}");
    }
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn settings_are_refused_without_repeating_them() {
    let spec = find_spec("telnyx").expect("telnyx is in the registry");
    for (key, value) in [
        ("public_key", "KEY-pasted-by-mistake"),
        ("public_key", "c2hvcnQ="),
        ("base_url", "https://user:pass-canary@api.telnyx.com/v2"),
        ("base_url", "ftp://api.telnyx.com"),
        ("connection_id", "../faxes"),
        ("from", "12-canary"),
    ] {
        let mut settings = toml::Table::from_iter([("connection_id".to_owned(), "1".into())]);
        settings.insert(key.to_owned(), value.into());
        let secrets = BTreeMap::from([("api_key".to_owned(), "KEY-canary-5f1d0c".to_owned())]);
        let account = sample::account(settings, &secrets, PATIENCE, FakeClock::at(sample::NOW));
        let error = (spec.build)(account).expect_err(key).to_string();
        assert!(error.contains("providers.office"), "{error}");
        assert!(!error.contains(value), "{error}");
    }
}

#[tokio::test]
async fn an_absent_fax_is_absent_only_if_the_listing_says_so() {
    let Some(mock) = mock().await else { return };
    mock.answer_next(json!({ "data": [], "meta": { "total_pages": 0 } }));
    let lookup = telnyx(&mock.base_url, "").find(&find::search()).await;
    assert_eq!(lookup, Ok(FindResult::Absent));
    mock.assert_valid();
}
