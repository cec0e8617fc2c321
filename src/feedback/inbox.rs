//! The inbox: a callback is verified over its raw bytes, stored, and answered; it is applied afterwards, so that a slow
//! database never makes a provider think that we are deaf.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Parts;
use crate::domain::Timestamp;
use crate::domain::attempt::Attempt;
use crate::domain::event::{DeliveryEvent, EventSource};
use crate::domain::id::AttemptId;
use crate::provider::{Rejection, WebhookParts};
use crate::settle::{self, News, Told};
use crate::store::inbox::Letter;
use crate::store::{StoreError, Tx};

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
    signal: Notify,
}

impl Inbox {
    /// An inbox over the database.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self { parts, signal: Notify::new() })
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
        let mut tx = self.parts.store.write().await?;
        for event in &events {
            let key: String = event.dedupe.chars().take(DEDUPE_CHARS_MAX).collect();
            let body = serde_json::to_string(event).map_err(|_| StoreError::Corrupt("a delivery event".to_owned()))?;
            fresh += usize::from(tx.inbox_insert(provider, &key, &body, now).await?);
        }
        tx.commit().await?;
        self.signal.notify_one();
        Ok(Received::Kept(fresh))
    }

    /// Applies what waits until told to stop.
    pub(super) async fn run(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.apply_some().await {
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
        let mut tx = self.parts.store.read().await?;
        if tx.inbox_waiting(1).await?.is_empty() {
            return Ok(0);
        }
        drop(tx);
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
        match self.apply_up_to(1, now).await {
            Err(error) if !error.is_passing() => {
                let mut tx = self.parts.store.write().await?;
                for letter in tx.inbox_waiting(1).await? {
                    tracing::error!(%error, provider = letter.provider, "a callback was set aside");
                    tx.inbox_settle(letter.id, false, now).await?;
                }
                tx.commit().await?;
                Ok(1)
            }
            other => other,
        }
    }

    async fn apply_up_to(&self, limit: i64, now: Timestamp) -> Result<usize, StoreError> {
        let mut tx = self.parts.store.write().await?;
        let letters = tx.inbox_waiting(limit).await?;
        let mut read = Vec::with_capacity(letters.len());
        for letter in &letters {
            read.push(read_letter(&mut tx, letter).await?);
        }
        let attempts: Vec<AttemptId> = read.iter().filter_map(Contents::attempt).collect();
        tx.attempts_lock(&attempts).await?;
        let mut settled = 0;
        for (letter, contents) in letters.iter().zip(read) {
            settled += usize::from(self.apply(&mut tx, letter, contents, now).await?);
        }
        tx.commit().await?;
        if settled > 0 {
            self.parts.queue.wake();
        }
        Ok(settled)
    }

    /// Applies one callback. False: its attempt is not known yet, it goes on waiting.
    async fn apply(
        &self,
        tx: &mut Tx,
        letter: &Letter,
        contents: Contents,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let late = now.since(letter.received_ms) > WAIT_FOR_ATTEMPT;
        let (attempt, event) = match contents {
            Contents::News(attempt, event) => (attempt, event),
            Contents::OfNobody if !late => {
                tx.inbox_looked(letter.id).await?;
                return Ok(false);
            }
            Contents::OfNobody | Contents::Unreadable => {
                tx.inbox_settle(letter.id, false, now).await?;
                return Ok(true);
            }
        };
        let told = Told { occurred: event.occurred_ms, ..Told::by_provider(EventSource::Webhook, &letter.provider) };
        let news = News::Fact(event.fact, event.reference);
        settle::learn(tx, &self.parts.rules, attempt, &news, &told, now).await?;
        tx.inbox_settle(letter.id, true, now).await?;
        Ok(true)
    }
}

/// What a callback turns out to hold.
enum Contents {
    /// A fact about an attempt.
    News(AttemptId, Box<DeliveryEvent>),
    /// A fact about an attempt that is not known, or not yet.
    OfNobody,
    /// Nothing that can be read.
    Unreadable,
}

impl Contents {
    const fn attempt(&self) -> Option<AttemptId> {
        match self {
            Self::News(attempt, _) => Some(*attempt),
            Self::OfNobody | Self::Unreadable => None,
        }
    }
}

async fn read_letter(tx: &mut Tx, letter: &Letter) -> Result<Contents, StoreError> {
    let Ok(event) = serde_json::from_str::<DeliveryEvent>(&letter.body) else { return Ok(Contents::Unreadable) };
    let attempt = attempt_of(tx, &letter.provider, &event).await?;
    Ok(attempt.map_or(Contents::OfNobody, |attempt| Contents::News(attempt.id, Box::new(event))))
}

/// The attempt an event speaks of: by our reference if it is echoed, else by the provider's. An attempt of another
/// account is never touched, whatever the callback says.
async fn attempt_of(tx: &mut Tx, provider: &str, event: &DeliveryEvent) -> Result<Option<Attempt>, StoreError> {
    if let Some(id) = event.attempt
        && let Some(attempt) = tx.attempt(id).await?
    {
        return Ok(Some(attempt).filter(|attempt| attempt.provider == provider));
    }
    match &event.reference {
        Some(reference) => tx.attempt_by_reference(provider, reference).await,
        None => Ok(None),
    }
}
