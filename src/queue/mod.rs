//! A leased work queue with fair turns. It knows nothing about messages, providers or channels: kinds are opaque words,
//! subjects are opaque ids. A claim is a lease with a fence that only grows; a worker that comes back after its lease
//! was taken over changes nothing here.

mod lease;
mod opening;
mod rank;
pub mod retry;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use uuid::Uuid;

use crate::domain::{Lane, Timestamp};
pub use crate::store::records::queue_entries::Lanes;
use crate::store::records::queue_entries::NewEntry;
use crate::store::{Store, StoreError, Tx, in_time};
pub use lease::Lease;
use lease::Working;
pub use opening::Opening;

/// Work to be queued.
#[derive(Debug, Clone)]
pub struct Work {
    /// What is to be done.
    pub kind: &'static str,
    /// To what; one entry for each subject.
    pub subject: Uuid,
    /// Class of work.
    pub lane: Lane,
    /// With what it competes: entries of one pool are claimed together. An opaque word; pools whose words are the same up
    /// to the first slash share their virtual time.
    pub pool: String,
    /// Whose turn it uses up.
    pub flow: Uuid,
    /// How much of it: pages for a fax, 1 for a mail.
    pub cost: i64,
    /// Not before.
    pub due: Timestamp,
}

/// This node's end of the queue.
#[derive(Debug)]
pub struct Queue {
    store: Store,
    owner: String,
    lease: Duration,
    working: Arc<Working>,
    signal: Notify,
}

impl Queue {
    /// An end of the queue for a node of that name; names of live nodes differ.
    #[must_use]
    pub fn new(store: Store, owner: String, lease: Duration) -> Self {
        Self { store, owner, lease, working: Arc::default(), signal: Notify::new() }
    }

    /// Leases up to `limit` entries of one kind and these lanes that are due, of all pools, in fair order. Reads before it
    /// writes: an idle queue costs no write.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn claim(
        &self,
        kind: &'static str,
        lanes: Lanes,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Lease>, StoreError> {
        if limit == 0 || !in_time(async { self.store.read().await?.queue_has_work(kind, now).await }).await? {
            return Ok(Vec::new());
        }
        self.claim_openings(kind, limit, |pools| vec![Opening { pools, lanes, limit }], now).await
    }

    /// Leases up to `limit` entries of one kind that are due, as many as there is room for. `open` is told the pools that
    /// have some, and says what room there is. First reclaims what other nodes lost and makes ready what has become due. It
    /// writes, so the caller has seen that there is work.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn claim_openings(
        &self,
        kind: &'static str,
        limit: usize,
        open: impl FnOnce(Vec<String>) -> Vec<Opening>,
        now: Timestamp,
    ) -> Result<Vec<Lease>, StoreError> {
        in_time(self.claim_some(kind, limit, open, now)).await
    }

    async fn claim_some(
        &self,
        kind: &'static str,
        limit: usize,
        open: impl FnOnce(Vec<String>) -> Vec<Opening>,
        now: Timestamp,
    ) -> Result<Vec<Lease>, StoreError> {
        let mut tx = self.store.write().await?;
        tx.queue_reap(now).await?;
        tx.queue_promote(now).await?;
        let mut claimed = Vec::new();
        for mut opening in open(tx.queue_pools(kind).await?) {
            opening.limit = opening.limit.min(limit - claimed.len());
            claimed.extend(opening.claim(&mut tx, kind, &self.owner, now.after(self.lease)).await?);
        }
        let mut highest: BTreeMap<Uuid, i64> = BTreeMap::new();
        for entry in &claimed {
            let rank = highest.entry(opening::time_of(&entry.pool)).or_insert(entry.rank);
            *rank = entry.rank.max(*rank);
        }
        for (time, rank) in highest {
            tx.queue_set_rank(time, rank, now).await?;
        }
        tx.commit().await?;
        Ok(claimed.into_iter().map(|entry| self.working.begin(entry)).collect())
    }

    /// Extends the leases of what this node works on. What it has given up, for whatever reason, is not kept from
    /// other nodes any longer than its lease lasts.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn extend(&self, now: Timestamp) -> Result<(), StoreError> {
        let entries = self.working.entries();
        if entries.is_empty() {
            return Ok(());
        }
        in_time(async {
            let mut tx = self.store.write().await?;
            tx.queue_extend(&self.owner, &entries, now.after(self.lease)).await?;
            tx.commit().await
        })
        .await
    }

    /// This node's name.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.owner
    }

    /// How long a lease lasts.
    #[must_use]
    pub const fn lease(&self) -> Duration {
        self.lease
    }

    /// Tells this node's workers that there is something to do.
    pub fn wake(&self) {
        self.signal.notify_waiters();
        self.signal.notify_one();
    }

    /// Waits for [`Queue::wake`], or the poll interval with up to a quarter of jitter, so that nodes do not fall into
    /// step.
    pub async fn wait(&self, poll: Duration) {
        let poll = poll.mul_f64(1.0 + fastrand::f64() / 4.0);
        let _ = tokio::time::timeout(poll, self.signal.notified()).await;
    }
}

/// Puts work into the queue within the caller's transaction, giving each entry its place by start-time fair queueing.
///
/// # Errors
/// [`StoreError::Conflict`] if a subject is queued already.
pub async fn put(tx: &mut Tx, work: &[Work], now: Timestamp) -> Result<(), StoreError> {
    let mut flows: BTreeMap<(Uuid, Uuid, Lane), Vec<&Work>> = BTreeMap::new();
    for item in work {
        let rows = (opening::flow_in(item.flow, &item.pool), opening::time_of(&item.pool), item.lane);
        flows.entry(rows).or_default().push(item);
    }
    for ((flow, time, _), items) in flows {
        let (last, virtual_now) = tx.queue_ranks(flow, time, now).await?;
        let mut turns = rank::Turns::new(last, virtual_now);
        let entries: Vec<NewEntry> = items
            .into_iter()
            .map(|item| NewEntry {
                kind: item.kind,
                subject: item.subject,
                lane: item.lane,
                pool: item.pool.clone(),
                flow: item.flow,
                rank: turns.next(item.cost, item.lane),
                due_ms: item.due,
            })
            .collect();
        tx.queue_insert(&entries, now).await?;
        tx.queue_set_rank(flow, turns.last(), now).await?;
    }
    Ok(())
}
