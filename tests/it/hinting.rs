//! Callbacks of providers that sign nothing: a secret in the URL keeps strangers out, and even then a callback is
//! only a reason to ask. Anyone who guesses the URL can make Touchline ask, and nothing else.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::StatusCode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use touchline::accounts::layers::{Layered, Limits};
use touchline::accounts::routes::Route;
use touchline::accounts::{Accounts, ConfiguredAccount};
use touchline::app::Gateway;
use touchline::config::Config;
use touchline::domain::attempt::{Attempt, AttemptStatus, ProviderReference};
use touchline::domain::envelope::Envelope;
use touchline::domain::event::{Billed, DeliveryEvent, EventSource, Fact, Report};
use touchline::domain::fault::{Failure, Fault};
use touchline::domain::message::Message;
use touchline::domain::{Channel, Clock, MessageStatus, Outcome, Timestamp};
use touchline::feedback::inbox::{Inbox, Received};
use touchline::feedback::{self, poll_some};
use touchline::provider::{Capabilities, Provider, Rejection, SettingsError, Spec, WebhookAuthenticity, WebhookParts};
use touchline::settle::{POLL, Rules};
use touchline::web::{self, WebState};

use crate::storage::samples::{Stage, attempt};
use crate::support::clock::FakeClock;
use crate::support::databases::each_database;

const DEMO: &str = include_str!("../../config/demo.toml");
const SECRET: &str = "a-long-word-of-the-tests";

static KIND: Spec = Spec {
    kind: "unsigned",
    title: "Unsigned",
    channel: Channel::Fax,
    capabilities: Capabilities {
        status: true,
        webhook: WebhookAuthenticity::SecretPath,
        questions_per_minute: Some(1),
        ..Capabilities::NONE
    },
    settings: &[],
    sources: &[],
    setup: &[],
    gaps: &[],
    build: |_| Err(SettingsError("built by the tests".to_owned())),
};

/// Says of every fax what the test has written down; its callbacks are believed by their address alone.
#[derive(Debug, Default)]
struct Unsigned {
    truth: Mutex<Option<Fact>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Provider for Unsigned {
    fn spec(&self) -> &'static Spec {
        &KIND
    }

    async fn submit(&self, _: &Envelope) -> Outcome {
        Outcome::NotSent(Failure::new(Fault::ProviderError))
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let fact = self.truth.lock().expect("sound").clone().expect("nobody should have asked");
        Ok(Report { billed: Billed::new("0.07", "USD"), ..Report::new(reference.clone(), fact) })
    }

    fn verify(&self, parts: &WebhookParts, _: Timestamp) -> Result<(), Rejection> {
        if parts.secret.as_deref() == Some(SECRET) { Ok(()) } else { Err(Rejection::Forged) }
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let reference = std::str::from_utf8(&parts.body).ok().and_then(ProviderReference::new);
        let fact = Fact::Failed(Failure::new(Fault::InvalidNumber));
        let dedupe = format!("{reference:?} failed");
        Some(vec![DeliveryEvent {
            attempt: None,
            reference,
            fact,
            occurred_ms: None,
            dedupe,
            billed: None,
            returned: None,
        }])
    }

    async fn check(&self) -> Result<String, Failure> {
        Ok("here".to_owned())
    }
}

/// A gateway with two such accounts, one fax accepted by the first, and a web server.
struct Scene {
    gateway: Arc<Gateway>,
    parts: feedback::Parts,
    inbox: Arc<Inbox>,
    first: Arc<Unsigned>,
    clock: Arc<FakeClock>,
    accepted: Attempt,
    url: String,
    stop: CancellationToken,
}

impl Scene {
    async fn set(url: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = FakeClock::new();
        let mut gateway = Gateway::open(config(url), clock.clone()).await.expect("a gateway");
        let (first, second) = (Arc::new(Unsigned::default()), Arc::new(Unsigned::default()));
        let accounts = [("first", first.clone()), ("second", second)].map(|(name, account)| {
            let second = Duration::from_secs(1);
            let limits = Limits { concurrency: 4, timeout: second * 30, breaker_faults: 5, breaker_pause: second * 30 };
            (name.to_owned(), ConfiguredAccount::free(Layered::new(name, account, limits, clock.clone())))
        });
        let routes = vec![Route::to("first"), Route::to("second")];
        gateway.accounts = Arc::new(Accounts::new(BTreeMap::from(accounts), routes, Vec::new()));
        let capabilities = ["first", "second"].map(|name| (name.to_owned(), KIND.capabilities));
        gateway.rules = Arc::new(Rules { capabilities: BTreeMap::from(capabilities), ..(*gateway.rules).clone() });
        let parts = feedback::Parts {
            store: gateway.store.clone(),
            queue: gateway.queue.clone(),
            accounts: gateway.accounts.clone(),
            rules: gateway.rules.clone(),
            clock: clock.clone(),
            returns: crate::support::return_rules(),
            poll: Duration::from_secs(1),
        };
        let accepted = accept(&gateway, clock.now()).await;
        let (gateway, inbox) = (Arc::new(gateway), Inbox::new(parts.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let stop = CancellationToken::new();
        let state = WebState::new(gateway.clone(), inbox.clone(), None);
        tokio::spawn(web::serve(listener, state, stop.clone()));
        Self { gateway, parts, inbox, first, clock, accepted, url, stop }
    }

    /// Posts to a callback address what an unsigned provider would: that a fax failed.
    async fn call_back(&self, path: &str) -> StatusCode {
        let http = touchline::http::client().expect("a client");
        let request = http.post(format!("{}/hooks/{path}", self.url)).body("fx_1");
        request.send().await.expect("an answer").status()
    }

    async fn standing(&self) -> (Attempt, Message, Option<Timestamp>, Vec<String>) {
        let mut tx = self.gateway.store.read().await.expect("tx");
        let attempt = tx.attempt(self.accepted.id).await.expect("read").expect("there");
        let message = tx.message(attempt.message_id, false).await.expect("read").expect("there");
        let due = tx.queue_entry(message.id.0).await.expect("read").map(|entry| entry.due_ms);
        let events = tx.events_of(message.id).await.expect("read").into_iter();
        (attempt, message, due, events.map(|event| format!("{} {}", event.kind, event.source)).collect())
    }

    async fn end(self) {
        self.stop.cancel();
        self.gateway.store.close().await;
    }
}

/// The demo's configuration over a database.
pub fn config(url: &str) -> Config {
    let text = DEMO.replace("sqlite:touchline-demo.db", url);
    let lookup = |_: &str| Some("a secret of the tests".to_owned());
    Config::parse_with_env(&text, "test.toml", std::path::Path::new("/nowhere"), &lookup).expect("a configuration")
}

/// A fax that the first account took as `fx_1`, to be asked about in an hour.
pub async fn accept(gateway: &Gateway, now: Timestamp) -> Attempt {
    let stage = Stage::set(&gateway.store).await;
    let message = Message { give_up_ms: now.after(Duration::from_secs(86_400)), ..stage.message() };
    let called = Attempt { provider: "first".into(), opened_ms: now, ..attempt(message.id, 1) };
    stage.store(&gateway.store, std::slice::from_ref(&message)).await;
    let mut tx = gateway.store.write().await.expect("tx");
    tx.addresses_ensure(&[message.address.key()], now).await.expect("made");
    tx.attempts_insert(std::slice::from_ref(&called)).await.expect("stored");
    let reference = ProviderReference("fx_1".to_owned());
    let answer = touchline::settle::Evidence::Answer(Outcome::Accepted { reference });
    let origin = touchline::settle::Origin::provider(EventSource::Answer, "first");
    touchline::settle::apply(&mut tx, &gateway.rules, called.id, &answer, &origin, now).await.expect("learnt");
    let hour = now.after(Duration::from_secs(3_600));
    assert_eq!(tx.queue_next_steps(&[(message.id.0, POLL, hour)]).await.expect("set").len(), 1);
    tx.commit().await.expect("committed");
    called
}

async fn each_scene(test: impl AsyncFn(&Scene)) {
    each_database(async |database| {
        let scene = Scene::set(&database.url).await;
        test(&scene).await;
        scene.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_changes_no_attempt_and_is_followed_by_a_question_whose_answer_is_believed() {
    each_scene(async |scene| {
        let before = scene.standing().await;
        assert_eq!(scene.call_back(&format!("first/{SECRET}")).await, StatusCode::OK);
        assert_eq!(scene.inbox.apply_some().await.expect("applied"), 1);
        let (attempt, message, due, events) = scene.standing().await;
        assert_eq!((&attempt, &message, &events), (&before.0, &before.1, &before.3), "a hint alone says nothing");
        assert_eq!(due, Some(scene.clock.now()), "but the provider is asked at once");
        assert_eq!(scene.first.asked.load(Ordering::Relaxed), 0);

        *scene.first.truth.lock().expect("sound") = Some(Fact::Delivered { pages: Some(1) });
        scene.gateway.queue.wake();
        assert_eq!(poll_some(&scene.parts, 10).await.expect("polled"), 1);
        let (attempt, message, due, events) = scene.standing().await;
        assert_eq!((attempt.status, message.status, due), (AttemptStatus::Delivered, MessageStatus::Delivered, None));
        assert_eq!(events.last().map(String::as_str), Some("delivered poll"));
        assert!(!events.iter().any(|event| event.starts_with("failed")), "{events:?}");
        assert_eq!(attempt.billed().map(|charge| charge.to_string()).as_deref(), Some("0.07 USD"));

        assert_eq!(scene.call_back(&format!("first/{SECRET}")).await, StatusCode::OK, "it comes again");
        scene.inbox.apply_some().await.expect("applied");
        assert_eq!(scene.standing().await.3, events, "and changes nothing");
    })
    .await;
}

/// The provider is asked and says nothing new, so that it would be asked again in an hour.
async fn nothing_new(scene: &Scene) {
    assert_eq!(poll_some(&scene.parts, 10).await.expect("polled"), 1);
    let hour = scene.clock.now().after(Duration::from_secs(3_600));
    let mut tx = scene.gateway.store.write().await.expect("tx");
    assert_eq!(tx.queue_next_steps(&[(scene.accepted.message_id.0, POLL, hour)]).await.expect("set").len(), 1);
    tx.commit().await.expect("committed");
}

/// Such a provider sends the same few words at every stage: each time it is asked again, though not more often than every
/// ten seconds.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_hint_again_is_followed_by_a_question_again() {
    each_scene(async |scene| {
        *scene.first.truth.lock().expect("sound") = Some(Fact::Progress { stage: "dialing".to_owned() });
        let hint = async || {
            assert_eq!(scene.call_back(&format!("first/{SECRET}")).await, StatusCode::OK);
            scene.inbox.apply_some().await.expect("applied");
            scene.standing().await.2
        };
        assert_eq!(hint().await, Some(scene.clock.now()));
        for _ in 0..2 {
            nothing_new(scene).await;
            scene.clock.advance(Duration::from_secs(11));
            assert_eq!(hint().await, Some(scene.clock.now()), "it is asked again at once");
        }
        nothing_new(scene).await;
        scene.clock.advance(Duration::from_secs(1));
        assert!(hint().await > Some(scene.clock.now()), "and not for every hint");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_without_the_right_secret_is_turned_away_and_leaves_no_trace() {
    each_scene(async |scene| {
        for path in ["first", "first/", "first/another-word-of-the-tests"] {
            let status = scene.call_back(path).await;
            let expected = if path.ends_with('/') { StatusCode::NOT_FOUND } else { StatusCode::UNAUTHORIZED };
            assert_eq!(status, expected, "{path}");
        }
        assert_eq!(scene.inbox.apply_some().await.expect("nothing waits"), 0);
        let forged = WebhookParts { body: b"fx_1".to_vec(), ..WebhookParts::default() };
        let turned_away = scene.inbox.receive("first", &forged).await.expect("answered");
        assert_eq!(turned_away, Received::Rejected(Rejection::Forged));
        assert!(scene.standing().await.2 > Some(scene.clock.now()), "nobody is asked sooner");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_about_another_accounts_hand_over_does_nothing() {
    each_scene(async |scene| {
        let before = scene.standing().await;
        assert_eq!(scene.call_back(&format!("second/{SECRET}")).await, StatusCode::OK, "it may be about one to come");
        scene.inbox.apply_some().await.expect("looked at");
        assert_eq!(scene.standing().await, before);
    })
    .await;
}

/// The provider answers one question a minute. One that is held back is no look, and no trouble of the provider's.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_beyond_what_the_provider_answers_is_asked_later() {
    each_scene(async |scene| {
        *scene.first.truth.lock().expect("sound") = Some(Fact::Progress { stage: "dialing".to_owned() });
        let ask = async || {
            let mut tx = scene.gateway.store.write().await.expect("tx");
            tx.queue_hasten(scene.accepted.message_id.0, scene.clock.now()).await.expect("hastened");
            tx.commit().await.expect("committed");
            assert_eq!(poll_some(&scene.parts, 10).await.expect("polled"), 1);
            scene.standing().await
        };
        assert_eq!(ask().await.0.looks, 1);
        let (attempt, message, due, _) = ask().await;
        assert_eq!((attempt.looks, message.status), (1, MessageStatus::Accepted));
        assert_eq!(due, Some(scene.clock.now().after(Duration::from_secs(61))), "as long as the limit says");
        assert_eq!(scene.first.asked.load(Ordering::Relaxed), 1);
        assert_eq!(scene.gateway.accounts.get("first").expect("there").layered.breaker().faults, 0);

        scene.clock.advance(Duration::from_secs(61));
        assert_eq!(poll_some(&scene.parts, 10).await.expect("polled"), 1);
        assert_eq!((scene.standing().await.0.looks, scene.first.asked.load(Ordering::Relaxed)), (2, 2));
    })
    .await;
}
