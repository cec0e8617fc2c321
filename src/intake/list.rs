//! A list: every letter is checked, the list is recorded whole, and then unfolded into messages ([`super::unfold`]).

use std::collections::HashSet;
use std::time::Duration;

use super::answer::Accepted;
use super::plan::{self, Draft, Frame};
use super::repeat::{History, Wanted};
use super::request::{self, Request};
use super::{Begun, IntakeError, Parts, bulk, unfold, variables};
use crate::consent::facts::AddressFacts;
use crate::domain::id::{BroadcastId, ReferrerId};
use crate::domain::referrer::Referrer;
use crate::referrers::audience;
use crate::store::{StoreError, Tx};

/// Recipients of one submission.
const RECIPIENTS_MAX: usize = 200_000;
/// How often and how soon to check for the answer of another caller with the same key while its list is unfolded.
const LOOKS_AT_ANOTHER_MAX: u32 = 300;
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Accepts a list: once it is recorded it is durable and will be carried out.
pub(super) async fn begin(parts: &Parts, request: &Request) -> Result<Begun, IntakeError> {
    let mut was_beaten = false;
    for _ in 0..LOOKS_AT_ANOTHER_MAX {
        match begin_once(parts, request).await {
            Err(IntakeError::Unfolding) => tokio::time::sleep(LOOK_AGAIN).await,
            // Another caller with the same key was faster: its answer is ours, and is found the next time around.
            Err(IntakeError::Store(StoreError::Conflict(_))) if request.idempotency_key.is_some() => {
                if std::mem::replace(&mut was_beaten, true) {
                    return Err(IntakeError::KeyReused);
                }
            }
            other => return other,
        }
    }
    Err(IntakeError::Unfolding)
}

/// [`IntakeError::Unfolding`] if another caller with the same key was faster and is not ready yet,
/// [`StoreError::Conflict`] if it was faster at this very moment.
async fn begin_once(parts: &Parts, request: &Request) -> Result<Begun, IntakeError> {
    let ready = match prepare(parts, request).await? {
        Prepared::Answered(answer) => return Ok(Begun::Done(answer)),
        Prepared::New(ready) => ready,
    };
    let mut tx = parts.store.write().await?;
    record(&mut tx, parts, request, &ready).await?;
    tx.commit().await?;
    Ok(Begun::List(ready))
}

/// A list that was checked and found valid.
#[derive(Debug)]
pub struct Ready {
    frame: Frame,
    recipients: Vec<ReferrerId>,
}

impl Ready {
    /// The answer before anything is unfolded: its ids, and no message yet.
    #[must_use]
    pub fn so_far(&self) -> Accepted {
        Accepted::begin(self.frame.submission, self.frame.broadcast, self.frame.undo_until)
    }

    /// Unfolds the recorded list into messages, and returns when all of it is on the queue, whichever node put it there.
    ///
    /// # Errors
    /// The store's; then it continues by itself. [`IntakeError::Unfolding`] if another node is still unfolding after
    /// half a minute.
    pub async fn finish(&self, parts: &Parts) -> Result<Accepted, IntakeError> {
        match self.unfold(parts).await {
            Err(IntakeError::Unfolding) => self.wait(parts).await,
            other => other,
        }
    }

    /// Unfolds the recorded list into messages.
    ///
    /// # Errors
    /// The store's; then it continues by itself. [`IntakeError::Unfolding`] if another node does it, or has done it.
    pub async fn unfold(&self, parts: &Parts) -> Result<Accepted, IntakeError> {
        unfold::unfold(parts, self.broadcast()?).await?.ok_or(IntakeError::Unfolding)
    }

    /// Waits for the node that unfolds the list, and returns the result.
    async fn wait(&self, parts: &Parts) -> Result<Accepted, IntakeError> {
        let broadcast = self.broadcast()?;
        for _ in 0..LOOKS_AT_ANOTHER_MAX {
            let mut tx = parts.store.read().await?;
            if !tx.broadcast_is_unfolding(broadcast).await? {
                let row = tx.submission(self.frame.submission).await?;
                let row = row.ok_or_else(|| StoreError::Corrupt("a recorded submission is gone".to_owned()))?;
                return Ok(Accepted::read(&row.answer)?);
            }
            drop(tx);
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Err(IntakeError::Unfolding)
    }

    fn broadcast(&self) -> Result<BroadcastId, StoreError> {
        self.frame.broadcast.ok_or_else(|| StoreError::Corrupt("a list".to_owned()))
    }
}

/// The result of checking a request.
#[derive(Debug)]
pub enum Prepared {
    /// The same was accepted before, and this is the answer.
    Answered(Accepted),
    /// It is new, and nothing is wrong with it.
    New(Ready),
}

/// Checks everything that can be wrong with a request to a list, for the whole list. Stores nothing, and holds no lock
/// while it checks.
///
/// # Errors
/// See [`IntakeError`].
pub async fn prepare(parts: &Parts, request: &Request) -> Result<Prepared, IntakeError> {
    let mut tx = parts.store.read().await?;
    if let Some(answer) = answered_before(&mut tx, request).await? {
        return Ok(Prepared::Answered(answer));
    }
    request::check(parts, request)?;
    request::check_depth(&mut tx, parts).await?;
    let recipients = recipients(&mut tx, request).await?;
    drop(tx);
    bulk::check(parts, request, &recipients).await?;
    variables::check_all(parts, request, &recipients).await?;
    Ok(Prepared::New(Ready { frame: Frame::of(parts, request)?, recipients }))
}

/// Records a valid list within the caller's transaction: once that is committed, the list is accepted, and
/// [`Ready::unfold`] creates its messages. Its last portion puts it into the audit log, with its numbers.
///
/// # Errors
/// [`StoreError::Conflict`] if another caller was faster: the same key, or the same run of a campaign.
pub async fn record(tx: &mut Tx, parts: &Parts, request: &Request, ready: &Ready) -> Result<(), IntakeError> {
    let now = parts.clock.now();
    let answer = ready.so_far();
    tx.submissions_insert(&[request::row(request, ready.frame.submission, &answer, now)?]).await?;
    unfold::record(tx, request, &ready.frame, &ready.recipients, now).await
}

/// Who would get it, who would not and why; nothing is stored.
///
/// # Errors
/// See [`IntakeError`].
pub async fn dry_run(parts: &Parts, request: &Request) -> Result<Accepted, IntakeError> {
    dry_run_watched(parts, request, |_, _| {}).await
}

/// The same, with the recipients and the draft of each portion shown to `watch`.
pub(super) async fn dry_run_watched(
    parts: &Parts,
    request: &Request,
    mut watch: impl FnMut(&[Referrer], &Draft),
) -> Result<Accepted, IntakeError> {
    let mut tx = parts.store.read().await?;
    request::check(parts, request)?;
    let recipients = recipients(&mut tx, request).await?;
    bulk::check(parts, request, &recipients).await?;
    variables::check_all(parts, request, &recipients).await?;
    let frame = Frame::of(parts, request)?;
    let (mut accepted, mut taken) = (Accepted::begin(frame.submission, frame.broadcast, None), HashSet::new());
    for portion in recipients.chunks(unfold::PORTION) {
        let referrers = tx.referrers_in_order(portion).await?;
        let facts = AddressFacts::look(&mut tx, &plan::keys(&referrers)).await?;
        let history = History::look(&mut tx, &Wanted::of(parts, &frame, portion)?).await?;
        let draft = plan::plan(parts, &frame, &facts, &history, &mut taken, &referrers)?;
        watch(&referrers, &draft);
        accepted.add(draft.said, draft.skipped);
    }
    Ok(accepted)
}

/// The earlier answer under the same idempotency key.
async fn answered_before(tx: &mut Tx, request: &Request) -> Result<Option<Accepted>, IntakeError> {
    let Some(key) = &request.idempotency_key else { return Ok(None) };
    request::check_key(key)?;
    let Some(earlier) = tx.submissions_by_keys(&[(&request.who, key)]).await?.pop() else { return Ok(None) };
    let answer = request::answer_of(&earlier, request)?;
    match answer.broadcast {
        Some(broadcast) if tx.broadcast_is_unfolding(broadcast).await? => Err(IntakeError::Unfolding),
        _ => Ok(Some(answer)),
    }
}

async fn recipients(tx: &mut Tx, request: &Request) -> Result<Vec<ReferrerId>, IntakeError> {
    let members = audience::members(tx, &request.to).await?;
    if members.is_empty() {
        return Err(IntakeError::NotFound(format!("no one is in `{}`", request.to)));
    }
    if members.len() > RECIPIENTS_MAX {
        return Err(IntakeError::Invalid(format!("{} recipients are more than {RECIPIENTS_MAX}", members.len())));
    }
    Ok(members)
}
