//! Plays one exchange against an adapter and reports in plain words what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpSocket;
use touchline::domain::attempt::ProviderReference;
use touchline::domain::event::{Billed, DeliveryEvent, Fact};
use touchline::domain::fault::Failure;
use touchline::domain::{Clock, Outcome};
use touchline::provider::{FindQuery, FindResult, Provider, Rejection, WebhookParts};

use super::fixture::{self, CallName, Delivery, Expect, Fixture};
use super::lines::LineReplay;
use super::replay::Replay;
use super::sample;
use super::subject::Subject;
use crate::support::PATIENCE;
use crate::support::clock::FakeClock;
use crate::support::ports;

/// For exchanges in which the server never answers: long enough on most machines for what comes before.
const TIMEOUT_OF_SILENCE: Duration = Duration::from_secs(4);

/// What came of a call, in the words of the exchange files.
#[derive(Debug, Default)]
pub struct Seen {
    pub is: String,
    pub fault: Option<String>,
    pub code: Option<String>,
    pub reference: Option<String>,
    pub attempt: Option<String>,
    pub stage: Option<String>,
    pub pages: Option<u32>,
    pub retry_after_seconds: Option<u64>,
    pub billed: Option<String>,
    /// Everything the call returned, as a careless log line would print it.
    pub printed: String,
}

/// The provider's side of an exchange.
enum Server {
    /// Nobody listens.
    Closed(TcpSocket),
    Http(Replay),
    Lines(LineReplay),
}

impl Server {
    async fn start(fixture: &Fixture) -> Self {
        if fixture.closed_port {
            Self::Closed(ports::closed().0)
        } else if fixture.dialogue.is_empty() {
            Self::Http(Replay::start(&fixture.exchanges).await)
        } else {
            Self::Lines(LineReplay::start(&fixture.dialogue).await)
        }
    }

    fn port(&self) -> u16 {
        match self {
            Self::Closed(socket) => socket.local_addr().expect("bound").port(),
            Self::Http(server) => server.port,
            Self::Lines(server) => server.port,
        }
    }

    fn complaints(&self) -> Vec<String> {
        match self {
            Self::Closed(_) => Vec::new(),
            Self::Http(server) => server.complaints(),
            Self::Lines(server) => server.complaints(),
        }
    }
}

/// Runs the exchange; complaints about requests and about leaks come back as an error. One with a silence that was waited
/// for in vain is played once more with more time: on a busy machine the request itself may not have come before.
pub async fn play(spec: &Subject, fixture: &Fixture) -> Result<Seen, String> {
    if !is_silent(fixture) {
        return play_within(spec, fixture, PATIENCE).await;
    }
    match play_within(spec, fixture, TIMEOUT_OF_SILENCE).await {
        Err(_) => play_within(spec, fixture, 10 * TIMEOUT_OF_SILENCE).await,
        seen => seen,
    }
}

async fn play_within(spec: &Subject, fixture: &Fixture, timeout: Duration) -> Result<Seen, String> {
    let server = Server::start(fixture).await;
    let port = server.port();
    let mut account = fixture::account(spec, "127.0.0.1", port)?;
    account.settings.extend(fixture.settings.clone());
    let clock = FakeClock::at(fixture.now.as_deref().unwrap_or(sample::NOW));
    let ready = sample::account(account.settings, &account.secrets, timeout, clock.clone());
    let provider = (spec.build)(ready).map_err(|error| error.to_string())?;
    let mut seen = call(provider.as_ref(), fixture, &account.reference, clock).await?;
    if let Some(complaint) = server.complaints().into_iter().next() {
        return Err(complaint);
    }
    seen.printed = format!("{} {provider:?}", seen.printed);
    no_leak(&seen.printed, &account.secrets)?;
    Ok(seen)
}

/// Whether the server goes silent somewhere in it, so that the whole timeout is waited for.
pub fn is_silent(fixture: &Fixture) -> bool {
    fixture.exchanges.iter().any(|exchange| exchange.answer.silence) || fixture.dialogue.iter().any(|line| line.silence)
}

fn no_leak(printed: &str, secrets: &BTreeMap<String, String>) -> Result<(), String> {
    match sample::leak(printed, secrets) {
        Some(_) => Err("a destination, a secret or a word of the document can be read in what it returned".to_owned()),
        None => Ok(()),
    }
}

async fn call(
    provider: &dyn Provider,
    fixture: &Fixture,
    reference: &str,
    clock: Arc<FakeClock>,
) -> Result<Seen, String> {
    let channel = provider.spec().channel;
    let reference = ProviderReference::new(reference).ok_or("account.toml: reference cannot be one")?;
    Ok(match fixture.call {
        CallName::Submit => of_outcome(&provider.submit(&sample::envelope(channel)).await),
        CallName::Status => match provider.status(&reference).await {
            Ok(report) => Seen { billed: charge(report.billed), ..of_fact(&report.fact, Some(&report.reference)) },
            Err(failure) => of_failure("error", &failure),
        },
        CallName::Find => {
            let opened_ms = FakeClock::at(sample::NOW).now();
            let search = FindQuery { attempt: sample::attempt(), to: sample::to(channel), opened_ms };
            match provider.find(&search).await {
                Ok(lookup) => of_lookup(&lookup),
                Err(failure) => of_failure("error", &failure),
            }
        }
        CallName::Cancel => of_done(provider.cancel(&reference).await),
        CallName::Purge => of_done(provider.purge(&reference).await),
        CallName::Check => of_done(provider.check().await),
        CallName::Receive => {
            let deliveries: Vec<_> =
                fixture.deliveries.iter().map(|delivery| receive(provider, delivery, clock.as_ref())).collect();
            let first = deliveries.into_iter().next().ok_or("no [[delivery]] in the file")?;
            of_delivery(first)
        }
    })
}

/// A callback as the file has it.
pub fn parts(delivery: &Delivery) -> WebhookParts {
    WebhookParts {
        url: "https://touchline.example/hooks/office".to_owned(),
        headers: delivery.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect(),
        body: delivery.body.clone().into_bytes(),
        secret: delivery.secret.clone(),
    }
}

fn charge(billed: Option<Billed>) -> Option<String> {
    billed.map(|billed| format!("{} {}", billed.amount, billed.unit))
}

pub fn receive(
    provider: &dyn Provider,
    delivery: &Delivery,
    clock: &dyn Clock,
) -> Result<Vec<DeliveryEvent>, Rejection> {
    provider.receive(&parts(delivery), clock.now())
}

fn of_outcome(outcome: &Outcome) -> Seen {
    match outcome {
        Outcome::Accepted { reference } => Seen {
            is: outcome.as_str().to_owned(),
            reference: Some(reference.0.clone()),
            printed: format!("{outcome:?}"),
            ..Seen::default()
        },
        Outcome::Refused(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure) => {
            of_failure(outcome.as_str(), failure)
        }
    }
}

fn of_failure(is: &str, failure: &Failure) -> Seen {
    Seen {
        is: is.to_owned(),
        fault: Some(failure.fault.as_str().to_owned()),
        code: failure.raw_code.clone(),
        pages: failure.pages_confirmed,
        retry_after_seconds: failure.retry_after_seconds,
        printed: format!("{failure:?}"),
        ..Seen::default()
    }
}

fn of_fact(fact: &Fact, reference: Option<&ProviderReference>) -> Seen {
    let seen = match fact {
        Fact::Progress { stage } => Seen { stage: Some(stage.clone()), ..Seen::default() },
        Fact::Delivered { pages } => Seen { pages: *pages, ..Seen::default() },
        Fact::Failed(failure) => of_failure("", failure),
    };
    Seen {
        is: fact.as_str().to_owned(),
        reference: reference.map(|reference| reference.0.clone()),
        printed: format!("{fact:?} {reference:?}"),
        ..seen
    }
}

fn of_lookup(lookup: &FindResult) -> Seen {
    let (is, report) = match lookup {
        FindResult::Found(report) => ("found", Some(report)),
        FindResult::Absent => ("absent", None),
        FindResult::Candidates(reports) => ("candidates", reports.first()),
    };
    let reference = report.map(|report| report.reference.0.clone());
    Seen { is: is.to_owned(), reference, printed: format!("{lookup:?}"), ..Seen::default() }
}

fn of_done<T: std::fmt::Debug>(done: Result<T, Failure>) -> Seen {
    match done {
        Ok(done) => Seen { is: "ok".to_owned(), printed: format!("{done:?}"), ..Seen::default() },
        Err(failure) => of_failure("error", &failure),
    }
}

fn of_delivery(delivery: Result<Vec<DeliveryEvent>, Rejection>) -> Seen {
    match delivery {
        Ok(events) => match events.first() {
            None => Seen { is: "ignored".to_owned(), ..Seen::default() },
            Some(event) => Seen {
                attempt: event.attempt.map(|attempt| attempt.to_string()),
                billed: charge(event.billed.clone()),
                printed: format!("{events:?}"),
                ..of_fact(&event.fact, event.reference.as_ref())
            },
        },
        Err(rejection) => Seen { is: format!("{rejection:?}").to_lowercase(), ..Seen::default() },
    }
}

/// How what came differs from what the file expects.
pub fn difference(expect: &Expect, seen: &Seen) -> Option<String> {
    if expect.is != seen.is {
        return Some(format!("expected {}, but it is {} ({})", expect.is, seen.is, seen.printed));
    }
    let texts = [
        ("fault", &expect.fault, &seen.fault),
        ("code", &expect.code, &seen.code),
        ("reference", &expect.reference, &seen.reference),
        ("attempt", &expect.attempt, &seen.attempt),
        ("stage", &expect.stage, &seen.stage),
        ("billed", &expect.billed, &seen.billed),
    ];
    let text = texts.into_iter().find(|(_, expected, got)| expected.is_some() && expected != got);
    if let Some((name, expected, got)) = text {
        return Some(format!("{name}: expected {expected:?}, got {got:?}"));
    }
    if expect.pages.is_some() && expect.pages != seen.pages {
        return Some(format!("pages: expected {:?}, got {:?}", expect.pages, seen.pages));
    }
    (expect.retry_after_seconds.is_some() && expect.retry_after_seconds != seen.retry_after_seconds).then(|| {
        format!("retry_after_seconds: expected {:?}, got {:?}", expect.retry_after_seconds, seen.retry_after_seconds)
    })
}
