//! What must be true of every gateway whenever it is at rest, whatever was done to it.

use std::collections::HashMap;
use std::fmt::Write as _;

use touchline::domain::MessageStatus;
use touchline::domain::id::TouchId;
use touchline::domain::message::Message;
use touchline::domain::touch::disposition;
use touchline::sandbox::fax::Entry;
use touchline::store::views::ledger::Ledger;

use super::gateway::{FarSide, TestGateway};

/// Looks a drained gateway over.
///
/// # Panics
/// With what is not as it must be.
pub async fn check(gateway: &TestGateway, far: &FarSide) {
    let messages = gateway.messages().await;
    let mut wrong = String::new();
    for message in &messages {
        for fault in [next_step(gateway, message).await, attempts(gateway, message).await].into_iter().flatten() {
            let _ = writeln!(wrong, "{} {} {}: {fault}", message.id, message.channel(), message.status);
        }
    }
    adds_up(gateway.ledger().await, messages.len(), &mut wrong);
    touches(gateway, &messages, &mut wrong).await;
    calls(gateway, far, &mut wrong).await;
    assert!(wrong.is_empty(), "broken promises:\n{wrong}{}", standing(gateway).await);
}

/// A message that is not at its end has exactly one next step: a queue entry, a hold, or a doubt for a person.
async fn next_step(gateway: &TestGateway, message: &Message) -> Option<String> {
    let mut tx = gateway.store().read().await.expect("a transaction");
    let queued = tx.queue_entry(message.id.0).await.expect("read").is_some();
    let wants = match message.status {
        MessageStatus::Queued | MessageStatus::Accepted => true,
        // Either it is looked into, or it waits for a person.
        MessageStatus::InDoubt => return None,
        _ => false,
    };
    let settled = message.settled_ms.is_some() == message.status.is_terminal();
    (queued != wants || !settled).then(|| format!("queued: {queued}, settled: {settled}"))
}

/// At most one attempt is open, none once the message is at its end, and each status has the attempt it speaks of.
async fn attempts(gateway: &TestGateway, message: &Message) -> Option<String> {
    let attempts = gateway.attempts_of(message.id).await;
    let open: Vec<_> = attempts.iter().filter(|attempt| attempt.status.is_open()).map(|one| one.status).collect();
    let fits = match message.status {
        MessageStatus::Accepted => open.iter().any(|status| status.as_str() == "accepted"),
        MessageStatus::InDoubt => open.iter().any(|status| status.as_str() == "in_doubt"),
        MessageStatus::Queued => open.len() <= 1,
        MessageStatus::Delivered => open.is_empty() && attempts.iter().any(|one| one.status.as_str() == "delivered"),
        _ => open.is_empty(),
    };
    let in_turn = attempts.iter().zip(1..).all(|(attempt, number)| attempt.number == number);
    (open.len() > 1 || !fits || !in_turn).then(|| format!("its open attempts: {open:?}, numbered in turn: {in_turn}"))
}

fn adds_up(ledger: Ledger, messages: usize, wrong: &mut String) {
    let ends = ledger.delivered + ledger.failed + ledger.suppressed + ledger.cancelled + ledger.expired;
    let sum = ends + ledger.in_doubt + ledger.held + ledger.queued;
    if sum != ledger.total || usize::try_from(ledger.total) != Ok(messages) {
        let _ = writeln!(wrong, "the ledger does not add up to {messages}: {ledger:?}");
    }
}

/// A touch is a projection of its messages.
async fn touches(gateway: &TestGateway, messages: &[Message], wrong: &mut String) {
    let mut statuses: HashMap<TouchId, Vec<MessageStatus>> = HashMap::new();
    for message in messages {
        statuses.entry(message.touch_id).or_default().push(message.status);
    }
    let mut tx = gateway.store().read().await.expect("a transaction");
    for (id, statuses) in statuses {
        let touch = tx.touch(id).await.expect("read").expect("every message has its touch");
        let projected = disposition(&statuses);
        if touch.disposition != projected {
            let _ = writeln!(wrong, "touch {id} is {} and its messages say {projected}", touch.disposition);
        }
    }
}

/// Every fax that the line took has an attempt on record, and no attempt was handed over twice.
async fn calls(gateway: &TestGateway, far: &FarSide, wrong: &mut String) {
    let text = std::fs::read_to_string(far.fax_journal()).unwrap_or_default();
    let mut taken: HashMap<String, usize> = HashMap::new();
    for line in text.lines() {
        let entry: Entry = serde_json::from_str(line).expect("a line of the journal");
        if entry.event == touchline::sandbox::fax::Happened::Accepted {
            *taken.entry(entry.reference).or_default() += 1;
        }
    }
    let mut tx = gateway.store().read().await.expect("a transaction");
    for (reference, times) in taken {
        let id = reference.parse().expect("our reference is an attempt's id");
        let known = tx.attempt(id).await.expect("read").is_some();
        if !known || times > 1 {
            let _ = writeln!(wrong, "the line took {reference} {times} times; on record: {known}");
        }
    }
}

/// Where everything stands, for a test that fails.
pub async fn standing(gateway: &TestGateway) -> String {
    let mut text = format!("{:?}\n", gateway.ledger().await);
    let mut tx = gateway.store().read().await.expect("a transaction");
    for account in tx.provider_states(false).await.expect("read") {
        let paused = if account.paused_ms.is_some() { "paused" } else { "not paused" };
        let reason = account.paused_reason.as_deref().unwrap_or("-");
        let _ = writeln!(text, "{} {paused}: {reason}", account.provider);
    }
    drop(tx);
    for message in gateway.messages().await.iter().filter(|one| one.status != MessageStatus::Delivered).take(30) {
        let mut tx = gateway.store().read().await.expect("a transaction");
        let entry = tx.queue_entry(message.id.0).await.expect("read");
        drop(tx);
        let story = gateway.story_of(message.id).await.join(", ");
        let reason = message.reason.map(touchline::domain::Reason::as_str).unwrap_or("-");
        let _ = writeln!(text, "{} {} {reason} [{story}] {entry:?}", message.channel(), message.status);
    }
    text
}
