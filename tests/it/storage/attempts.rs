use touchline::domain::AddressKey;
use touchline::domain::attempt::{Attempt, AttemptStatus, ProviderReference};
use touchline::domain::message::Message;
use touchline::domain::{Fault, MessageStatus};
use touchline::store::StoreError;

use super::samples::{Stage, at, attempt, ended, fax};
use crate::support::databases::each_db;

#[tokio::test]
async fn an_attempt_is_read_back_as_it_was_opened_and_as_it_ended() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let message = stage.message();
        stage.store(&store, std::slice::from_ref(&message)).await;
        let mut tx = store.write().await.expect("tx");
        let mut expected = Vec::new();
        for (number, status) in (1_i64..).zip(AttemptStatus::ALL) {
            let opened = attempt(message.id, number);
            tx.attempts_insert(std::slice::from_ref(&opened)).await.expect("stored");
            assert_eq!(tx.attempt(opened.id).await.expect("read"), Some(opened.clone()));
            let learnt = ended(&opened, *status);
            tx.attempts_update(std::slice::from_ref(&learnt)).await.expect("written");
            assert_eq!(tx.attempt(opened.id).await.expect("read"), Some(learnt.clone()), "{status}");
            let closed = Attempt { status: AttemptStatus::Failed, ..learnt };
            tx.attempts_update(std::slice::from_ref(&closed)).await.expect("written");
            expected.push(closed);
        }
        assert_eq!(tx.attempts_of(message.id).await.expect("read"), expected, "first to last");
        let last = expected.last().expect("some");
        tx.attempt_update_looks(last.id, 9).await.expect("written");
        assert_eq!(tx.attempt(last.id).await.expect("read"), Some(Attempt { looks: 9, ..last.clone() }));
        let numbers = tx.attempt_numbers(&[message.id]).await.expect("read");
        assert_eq!(numbers, [(message.id, last.number)]);
        assert!(tx.attempt_numbers(&[]).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn every_fault_is_read_back() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let message = stage.message();
        stage.store(&store, std::slice::from_ref(&message)).await;
        let mut tx = store.write().await.expect("tx");
        let opened = attempt(message.id, 1);
        tx.attempts_insert(std::slice::from_ref(&opened)).await.expect("stored");
        for fault in Fault::ALL {
            let learnt = Attempt { fault: Some(*fault), ..opened.clone() };
            tx.attempts_update(std::slice::from_ref(&learnt)).await.expect("written");
            assert_eq!(tx.attempt(opened.id).await.expect("read"), Some(learnt));
        }
    })
    .await;
}

#[tokio::test]
async fn more_attempts_than_fit_one_statement_are_stored_and_changed() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let messages: Vec<Message> = (0..301).map(|_| stage.message()).collect();
        stage.store(&store, &messages).await;
        let mut tx = store.write().await.expect("tx");
        let attempts: Vec<Attempt> = messages.iter().map(|message| attempt(message.id, 1)).collect();
        tx.attempts_insert(&attempts).await.expect("stored");
        let learnt: Vec<Attempt> = attempts.iter().map(|one| ended(one, AttemptStatus::Refused)).collect();
        let learnt: Vec<Attempt> = learnt
            .into_iter()
            .zip(0..)
            .map(|(one, number)| Attempt { provider_reference: Some(format!("fx_{number}")), ..one })
            .collect();
        tx.attempts_update(&learnt).await.expect("written");
        let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
        let mut found = tx.attempts_of_messages(&ids).await.expect("read");
        found.sort_by_key(|one| one.id);
        assert_eq!(found, learnt);
    })
    .await;
}

#[tokio::test]
async fn a_message_has_at_most_one_open_attempt() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let message = stage.message();
        stage.store(&store, std::slice::from_ref(&message)).await;
        for status in AttemptStatus::ALL {
            let mut tx = store.write().await.expect("tx");
            let first = attempt(message.id, 1);
            tx.attempts_insert(std::slice::from_ref(&first)).await.expect("stored");
            tx.attempts_update(&[Attempt { status: *status, ..first }]).await.expect("written");
            let open = tx.attempts_open(&[message.id]).await.expect("read");
            assert_eq!(open.len(), usize::from(status.is_open()), "{status}");
            let second = tx.attempts_insert(&[attempt(message.id, 2)]).await;
            let conflict = matches!(second, Err(StoreError::Conflict(_)));
            assert_eq!(conflict, status.is_open(), "{status}: {second:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_number_and_a_provider_reference_are_given_once() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let (one, two) = (stage.message(), stage.message());
        stage.store(&store, &[one.clone(), two.clone()]).await;
        let mut tx = store.write().await.expect("tx");
        let (first, second) = (attempt(one.id, 1), attempt(two.id, 1));
        tx.attempts_insert(&[first.clone(), second.clone()]).await.expect("stored");
        let known = Attempt { provider_reference: Some("fx_1".into()), ..first.clone() };
        tx.attempts_update(std::slice::from_ref(&known)).await.expect("written");
        tx.commit().await.expect("committed");

        let mut tx = store.read().await.expect("tx");
        let reference = ProviderReference("fx_1".into());
        assert_eq!(tx.attempt(first.id).await.expect("read"), Some(known));
        assert!(tx.reference_is_claimed("fax-sandbox", &reference).await.expect("read"));
        let bearers = tx.references_claimed("fax-sandbox", &["fx_0", "fx_1"]).await.expect("read");
        assert_eq!(bearers, [("fx_1".to_owned(), first.id)]);
        assert!(tx.references_claimed("another", &["fx_1"]).await.expect("read").is_empty());
        assert!(!tx.reference_is_claimed("another", &reference).await.expect("read"));
        drop(tx);

        let mut tx = store.write().await.expect("tx");
        let taken = tx.attempts_update(&[Attempt { provider_reference: Some("fx_1".into()), ..second }]).await;
        assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
        drop(tx);
        let mut tx = store.write().await.expect("tx");
        let repeated = tx.attempts_insert(&[attempt(one.id, 1)]).await;
        assert!(matches!(repeated, Err(StoreError::Conflict(_))), "{repeated:?}");
    })
    .await;
}

#[tokio::test]
async fn a_number_is_being_called_while_an_attempt_to_it_is_open_and_recent() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let to = |tail: u32| Message { address: touchline::domain::Address::Fax(fax(tail)), ..stage.message() };
        let mail = Message { address: "zoe@together.example".parse().expect("an address"), ..to(104) };
        let delivered = Message { status: MessageStatus::Delivered, settled_ms: Some(at(9)), ..to(105) };
        let messages = [to(101), to(102), to(103), mail, delivered];
        stage.store(&store, &messages).await;
        let mut tx = store.write().await.expect("tx");
        for message in &messages {
            tx.attempts_insert(&[attempt(message.id, 1)]).await.expect("stored");
        }
        let failed = tx.attempts_of(messages[1].id).await.expect("read").remove(0);
        tx.attempts_update(&[Attempt { status: AttemptStatus::Failed, ..failed }]).await.expect("written");
        let accepted = tx.attempts_of(messages[2].id).await.expect("read").remove(0);
        tx.attempts_update(&[Attempt { status: AttemptStatus::Accepted, ..accepted.clone() }]).await.expect("written");

        let numbers: Vec<AddressKey> = (101..=106).map(|tail| AddressKey::from(&fax(tail))).collect();
        let mut busy = tx.numbers_being_called(&numbers, at(0)).await.expect("read");
        busy.sort();
        assert_eq!(busy, [AddressKey::from(&fax(101)), AddressKey::from(&fax(103))]);
        // A call that may have been made keeps the number: another letter's fax must not be taken for it.
        tx.attempts_update(&[Attempt { status: AttemptStatus::InDoubt, ..accepted }]).await.expect("written");
        assert_eq!(tx.numbers_being_called(&numbers, at(0)).await.expect("read").len(), 2);
        assert!(tx.numbers_being_called(&numbers, at(20)).await.expect("read").is_empty(), "opened long ago");
        assert!(tx.numbers_being_called(&[], at(0)).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_locks_of_many_attempts_are_taken_at_once_and_unknown_ones_are_passed_over() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let messages: Vec<Message> = (0..3).map(|_| stage.message()).collect();
        stage.store(&store, &messages).await;
        let mut tx = store.write().await.expect("tx");
        let attempts: Vec<Attempt> = messages.iter().map(|message| attempt(message.id, 1)).collect();
        tx.attempts_insert(&attempts[..2]).await.expect("stored");
        let ids: Vec<_> = attempts.iter().rev().map(|one| one.id).collect();
        let (_, locked) = tx.attempts_lock(&ids).await.expect("locked");
        assert_eq!(locked, messages[..2]);
        assert!(tx.attempts_lock(&[]).await.expect("nothing to lock").1.is_empty());
        let mut homes = tx.attempt_homes(&ids).await.expect("read");
        homes.sort_by_key(|home| home.0);
        let home = |one: &Attempt| (one.id, "fax-sandbox".to_owned(), one.message_id);
        let mut expected: Vec<_> = attempts[..2].iter().map(home).collect();
        expected.sort_by_key(|home| home.0);
        assert_eq!(homes, expected);
        let of_all: Vec<_> = messages.iter().map(|message| message.id).collect();
        let mut found = tx.attempts_of_messages(&of_all).await.expect("read");
        found.sort_by_key(|one| one.id);
        assert_eq!(found, attempts[..2]);
    })
    .await;
}
