//! Misfortune on demand: every fault by its number, by script, and by chance.

use std::time::Duration;

use tokio::net::TcpListener;
use touchline::domain::Clock;
use touchline::domain::fault::{Failure, Fault};
use touchline::domain::{Outcome, SystemClock};
use touchline::provider::{FindResult, Rejection};
use touchline::sandbox::fax::{Chances, FaxLine, FaxLineOptions, FaxStatus, Script, Truth};

use super::bench::{Bench, PAGES, accepted, envelope};
use super::callbacks::Receiver;
use super::{failure_of, find};
use crate::support::soon;

/// The numbers at which a call ends in a fault whenever it is made.
const FAILING: &[(&str, Fault)] = &[
    ("0260", Fault::Busy),
    ("0118", Fault::NoAnswer),
    ("0261", Fault::LineError),
    ("0262", Fault::NegotiationError),
    ("0119", Fault::NotAFax),
    ("0263", Fault::InvalidNumber),
    ("0264", Fault::RejectedByRemote),
    ("0265", Fault::Blocked),
    ("0122", Fault::PartialSend),
    ("0130", Fault::DocumentError),
    ("0266", Fault::AccountError),
    ("0267", Fault::RateLimited),
    ("0268", Fault::ProviderError),
    ("0269", Fault::Cancelled),
    ("0270", Fault::Expired),
    ("0271", Fault::Unknown),
];

#[tokio::test]
async fn every_fault_in_which_a_fax_can_end_has_its_number() {
    let bench = Bench::start();
    for (digits, fault) in FAILING {
        let reference = accepted(bench.provider.submit(&envelope(digits)).await);
        bench.ended(&reference).await;
        let failure = failure_of(bench.provider.status(&reference).await.expect("the line answers").fact);
        assert_eq!(failure.fault, *fault, "{digits}");
    }
}

#[tokio::test]
async fn pages_that_arrive_before_the_end_are_counted() {
    let bench = Bench::start();
    for (digits, confirmed, status) in [
        ("0122", PAGES - 1, FaxStatus::Failed),
        ("0272", 1, FaxStatus::Failed),
        ("0273", PAGES - 1, FaxStatus::Delivered),
    ] {
        let reference = accepted(bench.provider.submit(&envelope(digits)).await);
        assert_eq!(bench.ended(&reference).await.status, status, "{digits}: what the line calls it");
        let failure = failure_of(bench.provider.status(&reference).await.expect("the line answers").fact);
        assert_eq!((failure.fault, failure.pages_confirmed), (Fault::PartialSend, Some(confirmed)), "{digits}");
    }
}

#[tokio::test]
async fn a_lost_or_unreadable_answer_is_in_doubt_and_the_lookup_knows_better() {
    let bench = Bench::start();
    for (digits, was_taken) in [("0276", false), ("0127", false), ("0278", true), ("0279", true), ("0124", true)] {
        let envelope = envelope(digits);
        let outcome = bench.provider.submit(&envelope).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{digits}: {outcome:?}");
        let lookup = find(&bench, envelope.attempt, digits).await;
        assert_eq!(matches!(lookup, FindResult::Found(_)), was_taken, "{digits}: {lookup:?}");
    }
}

#[tokio::test]
async fn a_line_that_always_asks_to_slow_down_never_takes_the_fax() {
    let bench = Bench::start();
    for _ in 0..3 {
        match bench.provider.submit(&envelope("0275")).await {
            Outcome::Refused(failure) => {
                assert_eq!((failure.fault, failure.retry_after_seconds), (Fault::RateLimited, Some(1)));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(bench.line.faxes().is_empty());
}

#[tokio::test]
async fn a_script_decides_the_nth_fax_to_a_number() {
    const SCRIPT: &str = r#"
        [[rule]]
        number = "+13125550142"
        nth = 2
        answer = "refused"
        ends = "blocked"
        [[rule]]
        number = "+13125550142"
        nth = 3
        answer = "slow_down"
        retry_after_seconds = 90
        [[rule]]
        ends_in = "0118"
        pages = 2
    "#;
    let script = Script::parse(SCRIPT).expect("a script");
    let bench = Bench::with(|options| options.script = script);
    let first = accepted(bench.provider.submit(&envelope("0142")).await);
    assert_eq!(bench.ended(&first).await.status, FaxStatus::Delivered);
    for (fault, wait) in [(Fault::Blocked, None), (Fault::RateLimited, Some(90))] {
        match bench.provider.submit(&envelope("0142")).await {
            Outcome::Refused(failure) => assert_eq!((failure.fault, failure.retry_after_seconds), (fault, wait)),
            other => panic!("{other:?}"),
        }
    }
    let fourth = accepted(bench.provider.submit(&envelope("0142")).await);
    assert_eq!(bench.ended(&fourth).await.status, FaxStatus::Delivered);
    let partial = accepted(bench.provider.submit(&envelope("0118")).await);
    assert_eq!(bench.ended(&partial).await.pages_confirmed, Some(2), "a script outranks a number");
}

#[tokio::test]
async fn chance_befalls_the_same_faxes_again_with_the_same_seed() {
    let fates = async || {
        let chances = Chances::new([("busy", 0.3), ("silence", 0.2)], 11).expect("shares");
        let bench = Bench::with(|options| options.chances = Some(chances));
        let mut fates = Vec::new();
        for _ in 0..40 {
            match bench.provider.submit(&envelope("0142")).await {
                Outcome::Accepted { reference } => fates.push(bench.ended(&reference).await.fault),
                Outcome::Unknown(_) => fates.push(Some(Fault::Unknown)),
                other => panic!("{other:?}"),
            }
        }
        fates
    };
    let first = fates().await;
    assert_eq!(first, fates().await);
    for fate in [None, Some(Fault::Busy), Some(Fault::Unknown)] {
        assert!(first.contains(&fate), "{fate:?} is missing in {first:?}");
    }
}

#[tokio::test]
async fn a_stale_callback_is_turned_away_and_the_truth_after_it_is_believed() {
    let mut receiver = Receiver::start(&[204, 401]).await;
    let bench = super::callbacks::bench_with(&receiver).await;
    let reference = accepted(bench.provider.submit(&envelope("0282")).await);
    let read = |parts| bench.provider.receive(&parts, SystemClock.now()).map(|events| events.len());
    let told = [receiver.next().await, receiver.next().await, receiver.next().await];
    assert_eq!(told.map(read), [Ok(1), Err(Rejection::Stale), Ok(1)]);
    let truths =
        async || bench.line.callbacks(&reference.0).iter().map(|one| (one.truth, one.answer)).collect::<Vec<_>>();
    let expected = [(Truth::Authentic, Some(204)), (Truth::Stale, Some(401)), (Truth::Authentic, Some(204))];
    soon("the answers are noted", async {
        while truths().await != expected {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn all_callbacks_of_a_line_can_be_made_to_misbehave() {
    let mut receiver = Receiver::start(&[]).await;
    let callbacks = ["twice", "late", "reversed"].map(str::to_owned).to_vec();
    let bench = Bench::calling_back(Some(receiver.url.clone()), |options| options.callbacks = callbacks);
    accepted(bench.provider.submit(&envelope("0142")).await);
    let mut told = Vec::new();
    for _ in 0..3 {
        let parts = receiver.next().await;
        told.push(bench.provider.receive(&parts, SystemClock.now()).expect("authentic").remove(0));
    }
    assert_eq!(told[0], told[1], "the same event twice");
    assert!(matches!(told[2].fact, touchline::domain::event::Fact::Progress { .. }), "and the beginning at the end");

    let lost = Bench::calling_back(Some(receiver.url.clone()), |options| options.callbacks = vec!["lost".to_owned()]);
    let reference = accepted(lost.provider.submit(&envelope("0142")).await);
    lost.ended(&reference).await;
    soon("the line stops", lost.line.shutdown()).await;
    assert!(receiver.nothing_more_came());
}

#[tokio::test]
async fn a_manner_that_is_not_known_is_refused_at_start() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut options = FaxLineOptions::new("k".into());
    options.callbacks = vec!["rude".to_owned()];
    let error = FaxLine::start(listener, options).expect_err("not known").to_string();
    assert!(error.contains("rude") && error.contains("twice"), "{error}");
}

#[tokio::test]
async fn a_slow_number_takes_its_time() {
    let bench = Bench::with(|options| options.slow_after = Duration::from_secs(3_600));
    let reference = accepted(bench.provider.submit(&envelope("0123")).await);
    bench.until(&reference, |fax| fax.status == FaxStatus::Dialing).await;
    bench.provider.cancel(&reference).await.expect("it is still being called");
    let Failure { fault, .. } = failure_of(bench.provider.status(&reference).await.expect("it answers").fact);
    assert_eq!(fault, Fault::Cancelled);
}
