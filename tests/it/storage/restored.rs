//! After a restore, nothing that may have been sent since is sent automatically.

use touchline::domain::MessageStatus;
use touchline::domain::attempt::{Attempt, AttemptStatus};
use touchline::domain::id::{CampaignId, MessageId, OperatorId};
use touchline::domain::message::Message;
use touchline::domain::touch::Disposition;
use touchline::store::records::campaigns::CampaignRow;
use touchline::store::records::queue_entries::NewEntry;
use touchline::store::{Store, StoreError};
use touchline::upkeep::restore::{self, Parked};

use super::samples::{Stage, at, attempt, ended, fax};
use crate::support::databases::each_db;

fn campaign(name: &str, state: &str, next: Option<i64>) -> CampaignRow {
    CampaignRow {
        id: CampaignId::new(),
        name: name.to_owned(),
        letter: "introduction".into(),
        variables: "{}".into(),
        dated: "{}".into(),
        audience: "all".into(),
        channels: "fax".into(),
        schedule: "first tuesday 09:00".into(),
        zone: "America/Chicago".into(),
        state: state.parse().expect("a state"),
        next_ms: next.map(at),
        runs: 0,
        waiting_ms: None,
        who: touchline::domain::Actor::operator("dana"),
        created_ms: at(0),
        updated_ms: at(0),
        removed_ms: None,
    }
}

fn numbered(stage: &Stage, tail: u32) -> Message {
    Message { id: MessageId::new(), address: touchline::domain::Address::Fax(fax(tail)), ..stage.message() }
}

/// Three that wait, one that is being called, one that a provider has, one in doubt, one on hold, one delivered.
async fn before_the_backup(store: &Store) -> Vec<Message> {
    let stage = Stage::set(store).await;
    let with = |tail, status: MessageStatus, reason: Option<&str>| Message {
        status,
        reason: reason.map(|word: &str| word.parse().expect("a reason")),
        settled_ms: status.is_terminal().then_some(at(9)),
        ..numbered(&stage, tail)
    };
    let messages = vec![
        with(101, MessageStatus::Queued, None),
        with(102, MessageStatus::Queued, Some("busy")),
        Message { released_ms: Some(at(2)), ..with(103, MessageStatus::Queued, None) },
        with(104, MessageStatus::Queued, None),
        with(105, MessageStatus::Accepted, None),
        with(106, MessageStatus::InDoubt, Some("outcome_unknown")),
        with(107, MessageStatus::Held, Some("no_baa")),
        with(108, MessageStatus::Delivered, None),
    ];
    let attempts = vec![
        Attempt { opened_ms: at(5), ..ended(&attempt(messages[1].id, 1), AttemptStatus::Failed) },
        attempt(messages[3].id, 1),
        Attempt { status: AttemptStatus::Accepted, ..attempt(messages[4].id, 1) },
        Attempt { status: AttemptStatus::InDoubt, ..attempt(messages[5].id, 1) },
        ended(&attempt(messages[7].id, 1), AttemptStatus::Delivered),
    ];
    let entries: Vec<NewEntry> = messages[..5].iter().map(|message| entry(message.id)).collect();
    stage.store(store, &messages).await;
    let mut tx = store.write().await.expect("tx");
    tx.attempts_insert(&attempts).await.expect("stored");
    for one in &attempts {
        tx.attempts_update(std::slice::from_ref(one)).await.expect("stored");
    }
    tx.queue_insert(&entries, at(10)).await.expect("stored");
    for (name, state, next) in
        [("due", "active", Some(50)), ("later", "active", Some(5000)), ("stopped", "paused", None)]
    {
        tx.campaign_insert(&campaign(name, state, next)).await.expect("stored");
    }
    tx.operator_insert("dana", "$argon2id$", at(1)).await.expect("stored");
    let dana: OperatorId = tx.operator_named("dana").await.expect("read").expect("there").id;
    tx.session_insert("a hash", dana, "a key", at(1), at(9999)).await.expect("stored");
    tx.commit().await.expect("committed");
    messages
}

fn entry(message: MessageId) -> NewEntry {
    NewEntry {
        kind: "submit",
        subject: message.0,
        lane: touchline::domain::Lane::OneOff,
        pool: String::new(),
        flow: uuid::Uuid::nil(),
        rank: 1,
        due_ms: at(10),
    }
}

#[tokio::test]
async fn what_waited_is_held_what_a_provider_may_have_is_looked_up_and_due_campaigns_pause() {
    each_db(async |store| {
        let messages = before_the_backup(&store).await;
        assert_eq!(store.read().await.expect("tx").restored_at().await.expect("read"), None);
        let waiting: Vec<MessageId> = messages[..3].iter().map(|message| message.id).collect();
        let mut tx = store.read().await.expect("tx");
        assert_eq!(tx.messages_waiting(9).await.expect("read"), waiting);
        assert_eq!(tx.messages_waiting(2).await.expect("read"), waiting[..2]);
        assert_eq!(tx.attempts_in_flight().await.expect("read"), 3);
        drop(tx);

        let parked = restore::park(&store, &touchline::domain::Actor::operator("dana"), at(100)).await.expect("parked");
        assert_eq!(parked, Parked { held: 3, in_flight: 3, campaigns: vec!["due".to_owned()] });
        let mut tx = store.read().await.expect("tx");
        for (message, number) in messages.iter().zip(0..) {
            let now = tx.message(message.id, false).await.expect("read").expect("there");
            let queued = tx.queue_entry(message.id.0).await.expect("read").is_some();
            if number < 3 {
                assert_eq!(
                    (now.status, now.reason.map(touchline::domain::Reason::as_str)),
                    (MessageStatus::Held, Some("restored"))
                );
                let told = tx.events_of(message.id).await.expect("read").pop().expect("an event");
                assert_eq!((told.kind.as_str(), told.reason), ("held", now.reason));
                assert!(!queued, "nothing would send it");
            } else {
                assert_eq!((&now, queued), (message, number < 5), "left as it was");
            }
        }
        let touch = tx.touch(messages[0].touch_id).await.expect("read").expect("there");
        assert_ne!(touch.disposition, Disposition::Pending, "the history says that something waits or arrived");
        let campaigns = tx.campaigns_list().await.expect("read");
        let states: Vec<_> = campaigns.iter().map(|one| (one.name.as_str(), one.state.as_str(), one.next_ms)).collect();
        assert_eq!(states, [("due", "paused", None), ("later", "active", Some(at(5000))), ("stopped", "paused", None)]);
        assert_eq!(tx.session("a hash", at(101)).await.expect("read"), None, "whoever was logged in is not any more");
        assert_eq!(tx.restored_at().await.expect("read"), Some(at(100)));
        assert_eq!(tx.audit_page(&[], 0, 1).await.expect("read")[0].action.as_str(), "restore");
        drop(tx);
        let again = restore::park(&store, &touchline::domain::Actor::operator("dana"), at(200)).await.expect("parked");
        assert_eq!((again.held, again.campaigns.len()), (0, 0), "a second time changes nothing");
    })
    .await;
}

#[tokio::test]
async fn the_steps_of_a_restore_each_do_their_part() {
    each_db(async |store| {
        before_the_backup(&store).await;
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.campaigns_pause_due(at(49)).await.expect("done"), [] as [String; 0], "not due yet");
        assert_eq!(tx.campaigns_pause_due(at(50)).await.expect("done"), ["due"]);
        assert_eq!(tx.sessions_end_all().await.expect("done"), 1);
        tx.restore_note(at(1)).await.expect("noted");
        tx.restore_note(at(2)).await.expect("noted");
        assert_eq!(tx.restored_at().await.expect("read"), Some(at(2)), "the last one counts");
        tx.commit().await.expect("committed");
    })
    .await;
}

#[tokio::test]
async fn a_note_that_was_changed_by_hand_is_not_taken_for_no_restore() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        tx.setting_or("restored_ms", "yesterday").await.expect("kept");
        assert!(matches!(tx.restored_at().await, Err(StoreError::Corrupt(_))));
    })
    .await;
}
