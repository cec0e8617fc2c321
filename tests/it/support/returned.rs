//! What came back for emails, as it lies in the database: for tests of what is shown of it.

use touchline::domain::attempt::{Attempt, AttemptStatus};
use touchline::domain::id::{ArrivalId, AttemptId, InboxId, MessageId, ReturnId};
use touchline::domain::message::Message;
use touchline::domain::returned::{MatchedBy, ReturnClass, ReturnKind, ReturnState};
use touchline::domain::{Fault, MessageStatus, Timestamp};
use touchline::store::Store;
use touchline::store::records::inbox::NewCallback;
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

/// A bounce for good that names neither a letter nor a mailbox.
pub fn lost_bounce(at: Timestamp) -> ReturnRow {
    ReturnRow {
        class: Some(ReturnClass::Hard),
        reason: Some(Fault::MailboxUnknown),
        verdict_row: Some("550 5.1.1".to_owned()),
        ..unknown(ReturnKind::Bounce, at)
    }
}

/// The first attempt of a letter, about to be made.
pub fn calling(message: &Message, at: Timestamp) -> Attempt {
    Attempt {
        id: AttemptId::new(),
        message_id: message.id,
        number: 1,
        provider: "mail-sandbox".to_owned(),
        status: AttemptStatus::Calling,
        provider_reference: None,
        fault: None,
        raw_code: None,
        raw_text: None,
        pages_confirmed: None,
        document_hash: "cc".repeat(32),
        pages: None,
        dialled: Some(message.address.clone()),
        billed_amount: None,
        billed_unit: None,
        tls_version: None,
        tls_cipher: None,
        tls_peer: None,
        opened_ms: at,
        answered_ms: None,
        settled_ms: None,
        looks: 0,
        doubt_deadline_ms: None,
    }
}

/// A letter as it is once the relay has taken it: with the attempt that it took.
pub async fn hand_over(store: &Store, id: MessageId, at: Timestamp) -> Message {
    let mut tx = store.write().await.expect("a transaction");
    let message = tx.message(id, true).await.expect("read").expect("a message");
    let attempt = calling(&message, at);
    tx.attempts_insert(std::slice::from_ref(&attempt)).await.expect("kept");
    let taken = Attempt { status: AttemptStatus::Accepted, answered_ms: Some(at), ..attempt };
    tx.attempts_update(&[taken]).await.expect("kept");
    let message = Message { status: MessageStatus::Accepted, ..message };
    tx.message_update(&message).await.expect("kept");
    tx.commit().await.expect("committed");
    message
}

/// Keeps the verified callback that a return was read in, with a signature in its head.
pub async fn keep_callback(store: &Store, body: &[u8], at: Timestamp) -> InboxId {
    let head = b"{\"url\":\"/hooks/mail\",\"headers\":[[\"x-signature\",\"<b>proof</b>\"]]}\n";
    let content = [head.as_slice(), body].concat();
    let callback = NewCallback::new("mail-sandbox", hex::encode(body), content, body.len(), at);
    let id = callback.id;
    let mut tx = store.write().await.expect("a transaction");
    tx.inbox_insert(&[callback]).await.expect("kept");
    tx.inbox_settle(&[id], touchline::domain::callback::CallbackState::Applied, at).await.expect("settled");
    tx.commit().await.expect("committed");
    id
}
