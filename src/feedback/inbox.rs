//! The inbox: a callback is verified over its raw bytes, stored, and answered; it is applied afterwards, so that a slow
//! database never makes a provider think that we are deaf.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Parts;
use crate::domain::Timestamp;
use crate::domain::event::{DeliveryEvent, EventSource};
use crate::domain::id::{AttemptId, InboxId, MessageId};
use crate::provider::{Rejection, WebhookParts};
use crate::settle::{self, Lesson, News, POLL, Told};
use crate::store::engine::batch::Batcher;
use crate::store::records::inbox::{Letter, NewLetter};
use crate::store::{Store, StoreError, Tx, in_time};

/// Callbacks applied in one transaction at most.
const BATCH_MAX: i64 = 100;
/// How long a callback whose attempt is not known yet goes on waiting: it may have overtaken the answer to the call.
const WAIT_FOR_ATTEMPT: Duration = Duration::from_secs(15 * 60);
/// Longest key kept.
const DEDUPE_CHARS_MAX: usize = 200;

/// What became of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// Kept; so many facts were new.
    Kept(usize),
    /// Turned away.
    Rejected(Rejection),
    /// There is no such account.
    NoSuchProvider,
}

/// This node's inbox.
#[derive(Debug)]
pub struct Inbox {
    parts: Parts,
    keeper: Batcher<NewLetter, bool>,
    signal: Notify,
}

impl Inbox {
    /// An inbox over the database.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let store = parts.store.clone();
        let keeper = Batcher::start(move |letters| keep(store.clone(), letters));
        Arc::new(Self { parts, keeper, signal: Notify::new() })
    }

    /// Verifies and keeps a callback. Once this has answered `Kept`, the callback is durable.
    ///
    /// # Errors
    /// As every store function; the provider should be told to come again.
    pub async fn receive(&self, provider: &str, callback: &WebhookParts) -> Result<Received, StoreError> {
        let Some(account) = self.parts.accounts.get(provider) else { return Ok(Received::NoSuchProvider) };
        let now = self.parts.clock.now();
        let events = match account.layered.provider().receive(callback, now) {
            Ok(events) => events,
            Err(rejection) => {
                tracing::warn!(provider, %rejection, "a callback was turned away");
                metrics::counter!("touchline_callbacks_rejected_total", "provider" => provider.to_owned()).increment(1);
                return Ok(Received::Rejected(rejection));
            }
        };
        let mut fresh = 0;
        for event in events {
            let body = serde_json::to_string(&event).map_err(|_| StoreError::Corrupt("a delivery event".to_owned()))?;
            let dedupe: String = event.dedupe.chars().take(DEDUPE_CHARS_MAX).collect();
            let letter = NewLetter { provider: provider.to_owned(), dedupe, body, received_ms: now };
            fresh += usize::from(self.keeper.ask(letter).await?);
        }
        self.signal.notify_one();
        Ok(Received::Kept(fresh))
    }

    /// Applies what waits until told to stop.
    pub(super) async fn run(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match in_time(self.apply_some()).await {
                Ok(applied) if applied > 0 => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "the inbox could not be read; trying again"),
            }
            tokio::select! {
                () = self.signal.notified() => {}
                () = tokio::time::sleep(self.parts.poll) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Applies up to a batch of waiting callbacks; answers how many were settled.
    ///
    /// # Errors
    /// As every store function; then none of them is settled.
    pub async fn apply_some(&self) -> Result<usize, StoreError> {
        let now = self.parts.clock.now();
        if !self.parts.store.read().await?.inbox_has_waiting().await? {
            return Ok(0);
        }
        match self.apply_up_to(BATCH_MAX, now).await {
            Err(error) if !error.is_passing() => {
                // One that cannot be applied must not stand before all others: apply them one by one, and set that one
                // aside where a person can find it.
                tracing::warn!(%error, "a batch of callbacks could not be applied; trying them one by one");
                self.apply_alone(now).await
            }
            other => other,
        }
    }

    /// Applies the first waiting callback alone; one that cannot be applied is set aside.
    async fn apply_alone(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut tx = self.parts.store.write().await?;
        let Some(letter) = tx.inbox_waiting(1).await?.pop() else { return Ok(0) };
        let (id, provider) = (letter.id, letter.provider.clone());
        match self.apply_all(tx, vec![letter], now).await {
            Err(error) if !error.is_passing() => {
                tracing::error!(%error, provider, "a callback was set aside");
                // By its name: what is first now may be another one.
                let mut tx = self.parts.store.write().await?;
                tx.inbox_settle(&[id], false, now).await?;
                tx.commit().await?;
                Ok(1)
            }
            other => other,
        }
    }

    async fn apply_up_to(&self, limit: i64, now: Timestamp) -> Result<usize, StoreError> {
        let mut tx = self.parts.store.write().await?;
        let letters = tx.inbox_waiting(limit).await?;
        self.apply_all(tx, letters, now).await
    }

    async fn apply_all(&self, mut tx: Tx, letters: Vec<Letter>, now: Timestamp) -> Result<usize, StoreError> {
        let sorted = self.sort(&mut tx, letters, now).await?;
        settle::learn_all(&mut tx, &self.parts.rules, &sorted.lessons, now).await?;
        tx.queue_hasten_all(POLL, &sorted.hinted, now).await?;
        tx.inbox_settle(&sorted.applied, true, now).await?;
        tx.inbox_settle(&sorted.unmatched, false, now).await?;
        tx.inbox_looked(&sorted.waiting).await?;
        tx.commit().await?;
        let settled = sorted.applied.len() + sorted.unmatched.len();
        if settled > 0 {
            self.parts.queue.wake();
        }
        Ok(settled)
    }
}

/// Keeps callbacks, all in one transaction; answers which were new.
async fn keep(store: Store, letters: Vec<NewLetter>) -> Result<Vec<bool>, StoreError> {
    let mut tx = store.write().await?;
    let fresh = tx.inbox_insert(&letters).await?;
    tx.commit().await?;
    Ok(fresh)
}

/// Callbacks of one batch, sorted by what is to be done with them.
#[derive(Debug, Default)]
struct Sorted {
    lessons: Vec<Lesson>,
    /// Messages of which something was said that is not believed unasked.
    hinted: Vec<Uuid>,
    applied: Vec<InboxId>,
    /// Never to be applied: unreadable, or about an attempt that did not turn up in time.
    unmatched: Vec<InboxId>,
    /// About an attempt that is not known yet.
    waiting: Vec<InboxId>,
}

impl Inbox {
    /// Only what is proven is learnt; what an unsigned callback says is a reason to ask at once, and no more.
    async fn sort(&self, tx: &mut Tx, letters: Vec<Letter>, now: Timestamp) -> Result<Sorted, StoreError> {
        let read: Vec<(Letter, Option<DeliveryEvent>)> = letters
            .into_iter()
            .map(|letter| {
                let event = serde_json::from_str(&letter.body).ok();
                (letter, event)
            })
            .collect();
        let attempts = Attempts::read(tx, &read).await?;
        let mut sorted = Sorted::default();
        for (letter, event) in read {
            let late = now.since(letter.received_ms) > WAIT_FOR_ATTEMPT;
            let home = event.as_ref().and_then(|event| attempts.of(&letter.provider, event));
            match (event, home) {
                (Some(_), Some((_, message))) if !self.is_believed(&letter.provider) => {
                    sorted.hinted.push(message.0);
                    sorted.applied.push(letter.id);
                }
                (Some(event), Some((attempt, _))) => {
                    let told = Told::by_provider(EventSource::Webhook, &letter.provider);
                    let told = Told { occurred: event.occurred_ms, billed: event.billed, ..told };
                    sorted.lessons.push(Lesson { attempt, news: News::Fact(event.fact, event.reference), told });
                    sorted.applied.push(letter.id);
                }
                (Some(_), None) if !late => sorted.waiting.push(letter.id),
                _ => sorted.unmatched.push(letter.id),
            }
        }
        Ok(sorted)
    }

    /// Whether callbacks of the account prove where they come from, or nobody could be asked.
    fn is_believed(&self, provider: &str) -> bool {
        self.parts.accounts.get(provider).is_some_and(|account| {
            let can = account.capabilities();
            can.webhook.is_proof() || !can.status
        })
    }
}

/// The attempts that a batch of callbacks may speak of.
struct Attempts {
    homes: HashMap<AttemptId, (String, MessageId)>,
    by_reference: HashMap<(String, String), AttemptId>,
}

impl Attempts {
    async fn read(tx: &mut Tx, read: &[(Letter, Option<DeliveryEvent>)]) -> Result<Self, StoreError> {
        let events = || read.iter().filter_map(|(letter, event)| Some((letter, event.as_ref()?)));
        let mut references: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (letter, event) in events() {
            if let Some(reference) = &event.reference {
                references.entry(&letter.provider).or_default().push(&reference.0);
            }
        }
        let mut by_reference = HashMap::new();
        for (provider, references) in references {
            for (reference, id) in tx.references_claimed(provider, &references).await? {
                by_reference.insert((provider.to_owned(), reference), id);
            }
        }
        let named = events().filter_map(|(_, event)| event.attempt);
        let ids: Vec<AttemptId> = named.chain(by_reference.values().copied()).collect();
        let homes = tx.attempt_homes(&ids).await?;
        let homes = homes.into_iter().map(|(id, provider, message)| (id, (provider, message))).collect();
        Ok(Self { homes, by_reference })
    }

    /// The attempt an event speaks of and its message: by our reference if it is echoed, else by the provider's. An
    /// attempt of another account is never touched, whatever the callback says.
    fn of(&self, provider: &str, event: &DeliveryEvent) -> Option<(AttemptId, MessageId)> {
        let home = |id: AttemptId| self.homes.get(&id).map(|(owner, message)| (id, owner, *message));
        if let Some((id, owner, message)) = event.attempt.and_then(home) {
            return (owner == provider).then_some((id, message));
        }
        let reference = event.reference.as_ref()?;
        let (id, _, message) = home(*self.by_reference.get(&(provider.to_owned(), reference.0.clone()))?)?;
        Some((id, message))
    }
}
