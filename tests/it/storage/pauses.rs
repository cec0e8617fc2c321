//! Broadcasts that pause themselves, and what is counted for it.

use touchline::domain::id::{BroadcastId, MessageId};
use touchline::domain::message::Message;
use touchline::domain::returned::{MatchedBy, ReturnKind, ReturnState};
use touchline::domain::{Actor, Address, Channel, Fault, MessageStatus, PolicyReason};
use touchline::store::Tx;
use touchline::store::records::broadcast_pauses::CameBack;
use touchline::store::records::broadcasts::Broadcast;
use touchline::store::records::returns::ReturnRow;

use super::returning::returned;
use super::samples::{Stage, at, broadcast, fax, referrer};
use crate::support::databases::each_db;

/// Stores messages, each to a referrer of its own: a broadcast goes to each once.
async fn stored(tx: &mut Tx, messages: &[Message]) {
    let mut messages = messages.to_vec();
    for message in &mut messages {
        let one = referrer("Okonkwo");
        tx.referrer_put(&one).await.expect("stored");
        message.referrer_id = one.id;
    }
    tx.messages_insert(&messages).await.expect("stored");
}

#[tokio::test]
async fn a_broadcast_pauses_once_and_not_again_after_a_person_let_it_go_on() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let id = stage.broadcast.id;
        let other = Broadcast { created_ms: at(5), ..broadcast(stage.submission.id) };
        let dana = Actor::operator("dana");
        let mut tx = store.write().await.expect("tx");
        tx.broadcast_insert(&other).await.expect("stored");
        assert_eq!(tx.broadcasts_watched().await.expect("read"), [other.id, id], "the newest first");
        assert!(!tx.broadcast_resume(id, &dana, at(10)).await.expect("asked"), "it is not paused");
        assert!(tx.broadcast_pause(id, "7 of 40 emails went to addresses that are bad", at(11)).await.expect("paused"));
        assert!(!tx.broadcast_pause(id, "again", at(12)).await.expect("asked"));
        let all = [BroadcastId::new(), other.id, id];
        assert_eq!(tx.broadcasts_paused(&all).await.expect("read"), [id]);
        assert_eq!(tx.broadcasts_paused(&[]).await.expect("read"), []);
        assert_eq!(tx.broadcasts_watched().await.expect("read"), [other.id]);
        let paused = tx.broadcasts_paused_now(10).await.expect("read");
        assert_eq!(paused.iter().map(|one| (one.id, one.paused_since())).collect::<Vec<_>>(), [(id, Some(at(11)))]);
        let why = paused[0].pause.paused_reason.as_deref();
        assert_eq!(why, Some("7 of 40 emails went to addresses that are bad"));

        let held = Message {
            broadcast_id: Some(id),
            status: MessageStatus::Held,
            reason: Some(PolicyReason::BroadcastPaused.into()),
            ..stage.message_by(Channel::Email)
        };
        let unlike = [
            Message { id: MessageId::new(), reason: Some(PolicyReason::AskedToStop.into()), ..held.clone() },
            Message { id: MessageId::new(), status: MessageStatus::Queued, ..held.clone() },
            Message { id: MessageId::new(), broadcast_id: None, ..held.clone() },
        ];
        stored(&mut tx, &[std::slice::from_ref(&held), &unlike].concat()).await;
        assert_eq!(tx.messages_held_though_resumed(10).await.expect("read"), [], "it is paused");

        let mut open: Vec<MessageId> = [held.id, unlike[0].id, unlike[1].id].to_vec();
        open.sort_unstable();
        let nobody = MessageId(uuid::Uuid::nil());
        assert_eq!(tx.messages_not_handed_over(id, nobody, 10).await.expect("read"), open);
        assert_eq!(tx.messages_not_handed_over(id, open[0], 1).await.expect("read"), [open[1]]);

        assert!(tx.broadcast_resume(id, &dana, at(13)).await.expect("resumed"));
        assert!(!tx.broadcast_resume(id, &dana, at(14)).await.expect("asked"));
        assert!(!tx.broadcast_pause(id, "again", at(15)).await.expect("asked"), "a person has decided");
        assert_eq!(tx.broadcasts_paused_now(10).await.expect("read"), []);
        let resumed = tx.broadcast(id).await.expect("read").expect("there");
        assert_eq!((resumed.paused_since(), resumed.pause.resumed_by), (None, Some(dana)));
        assert_eq!(tx.messages_held_though_resumed(10).await.expect("read"), [held.id]);
        assert_eq!(tx.messages_held_though_resumed(0).await.expect("read"), []);
        assert_eq!(tx.broadcasts_paused(&all).await.expect("read"), []);
        assert_eq!(tx.broadcasts_watched().await.expect("read"), [other.id]);
    })
    .await;
}

#[tokio::test]
async fn a_finished_broadcast_is_no_longer_watched() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let mut tx = store.write().await.expect("tx");
        stored(&mut tx, &[stage.settled_message(), stage.settled_message()]).await;
        assert_eq!(tx.broadcasts_watched().await.expect("read").len(), 1);
        assert_eq!(tx.broadcasts_finish(at(20)).await.expect("marked"), 1);
        assert_eq!(tx.broadcasts_watched().await.expect("read"), []);
    })
    .await;
}

#[tokio::test]
async fn what_came_back_of_a_broadcast_is_counted() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let id = stage.broadcast.id;
        let mail = |status: MessageStatus, reason: Option<Fault>| Message {
            broadcast_id: Some(id),
            status,
            reason: reason.map(Into::into),
            settled_ms: status.is_terminal().then_some(at(9)),
            ..stage.message_by(Channel::Email)
        };
        let by_fax = Address::Fax(fax(101));
        let elsewhere = Message { broadcast_id: None, ..mail(MessageStatus::Failed, Some(Fault::MailboxUnknown)) };
        let messages = [
            mail(MessageStatus::Delivered, None),
            mail(MessageStatus::Accepted, None),
            mail(MessageStatus::Queued, None),
            mail(MessageStatus::Failed, Some(Fault::MailboxFull)),
            mail(MessageStatus::Failed, Some(Fault::MailboxDisabled)),
            Message { address: by_fax, ..mail(MessageStatus::Failed, Some(Fault::MailboxUnknown)) },
            elsewhere,
        ];
        let mut tx = store.write().await.expect("tx");
        stored(&mut tx, &messages).await;
        let nothing = CameBack::default();
        assert_eq!(tx.broadcast_came_back(id).await.expect("counted"), nothing, "and nothing else is counted");

        let bad = [Fault::MailboxUnknown, Fault::DomainUnknown];
        let bounced = bad.map(|fault| mail(MessageStatus::Failed, Some(fault)));
        stored(&mut tx, &bounced).await;
        let complaint = |message: MessageId, received: i64| ReturnRow {
            message_id: Some(message),
            broadcast_id: Some(id),
            matched_by: Some(MatchedBy::Provider),
            ..returned(ReturnKind::Complaint, ReturnState::Applied, at(received))
        };
        let [corrected, dismissed] = [complaint(messages[1].id, 8), complaint(messages[1].id, 8)];
        let returns = [
            complaint(messages[0].id, 5),
            complaint(messages[0].id, 6),
            ReturnRow { matched_by: Some(MatchedBy::Recipient), ..complaint(messages[1].id, 7) },
            ReturnRow { broadcast_id: None, ..complaint(messages[1].id, 7) },
            ReturnRow { kind: ReturnKind::Reply, ..complaint(messages[1].id, 7) },
            corrected.clone(),
            dismissed.clone(),
        ];
        tx.returns_insert(&returns).await.expect("stored");
        for (one, outcome) in [(corrected, "not_a_bounce"), (dismissed, "dismissed")] {
            assert!(tx.return_finish(one.id, outcome, &Actor::operator("dana"), at(9)).await.expect("noted"));
        }
        let came_back = tx.broadcast_came_back(id).await.expect("counted");
        assert_eq!(came_back, CameBack { handed_over: 6, bounced: 2, ours: 0, complained: 1 });
        assert_eq!(tx.broadcast_came_back(BroadcastId::new()).await.expect("counted"), nothing);
    })
    .await;
}
