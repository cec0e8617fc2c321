//! What came back for emails, as it lies in the database: for tests of what is shown of it.

use touchline::domain::id::{ArrivalId, ReturnId};
use touchline::domain::message::Message;
use touchline::domain::returned::{MatchedBy, ReturnClass, ReturnKind, ReturnState};
use touchline::domain::{Fault, Timestamp};
use touchline::store::Store;
use touchline::store::records::returns::{Arrival, ReturnRow};

/// A return of which only its kind is known, and that a person must look at.
pub fn unknown(kind: ReturnKind, at: Timestamp) -> ReturnRow {
    ReturnRow {
        id: ReturnId::new(),
        arrival_id: None,
        inbox_id: None,
        source: "office-mailbox".to_owned(),
        kind,
        class: None,
        reason: None,
        automatic: None,
        status: None,
        diagnostic: None,
        verdict_row: None,
        recipient: None,
        address_key: None,
        sender: None,
        first_line: None,
        back_on: None,
        matched_by: None,
        attempt_id: None,
        message_id: None,
        broadcast_id: None,
        referrer_id: None,
        state: ReturnState::Open,
        received_ms: at,
        recorded_ms: at,
        outcome: None,
        done_ms: None,
        done_by: None,
    }
}

/// One about a letter, for certain.
pub fn about(kind: ReturnKind, message: &Message, at: Timestamp) -> ReturnRow {
    ReturnRow {
        recipient: Some(message.address.as_str().to_owned()),
        address_key: Some(message.address.key().as_str().to_owned()),
        matched_by: Some(MatchedBy::ReturnPath),
        message_id: Some(message.id),
        referrer_id: Some(message.referrer_id),
        broadcast_id: message.broadcast_id,
        ..unknown(kind, at)
    }
}

/// A letter whose mailbox does not exist; what follows from it was done.
pub fn hard_bounce(message: &Message, at: Timestamp) -> ReturnRow {
    ReturnRow {
        class: Some(ReturnClass::Hard),
        reason: Some(Fault::MailboxUnknown),
        status: Some("5.1.1".to_owned()),
        diagnostic: Some(format!("550 5.1.1 <{}>: user unknown", message.address.as_str())),
        verdict_row: Some("550 5.1.1".to_owned()),
        sender: Some("mx.ridgeline.example".to_owned()),
        state: ReturnState::Applied,
        ..about(ReturnKind::Bounce, message, at)
    }
}

/// Keeps returns.
pub async fn keep(store: &Store, rows: &[ReturnRow]) {
    let mut tx = store.write().await.expect("a transaction");
    tx.returns_insert(rows).await.expect("kept");
    tx.commit().await.expect("committed");
}

/// Keeps the mail that a return was read in.
pub async fn keep_mail(store: &Store, body: &[u8], at: Timestamp) -> ArrivalId {
    let id = ArrivalId::new();
    let arrival = Arrival {
        id,
        mailbox: "office-mailbox".to_owned(),
        fingerprint: id.to_string(),
        kind: ReturnKind::Bounce,
        body: Some(body.to_vec()),
        octets: i64::try_from(body.len()).expect("small"),
        received_ms: at,
    };
    let mut tx = store.write().await.expect("a transaction");
    tx.arrival_insert(&arrival, at).await.expect("kept");
    tx.commit().await.expect("committed");
    id
}
