//! The inbox: a callback is verified over its raw bytes, stored as received, and answered; what it says is applied
//! afterwards, so that a slow database never looks like an outage to the provider, and parsed again should it have been
//! misread.

use std::sync::Arc;

use super::apply::{self, Reread};
use super::hints::Repeated;
use super::rejections::Rejections;
use super::{Parts, callback, reading};
use crate::domain::Timestamp;
use crate::domain::callback::CallbackState;
use crate::domain::event::DeliveryEvent;
use crate::domain::id::InboxId;
use crate::provider::{Provider, Rejection, WebhookAuthenticity, WebhookParts};
use crate::store::engine::batch::Batcher;
use crate::store::records::inbox::{Callback, NewCallback};
use crate::store::records::inbox_facts::NewFact;
use crate::store::{Store, StoreError, Tx, in_time};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Largest body of a callback, in bytes: some providers include the document, in base64.
pub const BODY_OCTETS_MAX: usize = 4 * 1024 * 1024;
/// Callbacks applied in one transaction at most.
const BATCH_MAX: i64 = 100;

/// The result for a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// Stored; this many facts were new.
    Kept(usize),
    /// Stored, because it is authentic, although this version cannot read it.
    Unreadable,
    /// Rejected, or not to be stored in any database; nothing is stored.
    Rejected(Rejection),
    /// There is no such account.
    NoSuchProvider,
}

/// What became of a callback that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// It is stored, or was before; this many of its facts are new.
    Stored(usize),
    /// What its sender uses once came before with other content: it is not stored.
    Replayed,
    /// The database does not take it.
    NotTaken,
}

/// This node's inbox.
#[derive(Debug)]
pub struct Inbox {
    parts: Parts,
    keeper: Batcher<NewCallback, Kept>,
    rejections: Rejections,
    signal: Notify,
    repeated: Repeated,
}

impl Inbox {
    /// An inbox over the database.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let store = parts.store.clone();
        let keeper = Batcher::start(move |callbacks| keep(store.clone(), callbacks));
        let (rejections, repeated) = (Rejections::default(), Repeated::default());
        Arc::new(Self { parts, keeper, rejections, signal: Notify::new(), repeated })
    }

    /// Whether there is an account of that name whose provider calls back. Costs nothing, so that a stranger's body is not
    /// even read.
    #[must_use]
    pub fn expects(&self, provider: &str) -> bool {
        let account = self.parts.accounts.get(provider);
        account.is_some_and(|account| account.capabilities().webhook != WebhookAuthenticity::NoWebhook)
    }

    /// Verifies and stores a callback. Once this has answered `Kept` or `Unreadable`, the callback is durable.
    ///
    /// # Errors
    /// The database cannot be used; the provider should be asked to retry.
    pub async fn receive(&self, provider: &str, parts: &WebhookParts) -> Result<Received, StoreError> {
        let Some(account) = self.parts.accounts.get(provider) else { return Ok(Received::NoSuchProvider) };
        let now = self.parts.clock.now();
        account.layered.provider().prepare(parts, now).await;
        if let Err(rejection) = account.layered.provider().verify(parts, now) {
            self.rejections.count(provider, rejection, now);
            return Ok(Received::Rejected(rejection));
        }
        let (callback, events) = to_keep(provider, account.layered.provider(), parts, now);
        let (id, state) = (callback.id, callback.state);
        let fresh = match self.keeper.ask(callback).await? {
            Kept::Stored(fresh) => fresh,
            Kept::Replayed => {
                self.rejections.count(provider, Rejection::Replayed, now);
                return Ok(Received::Rejected(Rejection::Replayed));
            }
            Kept::NotTaken => return Ok(Received::Rejected(Rejection::Unreadable)),
        };
        if state == CallbackState::Unreadable {
            raise_unreadable(id, provider);
            return Ok(Received::Unreadable);
        }
        if fresh == 0 && !events.is_empty() && !apply::is_believed(&self.parts, provider) {
            self.repeated.follow(&self.parts, provider, &events, now).await?;
        }
        self.signal.notify_one();
        Ok(Received::Kept(fresh))
    }

    /// Applies waiting callbacks until shut down.
    pub(super) async fn run(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match in_time(self.apply_some()).await {
                Ok(applied) if applied > 0 => continue,
                Ok(_) => {}
                Err(error) => {
                    self.parts.store.note(&error);
                    tracing::warn!(%error, "the inbox could not be read; trying again");
                }
            }
            self.rejections.tell_due(self.parts.clock.now());
            tokio::select! {
                () = self.signal.notified() => {}
                () = tokio::time::sleep(self.parts.poll) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Applies up to a batch of waiting callbacks; returns how many were settled.
    ///
    /// # Errors
    /// The database cannot be used; then none of them is settled.
    pub async fn apply_some(&self) -> Result<usize, StoreError> {
        let now = self.parts.clock.now();
        if !self.parts.store.read().await?.inbox_has_waiting().await? {
            return Ok(0);
        }
        match self.apply_up_to(BATCH_MAX, now).await {
            Err(error) if !error.is_passing() => {
                // One that cannot be applied must not block all others: apply them one by one, and set that one
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
        let Some(callback) = tx.inbox_waiting(1).await?.pop() else { return Ok(0) };
        let (id, provider) = (callback.id, callback.provider.clone());
        match self.apply_all(tx, vec![callback], now).await {
            Err(error) if !error.is_passing() => {
                tracing::error!(%error, provider, callback = %id, "a callback was set aside");
                // By its name: what is first now may be another one.
                let mut tx = self.parts.store.write().await?;
                tx.inbox_settle(&[id], CallbackState::Unmatched, now).await?;
                tx.commit().await?;
                Ok(1)
            }
            other => other,
        }
    }

    async fn apply_up_to(&self, limit: i64, now: Timestamp) -> Result<usize, StoreError> {
        let mut tx = self.parts.store.write().await?;
        let callbacks = tx.inbox_waiting(limit).await?;
        self.apply_all(tx, callbacks, now).await
    }

    async fn apply_all(&self, mut tx: Tx, callbacks: Vec<Callback>, now: Timestamp) -> Result<usize, StoreError> {
        let outcome = apply::apply(&mut tx, &self.parts, callbacks, now).await?;
        tx.commit().await?;
        for Reread { id, provider, .. } in outcome.callbacks.iter().filter(|callback| !callback.is_readable) {
            raise_unreadable(*id, provider);
        }
        if outcome.settled > 0 {
            self.parts.queue.wake();
        }
        Ok(outcome.settled)
    }
}

/// A verified callback as it is kept. It is read here to know whether it can be, and which of its facts are new; what it
/// says is read from what was kept, when it is applied; beside it, what it says now.
fn to_keep(
    provider: &str,
    reader: &dyn Provider,
    parts: &WebhookParts,
    now: Timestamp,
) -> (NewCallback, Vec<DeliveryEvent>) {
    let content = callback::encode(parts, reader.secret_header());
    let mut new = NewCallback::new(provider, callback::fingerprint(parts), content, parts.body.len(), now);
    new.used_once = reader.used_once(parts);
    let mut events = Vec::new();
    match reading::translate(reader, parts) {
        None => new.state = CallbackState::Unreadable,
        Some(facts) if facts.is_empty() => new.state = CallbackState::Ignored,
        Some(facts) => {
            let claim = |fact: &reading::Fact| NewFact {
                provider: provider.to_owned(),
                dedupe: fact.event.dedupe.clone(),
                callback: new.id,
                said: fact.said.clone(),
            };
            new.facts = facts.iter().map(claim).collect();
            events.extend(facts.into_iter().map(|fact| fact.event));
        }
    }
    (new, events)
}

/// Stores callbacks; returns what became of each. They share a transaction, unless one of them is not taken: then each gets
/// its own, so that it fails for no other.
async fn keep(store: Store, callbacks: Vec<NewCallback>) -> Result<Vec<Kept>, StoreError> {
    match keep_together(&store, &callbacks).await {
        Err(StoreError::Refused(_)) => {}
        kept => return kept,
    }
    let mut all = Vec::with_capacity(callbacks.len());
    for callback in &callbacks {
        all.push(match keep_together(&store, std::slice::from_ref(callback)).await {
            Err(error @ StoreError::Refused(_)) => {
                tracing::error!(%error, provider = callback.provider, "an authentic callback cannot be stored");
                Kept::NotTaken
            }
            kept => kept?.pop().unwrap_or(Kept::NotTaken),
        });
    }
    Ok(all)
}

async fn keep_together(store: &Store, callbacks: &[NewCallback]) -> Result<Vec<Kept>, StoreError> {
    let mut tx = store.write().await?;
    let replayed = tx.inbox_replayed(callbacks).await?;
    let fresh = if replayed.is_empty() {
        tx.inbox_insert(callbacks).await?
    } else {
        let sound = callbacks.iter().filter(|new| !replayed.contains(&new.id));
        tx.inbox_insert(&sound.cloned().collect::<Vec<_>>()).await?
    };
    tx.commit().await?;
    let mut fresh = fresh.into_iter();
    let kept = |new: &NewCallback| {
        if replayed.contains(&new.id) { Kept::Replayed } else { Kept::Stored(fresh.next().unwrap_or(0)) }
    };
    Ok(callbacks.iter().map(kept).collect())
}

/// The operator should know: an account's callbacks are not in the form this version expects.
fn raise_unreadable(id: InboxId, provider: &str) {
    tracing::error!(provider, callback = %id, "an authentic callback cannot be read; it is kept");
    metrics::counter!("touchline_callbacks_unreadable_total", "provider" => provider.to_owned()).increment(1);
}
