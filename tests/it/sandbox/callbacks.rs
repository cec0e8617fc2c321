//! Callbacks: in order, doubled, forged, reversed, missing, and repeated until they are acknowledged.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use touchline::domain::event::{DeliveryEvent, Fact};
use touchline::domain::fault::Fault;
use touchline::domain::{Clock, SystemClock, Timestamp};
use touchline::provider::{Rejection, WebhookParts};
use touchline::sandbox::fax::FaxStatus;

use super::bench::{API_KEY, Bench, PAGES, SECRET, accepted, build, envelope};
use crate::support::{PATIENCE, soon};

/// Somebody who listens to callbacks and answers as told, 204 once the answers run out.
pub struct Receiver {
    pub url: String,
    came: mpsc::UnboundedReceiver<WebhookParts>,
}

#[derive(Clone)]
struct Answering {
    came: mpsc::UnboundedSender<WebhookParts>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    pub async fn start(answers: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hooks/practice_fax", listener.local_addr().expect("bound"));
        let (sender, came) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect()));
        let router =
            Router::new().route("/hooks/practice_fax", post(receive)).with_state(Answering { came: sender, answers });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, came }
    }

    pub async fn next(&mut self) -> WebhookParts {
        soon("a callback", self.came.recv()).await.expect("the receiver runs")
    }

    pub fn nothing_more_came(&mut self) -> bool {
        self.came.try_recv().is_err()
    }
}

async fn receive(State(answering): State<Answering>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |value: &axum::http::HeaderValue| value.to_str().expect("ASCII").to_owned();
    let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let answer = answering.answers.lock().expect("whole").pop_front().unwrap_or(204);
    answering
        .came
        .send(WebhookParts { headers, body: body.to_vec(), ..WebhookParts::default() })
        .expect("the test listens");
    StatusCode::from_u16(answer).expect("a status")
}

pub async fn bench_with(receiver: &Receiver) -> Bench {
    Bench::calling_back(Some(receiver.url.clone()), |_| {})
}

fn read(bench: &Bench, parts: &WebhookParts) -> Result<DeliveryEvent, Rejection> {
    let mut events = bench.provider.receive(parts, SystemClock.now())?;
    assert_eq!(events.len(), 1);
    Ok(events.remove(0))
}

fn dialing() -> Fact {
    Fact::Progress { stage: "dialing".into() }
}

fn delivered() -> Fact {
    Fact::Delivered { pages: Some(PAGES) }
}

#[tokio::test]
async fn each_change_is_told_in_order_and_names_our_attempt() {
    let mut receiver = Receiver::start(&[]).await;
    let bench = bench_with(&receiver).await;
    let envelope = envelope("0142");
    let reference = accepted(bench.provider.submit(&envelope).await);
    for expected in [dialing(), delivered()] {
        let event = read(&bench, &receiver.next().await).expect("it is authentic");
        assert_eq!(event.fact, expected);
        assert_eq!(event.attempt, Some(envelope.attempt));
        assert_eq!(event.reference.as_ref(), Some(&reference));
        let age = SystemClock.now().since(event.occurred_ms.expect("it says when"));
        assert!(age < Duration::from_secs(60), "{age:?}");
    }
}

#[tokio::test]
async fn a_failure_and_a_withdrawal_are_told_as_failures() {
    let mut receiver = Receiver::start(&[]).await;
    let bench = bench_with(&receiver).await;
    accepted(bench.provider.submit(&envelope("0119")).await);
    assert_eq!(read(&bench, &receiver.next().await).expect("authentic").fact, dialing());
    match read(&bench, &receiver.next().await).expect("authentic").fact {
        Fact::Failed(failure) => assert_eq!((failure.fault, failure.pages_confirmed), (Fault::NotAFax, Some(0))),
        other => panic!("{other:?}"),
    }

    let bench = bench.restart(|options| options.call_takes = Duration::from_secs(3_600)).await;
    let reference = accepted(bench.provider.submit(&envelope("0142")).await);
    assert_eq!(read(&bench, &receiver.next().await).expect("authentic").fact, dialing());
    bench.provider.cancel(&reference).await.expect("the call has not ended");
    match read(&bench, &receiver.next().await).expect("authentic").fact {
        Fact::Failed(failure) => assert_eq!(failure.fault, Fault::Cancelled),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_callback_told_twice_is_the_same_event() {
    let mut receiver = Receiver::start(&[]).await;
    let bench = bench_with(&receiver).await;
    accepted(bench.provider.submit(&envelope("0125")).await);
    let mut events = Vec::new();
    for _ in 0..3 {
        events.push(read(&bench, &receiver.next().await).expect("it is authentic"));
    }
    assert_eq!(events[0].fact, dialing());
    assert_eq!(events[1].fact, delivered());
    assert_eq!(events[1], events[2], "the second telling has the same key");
    assert_ne!(events[0].dedupe, events[1].dedupe);
}

#[tokio::test]
async fn a_forged_callback_is_turned_away_and_the_truth_after_it_is_believed() {
    let mut receiver = Receiver::start(&[204, 401]).await;
    let bench = bench_with(&receiver).await;
    accepted(bench.provider.submit(&envelope("0126")).await);
    assert_eq!(read(&bench, &receiver.next().await).expect("authentic").fact, dialing());
    let forged = receiver.next().await;
    assert!(String::from_utf8_lossy(&forged.body).contains("fax.failed"), "it says that the fax failed");
    assert!(forged.header("x-sandbox-signature").is_some(), "and it is signed, but not with the secret");
    assert_eq!(read(&bench, &forged), Err(Rejection::Forged));
    assert_eq!(read(&bench, &receiver.next().await).expect("authentic").fact, delivered());
    soon("the line stops", bench.line.shutdown()).await;
    assert!(receiver.nothing_more_came(), "a forger does not try again");
}

#[tokio::test]
async fn callbacks_in_reverse_order_still_say_when_each_happened() {
    let mut receiver = Receiver::start(&[]).await;
    let bench = bench_with(&receiver).await;
    accepted(bench.provider.submit(&envelope("0132")).await);
    let first = read(&bench, &receiver.next().await).expect("it is authentic");
    let second = read(&bench, &receiver.next().await).expect("it is authentic");
    assert_eq!((first.fact, second.fact), (delivered(), dialing()));
    assert!(first.occurred_ms >= second.occurred_ms);
}

#[tokio::test]
async fn a_number_without_callbacks_is_found_out_by_polling_alone() {
    let mut receiver = Receiver::start(&[]).await;
    let bench = bench_with(&receiver).await;
    let reference = accepted(bench.provider.submit(&envelope("0123")).await);
    assert_eq!(bench.ended(&reference).await.status, FaxStatus::Delivered);
    assert_eq!(bench.provider.status(&reference).await.expect("the line answers").fact, delivered());
    soon("the line stops", bench.line.shutdown()).await;
    assert!(receiver.nothing_more_came());
}

#[tokio::test]
async fn a_callback_that_is_not_heard_is_told_again() {
    let mut receiver = Receiver::start(&[500, 302, 204]).await;
    let bench = bench_with(&receiver).await;
    accepted(bench.provider.submit(&envelope("0142")).await);
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(read(&bench, &receiver.next().await).expect("each is signed anew"));
    }
    assert!(told[..3].iter().all(|event| event.fact == dialing() && event.dedupe == told[0].dedupe));
    assert_eq!(told[3].fact, delivered());
}

#[tokio::test]
async fn a_callback_that_is_never_heard_is_given_up() {
    let mut receiver = Receiver::start(&[500; 64]).await;
    let bench = Bench::calling_back(Some(receiver.url.clone()), |options| options.callback_tries_max = 3);
    accepted(bench.provider.submit(&envelope("0142")).await);
    let mut facts = Vec::new();
    for _ in 0..6 {
        facts.push(read(&bench, &receiver.next().await).expect("authentic").fact);
    }
    assert_eq!(facts, [dialing(), dialing(), dialing(), delivered(), delivered(), delivered()]);
    soon("the line stops", bench.line.shutdown()).await;
    assert!(receiver.nothing_more_came());
}

#[tokio::test]
async fn a_line_told_where_to_call_back_does_so_for_faxes_that_name_no_place() {
    let mut receiver = Receiver::start(&[]).await;
    let bench = Bench::start();
    bench.line.set_callback(receiver.url.clone(), SECRET.into());
    let envelope = envelope("0142");
    accepted(bench.provider.submit(&envelope).await);
    assert_eq!(read(&bench, &receiver.next().await).expect("authentic").attempt, Some(envelope.attempt));
}

#[tokio::test]
async fn a_callback_is_believed_only_whole_signed_and_fresh() {
    let mut receiver = Receiver::start(&[]).await;
    let bench = bench_with(&receiver).await;
    accepted(bench.provider.submit(&envelope("0142")).await);
    let parts = receiver.next().await;
    let signed: i64 = parts.header("x-sandbox-timestamp").expect("a time").parse().expect("seconds");
    let at = |seconds: i64| Timestamp((signed + seconds) * 1_000);
    let ask = |parts: &WebhookParts, now| bench.provider.receive(parts, now).map(|events| events.len());
    assert_eq!(ask(&parts, at(300)), Ok(1));
    assert_eq!(ask(&parts, at(-300)), Ok(1));
    assert_eq!(ask(&parts, at(301)), Err(Rejection::Stale));
    assert_eq!(ask(&parts, at(-301)), Err(Rejection::Stale));

    let mut tampered = parts.clone();
    tampered.body = String::from_utf8(tampered.body).expect("JSON").replace("dialing", "delivered").into_bytes();
    assert_eq!(ask(&tampered, at(0)), Err(Rejection::Forged));
    for missing in ["x-sandbox-signature", "x-sandbox-timestamp"] {
        let mut parts = parts.clone();
        parts.headers.retain(|(name, _)| name != missing);
        assert_eq!(ask(&parts, at(0)), Err(Rejection::Forged), "{missing}");
    }
    let mut later = parts.clone();
    later.headers.iter_mut().filter(|(name, _)| name == "x-sandbox-timestamp").for_each(|(_, value)| value.push('0'));
    assert_eq!(ask(&later, at(0)), Err(Rejection::Forged), "the time is signed too");

    let deaf = build(&bench.line.base_url(), &[("api_key", API_KEY)], None, PATIENCE).expect("it can be built");
    assert_eq!(deaf.receive(&parts, at(0)), Err(Rejection::Unsupported), "without a secret nothing is believed");
}

#[tokio::test]
async fn an_account_without_a_secret_asks_for_no_callbacks() {
    let mut receiver = Receiver::start(&[]).await;
    let bench = Bench::start();
    let secrets = [("api_key", API_KEY)];
    let deaf = build(&bench.line.base_url(), &secrets, Some(&receiver.url), PATIENCE).expect("it can be built");
    let reference = accepted(deaf.submit(&envelope("0142")).await);
    bench.ended(&reference).await;
    soon("the line stops", bench.line.shutdown()).await;
    assert!(receiver.nothing_more_came());
}
