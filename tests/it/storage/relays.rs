//! What accounts have done lately: counted once, in the account's own name, and only what happened since.

use touchline::domain::attempt::{Attempt, AttemptStatus};
use touchline::domain::message::{Confidence, Message};
use touchline::domain::returned::{MatchedBy, ReturnClass, ReturnKind, ReturnState};
use touchline::domain::{Channel, Fault, MessageStatus, Timestamp};
use touchline::store::records::returns::ReturnRow;
use touchline::store::views::relays::{AccountDay, AccountReturns, LastError, TlsSeen};

use super::returning::returned;
use super::samples::{Stage, at, attempt};
use crate::support::databases::each_db;

/// A hand-over by that account, how it ended and when it began and settled.
fn one(message: &Message, provider: &str, status: AttemptStatus, opened: i64, settled: Option<i64>) -> Attempt {
    Attempt {
        provider: provider.into(),
        status,
        opened_ms: at(opened),
        settled_ms: settled.map(at),
        ..attempt(message.id, 1)
    }
}

#[tokio::test]
async fn a_day_is_counted_by_account_and_by_what_happened_in_it() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let mail = |status: MessageStatus, confidence: Option<Confidence>| Message {
            status,
            confidence,
            updated_ms: at(100),
            settled_ms: status.is_terminal().then_some(at(100)),
            ..stage.message_by(Channel::Email)
        };
        let messages = [
            mail(MessageStatus::Delivered, Some(Confidence::Confirmed)),
            mail(MessageStatus::Delivered, Some(Confidence::Presumed)),
            mail(MessageStatus::Accepted, None),
            mail(MessageStatus::Failed, None),
            mail(MessageStatus::Queued, None),
            Message { updated_ms: at(9), ..mail(MessageStatus::Accepted, None) },
        ];
        stage.store(&store, &messages).await;
        let attempts = [
            one(&messages[0], "mail", AttemptStatus::Delivered, 60, Some(100)),
            // It was handed over before, and is presumed to be delivered now.
            one(&messages[1], "mail", AttemptStatus::Delivered, 10, Some(100)),
            one(&messages[2], "other", AttemptStatus::Accepted, 61, None),
            one(&messages[3], "mail", AttemptStatus::Failed, 62, Some(100)),
            one(&messages[4], "mail", AttemptStatus::Refused, 63, Some(63)),
            one(&messages[5], "mail", AttemptStatus::Accepted, 8, None),
        ];
        let mut tx = store.write().await.expect("tx");
        tx.attempts_insert(&attempts).await.expect("stored");
        tx.attempts_update(&attempts).await.expect("written");
        let day = |provider: &str, sent, refused, confirmed, presumed| AccountDay {
            provider: provider.to_owned(),
            sent,
            refused,
            confirmed,
            presumed,
        };
        let expected = [day("mail", 2, 1, 1, 1), day("other", 1, 0, 0, 0)];
        assert_eq!(tx.accounts_day(at(50)).await.expect("read"), expected);
        assert_eq!(tx.accounts_day(at(500)).await.expect("read"), []);
    })
    .await;
}

#[tokio::test]
async fn a_return_counts_once_for_its_letters_account_unless_it_is_none_or_only_a_guess() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let messages: Vec<Message> = (0..3).map(|_| stage.message_by(Channel::Email)).collect();
        stage.store(&store, &messages).await;
        let attempts: Vec<Attempt> =
            messages.iter().map(|message| one(message, "mail", AttemptStatus::Accepted, 60, None)).collect();
        let mut tx = store.write().await.expect("tx");
        tx.attempts_insert(&attempts).await.expect("stored");
        let of = |place: usize, kind: ReturnKind, class: Option<ReturnClass>, received: i64| ReturnRow {
            class,
            attempt_id: Some(attempts[place].id),
            matched_by: Some(MatchedBy::ReturnPath),
            ..returned(kind, ReturnState::Applied, at(received))
        };
        let bounce = |place, class, received| of(place, ReturnKind::Bounce, Some(class), received);
        let none = bounce(2, ReturnClass::Hard, 70);
        let returns = [
            bounce(0, ReturnClass::Hard, 70),
            bounce(0, ReturnClass::Hard, 71),
            bounce(1, ReturnClass::Soft, 70),
            bounce(1, ReturnClass::Ours, 70),
            of(2, ReturnKind::Complaint, None, 70),
            bounce(2, ReturnClass::Soft, 5),
            ReturnRow { matched_by: Some(MatchedBy::Recipient), ..bounce(2, ReturnClass::Hard, 70) },
            of(2, ReturnKind::Delay, Some(ReturnClass::Soft), 70),
            none.clone(),
        ];
        tx.returns_insert(&returns).await.expect("stored");
        let dana = touchline::domain::Actor::operator("dana");
        assert!(tx.return_finish(none.id, "not_a_bounce", &dana, at(80)).await.expect("noted"));
        let expected = AccountReturns { provider: "mail".to_owned(), hard: 1, soft: 1, ours: 1, complaints: 1 };
        assert_eq!(tx.accounts_returns(at(50)).await.expect("read"), [expected]);
    })
    .await;
}

#[tokio::test]
async fn the_last_error_and_the_last_transport_of_each_account_are_found_among_the_newest() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let messages: Vec<Message> = (0..4).map(|_| stage.message_by(Channel::Email)).collect();
        stage.store(&store, &messages).await;
        let with = |place: usize, provider: &str, version: Option<&str>, fault: Option<Fault>| Attempt {
            tls_version: version.map(str::to_owned),
            tls_peer: version.map(|_| "mail.relay.example".to_owned()),
            fault,
            raw_code: fault.map(|_| "535".to_owned()),
            ..one(&messages[place], provider, AttemptStatus::Refused, 60 + place as i64, Some(70))
        };
        let attempts = [
            with(0, "mail", Some("TLS 1.2"), Some(Fault::Busy)),
            with(1, "mail", Some("TLS 1.3"), Some(Fault::AccountError)),
            with(2, "mail", None, None),
            with(3, "other", Some("none"), None),
        ];
        let mut tx = store.write().await.expect("tx");
        tx.attempts_insert(&attempts).await.expect("stored");
        tx.attempts_update(&attempts).await.expect("written");
        let seen = |provider: &str, version: &str, opened: Timestamp| TlsSeen {
            provider: provider.to_owned(),
            tls_version: version.to_owned(),
            tls_cipher: None,
            tls_peer: Some("mail.relay.example".to_owned()),
            opened_ms: opened,
        };
        let expected = [seen("mail", "TLS 1.3", at(61)), seen("other", "none", at(63))];
        assert_eq!(tx.accounts_tls(100).await.expect("read"), expected);
        assert_eq!(tx.accounts_tls(1).await.expect("read").len(), 1, "among the newest only");
        let error = LastError {
            provider: "mail".to_owned(),
            opened_ms: at(61),
            status: AttemptStatus::Refused,
            fault: Fault::AccountError,
            raw_code: Some("535".to_owned()),
            raw_text: None,
        };
        assert_eq!(tx.accounts_last_errors(100).await.expect("read"), [error]);
        assert_eq!(tx.accounts_last_errors(2).await.expect("read"), []);
    })
    .await;
}
