//! The sandbox fax line and its adapter, over real HTTP on loopback: every number that misbehaves on purpose.

mod adapters;
mod bench;
mod callbacks;
mod face;
mod misfortune;
mod passing;
mod restart;

use std::time::Duration;

use touchline::domain::event::Fact;
use touchline::domain::fault::{Failure, Fault};
use touchline::domain::id::AttemptId;
use touchline::domain::{Address, FaxNumber, Outcome, Timestamp};
use touchline::provider::{FindQuery, FindResult};
use touchline::sandbox::fax::{FaxStatus, MAGIC};

use crate::support::ports;
use bench::{Bench, PAGES, accepted, envelope, printed};

fn failure_of(fact: Fact) -> Failure {
    match fact {
        Fact::Failed(failure) => failure,
        other => panic!("it should have failed: {other:?}"),
    }
}

fn search(attempt: AttemptId, digits: &str) -> FindQuery {
    let to = Address::Fax(FaxNumber::parse(&format!("312555{digits}")).expect("valid"));
    FindQuery { attempt, to, opened_ms: Timestamp(0) }
}

async fn find(bench: &Bench, attempt: AttemptId, digits: &str) -> FindResult {
    bench.provider.find(&search(attempt, digits)).await.expect("the line answers")
}

#[tokio::test]
async fn an_ordinary_number_is_dialled_and_delivered() {
    let bench = Bench::start();
    let envelope = envelope("0142");
    let reference = accepted(bench.provider.submit(&envelope).await);
    let fax = bench.ended(&reference).await;
    assert_eq!(fax.status, FaxStatus::Delivered);
    assert_eq!(fax.reference, envelope.attempt.to_string());
    let report = bench.provider.status(&reference).await.expect("the line answers");
    assert_eq!(report.reference, reference);
    assert_eq!(report.fact, Fact::Delivered { pages: Some(PAGES) });
    assert_eq!(find(&bench, envelope.attempt, "0142").await, FindResult::Found(report));
}

#[tokio::test]
async fn a_call_that_fails_says_why_and_how_many_pages_were_confirmed() {
    let bench = Bench::start();
    for (digits, fault, confirmed) in [
        ("0118", Fault::NoAnswer, 0),
        ("0119", Fault::NotAFax, 0),
        ("0122", Fault::PartialSend, PAGES - 1),
        ("0130", Fault::DocumentError, 0),
    ] {
        let reference = accepted(bench.provider.submit(&envelope(digits)).await);
        assert_eq!(bench.ended(&reference).await.status, FaxStatus::Failed, "{digits}");
        let failure = failure_of(bench.provider.status(&reference).await.expect("the line answers").fact);
        assert_eq!((failure.fault, failure.pages_confirmed), (fault, Some(confirmed)), "{digits}");
        assert_eq!(failure.raw_code.as_deref(), Some(fault.as_str()), "{digits}");
    }
}

#[tokio::test]
async fn a_line_that_is_busy_or_drops_delivers_after_enough_calls() {
    let bench = Bench::start();
    for (digits, fault, failures) in [("0117", Fault::Busy, 2), ("0129", Fault::LineError, 1)] {
        for _ in 0..failures {
            let reference = accepted(bench.provider.submit(&envelope(digits)).await);
            assert_eq!(bench.ended(&reference).await.fault, Some(fault), "{digits}");
        }
        let reference = accepted(bench.provider.submit(&envelope(digits)).await);
        assert_eq!(bench.ended(&reference).await.status, FaxStatus::Delivered, "{digits}");
    }
}

#[tokio::test]
async fn what_the_line_refuses_at_once_is_refused_with_its_fault_and_never_recorded() {
    let bench = Bench::start();
    for (digits, fault) in [("0120", Fault::InvalidNumber), ("0121", Fault::Blocked), ("0131", Fault::AccountError)] {
        match bench.provider.submit(&envelope(digits)).await {
            Outcome::Refused(failure) => assert_eq!(failure.fault, fault, "{digits}"),
            other => panic!("{digits}: {other:?}"),
        }
    }
    assert!(bench.line.faxes().is_empty());
}

#[tokio::test]
async fn an_internal_error_is_unknown_until_the_lookup_finds_nothing() {
    let bench = Bench::start();
    let envelope = envelope("0127");
    match bench.provider.submit(&envelope).await {
        Outcome::Unknown(failure) => assert_eq!(failure.fault, Fault::ProviderError),
        other => panic!("{other:?}"),
    }
    assert_eq!(find(&bench, envelope.attempt, "0127").await, FindResult::Absent);
}

#[tokio::test]
async fn an_answer_that_never_comes_is_unknown_until_the_lookup_finds_the_fax() {
    let bench = Bench::start();
    let envelope = envelope("0124");
    match bench.provider.submit(&envelope).await {
        Outcome::Unknown(failure) => assert_eq!(failure.fault, Fault::ProviderError),
        other => panic!("{other:?}"),
    }
    let FindResult::Found(report) = find(&bench, envelope.attempt, "0124").await else {
        panic!("the line had recorded it");
    };
    assert_eq!(bench.ended(&report.reference).await.status, FaxStatus::Delivered);
    assert_eq!(printed(&bench.journal()), [envelope.attempt.to_string()]);
}

#[tokio::test]
async fn a_line_that_asks_to_slow_down_says_for_how_long_and_takes_the_next_request() {
    let bench = Bench::start();
    match bench.provider.submit(&envelope("0128")).await {
        Outcome::Refused(failure) => {
            assert_eq!((failure.fault, failure.retry_after_seconds), (Fault::RateLimited, Some(1)));
        }
        other => panic!("{other:?}"),
    }
    let reference = accepted(bench.provider.submit(&envelope("0128")).await);
    assert_eq!(bench.ended(&reference).await.status, FaxStatus::Delivered);
}

#[tokio::test]
async fn a_wrong_key_is_the_accounts_fault_everywhere() {
    let bench = Bench::start();
    let provider = bench.provider_with_key("not the key");
    assert!(matches!(
        provider.submit(&envelope("0142")).await,
        Outcome::Refused(Failure { fault: Fault::AccountError, .. })
    ));
    let failure = provider.check().await.expect_err("the key is wrong");
    assert_eq!((failure.fault, failure.raw_code.as_deref()), (Fault::AccountError, Some("401 unauthorized")));
    assert!(bench.provider.check().await.expect("the key is right").contains("keeps 0 faxes"));
    assert!(bench.line.faxes().is_empty());
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let bench = Bench::start();
    let (_socket, closed) = ports::closed();
    let provider = bench.provider_at(&format!("http://{closed}"));
    assert!(matches!(provider.submit(&envelope("0142")).await, Outcome::NotSent(_)));
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_or_comes_too_late_is_unknown() {
    let bench = Bench::start();
    for body in ["hello", "{}", r#"{"id":"fx_1","status":"queued","reference":"somebody else's"}"#] {
        let provider = bench.provider_at(&bench::answers_always(202, body).await);
        match provider.submit(&envelope("0142")).await {
            Outcome::Unknown(failure) => assert_eq!(failure.fault, Fault::ProtocolError, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", silent.local_addr().expect("bound"));
    let provider = bench.provider_of(&url, bench::API_KEY, Duration::from_millis(50));
    assert!(matches!(provider.submit(&envelope("0142")).await, Outcome::Unknown(_)));
}

#[tokio::test]
async fn a_withdrawn_fax_is_never_printed() {
    let bench = Bench::with(|options| options.call_takes = Duration::from_secs(3_600));
    let envelope = envelope("0142");
    let reference = accepted(bench.provider.submit(&envelope).await);
    bench.provider.cancel(&reference).await.expect("the call has not ended");
    let failure = failure_of(bench.provider.status(&reference).await.expect("the line answers").fact);
    assert_eq!((failure.fault, failure.pages_confirmed), (Fault::Cancelled, Some(0)));
    let failure = bench.provider.cancel(&reference).await.expect_err("it is too late");
    assert_eq!(failure.raw_code.as_deref(), Some("409 too_late"));
    let bench = bench.restart(|_| {}).await;
    assert_eq!(bench.ended(&reference).await.status, FaxStatus::Cancelled);
    assert!(printed(&bench.journal()).is_empty());
}

#[tokio::test]
async fn a_document_is_deleted_on_request_once_its_call_has_ended() {
    let bench = Bench::with(|options| options.call_takes = Duration::from_secs(3_600));
    let under_way = accepted(bench.provider.submit(&envelope("0142")).await);
    let failure = bench.provider.purge(&under_way).await.expect_err("the call still needs it");
    assert_eq!(failure.raw_code.as_deref(), Some("409 not_ended"));

    let bench = Bench::start();
    let reference = accepted(bench.provider.submit(&envelope("0142")).await);
    bench.ended(&reference).await;
    let document = format!("/faxes/{}/document", reference.0);
    assert_eq!(bench.get(&document).await.0, 200);
    bench.provider.purge(&reference).await.expect("it has ended");
    bench.provider.purge(&reference).await.expect("it is safe to repeat");
    assert_eq!(bench.get(&document).await.0, 404);
    assert!(bench.ended(&reference).await.purged);
    let report = bench.provider.status(&reference).await.expect("the fax itself stays");
    assert_eq!(report.fact, Fact::Delivered { pages: Some(PAGES) });
}

#[tokio::test]
async fn every_number_that_misbehaves_ends_in_a_state_that_can_be_asked_for() {
    let bench = Bench::start();
    for magic in MAGIC {
        let envelope = envelope(magic.digits);
        let outcome = bench.provider.submit(&envelope).await;
        let lookup = find(&bench, envelope.attempt, magic.digits).await;
        match (outcome, lookup) {
            (Outcome::Accepted { reference }, FindResult::Found(report)) => {
                assert_eq!(report.reference, reference, "{}", magic.digits);
                assert!(bench.ended(&reference).await.status.is_final(), "{}", magic.digits);
            }
            (Outcome::Unknown(_), FindResult::Found(report)) => {
                assert!(bench.ended(&report.reference).await.status.is_final(), "{}", magic.digits);
            }
            (Outcome::Refused(_) | Outcome::Unknown(_), FindResult::Absent) => {}
            (outcome, lookup) => panic!("{}: {outcome:?}, but {lookup:?}", magic.digits),
        }
    }
    let kind = bench.provider.spec().kind;
    let shown = format!("{:?}", bench.provider);
    assert_eq!(shown, format!("Provider {{ kind: {kind:?}, .. }}"), "a provider prints no key");
}
