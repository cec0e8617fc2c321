//! What a provider says when it is asked: that the account is refused, what a hand-over cost, that it does not stop it.

mod dashboard;
mod purging;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use touchline::access::{Scope, create_token};
use touchline::accounts::layers::{Layered, Limits};
use touchline::accounts::routes::Route;
use touchline::accounts::{Accounts, ConfiguredAccount};
use touchline::app::Gateway;
use touchline::dispatch::{self, Dispatcher};
use touchline::domain::attempt::{Attempt, AttemptStatus, ProviderReference};
use touchline::domain::envelope::Envelope;
use touchline::domain::event::{Billed, EventSource, Fact, Report};
use touchline::domain::fault::{Failure, Fault};
use touchline::domain::message::Message;
use touchline::domain::provider_state::ProviderState;
use touchline::domain::{Actor, Channel, Clock, MessageStatus, Outcome, PhiClass, Purging};
use touchline::feedback::{self, poll_some};
use touchline::operator::{self, Act, OperatorError};
use touchline::policy::hours::Hours;
use touchline::provider::{
    Capabilities, FindQuery, FindResult, Provider, Reconciliation, SettingsError, Spec, WebhookAuthenticity,
};
use touchline::queue::Lanes;
use touchline::settle::{self, Evidence, Origin, Rules};
use touchline::web::{self, WebState};

use crate::hinting;
use crate::storage::samples::{Stage, attempt};
use crate::support::clock::FakeClock;
use crate::support::databases::each_database;

static KIND: Spec = Spec {
    kind: "asked",
    title: "Asked",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::Exact,
        status: true,
        cancel: true,
        purge: true,
        webhook: WebhookAuthenticity::NoWebhook,
        ..Capabilities::NONE
    },
    settings: &[],
    sources: &[],
    setup: &[],
    gaps: &[],
    build: |_| Err(SettingsError("built by the tests".to_owned())),
};

/// Answers every question with what the test has written down.
#[derive(Debug)]
struct Asked {
    report: Mutex<Result<Fact, Failure>>,
    cancel: Mutex<Result<(), Failure>>,
    purge: Mutex<Result<(), Failure>>,
    purges: AtomicUsize,
}

impl Asked {
    fn report(&self) -> Result<Report, Failure> {
        let fact = self.report.lock().expect("sound").clone()?;
        let report = Report::new(ProviderReference("fx_1".to_owned()), fact);
        Ok(Report { billed: Billed::new("0.07", "USD"), ..report })
    }

    fn says(&self, report: Result<Fact, Failure>) {
        *self.report.lock().expect("sound") = report;
    }
}

#[async_trait]
impl Provider for Asked {
    fn spec(&self) -> &'static Spec {
        &KIND
    }

    async fn submit(&self, _: &Envelope) -> Outcome {
        Outcome::NotSent(Failure::new(Fault::ProviderError))
    }

    async fn status(&self, _: &ProviderReference) -> Result<Report, Failure> {
        self.report()
    }

    async fn find(&self, _: &FindQuery) -> Result<FindResult, Failure> {
        self.report().map(FindResult::Found)
    }

    async fn cancel(&self, _: &ProviderReference) -> Result<(), Failure> {
        self.cancel.lock().expect("sound").clone()
    }

    async fn purge(&self, _: &ProviderReference) -> Result<(), Failure> {
        self.purges.fetch_add(1, Ordering::Relaxed);
        self.purge.lock().expect("sound").clone()
    }

    async fn check(&self) -> Result<String, Failure> {
        Ok("here".to_owned())
    }
}

/// A gateway whose only account answers what the test says.
struct Scene {
    gateway: Arc<Gateway>,
    parts: feedback::Parts,
    provider: Arc<Asked>,
    clock: Arc<FakeClock>,
}

impl Scene {
    async fn set(url: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = FakeClock::new();
        let mut gateway = Gateway::open(hinting::config(url), clock.clone()).await.expect("a gateway");
        let progress = Fact::Progress { stage: "dialing".to_owned() };
        let provider = Arc::new(Asked {
            report: Mutex::new(Ok(progress)),
            cancel: Mutex::new(Ok(())),
            purge: Mutex::new(Ok(())),
            purges: AtomicUsize::new(0),
        });
        let second = Duration::from_secs(1);
        let limits = Limits { concurrency: 4, timeout: second * 30, breaker_faults: 50, breaker_pause: second };
        let layered = Layered::new("first", provider.clone(), limits, clock.clone());
        let accounts = BTreeMap::from([("first".to_owned(), ConfiguredAccount::free(layered))]);
        gateway.accounts = Arc::new(Accounts::new(accounts, vec![Route::to("first")], Vec::new()));
        let capabilities = BTreeMap::from([("first".to_owned(), KIND.capabilities)]);
        let purging = BTreeMap::from([("first".to_owned(), Purging::Patients)]);
        gateway.rules = Arc::new(Rules { capabilities, purging, ..(*gateway.rules).clone() });
        let parts = feedback::Parts {
            store: gateway.store.clone(),
            queue: gateway.queue.clone(),
            accounts: gateway.accounts.clone(),
            rules: gateway.rules.clone(),
            clock: clock.clone(),
            returns: crate::support::return_rules(),
            poll: second,
        };
        Self { gateway: Arc::new(gateway), parts, provider, clock }
    }

    /// A fax whose hand-over got no clear answer.
    async fn in_doubt(&self) -> Attempt {
        self.in_doubt_about(PhiClass::None).await
    }

    async fn in_doubt_about(&self, phi: PhiClass) -> Attempt {
        let (store, now) = (&self.gateway.store, self.clock.now());
        let stage = Stage::set(store).await;
        let message = Message { give_up_ms: now.after(Duration::from_secs(86_400)), phi, ..stage.message() };
        let called = Attempt { provider: "first".into(), opened_ms: now, ..attempt(message.id, 1) };
        stage.store(store, std::slice::from_ref(&message)).await;
        let mut tx = store.write().await.expect("tx");
        tx.addresses_ensure(&[message.address.key()], now).await.expect("made");
        tx.attempts_insert(std::slice::from_ref(&called)).await.expect("stored");
        let answer = Evidence::Answer(Outcome::Unknown(Failure::new(Fault::ProviderError)));
        let origin = Origin::provider(EventSource::Answer, "first");
        settle::apply(&mut tx, &self.gateway.rules, called.id, &answer, &origin, now).await.expect("learnt");
        tx.commit().await.expect("committed");
        called
    }

    /// Looks up what is in doubt, once it is due.
    async fn look_up(&self) {
        self.clock.advance(self.gateway.rules.doubt_settle + Duration::from_secs(1));
        let dispatcher = Dispatcher::new(dispatch::Parts {
            store: self.gateway.store.clone(),
            queue: self.gateway.queue.clone(),
            renderer: self.gateway.renderer.clone(),
            accounts: self.gateway.accounts.clone(),
            rules: self.gateway.rules.clone(),
            opt_out: self.gateway.opt_out.clone(),
            clock: self.clock.clone(),
            settings: dispatch::Settings {
                slots: 2,
                poll: Duration::from_secs(1),
                permission_only: false,
                hours: Arc::new(Hours::new("always".parse().expect("hours"), chrono_tz::America::Chicago)),
            },
        });
        let mut walks = dispatcher.claim(Lanes::All, 1).await.expect("claimed");
        assert_eq!(walks.len(), 1, "it is due");
        walks[0].step().await.expect("looked up");
    }

    /// Serves the faces; where, and what ends it.
    async fn serve(&self) -> (String, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let stop = CancellationToken::new();
        let inbox = feedback::inbox::Inbox::new(self.parts.clone());
        tokio::spawn(web::serve(listener, WebState::new(self.gateway.clone(), inbox, None), stop.clone()));
        (url, stop)
    }

    async fn poll(&self) {
        assert_eq!(poll_some(&self.parts, 10).await.expect("polled"), 1);
    }

    /// The attempt, its message's status, and whether its next step is on the queue.
    async fn standing(&self, of: &Attempt) -> (Attempt, MessageStatus, bool) {
        let mut tx = self.gateway.store.read().await.expect("tx");
        let attempt = tx.attempt(of.id).await.expect("read").expect("there");
        let message = tx.message(attempt.message_id, false).await.expect("read").expect("there");
        let entry = tx.queue_entry(message.id.0).await.expect("read");
        (attempt, message.status, entry.is_some())
    }

    async fn pause(&self) -> Option<ProviderState> {
        let states = self.gateway.store.read().await.expect("tx").provider_states(false).await.expect("read");
        states.into_iter().find(|state| state.provider == "first" && state.paused_ms.is_some())
    }

    async fn due_at_once(&self, of: &Attempt) {
        let mut tx = self.gateway.store.write().await.expect("tx");
        tx.queue_hasten(of.message_id.0, self.clock.now()).await.expect("hastened");
        tx.commit().await.expect("committed");
    }
}

async fn each_scene(test: impl AsyncFn(&Scene)) {
    each_database(async |database| {
        let scene = Scene::set(&database.url).await;
        test(&scene).await;
        scene.gateway.store.close().await;
    })
    .await;
}

fn refused(code: &str) -> Failure {
    Failure::new(Fault::AccountError).code(code).text("the key was revoked")
}

const MONTH: Duration = Duration::from_secs(30 * 86_400);

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_dies_while_a_fax_is_under_way_pauses_the_account_and_ends_no_fax() {
    each_scene(async |scene| {
        let fax = hinting::accept(&scene.gateway, scene.clock.now()).await;
        scene.provider.says(Err(refused("401")));
        for wait in [Duration::ZERO, MONTH] {
            scene.clock.advance(wait);
            scene.due_at_once(&fax).await;
            scene.poll().await;
            let (attempt, status, is_queued) = scene.standing(&fax).await;
            assert_eq!((attempt.looks, status, is_queued), (0, MessageStatus::Accepted, true), "nobody was silent");
            let pause = scene.pause().await.expect("paused");
            assert_eq!((pause.paused_reason.as_deref(), pause.resumes_ms), (Some("the key was revoked"), None));
        }
        scene.provider.says(Ok(Fact::Delivered { pages: None }));
        scene.due_at_once(&fax).await;
        scene.poll().await;
        assert_eq!(scene.standing(&fax).await.1, MessageStatus::Delivered);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_or_one_forbidden_fax_pauses_no_account() {
    each_scene(async |scene| {
        let fax = hinting::accept(&scene.gateway, scene.clock.now()).await;
        for code in ["302", "403", "403"] {
            scene.provider.says(Err(refused(code)));
            scene.due_at_once(&fax).await;
            scene.poll().await;
            assert_eq!(scene.pause().await, None, "{code}");
        }
        assert_eq!(scene.standing(&fax).await.0.looks, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_dead_when_a_doubt_is_looked_up_pauses_the_account_and_leaves_the_doubt_to_be_looked_up() {
    each_scene(async |scene| {
        let fax = scene.in_doubt().await;
        scene.provider.says(Err(refused("401")));
        for wait in [Duration::ZERO, MONTH] {
            scene.clock.advance(wait);
            scene.look_up().await;
            assert!(scene.pause().await.is_some());
            let (attempt, status, is_queued) = scene.standing(&fax).await;
            assert_eq!((attempt.looks, status, is_queued), (0, MessageStatus::InDoubt, true));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_only_the_look_up_of_a_doubt_tells_is_kept() {
    each_scene(async |scene| {
        let fax = scene.in_doubt().await;
        scene.provider.says(Ok(Fact::Delivered { pages: None }));
        scene.look_up().await;
        let (attempt, status, _) = scene.standing(&fax).await;
        assert_eq!((attempt.status, status), (AttemptStatus::Delivered, MessageStatus::Delivered));
        assert_eq!(attempt.billed(), Billed::new("0.07", "USD"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_says_about_a_refused_cancel_is_told() {
    each_scene(async |scene| {
        let fax = hinting::accept(&scene.gateway, scene.clock.now()).await;
        let no = Failure::new(Fault::ProtocolError).code("E77").text("page two is on its way to +13125550142");
        *scene.provider.cancel.lock().expect("sound") = Err(no);
        let who = Actor::operator("sam");
        let told = operator::act(&scene.gateway.operator(), fax.message_id, Act::Cancel, &who).await;
        let Err(OperatorError::NotStopped(words)) = told else { panic!("{told:?}") };
        assert!(words.contains("The provider said: E77 page two is on its way to …"), "{words}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_cancels_what_was_handed_over_is_told_that_it_was_only_asked_for() {
    each_scene(async |scene| {
        let fax = hinting::accept(&scene.gateway, scene.clock.now()).await;
        let (url, stop) = scene.serve().await;
        let who = Actor::operator("sam");
        let token = create_token(&scene.gateway.access(), "crm", &[Scope::Operate], &who).await.expect("a token");
        let http = touchline::http::client().expect("a client");
        let request = http.post(format!("{url}/api/v1/messages/{}/cancel", fax.message_id)).bearer_auth(token);
        let answer: Value = request.json(&json!({})).send().await.expect("answered").json().await.expect("JSON");
        assert_eq!((&answer["status"], &answer["cancel_requested"]), (&json!("accepted"), &json!(true)), "{answer}");
        stop.cancel();
    })
    .await;
}
