//! Unfold: an accepted list becomes touches and messages, a portion in each transaction, so that neither memory nor the
//! database's only writer is held by a long list. The recipients are fixed when the list is recorded; how far it has come
//! is written with each portion, so that it goes on exactly there, on whichever node, after whatever end of the first.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::answer::Accepted;
use super::plan::{self, Frame};
use super::recorded::Submitted;
use super::repeat::{self, Guard, History, Wanted};
use super::request::{Content, Request};
use super::{IntakeError, Parts};
use crate::consent::facts::AddressFacts;
use crate::domain::id::{BroadcastId, ReferrerId};
use crate::domain::{Actor, Address, AddressKey, Channel, Lane, Timestamp};
use crate::store::records::broadcasts::{Broadcast, OwnPause};
use crate::store::records::unfolding::Unfolding;
use crate::store::{StoreError, Tx};

/// Recipients unfolded in one transaction.
pub(super) const PORTION: usize = 512;
/// A list without progress for this long was abandoned by the node that unfolded it.
const LEFT_AFTER: Duration = Duration::from_secs(60);
/// How often to check for abandoned lists.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// What every message of the list shares, as it is kept until the list is unfolded.
#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    letter: String,
    via: Vec<Channel>,
    variables: Map<String, Value>,
    who: String,
    #[serde(default)]
    individually: BTreeMap<ReferrerId, Content>,
    lane: Lane,
    due: Timestamp,
    #[serde(default)]
    undo_until: Option<Timestamp>,
    #[serde(default)]
    guard: Option<Guard>,
    #[serde(default)]
    any_hour: Option<Timestamp>,
    /// Lists that an earlier version recorded have none.
    #[serde(default)]
    submitted: Option<Submitted>,
}

/// Records a list within the transaction that accepts it.
pub(super) async fn record(
    tx: &mut Tx,
    request: &Request,
    frame: &Frame,
    recipients: &[ReferrerId],
    now: Timestamp,
) -> Result<(), IntakeError> {
    let Some(id) = frame.broadcast else { return Ok(()) };
    let plan = Plan {
        letter: frame.letter.to_string(),
        via: frame.via.clone(),
        variables: request.variables.clone(),
        who: frame.who.to_string(),
        individually: frame.individually.clone(),
        lane: frame.lane,
        due: frame.due,
        undo_until: frame.undo_until,
        guard: frame.guard,
        any_hour: frame.any_hour,
        submitted: Some(Submitted::of(request, recipients.first().copied())),
    };
    let plan = serde_json::to_string(&plan).map_err(|_| StoreError::Corrupt("the list's plan".to_owned()))?;
    let run = request.run.as_ref();
    let broadcast = Broadcast {
        id,
        submission_id: frame.submission,
        campaign_id: run.map(|run| run.campaign),
        planned_ms: run.and_then(|run| run.planned),
        name: run.map_or_else(|| format!("{} to {}", request.letter, request.to), |run| run.name.clone()),
        letter: request.letter.clone(),
        total: 0,
        created_ms: now,
        finished_ms: None,
        pause: OwnPause::default(),
    };
    tx.broadcast_insert(&broadcast).await?;
    tx.broadcast_unfold_begin(id, &plan, recipients, now).await?;
    Ok(())
}

/// Unfolds a recorded list to its end and returns the result. `None`: another node does it, or has done it.
///
/// # Errors
/// The store's; what was unfolded is kept, and the rest continues later.
pub(super) async fn unfold(parts: &Parts, broadcast: BroadcastId) -> Result<Option<Accepted>, IntakeError> {
    let Some(mut list) = List::open(parts, broadcast).await? else { return Ok(None) };
    loop {
        let moved = list.next_portion(parts).await?;
        if moved == Moved::Elsewhere {
            return Ok(None);
        }
        parts.queue.wake();
        if moved == Moved::Done {
            return Ok(Some(list.accepted));
        }
    }
}

/// Continues lists that were abandoned by a node that ended, until shut down.
pub async fn run(parts: Parts, stop: CancellationToken) {
    loop {
        if let Err(error) = resume(&parts).await {
            tracing::warn!(%error, "an abandoned list could not be unfolded; trying again");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Unfolds abandoned lists. Returns how many were finished. Reads before it writes. One that cannot be unfolded now, as its
/// letter is out of service, keeps its place and stops no other.
///
/// # Errors
/// The first that occurred, after the other lists were tried.
pub async fn resume(parts: &Parts) -> Result<usize, IntakeError> {
    let before = parts.clock.now().before(LEFT_AFTER);
    let left = parts.store.read().await?.broadcasts_left_unfolding(before).await?;
    let (mut ended, mut failure) = (0, None);
    for broadcast in left {
        tracing::info!(%broadcast, "continuing an abandoned list");
        match unfold(parts, broadcast).await {
            Ok(done) => ended += usize::from(done.is_some()),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(ended), Err)
}

/// A list being unfolded.
struct List {
    broadcast: BroadcastId,
    frame: Frame,
    recipients: Vec<ReferrerId>,
    unfolded: usize,
    /// One copy is sent to each address.
    taken: HashSet<AddressKey>,
    accepted: Accepted,
    submitted: Option<Submitted>,
}

/// The result of one portion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moved {
    On,
    Done,
    /// The list's progress is not where we left it.
    Elsewhere,
}

impl List {
    /// The list in its present state. `None` if it is unfolded.
    async fn open(parts: &Parts, broadcast: BroadcastId) -> Result<Option<Self>, IntakeError> {
        let mut tx = parts.store.read().await?;
        let Some(kept) = tx.broadcast_unfolding(broadcast).await? else { return Ok(None) };
        let Unfolding { submission, created_ms, plan, recipients, unfolded, answer } = kept;
        let corrupt = |what: &str| StoreError::Corrupt(what.to_owned());
        let plan: Plan = serde_json::from_str(&plan).map_err(|_| corrupt("a list's plan"))?;
        let accepted = Accepted::read(&answer)?;
        let unfolded = usize::try_from(unfolded).map_err(|_| corrupt("a list's progress"))?;
        let mut taken = HashSet::new();
        if unfolded > 0 {
            let used = tx.broadcast_addresses(broadcast).await?;
            taken.extend(used.iter().map(Address::key));
        }
        let frame = Frame {
            submission,
            broadcast: Some(broadcast),
            letter: plan.letter.into(),
            via: plan.via,
            variables: Value::Object(plan.variables).to_string(),
            // Lists that an earlier version recorded have a bare name.
            who: plan.who.parse().unwrap_or_else(|_| Actor::operator(&plan.who)),
            individually: plan.individually,
            lane: plan.lane,
            due: plan.due,
            undo_until: plan.undo_until,
            guard: plan.guard,
            any_hour: plan.any_hour,
            from_before_a_restore: parts.rules.restored.is_some_and(|at| created_ms < at),
        };
        let dealt_with = recipients.get(..unfolded).unwrap_or_default();
        taken.extend(repeat::addresses_left_out(&mut tx, parts, &frame, dealt_with).await?);
        Ok(Some(Self { broadcast, frame, recipients, unfolded, taken, accepted, submitted: plan.submitted }))
    }

    /// Unfolds the next portion in one transaction.
    async fn next_portion(&mut self, parts: &Parts) -> Result<Moved, IntakeError> {
        let now = parts.clock.now();
        let until = (self.unfolded + PORTION).min(self.recipients.len());
        let portion = self.recipients.get(self.unfolded..until).unwrap_or_default();
        let mut tx = parts.store.write().await?;
        if !tx.broadcast_unfold_lock(self.broadcast, self.unfolded).await? {
            return Ok(Moved::Elsewhere);
        }
        let referrers = tx.referrers_in_order(portion).await?;
        let history = History::lock(&mut tx, &Wanted::of(parts, &self.frame, portion)?).await?;
        let facts = AddressFacts::look(&mut tx, &plan::keys(&referrers)).await?;
        let draft = plan::plan(parts, &self.frame, &facts, &history, &mut self.taken, &referrers)?;
        plan::keep(&mut tx, &draft, now).await?;
        self.accepted.add(draft.said, draft.skipped);
        let total = self.accepted.counts.messages();
        let done = until == self.recipients.len();
        if done {
            self.accepted.close_idle_window();
        }
        let (answer, undo_until) = (self.accepted.kept()?, self.accepted.undo_until);
        tx.submission_answer(self.frame.submission, &answer, undo_until).await?;
        if done {
            tx.broadcast_unfold_end(self.broadcast, total).await?;
            if let Some(submitted) = &self.submitted {
                tx.audit_insert(&submitted.entries(&self.accepted, &self.frame.who, now)).await?;
            }
        } else {
            tx.broadcast_unfold_on(self.broadcast, until, total, now).await?;
        }
        tx.commit().await?;
        self.unfolded = until;
        Ok(if done { Moved::Done } else { Moved::On })
    }
}
