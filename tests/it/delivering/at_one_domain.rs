//! Letters at once to one mail domain: counted in the records, so that all nodes keep the limit together, and one that begins
//! anew keeps it too. Each step of each letter is taken by the test.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use touchline::accounts::layers::{Layered, Limits};
use touchline::accounts::routes::Route;
use touchline::accounts::{Accounts, ConfiguredAccount};
use touchline::app::Gateway;
use touchline::dispatch::walk::{Stage, Walk};
use touchline::dispatch::{self, Dispatcher};
use touchline::domain::attempt::ProviderReference;
use touchline::domain::envelope::Envelope;
use touchline::domain::fault::Failure;
use touchline::domain::message::Message;
use touchline::domain::{Actor, Channel, MessageStatus, Outcome, PolicyReason};
use touchline::intake::{self, request::Request};
use touchline::policy::hours::Hours;
use touchline::provider::{Capabilities, Provider, SettingsError, Spec};
use touchline::queue::Lanes;
use touchline::referrers::{import, sheet};
use touchline::settle::Rules;
use touchline::store::views::lists::LinesOf;

use crate::hinting;
use crate::support::clock::FakeClock;
use crate::support::databases::each_database;

static KIND: Spec = Spec {
    kind: "takes-all",
    title: "Takes all",
    channel: Channel::Email,
    capabilities: Capabilities::NONE,
    settings: &[],
    sources: &[],
    setup: &[],
    gaps: &[],
    build: |_| Err(SettingsError("built by the tests".to_owned())),
};

/// A relay that takes every letter.
#[derive(Debug)]
struct TakesAll;

#[async_trait]
impl Provider for TakesAll {
    fn spec(&self) -> &'static Spec {
        &KIND
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        Outcome::Accepted { reference: ProviderReference(envelope.attempt.to_string()) }
    }

    async fn check(&self) -> Result<String, Failure> {
        Ok("here".to_owned())
    }
}

/// A gateway whose only relay takes two letters at once to one domain.
struct Scene {
    gateway: Gateway,
    clock: Arc<FakeClock>,
}

impl Scene {
    async fn set(url: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = FakeClock::new();
        let mut gateway = Gateway::open(hinting::config(url), clock.clone()).await.expect("a gateway");
        let second = Duration::from_secs(1);
        let limits = Limits { concurrency: 16, timeout: second * 30, breaker_faults: 5, breaker_pause: second };
        let layered = Layered::new("mail", Arc::new(TakesAll), limits, clock.clone());
        let account = ConfiguredAccount { concurrency_per_domain: Some(2), ..ConfiguredAccount::free(layered) };
        let accounts = BTreeMap::from([("mail".to_owned(), account)]);
        gateway.accounts = Arc::new(Accounts::new(accounts, Vec::new(), vec![Route::to("mail")]));
        let capabilities = BTreeMap::from([("mail".to_owned(), KIND.capabilities)]);
        gateway.rules = Arc::new(Rules { capabilities, ..(*gateway.rules).clone() });
        Self { gateway, clock }
    }

    /// Writes to everybody on a list.
    async fn write_to(&self, mailboxes: &[&str]) {
        let rows: Vec<String> = (1..).zip(mailboxes).map(|(n, mailbox)| format!("Ana,Reader{n},{mailbox}\n")).collect();
        let csv = format!("first_name,last_name,email\n{}", rows.concat());
        let sheet = sheet::read(csv.as_bytes(), &[]).expect("a list");
        let who = Actor::operator("dana");
        import::import(&self.gateway.referrers(), &sheet, &who, &import::ImportOptions::default())
            .await
            .expect("imported");
        let request = Request {
            letter: "introduction".to_owned(),
            to: "all".parse().expect("an audience"),
            via: vec![Channel::Email],
            variables: serde_json::Map::new(),
            at: None,
            who,
            idempotency_key: None,
            individually: BTreeMap::new(),
            again: true,
            now: true,
            undo_seconds: Some(0),
            run: None,
        };
        intake::submit(&self.gateway.intake(), &request).await.expect("accepted");
    }

    /// A node that knows nothing but what is on record.
    fn node(&self) -> Arc<Dispatcher> {
        Dispatcher::new(dispatch::Parts {
            store: self.gateway.store.clone(),
            queue: self.gateway.queue.clone(),
            renderer: self.gateway.renderer.clone(),
            accounts: self.gateway.accounts.clone(),
            rules: self.gateway.rules.clone(),
            opt_out: self.gateway.opt_out.clone(),
            clock: self.clock.clone(),
            settings: dispatch::Settings {
                slots: 16,
                poll: Duration::from_secs(1),
                permission_only: false,
                hours: Arc::new(Hours::new("always".parse().expect("hours"), chrono_tz::America::Chicago)),
            },
        })
    }

    async fn messages(&self) -> Vec<Message> {
        let mut tx = self.gateway.store.read().await.expect("tx");
        let lines = tx.message_lines(LinesOf::default(), 100).await.expect("read");
        tx.messages(&lines.iter().map(|line| line.id).collect::<Vec<_>>(), false).await.expect("read")
    }

    /// How many letters to a domain were taken, and how many wait because of it.
    async fn standing(&self, domain: &str) -> (usize, usize) {
        let messages = self.messages().await;
        let there = || messages.iter().filter(|one| one.address.as_str().to_lowercase().ends_with(domain));
        let waits = |one: &&Message| {
            let reason = one.reason == Some(PolicyReason::DomainBusy.into());
            one.status == MessageStatus::Queued && one.tries == 0 && reason
        };
        (there().filter(|one| one.status == MessageStatus::Accepted).count(), there().filter(waits).count())
    }
}

/// Claims what is due and takes each letter through the gate; those that may be handed over now.
async fn through_the_gate(node: &Arc<Dispatcher>) -> Vec<Walk> {
    let mut opened = Vec::new();
    for mut walk in node.claim(Lanes::All, 16).await.expect("claimed") {
        while !matches!(walk.step().await.expect("a step"), Stage::Opened | Stage::Done) {}
        if walk.stage() == Stage::Opened {
            opened.push(walk);
        }
    }
    opened
}

/// Hands over and records what the relay answered.
async fn finish(mut walk: Walk) {
    while walk.step().await.expect("a step") != Stage::Done {}
}

#[tokio::test(flavor = "multi_thread")]
async fn all_nodes_together_hand_over_no_more_letters_at_once_to_one_domain_than_may_be() {
    each_database(async |database| {
        let scene = Scene::set(&database.url).await;
        scene.write_to(&["a@one.example", "b@ONE.example", "c@one.example", "d@one.example", "e@two.example"]).await;
        let first = scene.node();
        let mut under_way = through_the_gate(&first).await;
        assert_eq!(under_way.len(), 3, "two to one domain, and the other domain does not wait for it");
        assert_eq!((scene.standing("one.example").await, scene.standing("two.example").await), ((0, 2), (0, 0)));

        // Another node, or the same one after a restart, looks at the same records.
        let second = scene.node();
        scene.clock.advance(Duration::from_secs(3));
        assert!(through_the_gate(&second).await.is_empty(), "both are still under way");
        assert_eq!(scene.standing("one.example").await, (0, 2), "who waits uses up no try");

        let to = |walk: &Walk, messages: &[Message]| {
            messages.iter().find(|one| one.id == walk.message()).map(|one| one.address.as_str().to_lowercase())
        };
        let messages = scene.messages().await;
        let at_one = |walk: &Walk| to(walk, &messages).is_some_and(|to| to.ends_with("@one.example"));
        let place = under_way.iter().position(at_one).expect("one of them");
        finish(under_way.remove(place)).await;
        scene.clock.advance(Duration::from_secs(3));
        let next = through_the_gate(&second).await;
        assert_eq!(next.len(), 1, "one has ended, so one may begin");
        for walk in next {
            finish(walk).await;
        }
        assert_eq!(scene.standing("one.example").await, (2, 1));

        for walk in under_way {
            finish(walk).await;
        }
        scene.clock.advance(Duration::from_secs(3));
        for walk in through_the_gate(&first).await {
            finish(walk).await;
        }
        assert_eq!((scene.standing("example").await, scene.messages().await.len()), ((5, 0), 5));
        scene.gateway.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_left_behind_counts_until_it_is_known_to_be_over() {
    each_database(async |database| {
        let scene = Scene::set(&database.url).await;
        scene.write_to(&["a@one.example", "b@one.example", "c@one.example"]).await;
        drop(through_the_gate(&scene.node()).await);
        let next = scene.node();
        scene.clock.advance(Duration::from_secs(3));
        assert!(through_the_gate(&next).await.is_empty(), "the calls may be under way");
        assert_eq!(scene.standing("one.example").await, (0, 1));

        // The claims run out; what was left behind is in doubt, and no longer under way.
        scene.clock.advance(scene.gateway.queue.lease() * 2);
        let now = touchline::domain::Clock::now(&*scene.clock);
        let mut tx = scene.gateway.store.write().await.expect("tx");
        tx.queue_reap(now).await.expect("reaped");
        tx.commit().await.expect("committed");
        let mut opened = Vec::new();
        for _ in 0..3 {
            opened.extend(through_the_gate(&next).await);
            scene.clock.advance(Duration::from_secs(3));
        }
        assert_eq!(opened.len(), 1);
        scene.gateway.store.close().await;
    })
    .await;
}
