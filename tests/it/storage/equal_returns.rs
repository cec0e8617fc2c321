//! Failures that are compared with one another, and what is noted of a row of equal ones.

use touchline::domain::attempt::AttemptStatus;
use touchline::domain::returned::{MatchedBy, ReturnClass, ReturnKind, ReturnState};
use touchline::domain::{Actor, AddressKey, Channel, Rule};
use touchline::store::records::returns::ReturnRow;

use super::returning::returned;
use super::samples::{Stage, at, attempt};
use crate::support::databases::each_db;

#[tokio::test]
async fn failures_are_compared_until_somebody_has_decided_about_them() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let message = stage.message_by(Channel::Email);
        stage.store(&store, std::slice::from_ref(&message)).await;
        let sent = touchline::domain::attempt::Attempt {
            status: AttemptStatus::Failed,
            provider: "office".into(),
            dialled: Some(message.address.clone()),
            ..attempt(message.id, 1)
        };
        let key = message.address.key();
        let failed = |class, received| ReturnRow {
            class: Some(class),
            matched_by: Some(MatchedBy::ReturnPath),
            attempt_id: Some(sent.id),
            message_id: Some(message.id),
            address_key: Some(key.as_str().to_owned()),
            ..returned(ReturnKind::Bounce, ReturnState::Open, at(received))
        };
        let rows = [
            failed(ReturnClass::Hard, 30),
            failed(ReturnClass::Ours, 31),
            failed(ReturnClass::Soft, 32),
            ReturnRow { matched_by: Some(MatchedBy::Recipient), ..failed(ReturnClass::Hard, 33) },
            returned(ReturnKind::Bounce, ReturnState::Open, at(34)),
        ];
        let mut tx = store.write().await.expect("tx");
        tx.attempts_insert(std::slice::from_ref(&sent)).await.expect("stored");
        tx.returns_insert(&rows).await.expect("stored");
        let seen = async |tx: &mut touchline::store::Tx| {
            let found = tx.returns_failed_since(at(0), 10).await.expect("read");
            found.into_iter().map(|one| one.id).collect::<Vec<_>>()
        };
        assert_eq!(seen(&mut tx).await, [rows[1].id, rows[0].id], "what surely failed for good, the newest first");
        assert_eq!(tx.returns_failed_since(at(30), 10).await.expect("read").len(), 1);
        assert!(tx.returns_ours_open().await.expect("read"));
        assert_eq!(tx.returns_of_no_letter_since(at(0)).await.expect("counted"), 1);
        assert_eq!(tx.attempts_handed_over("office", (sent.id, sent.id)).await.expect("counted"), 1);
        assert_eq!(tx.attempts_handed_over("elsewhere", (sent.id, sent.id)).await.expect("counted"), 0);
        assert!(!tx.attempts_any_arrived("office", sent.id).await.expect("read"), "that one did not");

        tx.return_soften(rows[0].id).await.expect("noted");
        assert_eq!(seen(&mut tx).await, [rows[1].id]);
        let none: Vec<AddressKey> = tx.addresses_taken_back(std::slice::from_ref(&key)).await.expect("read");
        assert_eq!(none, []);
        let who = Actor::Rule(Rule::SameRefusal);
        assert!(tx.returns_are_about_us(&[rows[1].id], &who, at(40)).await.expect("noted"));
        assert_eq!(seen(&mut tx).await, []);
        assert_eq!(
            tx.addresses_taken_back(std::slice::from_ref(&key)).await.expect("read"),
            std::slice::from_ref(&key)
        );
        assert!(!tx.returns_are_about_us(&[rows[1].id], &who, at(41)).await.expect("noted"), "decided before");
    })
    .await;
}
