//! A gateway without its services, one fax accepted by an account called `first`, and providers whose reading can change.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use touchline::accounts::layers::{Layered, Limits};
use touchline::accounts::routes::Route;
use touchline::accounts::{Accounts, ConfiguredAccount};
use touchline::app::Gateway;
use touchline::domain::attempt::Attempt;
use touchline::domain::envelope::Envelope;
use touchline::domain::event::DeliveryEvent;
use touchline::domain::fault::{Failure, Fault};
use touchline::domain::message::Message;
use touchline::domain::{Actor, Channel, Clock, Outcome, Timestamp};
use touchline::feedback;
use touchline::feedback::inbox::{Inbox, Received};
use touchline::feedback::replay::{Replayed, Selection, replay};
use touchline::provider::{Capabilities, Provider, Rejection, SettingsError, Spec, WebhookAuthenticity, WebhookParts};
use touchline::settle::Rules;
use touchline::store::views::inbox::{CallbackLine, CallbacksOf};

use crate::hinting::{accept, config};
use crate::support::clock::FakeClock;
use crate::support::databases::Database;

/// The secret in the address of callbacks.
pub const SECRET: &str = "a-long-word-of-the-tests";

static KIND: Spec = Spec {
    kind: "listed",
    title: "Listed",
    channel: Channel::Fax,
    capabilities: Capabilities { webhook: WebhookAuthenticity::SecretPath, ..Capabilities::NONE },
    settings: &[],
    sources: &[],
    setup: &[],
    gaps: &[],
    build: |_| Err(SettingsError("built by the tests".to_owned())),
};

/// A provider whose callbacks are lists of facts, and that can be made unable to read them.
#[derive(Debug, Default)]
pub struct Listed {
    pub is_blind: AtomicBool,
    pub panics: AtomicBool,
}

#[async_trait]
impl Provider for Listed {
    fn spec(&self) -> &'static Spec {
        &KIND
    }

    async fn submit(&self, _: &Envelope) -> Outcome {
        Outcome::NotSent(Failure::new(Fault::ProviderError))
    }

    fn verify(&self, parts: &WebhookParts, _: Timestamp) -> Result<(), Rejection> {
        if parts.secret.as_deref() == Some(SECRET) { Ok(()) } else { Err(Rejection::Forged) }
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        assert!(!self.panics.load(Ordering::Relaxed), "a mistake in an adapter");
        let is_blind = self.is_blind.load(Ordering::Relaxed);
        serde_json::from_slice(&parts.body).ok().filter(|_| !is_blind)
    }

    async fn check(&self) -> Result<String, Failure> {
        Ok("here".to_owned())
    }
}

/// See the module's comment.
pub struct Scene {
    pub gateway: Gateway,
    pub parts: feedback::Parts,
    pub inbox: Arc<Inbox>,
    pub clock: Arc<FakeClock>,
    pub accepted: Attempt,
}

impl Scene {
    pub async fn open(database: &Database, provider: Arc<dyn Provider>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = FakeClock::new();
        let gateway = Gateway::open(config(&database.url), clock.clone()).await.expect("a gateway");
        let accepted = accept(&gateway, clock.now()).await;
        let parts = gateway.feedback();
        let inbox = Inbox::new(parts.clone());
        let mut scene = Self { gateway, parts, inbox, clock, accepted };
        scene.upgrade(provider);
        scene
    }

    /// Another version of the program: its account reads callbacks otherwise.
    pub fn upgrade(&mut self, provider: Arc<dyn Provider>) {
        let second = Duration::from_secs(1);
        let limits = Limits { concurrency: 4, timeout: second * 30, breaker_faults: 5, breaker_pause: second * 30 };
        let capabilities = provider.spec().capabilities;
        let account = ConfiguredAccount::free(Layered::new("first", provider, limits, self.clock.clone()));
        let by_name = BTreeMap::from([("first".to_owned(), account)]);
        self.parts.accounts = Arc::new(Accounts::new(by_name, vec![Route::to("first")], Vec::new()));
        let capabilities = BTreeMap::from([("first".to_owned(), capabilities)]);
        self.parts.rules = Arc::new(Rules { capabilities, ..(*self.gateway.rules).clone() });
        self.inbox = Inbox::new(self.parts.clone());
    }

    /// A callback comes in, in the address the secret.
    pub async fn receive(&self, body: impl Into<Vec<u8>>) -> Received {
        let callback = WebhookParts {
            url: format!("https://us.example/hooks/first/{SECRET}?from=them"),
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("authorization".to_owned(), "Basic secret-of-the-proxy".to_owned()),
            ],
            body: body.into(),
            secret: Some(SECRET.to_owned()),
        };
        self.inbox.receive("first", &callback).await.expect("the database is there")
    }

    pub async fn receive_events(&self, events: &[DeliveryEvent]) -> Received {
        self.receive(serde_json::to_vec(events).expect("JSON")).await
    }

    pub async fn apply(&self) -> usize {
        self.inbox.apply_some().await.expect("applied")
    }

    pub async fn replay(&self, of: CallbacksOf, is_rehearsal: bool) -> Replayed {
        replay(&self.parts, &Selection::All(of), &Actor::operator("dana"), is_rehearsal).await.expect("read again")
    }

    /// Callbacks, the newest first.
    pub async fn lines(&self) -> Vec<CallbackLine> {
        let mut tx = self.gateway.store.read().await.expect("tx");
        tx.callback_lines(&CallbacksOf::default(), 100).await.expect("read")
    }

    /// The fax as it stands: attempt, message, and everything that happened to it.
    pub async fn standing(&self) -> (Attempt, Message, Vec<String>) {
        let mut tx = self.gateway.store.read().await.expect("tx");
        let attempt = tx.attempt(self.accepted.id).await.expect("read").expect("there");
        let message = tx.message(attempt.message_id, false).await.expect("read").expect("there");
        let events = tx.events_of(message.id).await.expect("read").into_iter();
        (attempt, message, events.map(|event| format!("{} {}", event.kind, event.source)).collect())
    }
}
