//! Dispatch: from the queue to the provider. Each message walks a list of named steps:
//!
//! claim, load, turn, render, gate (policy, permits, open attempt; COMMIT), submit, record (COMMIT): see [`walk`]
//!
//! Rendering comes before the gate, so that nothing slow comes between the recorded attempt and the call: the window
//! in which a crash causes doubt is the call itself. Gates and records of many messages share their transactions.

mod choice;
mod domain_turns;
mod gate;
mod gate_facts;
mod letters;
mod office;
mod openings;
mod record;
mod render;
mod resolve;
mod slots;
mod turn;
mod waiting;
pub mod walk;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::accounts::Accounts;
use crate::domain::id::{MessageId, ReferrerId};
use crate::domain::message::Message;
use crate::domain::opt_out::OptOutLinks;
use crate::domain::provider_state::ProviderState;
use crate::domain::referrer::Referrer;
use crate::domain::{Clock, Timestamp};
use crate::policy::hours::Hours;
use crate::queue::{Lanes, Lease, Queue};
use crate::render::Renderer;
use crate::settle::{Rules, SUBMIT};
use crate::store::engine::batch::Batcher;
use crate::store::{Store, StoreError, in_time};
use openings::{NodeRoom, Openings};
use slots::{Cores, Slot, Slots};
use walk::{Stage, Walk};

/// Most entries claimed at once.
const CLAIM_MAX: usize = crate::store::engine::rows::ROWS_MAX;
/// How long signals and free slots accumulate before a claim.
const GATHER: Duration = Duration::from_millis(10);

/// Settings of this node's dispatcher.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Concurrent hand-overs.
    pub slots: usize,
    /// How often an idle queue is checked.
    pub poll: Duration,
    /// Whether only permission counts as a basis for faxed advertisements.
    pub permission_only: bool,
    /// When recipients may be written to.
    pub hours: Arc<Hours>,
}

/// Everything a dispatcher works with.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// This node's end of the queue.
    pub queue: Arc<Queue>,
    /// The letters.
    pub renderer: Arc<Renderer>,
    /// The provider accounts.
    pub accounts: Arc<Accounts>,
    /// The rules for a message's status.
    pub rules: Arc<Rules>,
    /// Opt-out links.
    pub opt_out: OptOutLinks,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Settings.
    pub settings: Settings,
}

/// This node's dispatcher.
#[derive(Debug)]
pub struct Dispatcher {
    parts: Parts,
    gate: gate::Gate,
    recorder: record::Recorder,
    later: Batcher<(i64, i64, Timestamp), ()>,
    waiting: Batcher<waiting::Wait, ()>,
    cores: Cores,
    bases: render::Bases,
    openings: Openings,
    /// How long until the next look is worthwhile, in milliseconds; longer than any where only the queue knows.
    next_look_ms: AtomicU64,
}

/// A claimed entry with its message.
#[derive(Debug)]
struct Job {
    claimed: Lease,
    message: Message,
    referrer: Referrer,
    has_open_attempt: bool,
    /// The accounts as they were when it was claimed; the gate checks again.
    states: Arc<[ProviderState]>,
}

impl Dispatcher {
    /// A dispatcher; its gate and recorder start immediately.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let store = parts.store.clone();
        Arc::new(Self {
            gate: gate::Gate::start(parts.clone()),
            recorder: record::Recorder::start(&parts),
            later: Batcher::start(move |entries| put_off_all(store.clone(), entries)),
            waiting: waiting::start(&parts),
            cores: Cores::of_this_machine(),
            bases: render::Bases::default(),
            openings: Openings::default(),
            next_look_ms: AtomicU64::new(u64::MAX),
            parts,
        })
    }

    /// Works until shut down, then lets running calls finish: a call that has started is never canceled.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let slots = Slots::new(self.parts.settings.slots);
        let running = TaskTracker::new();
        let keeper = tokio::spawn(keep_leases(self.parts.clone()));
        letters::let_go(&self.parts).await;
        while !stop.is_cancelled() {
            let found = self.clone().set_out(&slots, &running, &stop).await;
            tokio::select! {
                () = self.rest(&slots, found) => {}
                () = stop.cancelled() => {}
            }
        }
        running.close();
        running.wait().await;
        keeper.abort();
    }

    /// Claims what there is room for and starts it; returns how many.
    async fn set_out(self: Arc<Self>, slots: &Slots, running: &TaskTracker, stop: &CancellationToken) -> usize {
        let (lanes, free) = slots.room();
        let room = NodeRoom { lanes, free: free.min(CLAIM_MAX), slots: Some(slots) };
        let walks = in_time(self.claim_into(room)).await.unwrap_or_else(|error| {
            self.parts.store.note(&error);
            tracing::warn!(%error, "the queue could not be read; trying again");
            Vec::new()
        });
        let found = walks.len();
        for walk in walks {
            let group = openings::group_of(&self.parts.accounts, walk.pool());
            let Some(slot) = slots.take(walk.lane(), group) else { break };
            running.spawn(self.clone().go(walk, slot, stop.clone()));
        }
        found
    }

    /// Between two claims: immediately if the last one found something and there is much room again; otherwise after
    /// the next signal, and after a moment in which signals and free slots accumulate.
    async fn rest(&self, slots: &Slots, found: usize) {
        if found > 0 && slots.mostly_free() {
            return;
        }
        if found == 0 {
            let next_look = Duration::from_millis(self.next_look_ms.load(Ordering::Relaxed));
            self.parts.queue.wait(self.parts.settings.poll.min(next_look)).await;
        }
        tokio::time::sleep(GATHER).await;
    }

    /// Claims up to `free` messages of these lanes that are due, as many as their accounts have room for, and loads what
    /// they are about: the beginnings of their walks.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn claim(self: &Arc<Self>, lanes: Lanes, free: usize) -> Result<Vec<Walk>, StoreError> {
        self.claim_into(NodeRoom { lanes, free, slots: None }).await
    }

    async fn claim_into(self: &Arc<Self>, room: NodeRoom<'_>) -> Result<Vec<Walk>, StoreError> {
        let now = self.parts.clock.now();
        let mut tx = self.parts.store.read().await?;
        if room.free == 0 || !tx.queue_has_work(SUBMIT, now).await? {
            self.next_look_ms.store(u64::MAX, Ordering::Relaxed);
            return Ok(Vec::new());
        }
        let states: Arc<[ProviderState]> = tx.provider_states(false).await?.into();
        drop(tx);
        let mut soonest = None;
        let open = |pools| {
            let found = self.openings.of(&self.parts.accounts, &states, pools, room, now);
            soonest = found.soonest;
            found.openings
        };
        let claimed = self.parts.queue.claim_openings(SUBMIT, room.free, open, now).await?;
        let next_look_ms = soonest.map_or(u64::MAX, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1));
        self.next_look_ms.store(next_look_ms, Ordering::Relaxed);
        if claimed.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.parts.store.read().await?;
        let ids: Vec<MessageId> = claimed.iter().map(|entry| MessageId(entry.subject)).collect();
        let messages = tx.messages(&ids, false).await?;
        let referrers = tx.referrers(&messages.iter().map(|message| message.referrer_id).collect::<Vec<_>>()).await?;
        let open = tx.attempts_open(&ids).await?;
        drop(tx);
        let mut messages: HashMap<Uuid, Message> = messages.into_iter().map(|one| (one.id.0, one)).collect();
        let referrers: HashMap<ReferrerId, Referrer> = referrers.into_iter().map(|one| (one.id, one)).collect();
        let open: HashSet<MessageId> = open.into_iter().map(|attempt| attempt.message_id).collect();
        let walks = claimed.into_iter().filter_map(|claimed| {
            let message = messages.remove(&claimed.subject)?;
            let referrer = referrers.get(&message.referrer_id)?.clone();
            let has_open_attempt = open.contains(&message.id);
            Some(Walk::new(self.clone(), Job { claimed, message, referrer, has_open_attempt, states: states.clone() }))
        });
        Ok(walks.collect())
    }

    /// Takes one message to its end.
    #[tracing::instrument(skip_all, fields(message = %walk.message(), channel = %walk.channel()))]
    async fn go(self: Arc<Self>, walk: Walk, slot: Slot, stop: CancellationToken) {
        if let Err(error) = to_its_end(walk, &stop).await {
            self.parts.store.note(&error);
            tracing::warn!(%error, "a step could not be completed; the message is found again when its lease ends");
        }
        drop(slot);
        self.parts.queue.wake();
    }

    async fn put_off(&self, claimed: &Lease, wait: Duration) -> Result<(), StoreError> {
        let due = self.parts.clock.now().after(wait);
        self.later.ask((claimed.id, claimed.fence, due)).await
    }

    async fn release(&self, claimed: &Lease) -> Result<(), StoreError> {
        let mut tx = self.parts.store.write().await?;
        tx.queue_release(claimed.id, claimed.fence).await?;
        tx.commit().await
    }
}

async fn put_off_all(store: Store, entries: Vec<(i64, i64, Timestamp)>) -> Result<Vec<()>, StoreError> {
    let mut tx = store.write().await?;
    tx.queue_snooze_all(SUBMIT, &entries).await?;
    tx.commit().await?;
    Ok(vec![(); entries.len()])
}

/// Step by step. On shutdown, what has no attempt on record is given back; a call on record is made and recorded.
async fn to_its_end(mut walk: Walk, stop: &CancellationToken) -> Result<(), StoreError> {
    while walk.step().await? != Stage::Done {
        if walk.stage() == Stage::Prepared && stop.is_cancelled() {
            return walk.release().await;
        }
    }
    Ok(())
}

/// How long after its record a call may begin. The confirmation of the record may be late (a network that was cut, a
/// machine that slept), and by then another node may have taken the work over: such a call is not made.
fn start_max(parts: &Parts) -> Duration {
    parts.queue.lease() / 2
}

/// Extends this node's leases three times per lease, so that a slow call is not taken for a dead worker.
async fn keep_leases(parts: Parts) {
    let mut ticks = tokio::time::interval(parts.queue.lease() / 3);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if let Err(error) = parts.queue.extend(parts.clock.now()).await {
            tracing::warn!(%error, "leases could not be extended");
        }
    }
}
