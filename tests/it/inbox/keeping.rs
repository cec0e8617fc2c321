//! What is kept of a callback, in which state, for how long, and what is seen of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use touchline::domain::attempt::{AttemptStatus, ProviderReference};
use touchline::domain::callback::CallbackState;
use touchline::domain::event::{Billed, DeliveryEvent, Fact};
use touchline::domain::id::{AttemptId, InboxId};
use touchline::domain::{Clock, MessageStatus};
use touchline::feedback::inbox::{Inbox, Received};
use touchline::feedback::replay::look;
use touchline::provider::{Rejection, WebhookParts};
use touchline::upkeep::retention::{Retention, remove_old};

use super::scene::{Listed, SECRET, Scene};
use crate::support::databases::{Database, each_database};

/// A word that only the body of a callback holds.
const CANARY: &str = "canary-patient";

pub fn event(attempt: Option<AttemptId>, fact: Fact, key: &str) -> DeliveryEvent {
    DeliveryEvent {
        attempt,
        reference: None,
        fact,
        occurred_ms: None,
        dedupe: key.to_owned(),
        billed: None,
        returned: None,
    }
}

const DELIVERED: Fact = Fact::Delivered { pages: Some(1) };

fn progress(stage: &str) -> Fact {
    Fact::Progress { stage: stage.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_is_kept_without_its_secrets_and_applied_and_what_it_repeats_is_kept_as_that() {
    each_database(async |database| {
        let scene = Scene::open(database, Arc::new(Listed::default())).await;
        let mut said = event(Some(scene.accepted.id), DELIVERED, "fx_1:delivered");
        assert_eq!(scene.receive_events(&[said.clone()]).await, Received::Kept(1));
        assert_eq!(scene.receive_events(&[said.clone()]).await, Received::Kept(0), "the same again");
        // What comes in the same millisecond is listed in no particular order.
        scene.clock.advance(Duration::from_millis(1));
        said.occurred_ms = Some(scene.clock.now());
        assert_eq!(scene.receive_events(&[said]).await, Received::Kept(0), "in other words");
        scene.clock.advance(Duration::from_millis(1));
        assert_eq!(scene.receive("[]").await, Received::Kept(0), "about nothing of ours");
        let forged = WebhookParts { body: b"[]".to_vec(), ..WebhookParts::default() };
        let forged = scene.inbox.receive("first", &forged).await.expect("answered");
        assert_eq!(forged, Received::Rejected(Rejection::Forged));
        let states = async || scene.lines().await.iter().map(|line| line.state).rev().collect::<Vec<_>>();
        assert_eq!(states().await, [CallbackState::Waiting, CallbackState::Repeated, CallbackState::Ignored]);
        let id = scene.lines().await[2].id;
        let mut tx = scene.gateway.store.read().await.expect("tx");
        let kept = tx.inbox_callbacks(&[id]).await.expect("read").remove(0);
        // On PostgreSQL it is locked, and a transaction that is only dropped ends a little later.
        tx.commit().await.expect("ended");
        let content = String::from_utf8(kept.content.expect("unpacked")).expect("text");
        assert!(content.contains("https://us.example/hooks/first?from=them"), "{content}");
        assert!(!content.contains(SECRET) && !content.contains("secret-of-the-proxy"), "{content}");

        assert_eq!(scene.apply().await, 1);
        assert_eq!(states().await[0], CallbackState::Applied);
        let (attempt, message, _) = scene.standing().await;
        assert_eq!((attempt.status, message.status), (AttemptStatus::Delivered, MessageStatus::Delivered));
        assert_eq!(scene.apply().await, 0);
        scene.gateway.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authentic_callback_that_cannot_be_read_is_kept_whether_the_adapter_says_so_or_breaks() {
    each_database(async |database| {
        let listed = Arc::new(Listed::default());
        let scene = Scene::open(database, listed.clone()).await;
        assert_eq!(scene.receive("no list of facts").await, Received::Unreadable);
        assert_eq!(scene.receive("no list of facts").await, Received::Unreadable, "kept once");
        listed.panics.store(true, Ordering::Relaxed);
        assert_eq!(scene.receive("[]").await, Received::Unreadable);
        let states: Vec<CallbackState> = scene.lines().await.iter().map(|line| line.state).collect();
        assert_eq!(states, [CallbackState::Unreadable; 2]);
        let mut tx = scene.gateway.store.read().await.expect("tx");
        assert_eq!(tx.callbacks_unreadable().await.expect("counted")[0].callbacks, 2);
        drop(tx);
        assert_eq!(scene.apply().await, 0, "nothing waits");
        scene.gateway.store.close().await;
    })
    .await;
}

/// It was read when it came, and by the time it is applied another version runs that cannot read it.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_read_any_more_when_it_is_applied_holds_up_no_other() {
    each_database(async |database| {
        let listed = Arc::new(Listed::default());
        let scene = Scene::open(database, listed.clone()).await;
        scene.receive_events(&[event(Some(scene.accepted.id), progress("dialing"), "1")]).await;
        listed.is_blind.store(true, Ordering::Relaxed);
        assert_eq!(scene.apply().await, 1);
        assert_eq!(scene.lines().await[0].state, CallbackState::Unreadable);
        listed.is_blind.store(false, Ordering::Relaxed);
        scene.receive_events(&[event(Some(scene.accepted.id), DELIVERED, "2")]).await;
        assert_eq!(scene.apply().await, 1);
        assert_eq!(scene.standing().await.1.status, MessageStatus::Delivered);
        scene.gateway.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_facts_those_that_can_be_applied_do_not_wait_for_the_others() {
    each_database(async |database| {
        let scene = Scene::open(database, Arc::new(Listed::default())).await;
        let early = AttemptId::new();
        let charged = Billed::new("0.07", "USD");
        let both = [
            event(Some(early), DELIVERED, "early"),
            DeliveryEvent { billed: charged, ..event(Some(scene.accepted.id), progress("dialing"), "known") },
            event(Some(scene.accepted.id), DELIVERED, "known"),
        ];
        assert_eq!(scene.receive_events(&both).await, Received::Kept(2), "of two with one key the first counts");
        assert_eq!(scene.apply().await, 0, "it goes on waiting");
        let after_one = scene.standing().await;
        assert_eq!(after_one.1.status, MessageStatus::Accepted);
        assert_eq!(after_one.2, ["accepted answer", "charged webhook"]);
        assert_eq!(scene.apply().await, 0);
        assert_eq!(scene.standing().await, after_one, "what was applied is not applied again");
        let line = &scene.lines().await[0];
        assert_eq!((line.state, line.looks, line.facts), (CallbackState::Waiting, 2, 3));
        let mut tx = scene.gateway.store.read().await.expect("tx");
        let claims = tx.inbox_facts_of(&[line.id]).await.expect("read");
        assert!(claims.iter().all(|claim| claim.applied_ms.is_some() == (claim.dedupe == "known")), "{claims:?}");
        drop(tx);

        scene.clock.advance(Duration::from_secs(16 * 60));
        assert_eq!(scene.apply().await, 1, "the other did not turn up in time");
        assert_eq!(scene.lines().await[0].state, CallbackState::Applied);
        let alone = [event(Some(early), DELIVERED, "early")];
        assert_eq!(scene.receive_events(&alone).await, Received::Kept(1), "and is accepted when it is sent again");
        scene.gateway.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_go_when_their_time_is_up_unless_they_wait() {
    each_database(async |database| {
        let scene = Scene::open(database, Arc::new(Listed::default())).await;
        scene.receive_events(&[event(Some(scene.accepted.id), DELIVERED, "1")]).await;
        scene.apply().await;
        scene.receive("cannot be read").await;
        scene.receive_events(&[event(Some(AttemptId::new()), DELIVERED, "2")]).await;
        let remove = async |callback_days| {
            let retention = Retention { callback_days, reply_days: callback_days };
            remove_old(&scene.gateway.store, scene.clock.as_ref(), retention).await.expect("removed")
        };
        scene.clock.advance(Duration::from_secs(90 * 24 * 3600));
        assert_eq!(remove(90).await, 0, "not a moment too soon");
        scene.clock.advance(Duration::from_millis(1));
        assert_eq!(remove(91).await, 0);
        assert_eq!(remove(90).await, 2);
        assert_eq!(scene.lines().await.iter().map(|line| line.state).collect::<Vec<_>>(), [CallbackState::Waiting]);
        scene.apply().await;
        assert_eq!(remove(90).await, 1, "it waits no more");
        scene.gateway.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_of_a_callback_names_messages_and_holds_no_word_of_it() {
    each_database(async |database| {
        let scene = Scene::open(database, Arc::new(Listed::default())).await;
        let mut said = event(Some(scene.accepted.id), progress(CANARY), CANARY);
        said.reference = ProviderReference::new(CANARY);
        scene.receive_events(&[said]).await;
        let id = scene.lines().await[0].id;
        let looked = look(&scene.parts, id).await.expect("read").expect("there");
        let reading = looked.reading.as_ref().expect("readable");
        assert_eq!((reading[0].fact, reading[0].message), ("progress", Some(scene.accepted.message_id)));
        let shown = serde_json::to_value(&looked).expect("JSON");
        assert_eq!(shown["account"], "first");
        assert_eq!(shown["received_at"], scene.clock.now().to_string());
        assert!(!shown.to_string().contains(CANARY), "{shown}");
        assert!(!format!("{:?}", scene.inbox).contains(SECRET));
        assert_eq!(look(&scene.parts, InboxId::new()).await.expect("read"), None);
        scene.gateway.store.close().await;
    })
    .await;
}

/// A callback that an earlier version took in, and that the upgrade finds waiting.
#[tokio::test(flavor = "multi_thread")]
async fn a_callback_of_an_earlier_version_is_applied_and_not_told_anew() {
    each_database(async |database| {
        let scene = Scene::open(database, Arc::new(Listed::default())).await;
        let said = event(Some(scene.accepted.id), DELIVERED, "fx_1:delivered");
        let body = hex::encode(serde_json::to_vec(&said).expect("JSON"));
        let (id, now) = (InboxId::new(), scene.clock.now().0);
        let simple = id.0.simple();
        let (id_words, body) = if database.is_sqlite() {
            (format!("X'{simple}'"), format!("X'{body}'"))
        } else {
            (format!("'{simple}'"), format!("'\\x{body}'"))
        };
        let columns = "id, provider, form, dedupe, body, octets, facts, state, looks, received_ms";
        let key = &said.dedupe;
        let inbox = format!("INSERT INTO inbox ({columns}) VALUES ({id_words}, 'first', 'event', '{key}', {body}, 2, 1, 'waiting', 0, {now})");
        let fact = format!("INSERT INTO inbox_fact (provider, dedupe, inbox_id) VALUES ('first', '{key}', {id_words})");
        crate::storage::execute(database, inbox).await;
        crate::storage::execute(database, fact).await;

        assert_eq!(scene.receive_events(&[said]).await, Received::Kept(0), "it was told before");
        assert_eq!(scene.apply().await, 1);
        assert_eq!(scene.standing().await.1.status, MessageStatus::Delivered);
        let states: Vec<CallbackState> = scene.lines().await.iter().map(|line| line.state).collect();
        assert!(states.contains(&CallbackState::Applied) && states.contains(&CallbackState::Repeated), "{states:?}");
        let again = Inbox::new(scene.parts.clone());
        assert_eq!(again.apply_some().await.expect("looked"), 0);
        scene.gateway.store.close().await;
    })
    .await;
}

/// SQLite would keep such a text and PostgreSQL refuse it: on both, the callback is kept as one that cannot be read.
#[tokio::test(flavor = "multi_thread")]
async fn a_callback_with_a_text_that_no_database_can_hold_is_kept_as_unreadable() {
    each_database(async |database| {
        let scene = Scene::open(database, Arc::new(Listed::default())).await;
        let odd = [
            event(Some(scene.accepted.id), DELIVERED, "fx_1:\0"),
            event(Some(scene.accepted.id), progress("at \0"), "fx_1:progress"),
        ];
        for said in odd {
            assert_eq!(scene.receive_events(&[said]).await, Received::Unreadable);
        }
        let states: Vec<CallbackState> = scene.lines().await.iter().map(|line| line.state).collect();
        assert_eq!(states, [CallbackState::Unreadable; 2]);
        scene.gateway.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_the_database_does_not_take_fails_no_other() {
    each_database(async |database| {
        let scene = Scene::open(database, Arc::new(Listed::default())).await;
        refuse_octets(database, 2).await;
        let said = |key: &str| vec![event(Some(scene.accepted.id), progress("queued"), key)];
        let (first, second) = (said("fx_1:a"), said("fx_1:b"));
        let (first, odd, second) =
            tokio::join!(scene.receive_events(&first), scene.receive("[]"), scene.receive_events(&second));
        assert_eq!(odd, Received::Rejected(Rejection::Unreadable));
        assert_eq!((first, second), (Received::Kept(1), Received::Kept(1)));
        assert_eq!(scene.lines().await.len(), 2);
        scene.gateway.store.close().await;
    })
    .await;
}

/// From now on the database takes no callback whose body has that many octets.
async fn refuse_octets(database: &Database, octets: u8) {
    if database.is_sqlite() {
        let mut connection = SqliteConnection::connect(&database.url).await.expect("connected");
        // An error that a trigger raises itself is not one about the data, so it breaks a rule of the schema.
        let rule = format!(
            "CREATE TRIGGER odd BEFORE INSERT ON inbox WHEN new.octets = {octets} BEGIN
                INSERT INTO queue_flow (flow, rank, updated_ms) VALUES (NULL, 0, 0); END"
        );
        connection.execute(AssertSqlSafe(rule)).await.expect("done");
    } else {
        let mut connection = PgConnection::connect(&database.url).await.expect("connected");
        let rule = format!("ALTER TABLE inbox ADD CONSTRAINT odd CHECK (octets <> {octets})");
        connection.execute(AssertSqlSafe(rule)).await.expect("done");
    }
}
