//! Waiting for a submission: the gateway's services run in this process until every message has been handed over or
//! needs a person. A gateway running elsewhere on the same database may do part of the work.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use chrono_tz::Tz;
use tokio::time::Instant;
use uuid::Uuid;

use crate::app::Gateway;
use crate::cli::console::{Console, table};
use crate::cli::exit::CliError;
use crate::cli::ids;
use crate::cli::message::standing;
use crate::domain::id::MessageId;
use crate::domain::message::Message;
use crate::domain::{Channel, MessageStatus, Timestamp};
use crate::intake::answer::Accepted;
use crate::store::StoreError;
use crate::wording;

/// How often the messages are read.
const LOOK_EVERY: Duration = Duration::from_millis(150);
/// Long lists are read less often: this much longer for each message.
const LOOK_LONGER: Duration = Duration::from_micros(100);
/// Messages shown one by one.
const LINES_MAX: usize = 50;

/// The messages' statuses after the wait.
#[derive(Debug)]
pub struct Waited {
    /// Each message.
    pub messages: Vec<Message>,
    /// Whether every one is handled; otherwise time ran out or someone interrupted.
    pub handled: bool,
}

impl Waited {
    /// Messages that went wrong or are in doubt.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.messages.iter().filter(|message| went_wrong(message.status)).count()
    }
}

const fn went_wrong(status: MessageStatus) -> bool {
    matches!(status, MessageStatus::Failed | MessageStatus::Expired | MessageStatus::InDoubt)
}

/// Starts the services, waits until all messages are handled, and stops the services in order. Mail is handled once
/// the relay has accepted it: waiting three days for a bounce is not worth it.
///
/// # Errors
/// The database cannot be read.
pub async fn until_handled(
    console: &Console,
    gateway: &Gateway,
    accepted: &Accepted,
    timeout: Duration,
) -> Result<Waited, CliError> {
    let running = gateway.start();
    let waited = watch(console, gateway, accepted, timeout).await;
    running.drain().await;
    Ok(waited?)
}

async fn watch(
    console: &Console,
    gateway: &Gateway,
    accepted: &Accepted,
    timeout: Duration,
) -> Result<Waited, StoreError> {
    let total = accepted.counts.messages();
    let pause = LOOK_EVERY + LOOK_LONGER * u32::try_from(total).unwrap_or(u32::MAX);
    let bar = console.progress(u64::try_from(total).ok(), "sending");
    let ends = Instant::now() + timeout;
    loop {
        let messages = messages_of(gateway, accepted).await?;
        let looked_up = doubts_looked_up(gateway, &messages).await?;
        let now = gateway.clock.now();
        let handled = messages.iter().filter(|message| is_handled(message, &looked_up, now)).count();
        bar.set_position(handled as u64);
        let over = Instant::now() >= ends;
        if handled == messages.len() || over {
            bar.finish_and_clear();
            return Ok(Waited { handled: handled == messages.len(), messages });
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = tokio::signal::ctrl_c() => {
                bar.finish_and_clear();
                return Ok(Waited { messages, handled: false });
            }
        }
    }
}

async fn messages_of(gateway: &Gateway, accepted: &Accepted) -> Result<Vec<Message>, StoreError> {
    let mut tx = gateway.store.read().await?;
    if let Some(broadcast) = accepted.broadcast {
        let limit = i64::try_from(accepted.counts.messages()).unwrap_or(i64::MAX);
        return tx.messages_of_broadcast(broadcast, limit).await;
    }
    let ids: Vec<MessageId> = accepted.messages.iter().map(|message| message.id).collect();
    tx.messages(&ids, false).await
}

/// The messages in doubt that the gateway still looks up by itself.
async fn doubts_looked_up(gateway: &Gateway, messages: &[Message]) -> Result<HashSet<Uuid>, StoreError> {
    let in_doubt = messages.iter().filter(|message| message.status == MessageStatus::InDoubt);
    let subjects: Vec<Uuid> = in_doubt.map(|message| message.id.0).collect();
    if subjects.is_empty() {
        return Ok(HashSet::new());
    }
    gateway.store.read().await?.queue_present(&subjects).await
}

/// What waits for office hours is handled for now: nobody waits here until Monday. A doubt is handled once it is left to a
/// person.
fn is_handled(message: &Message, looked_up: &HashSet<Uuid>, now: Timestamp) -> bool {
    match message.status {
        MessageStatus::InDoubt => !looked_up.contains(&message.id.0),
        MessageStatus::Queued => message.waits_until().is_some_and(|until| until > now),
        MessageStatus::Accepted => message.channel() == Channel::Email,
        _ => true,
    }
}

/// For people. Moments are said in the zone.
#[must_use]
pub fn told(waited: &Waited, accepted: &Accepted, zone: Tz) -> String {
    let mut counts: BTreeMap<(Channel, MessageStatus), usize> = BTreeMap::new();
    for message in &waited.messages {
        *counts.entry((message.channel(), message.status)).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|((channel, status), count)| format!("{count} {channel} {}", wording::status(*status).1))
        .collect();
    let mut text = format!("{}.\n", counts.join(", "));
    let mut messages: Vec<&Message> = waited.messages.iter().collect();
    messages.sort_by_key(|message| !went_wrong(message.status));
    let rows = messages.iter().take(LINES_MAX).map(|message| {
        let name = accepted.messages.iter().find(|known| known.id == message.id).map_or("", |known| &known.name);
        vec![name.to_owned(), message.channel().to_string(), standing(message, zone), ids::shown(message.id.0)]
    });
    text.push_str(&table(&["referrer", "channel", "status", "message"], rows));
    if messages.len() > LINES_MAX {
        text.push_str(&format!("\n… and {} more", messages.len() - LINES_MAX));
    }
    if !waited.handled {
        text.push_str("\nNot everything is handled yet. It is kept, and a running `touchline serve` goes on with it.");
    }
    text
}
