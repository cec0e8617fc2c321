use touchline::domain::id::{MessageId, short};
use touchline::domain::message::{Confidence, Message};
use touchline::domain::{Address, Channel, Lane, MessageStatus, PhiClass, PolicyReason, Purpose};
use touchline::store::StoreError;
use touchline::store::records::short_ids::Kept;
use touchline::store::views::ledger::{Ledger, LedgerOf};

use super::samples::{Stage, at, email, fax};
use crate::support::databases::each_db;

/// When a message of that status settled: terminal ones have, others have not.
fn settled(message: Message, status: MessageStatus) -> Message {
    Message { status, settled_ms: status.is_terminal().then_some(at(9)), ..message }
}

#[tokio::test]
async fn what_waits_for_a_letter_is_counted_by_letter_and_read_in_portions() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let waiting = |letter: &str| Message {
            reason: Some(PolicyReason::LetterOutOfService.into()),
            letter: letter.to_owned(),
            ..stage.message()
        };
        let mut evenings = [waiting("evening-clinic"), waiting("evening-clinic"), waiting("evening-clinic")];
        evenings.sort_by_key(|message| message.id);
        let other = waiting("bulletin");
        let quiet = Message { letter: "bulletin".to_owned(), ..stage.message() };
        stage.store(&store, &[evenings.as_slice(), &[other.clone(), quiet]].concat()).await;
        let mut tx = store.read().await.expect("tx");
        let counts = tx.letters_waited_for().await.expect("read");
        let by = other.channel();
        assert_eq!(counts, [("bulletin".to_owned(), by, 1), ("evening-clinic".to_owned(), by, 3)]);
        let elsewhere = if by == Channel::Fax { Channel::Email } else { Channel::Fax };
        let start = MessageId(uuid::Uuid::nil());
        let none = tx.messages_waiting_for_letter("bulletin", elsewhere, start, 2).await.expect("read");
        assert_eq!(none, [] as [MessageId; 0], "by another channel none waits");
        let mut portion = async |letter: &str, after: MessageId| {
            tx.messages_waiting_for_letter(letter, by, after, 2).await.expect("read")
        };
        let ids = evenings.each_ref().map(|message| message.id);
        assert_eq!(portion("evening-clinic", start).await, ids[..2]);
        assert_eq!(portion("evening-clinic", ids[1]).await, ids[2..]);
        assert_eq!(portion("evening-clinic", ids[2]).await, [] as [MessageId; 0]);
        assert_eq!(portion("bulletin", start).await, [other.id]);
        assert_eq!(portion("nothing", start).await, [] as [MessageId; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_message_is_found_by_the_end_of_its_id() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let settled = stage.settled_message();
        stage.store(&store, &[stage.message(), settled.clone()]).await;
        let mut tx = store.read().await.expect("tx");
        for (kept, id) in [
            (Kept::Message, settled.id.0),
            (Kept::Referrer, stage.referrer.id.0),
            (Kept::Broadcast, stage.broadcast.id.0),
        ] {
            let found = tx.ids_ending(kept, &short(&id).to_lowercase()).await.expect("read");
            assert_eq!(found, [id], "in any case");
        }
        assert!(tx.ids_ending(Kept::Submission, "00000000").await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_message_is_read_back_with_every_field_and_with_none() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let messages = [stage.message(), stage.settled_message()];
        stage.store(&store, &messages).await;
        let mut tx = store.read().await.expect("tx");
        for message in &messages {
            assert_eq!(tx.message(message.id, false).await.expect("read").as_ref(), Some(message));
        }
        let ids = [messages[1].id, MessageId::new(), messages[0].id];
        assert_eq!(tx.messages(&ids, false).await.expect("read"), messages, "in the order of their ids");
        assert_eq!(tx.messages_of_touch(stage.touch.id).await.expect("read").len(), 2);
        assert_eq!(tx.messages_of_broadcast(stage.broadcast.id, 9).await.expect("read"), messages[1..]);
        let by_reference = tx.messages_by_reference(&short(&messages[0].id.0).to_lowercase()).await.expect("read");
        assert_eq!(by_reference, messages[..1], "the reference on the page, in any case");
        assert!(tx.messages_by_reference("00000000").await.expect("read").is_empty());
        let mut statuses = tx.statuses_of_touches(&[stage.touch.id]).await.expect("read");
        statuses.sort_by_key(|(_, id, _)| *id);
        let expected = messages.each_ref().map(|message| (stage.touch.id, message.id, message.status));
        assert_eq!(statuses, expected);
        drop(tx);
        let mut tx = store.write().await.expect("tx");
        let changed = messages.each_ref().map(|one| Message { tries: one.tries + 1, reason: None, ..one.clone() });
        tx.messages_update(&changed).await.expect("written");
        assert_eq!(tx.messages(&ids, false).await.expect("read"), changed);
    })
    .await;
}

#[tokio::test]
async fn every_word_of_a_message_is_read_back_and_counted_where_it_belongs() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let mut messages = Vec::new();
        for status in MessageStatus::ALL {
            messages.push(settled(stage.message(), *status));
        }
        for (channel, lane) in Channel::ALL.iter().zip(Lane::ALL) {
            messages.push(Message { lane: *lane, ..stage.message_by(*channel) });
        }
        messages.push(Message { lane: Lane::Broadcast, ..stage.message() });
        messages.extend(Purpose::ALL.iter().map(|purpose| Message { purpose: *purpose, ..stage.message() }));
        messages.extend(PhiClass::ALL.iter().map(|phi| Message { phi: *phi, ..stage.message() }));
        messages.extend(Confidence::ALL.iter().map(|word| Message { confidence: Some(*word), ..stage.message() }));
        stage.store(&store, &messages).await;
        let ids: Vec<MessageId> = messages.iter().map(|message| message.id).collect();
        let mut tx = store.read().await.expect("tx");
        assert_eq!(tx.messages(&ids, false).await.expect("read"), messages);

        let queued_too = i64::try_from(messages.len() - MessageStatus::ALL.len()).expect("few");
        let expected = Ledger {
            total: i64::try_from(messages.len()).expect("few"),
            delivered: 1,
            failed: 1,
            suppressed: 1,
            cancelled: 1,
            expired: 1,
            in_doubt: 1,
            held: 1,
            queued: queued_too + 2,
        };
        assert_eq!(tx.ledger(LedgerOf::Everything).await.expect("read"), expected);
        assert_eq!(tx.ledger(LedgerOf::Submission(stage.submission.id)).await.expect("read"), expected);
        assert_eq!(tx.ledger(LedgerOf::Broadcast(stage.broadcast.id)).await.expect("read"), Ledger::default());
    })
    .await;
}

#[tokio::test]
async fn what_changes_about_a_message_is_written_back_and_what_is_fixed_stays() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let before = stage.message();
        stage.store(&store, std::slice::from_ref(&before)).await;
        let after = Message {
            address: Address::Fax(fax(177)),
            status: MessageStatus::Delivered,
            reason: Some("busy".parse().expect("a reason")),
            any_hour_ms: Some(at(49)),
            confidence: Some(Confidence::Confirmed),
            due_ms: at(50),
            give_up_ms: at(60),
            tries: 2,
            dials: 3,
            document_hash: Some("dd".repeat(32)),
            pages: Some(4),
            updated_ms: at(70),
            settled_ms: Some(at(71)),
            ..before.clone()
        };
        let mut tx = store.write().await.expect("tx");
        tx.message_update(&Message { letter: "another".into(), ..after.clone() }).await.expect("written");
        assert_eq!(tx.message(before.id, true).await.expect("read"), Some(after), "the letter is fixed");
        tx.message_update(&before).await.expect("written");
        assert_eq!(tx.message(before.id, true).await.expect("read"), Some(before), "back to nothing");
    })
    .await;
}

#[tokio::test]
async fn a_broadcast_has_one_message_for_each_recipient_and_channel() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let first = stage.settled_message();
        let other_channel = Message { address: stage.message().address, ..stage.settled_message() };
        stage.store(&store, &[first, other_channel, stage.message(), stage.message()]).await;
        let mut tx = store.write().await.expect("tx");
        let twice = tx.messages_insert(&[stage.settled_message()]).await;
        assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_terminal_without_an_end_or_ended_without_being_terminal_is_refused() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        for (status, settled_ms) in [(MessageStatus::Failed, None), (MessageStatus::Queued, Some(at(9)))] {
            let mut tx = store.write().await.expect("tx");
            let refused = tx.messages_insert(&[Message { status, settled_ms, ..stage.message() }]).await;
            assert!(refused.is_err(), "{status}");
        }
    })
    .await;
}

#[tokio::test]
async fn lists_of_messages_come_in_one_order_and_no_longer_than_asked() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let held: Vec<Message> = (0..6)
            .map(|n| Message { updated_ms: at(n / 2), ..settled(stage.message(), MessageStatus::Held) })
            .collect();
        let to_mail = Message {
            address: "zoe@together.example".parse().expect("an address"),
            ..settled(stage.message(), MessageStatus::InDoubt)
        };
        let gone = settled(stage.message(), MessageStatus::Cancelled);
        stage.store(&store, &[held.clone(), vec![to_mail.clone(), gone]].concat()).await;
        let mut tx = store.write().await.expect("tx");
        let newest_first: Vec<Message> = held.iter().rev().cloned().collect();
        assert_eq!(tx.messages_in(MessageStatus::Held, 100).await.expect("read"), newest_first);
        assert_eq!(tx.messages_in(MessageStatus::Held, 3).await.expect("read"), newest_first[..3]);
        let number = Address::Fax(fax(101));
        assert_eq!(tx.messages_unsettled_to(&number).await.expect("read"), held, "oldest first, ended ones not");
        let mailbox = Address::Email(email("zoe@together.example"));
        assert_eq!(tx.messages_unsettled_to(&mailbox).await.expect("read"), [to_mail]);
    })
    .await;
}

#[tokio::test]
async fn more_messages_than_fit_into_one_statement_are_stored_and_read() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let many: Vec<Message> = (0..501).map(|_| stage.message()).collect();
        stage.store(&store, &many).await;
        let ids: Vec<MessageId> = many.iter().rev().map(|message| message.id).collect();
        let mut tx = store.read().await.expect("tx");
        assert_eq!(tx.messages(&ids, false).await.expect("read"), many);
        assert!(tx.messages(&[], false).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_referrer_is_found_and_what_is_held_is_counted_by_reason() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let asked_to_stop = PolicyReason::AskedToStop;
        let held = |reason: PolicyReason| Message {
            reason: Some(reason.into()),
            ..settled(stage.message(), MessageStatus::Held)
        };
        let mut messages: Vec<Message> =
            MessageStatus::ALL.iter().map(|status| settled(stage.message(), *status)).collect();
        messages.extend([held(asked_to_stop), held(asked_to_stop), held(PolicyReason::LetterOutOfService)]);
        stage.store(&store, &messages).await;
        let other = Stage::set(&store).await;
        other.store(&store, &[other.message()]).await;
        let mut expected: Vec<Message> = messages
            .into_iter()
            .filter(|message| matches!(message.status, MessageStatus::Queued | MessageStatus::Held))
            .collect();
        expected.sort_by_key(|message| message.id);
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.messages_waiting_for(stage.referrer.id, true).await.expect("read"), expected);
        assert_eq!(tx.messages_waiting_for(stage.referrer.id, false).await.expect("read"), expected);
        assert_eq!(tx.held_because(stage.referrer.id, asked_to_stop.into()).await.expect("counted"), 2);
        assert_eq!(tx.held_because(other.referrer.id, asked_to_stop.into()).await.expect("counted"), 0);
    })
    .await;
}
