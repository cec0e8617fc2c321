//! Events, the audit log, what the installation made up, the shared state of provider accounts.

use std::time::Duration;

use touchline::domain::Fault;
use touchline::domain::cost::Cost;
use touchline::domain::event::EventKind;
use touchline::domain::event::EventSource;
use touchline::domain::{Actor, AuditAct};
use touchline::store::records::events::{AuditLine, Event};
use touchline::store::records::provider_state::{Meter, ProviderState};

use super::samples::{Stage, at, attempt};
use crate::support::databases::each_db;

#[tokio::test]
async fn an_event_is_read_back_with_every_field_and_with_none() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let message = stage.message();
        stage.store(&store, std::slice::from_ref(&message)).await;
        let opened = attempt(message.id, 1);
        let mut events: Vec<Event> = EventSource::ALL
            .iter()
            .map(|source| Event::new(message.id, EventKind::Queued, *source, &Actor::operator("dana"), at(30)))
            .collect();
        events.extend(Fault::ALL.iter().map(|fault| Event {
            attempt_id: Some(opened.id),
            fault: Some(*fault),
            detail: Some("“busy”".into()),
            occurred_ms: at(29),
            ..Event::new(message.id, EventKind::Failed, EventSource::Webhook, &Actor::provider("fax-sandbox"), at(31))
        }));
        let mut tx = store.write().await.expect("tx");
        tx.attempts_insert(&[opened]).await.expect("stored");
        tx.events_insert(&events).await.expect("stored");
        let of_nothing = Event {
            message_id: None,
            ..Event::new(message.id, EventKind::Held, EventSource::Policy, &Actor::System, at(1))
        };
        tx.events_insert(&[of_nothing]).await.expect("stored");
        assert_eq!(tx.events_of(message.id).await.expect("read"), events, "first to last");
    })
    .await;
}

#[tokio::test]
async fn the_audit_log_tells_the_newest_first() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        tx.audit(&Actor::operator("dana"), AuditAct::Hold, Some("message 1"), Some("asked by the office"), at(1))
            .await
            .expect("written");
        tx.audit(&Actor::operator("sam"), AuditAct::ImportReferrers, None, None, at(2)).await.expect("written");
        let lines = tx.audit_page(&[], 0, 10).await.expect("read");
        let seen: Vec<_> = lines.iter().map(|line| (line.who.name(), line.subject.as_deref(), line.at_ms)).collect();
        assert_eq!(seen, [("sam", None, at(2)), ("dana", Some("message 1"), at(1))]);
        assert_eq!((lines[1].action.as_str(), lines[1].detail.as_deref()), ("hold", Some("asked by the office")));
        assert_eq!(tx.audit_page(&[], 0, 1).await.expect("read"), lines[..1]);
    })
    .await;
}

#[tokio::test]
async fn entries_of_the_audit_log_are_written_together_and_found_by_their_act() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let line = |who: &str, act: AuditAct, subject: Option<&str>, detail: Option<&str>, ms: i64| {
            AuditLine::new(&Actor::operator(who), act, subject.map(str::to_owned), detail.map(str::to_owned), at(ms))
        };
        let lines = [
            line("dana", AuditAct::Login, None, None, 1),
            line("dana", AuditAct::Login, None, None, 5),
            line("sam", AuditAct::Login, None, None, 3),
            line("dana", AuditAct::ImportReferrers, Some("import 1"), Some("list.csv: 2 new, 0 updated"), 5),
            line("dana", AuditAct::ImportReferrers, Some("import 2"), None, 5),
        ];
        tx.audit_insert(&lines).await.expect("written");
        tx.audit_insert(&[]).await.expect("nothing to write");
        let mut listed = tx.audit_page(&[], 0, 10).await.expect("read");
        listed.sort_by_key(|line| line.id);
        let mut expected = lines.to_vec();
        expected.sort_by_key(|line| line.id);
        assert_eq!(listed, expected);

        let mut last = tx.audit_last(AuditAct::Login, at(2)).await.expect("read");
        last.sort();
        assert_eq!(last, [(Actor::operator("dana"), at(5)), (Actor::operator("sam"), at(3))]);
        assert_eq!(tx.audit_last(AuditAct::Login, at(6)).await.expect("read"), []);

        let act = AuditAct::ImportReferrers;
        let told = tx.audit_detail(act, "import 1", at(5)).await.expect("read");
        assert_eq!(told.as_deref(), Some("list.csv: 2 new, 0 updated"));
        for (subject, moment) in [("import 1", at(4)), ("import 2", at(5)), ("import 3", at(5))] {
            assert_eq!(tx.audit_detail(act, subject, moment).await.expect("read"), None, "{subject}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_installation_made_up_once_stays() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.setting_or("opt_out_key", "first").await.expect("kept"), "first");
        assert_eq!(tx.setting_or("opt_out_key", "second").await.expect("kept"), "first");
    })
    .await;
}

#[tokio::test]
async fn an_account_is_paused_with_a_reason_and_resumed() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        assert!(tx.provider_states(true).await.expect("read").is_empty());
        for provider in ["mail", "fax", "fax"] {
            tx.provider_ensure(provider, at(1)).await.expect("made");
        }
        let meter = Meter {
            arrival_ms: at(50),
            day_ends_ms: Some(at(90)),
            day_hand_overs: 7,
            day_cost: Cost(70_000),
            ..Meter::default()
        };
        let day = Duration::from_secs(86_400);
        let meter = Meter { day_counts: meter.day_counts.with_one(day, at(50)).with_one(day, at(86_400)), ..meter };
        tx.provider_meter("fax", &meter, at(2)).await.expect("written");
        tx.provider_give_back("fax", 1, at(2)).await.expect("given back");
        tx.provider_give_back("mail", 1, at(2)).await.expect("nothing to give back");
        let meter = Meter { day_counts: meter.day_counts.without(1), ..meter };
        tx.provider_pause("fax", Some("no funds"), at(3)).await.expect("paused");
        tx.provider_ensure("fax", at(4)).await.expect("there already");
        let fax = ProviderState {
            provider: "fax".into(),
            paused_ms: Some(at(3)),
            paused_reason: Some("no funds".into()),
            meter,
            ..ProviderState::default()
        };
        let states = tx.provider_states(true).await.expect("read");
        assert_eq!(states[0], fax);
        assert_eq!((states[1].provider.as_str(), states[1].paused_ms), ("mail", None));
        tx.provider_pause("fax", None, at(5)).await.expect("resumed");
        let resumed = ProviderState { paused_ms: None, paused_reason: None, ..fax };
        assert_eq!(tx.provider_states(false).await.expect("read")[0], resumed);
        let minutes = |count: i64| at(6 + 60_000 * count);
        assert!(tx.provider_slow("fax", minutes(0)).await.expect("slowed"));
        assert!(!tx.provider_slow("fax", at(7)).await.expect("asked together"));
        assert!(tx.provider_slow("fax", minutes(2)).await.expect("slowed"));
        assert!(tx.provider_slow("new", minutes(2)).await.expect("slowed"), "an account without a row gets one");
        let states = tx.provider_states(false).await.expect("read");
        let halvings: Vec<i64> = states.iter().map(|state| state.slowing.halvings).collect();
        assert_eq!((halvings, states[0].slowing.slowed_ms), (vec![2, 0, 1], Some(minutes(2))));
    })
    .await;
}
