//! A mistake in reading callbacks is corrected later, and they are read again: the original was kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ring::hmac;
use touchline::domain::callback::CallbackState;
use touchline::domain::event::Fact;
use touchline::domain::id::{AttemptId, InboxId};
use touchline::domain::{Actor, AuditAct, Clock, MessageStatus};
use touchline::feedback::inbox::Received;
use touchline::feedback::replay::{Replayed, Selection, replay};
use touchline::provider::fax::declared;
use touchline::provider::{Provider, WebhookParts};
use touchline::store::views::inbox::CallbacksOf;

use super::keeping::event;
use super::scene::{Listed, Scene};
use crate::providers::sample;
use crate::support::clock::FakeClock;
use crate::support::databases::each_database;

const EVERYTHING: CallbacksOf = CallbacksOf { provider: None, state: None, since: None };

fn unreadable() -> CallbacksOf {
    CallbacksOf { state: Some(CallbackState::Unreadable), ..EVERYTHING }
}

/// A described provider: `state` is where its callbacks say how a fax stands, `sent` what they mean by that word.
fn acme(state: &str, sent: &str, key: &str) -> Arc<dyn Provider> {
    let text = format!(
        "title = 'Acme'\nsources = ['ours']\nprivate_hosts = ['127.0.0.1']\nbase_url = 'http://127.0.0.1:9/v1'\n\
         [send]\nreference = '/id'\nrequest = {{ method = 'POST', path = 'faxes', multipart = {{ to = '{{{{to}}}}' }}, document_field = 'f' }}\n\
         [fax]\nreference = '/id'\nstate = '{state}'\nstates = {{ sent = '{sent}', failed = 'failed' }}\n\
         [status]\nrequest = {{ method = 'GET', path = 'faxes/{{{{reference}}}}' }}\n\
         [check]\nrequest = {{ method = 'GET', path = 'account' }}\n\
         [secrets.key]\nabout = 'The key.'\n\
         [webhook]\nproof = 'hmac_sha256'\nheader = 'Acme-Signature'\nkey = 'secrets.key'\n"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("acme.toml");
    std::fs::write(&path, text).expect("written");
    let mut settings = toml::Table::new();
    settings.insert("description".to_owned(), path.display().to_string().into());
    let secrets = BTreeMap::from([("key".to_owned(), key.to_owned())]);
    let account = sample::account(settings, &secrets, Duration::from_secs(20), FakeClock::at(sample::NOW));
    declared::open(&path, account, None).expect("a sound description")
}

const KEY: &str = "KEY-canary-9a";

async fn says(scene: &Scene, body: &str) -> Received {
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes()), body.as_bytes());
    let callback = WebhookParts {
        headers: vec![("acme-signature".to_owned(), hex::encode(signature))],
        body: body.as_bytes().to_vec(),
        ..WebhookParts::default()
    };
    scene.inbox.receive("first", &callback).await.expect("the database is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_read_is_read_after_the_correction_even_with_another_secret() {
    each_database(async |database| {
        let mut scene = Scene::open(database, acme("/no/such/place", "delivered", KEY)).await;
        assert_eq!(says(&scene, r#"{"id":"fx_1","status":"sent"}"#).await, Received::Unreadable);
        assert_eq!(says(&scene, "neither then nor later").await, Received::Unreadable);
        let before = scene.standing().await;
        assert_eq!(before.1.status, MessageStatus::Accepted);
        let same = scene.replay(unreadable(), false).await;
        assert_eq!((same.callbacks, same.changed, same.unreadable), (2, 0, 2), "the same version reads no better");

        scene.upgrade(acme("/status", "delivered", "another-key"));
        scene.clock.advance(Duration::from_secs(80 * 24 * 3600));
        let rehearsed = scene.replay(unreadable(), true).await;
        let expected = Replayed {
            callbacks: 2,
            changed: 1,
            facts: 1,
            unreadable: 1,
            skipped: 0,
            states: BTreeMap::from([(CallbackState::Applied, 1), (CallbackState::Unreadable, 1)]),
        };
        assert_eq!(rehearsed, expected);
        assert_eq!(scene.standing().await, before, "a rehearsal changes nothing");

        assert_eq!(scene.replay(unreadable(), false).await, expected);
        let after = scene.standing().await;
        assert_eq!(after.1.status, MessageStatus::Delivered);
        let lines = scene.lines().await;
        let again = scene.replay(EVERYTHING, false).await;
        assert_eq!((again.callbacks, again.changed, again.facts), (2, 0, 0));
        assert_eq!((scene.standing().await, scene.lines().await), (after, lines), "read twice, nothing changes");
        scene.gateway.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_misread_is_read_rightly_after_the_correction() {
    each_database(async |database| {
        let mut scene = Scene::open(database, acme("/status", "progress", KEY)).await;
        assert_eq!(says(&scene, r#"{"id":"fx_1","status":"sent"}"#).await, Received::Kept(1));
        assert_eq!(scene.apply().await, 1);
        let misread = scene.standing().await;
        assert_eq!(misread.1.status, MessageStatus::Accepted, "taken for a stage on the way");
        assert_eq!(scene.replay(EVERYTHING, false).await.changed, 0);
        assert_eq!(scene.standing().await, misread);

        scene.upgrade(acme("/status", "delivered", KEY));
        let since_tomorrow = CallbacksOf { since: Some(scene.clock.now().after(Duration::from_secs(1))), ..EVERYTHING };
        assert_eq!(scene.replay(since_tomorrow, false).await, Replayed::default());
        let of_another = CallbacksOf { provider: Some("second".to_owned()), ..EVERYTHING };
        assert_eq!(scene.replay(of_another, false).await, Replayed::default());
        let first = CallbacksOf { provider: Some("first".to_owned()), ..EVERYTHING };
        let replayed = scene.replay(first.clone(), false).await;
        assert_eq!((replayed.callbacks, replayed.changed, replayed.facts), (1, 1, 1));
        let read = scene.standing().await;
        assert_eq!(read.1.status, MessageStatus::Delivered);
        assert_eq!(scene.replay(first, false).await.changed, 0);
        assert_eq!(scene.standing().await, read);
        scene.gateway.store.close().await;
    })
    .await;
}

/// An adapter gave two facts the same key, so that the second counted as a repetition of the first.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_for_a_repetition_is_read_as_what_it_is_and_a_fact_that_was_never_told_is_given_up() {
    each_database(async |database| {
        let mut scene = Scene::open(database, acme("/kind", "delivered", KEY)).await;
        // Read at the wrong place, both mean the same stage of the same fax.
        assert_eq!(says(&scene, r#"{"id":"fx_1","kind":"fax","status":"dialing"}"#).await, Received::Kept(1));
        scene.clock.advance(Duration::from_millis(1));
        assert_eq!(says(&scene, r#"{"id":"fx_1","kind":"fax","status":"sent"}"#).await, Received::Kept(0));
        assert_eq!(scene.apply().await, 1);
        assert_eq!(scene.lines().await[0].state, CallbackState::Repeated);

        scene.upgrade(acme("/status", "delivered", KEY));
        let replayed = scene.replay(EVERYTHING, false).await;
        assert_eq!((replayed.callbacks, replayed.facts), (2, 2));
        assert_eq!(replayed.states, BTreeMap::from([(CallbackState::Applied, 2)]));
        assert_eq!(scene.standing().await.1.status, MessageStatus::Delivered);
        assert_eq!(scene.replay(EVERYTHING, false).await.changed, 0);
        scene.gateway.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_came_a_moment_ago_waits_for_its_attempt_and_one_that_waits_is_left_alone() {
    each_database(async |database| {
        let listed = Arc::new(Listed::default());
        let scene = Scene::open(database, listed.clone()).await;
        listed.is_blind.store(true, Ordering::Relaxed);
        let early = event(Some(AttemptId::new()), Fact::Delivered { pages: None }, "early");
        assert_eq!(scene.receive_events(&[early]).await, Received::Unreadable);
        listed.is_blind.store(false, Ordering::Relaxed);
        let id = scene.lines().await[0].id;
        let these = Selection::These(vec![id, InboxId::new()]);
        let replayed = replay(&scene.parts, &these, &Actor::operator("dana"), false).await.expect("read again");
        assert_eq!((replayed.callbacks, replayed.skipped), (1, 1));
        assert_eq!(scene.lines().await[0].state, CallbackState::Waiting);
        let replayed = replay(&scene.parts, &these, &Actor::operator("dana"), false).await.expect("left alone");
        assert_eq!((replayed.callbacks, replayed.skipped), (0, 2));

        scene.clock.advance(Duration::from_secs(16 * 60));
        assert_eq!(scene.apply().await, 1);
        assert_eq!(scene.lines().await[0].state, CallbackState::Unmatched);
        let replayed = scene.replay(EVERYTHING, false).await;
        assert_eq!((replayed.callbacks, replayed.changed), (1, 0), "it is still about nothing that is known");
        let mut tx = scene.gateway.store.read().await.expect("tx");
        let audit = tx.audit_page(&[], 0, 1).await.expect("read").remove(0);
        assert_eq!((audit.who, audit.action), (Actor::operator("dana"), AuditAct::ReplayCallbacks));
        assert_eq!(audit.detail.as_deref(), Some("1 callbacks, 0 changed, 0 facts"));
        drop(tx);
        scene.gateway.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_applied_and_cannot_be_read_now_stays_applied() {
    each_database(async |database| {
        let listed = Arc::new(Listed::default());
        let scene = Scene::open(database, listed.clone()).await;
        scene.receive_events(&[event(Some(scene.accepted.id), Fact::Delivered { pages: None }, "1")]).await;
        assert_eq!(scene.apply().await, 1);
        listed.is_blind.store(true, Ordering::Relaxed);
        let replayed = scene.replay(EVERYTHING, false).await;
        assert_eq!((replayed.changed, replayed.unreadable), (0, 1));
        assert_eq!(scene.lines().await[0].state, CallbackState::Applied);
        listed.is_blind.store(false, Ordering::Relaxed);
        assert_eq!(scene.replay(EVERYTHING, false).await.changed, 0, "what it told is still known to be in effect");
        scene.gateway.store.close().await;
    })
    .await;
}
