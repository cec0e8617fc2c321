//! Turns due campaigns into broadcasts, each exactly once, however many nodes check and however often they restart.
//!
//! The broadcast and the campaign's next planned moment change in one transaction that holds the campaign's row; a
//! unique index over campaign and planned moment is the second lock. What can go wrong:
//!
//! - **late** by at most [`LATE_MAX`]: the run is made up; of several missed, only the latest. Later: skipped.
//! - **no one in the audience, the letter gone or a variable missing**: nothing is sent; the campaign stays active and tries
//!   again at its next planned moment. Each skipped run is a line of the audit log and a warning in the log.
//! - **the letter is out of service** because of a mistake: the run stays due until the letter is corrected or it is too
//!   late. The log says so once for each run.
//! - **its variables were set for an earlier run** (a date, or what its letter marks as perishable): the run waits until
//!   they are renewed, and is made then, however late, as long as no later run is due. When one is, that one waits instead.
//! - **the queue is full**: the run stays due and is tried again until it is too late.
//! - **a part cannot be read** (changed by hand): the campaign is paused, since its next time cannot be determined.
//!
//! A campaign with no further planned time is done.

use std::collections::HashMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Decisions;
use super::facts;
use super::plan::{Plan, Run};
use crate::domain::Actor;
use crate::domain::AuditAct;
use crate::domain::Timestamp;
use crate::domain::campaign::CampaignState;
use crate::domain::id::CampaignId;
use crate::intake::{IntakeError, Parts};
use crate::store::records::campaigns::CampaignRow;
use crate::store::{StoreError, Tx};

/// A run that could not be made in time, because no node was up or the queue was full, is made up to this much later.
/// After a day the letter's "two weeks" and "this Tuesday" are no longer true.
pub const LATE_MAX: Duration = Duration::from_secs(24 * 3600);
/// The longest pause between two checks; a campaign created on another node is noticed within it.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// The shortest pause.
const PAUSE_MIN: Duration = Duration::from_millis(200);
/// Campaigns handled in one check.
const CAMPAIGNS_PER_LOOK: i64 = 500;
/// Characters of a reason in the audit log.
const REASON_CHARS_MAX: usize = 300;

/// The outcome for a campaign that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// A broadcast was created.
    Fired,
    /// No broadcast; the next planned time is set.
    Skipped,
    /// Another node is handling it, or a person changed it.
    Gone,
    /// The queue is full: it stays due.
    Waits,
    /// A person must renew its variables first: it stays due.
    Stale,
    /// Its letter is out of service: it stays due.
    OutOfService,
}

/// What the clock says about a due campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Due {
    /// The planned time of the run to create now, if one is recent enough.
    run: Option<Timestamp>,
    /// The first planned time that is given up, if any.
    missed: Option<Timestamp>,
    /// The next planned time.
    next: Option<Timestamp>,
}

/// The run of each campaign that waits for its letter and of which the log has spoken. One entry for a campaign.
#[derive(Debug, Default)]
struct Told(HashMap<CampaignId, Timestamp>);

impl Told {
    /// Whether the log has not spoken of that run yet; from now on it has.
    fn is_news(&mut self, campaign: CampaignId, moment: Timestamp) -> bool {
        self.0.insert(campaign, moment) != Some(moment)
    }
}

/// Checks for due campaigns until shut down.
pub async fn run(parts: Parts, stop: CancellationToken) {
    let mut told = Told::default();
    while !stop.is_cancelled() {
        let pause = match fire_all(&parts, &mut told).await {
            Ok(_) => pause(&parts).await.unwrap_or(PAUSE_MAX),
            Err(error) => {
                tracing::warn!(%error, "due campaigns could not be run; trying again");
                PAUSE_MAX
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Creates the broadcasts that are due now. Returns how many; each is kept even if a later one fails. Reads before it
/// writes.
///
/// # Errors
/// The first failure of the store, after the other campaigns were tried; what failed stays due.
pub async fn fire_due(parts: &Parts) -> Result<usize, StoreError> {
    fire_all(parts, &mut Told::default()).await
}

async fn fire_all(parts: &Parts, told: &mut Told) -> Result<usize, StoreError> {
    let due = parts.store.read().await?.campaigns_due(parts.clock.now(), CAMPAIGNS_PER_LOOK).await?;
    let mut fired = 0;
    let mut failure = None;
    for campaign in due {
        match fire(parts, campaign, told).await {
            Ok(Fate::Fired) => fired += 1,
            Ok(Fate::Skipped | Fate::Gone | Fate::Stale | Fate::OutOfService) => {}
            Ok(Fate::Waits) => break,
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(fired), Err)
}

/// The time until the next planned run, within bounds.
async fn pause(parts: &Parts) -> Result<Duration, StoreError> {
    let next = parts.store.read().await?.campaigns_next().await?;
    let now = parts.clock.now();
    // One that is still due waits for the queue or the store, not for the clock.
    let ahead = next.filter(|next| *next > now).map(|next| next.since(now));
    Ok(ahead.map_or(PAUSE_MAX, |ahead| ahead.clamp(PAUSE_MIN, PAUSE_MAX)))
}

/// One campaign. What can be wrong with a run is checked first, for the whole list; then the broadcast is recorded and
/// the campaign advanced in one transaction; then the broadcast is unfolded.
async fn fire(parts: &Parts, seen: CampaignRow, told: &mut Told) -> Result<Fate, StoreError> {
    let now = parts.clock.now();
    let plan = Plan::read(&seen);
    let due = plan.as_ref().ok().map(|plan| look(plan, &seen, now));
    if let (Ok(plan), Some(Due { run: Some(moment), .. })) = (&plan, due) {
        if let Some(mistake) = parts.renderer.mistake(&plan.letter, &plan.via) {
            if told.is_news(seen.id, moment) {
                tracing::warn!(campaign = seen.name, %mistake, "its letter is out of service; the run waits until it is corrected");
            }
            return Ok(Fate::OutOfService);
        }
        let stale = facts::stale(parts, plan, &seen, moment);
        if !stale.is_empty() {
            return wait(parts, plan, &seen, moment, &stale).await;
        }
    }
    let run = match (&plan, due.and_then(|due| due.run)) {
        (Ok(plan), Some(moment)) => {
            Some(plan.run(parts, &seen, Some(moment), &Actor::campaign(&seen.name), Decisions::default()).await)
        }
        _ => None,
    };
    let mut tx = parts.store.write().await?;
    let Some(row) = tx.campaign_due(seen.id, now).await?.filter(|row| *row == seen) else { return Ok(Fate::Gone) };
    let (plan, due) = match (plan, due) {
        (Ok(plan), Some(due)) => (plan, due),
        (Err(problem), _) => return park(tx, &row, &problem, now).await,
        (Ok(_), None) => return Ok(Fate::Gone),
    };
    move_on(&mut tx, parts, &plan, &row, due, now).await?;
    let problem = match run {
        None => {
            tx.commit().await?;
            return Ok(Fate::Skipped);
        }
        Some(Err(problem)) => problem,
        Some(Ok(run)) => match run.record(&mut tx, parts).await {
            Err(problem) => problem,
            Ok(()) => {
                tx.commit().await?;
                return unfold(parts, &row, &run).await;
            }
        },
    };
    tx.rollback().await?;
    match problem {
        IntakeError::QueueFull { .. } => {
            tracing::warn!(campaign = row.name, "the queue is full; the run is tried again");
            Ok(Fate::Waits)
        }
        IntakeError::Store(StoreError::Conflict(_)) => {
            skip(parts, &plan, &row, due, "a broadcast was already created for that time").await
        }
        IntakeError::Store(error) => Err(error),
        problem => skip(parts, &plan, &row, due, &in_short(&problem)).await,
    }
}

/// Lets the run of that moment wait for its variables. What is known already is not written again.
async fn wait(
    parts: &Parts,
    plan: &Plan,
    seen: &CampaignRow,
    moment: Timestamp,
    stale: &[String],
) -> Result<Fate, StoreError> {
    if seen.waiting_ms.is_some() && seen.next_ms == Some(moment) {
        return Ok(Fate::Stale);
    }
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let Some(mut row) = tx.campaign_due(seen.id, now).await?.filter(|row| row == seen) else { return Ok(Fate::Gone) };
    if let Some(missed) = row.next_ms.filter(|missed| *missed != moment) {
        note_skip(&mut tx, &row, &format!("missed since {}: it was not renewed", missed.in_zone(plan.zone)), now)
            .await?;
    }
    (row.next_ms, row.waiting_ms, row.updated_ms) = (Some(moment), Some(now), now);
    tx.campaign_update(&row).await?;
    let why = format!("renew {}", stale.join(", "));
    tracing::warn!(campaign = row.name, why, "a campaign's run waits");
    tx.audit(&Actor::System, AuditAct::HoldCampaignRun, Some(&row.name), Some(&why), now).await?;
    tx.commit().await?;
    Ok(Fate::Stale)
}

/// The run is recorded: whatever happens now, it continues by itself.
async fn unfold(parts: &Parts, row: &CampaignRow, run: &Run) -> Result<Fate, StoreError> {
    if let Err(error) = run.unfold(parts).await {
        tracing::warn!(campaign = row.name, %error, "the run was recorded, and continues when it can");
    }
    Ok(Fate::Fired)
}

/// Which planned time to make up, which to give up, and which comes next.
fn look(plan: &Plan, row: &CampaignRow, now: Timestamp) -> Due {
    let after = |moment| plan.next_after(moment, row.created_ms);
    // A run that waits for a person is not late before the next one is due.
    let waiting = row.waiting_ms.and(row.next_ms);
    let oldest = now.before(LATE_MAX).min(waiting.unwrap_or(now));
    let first = row.next_ms.filter(|planned| *planned >= oldest).or_else(|| after(Timestamp(oldest.0 - 1)));
    let mut run = first.filter(|moment| *moment <= now);
    while let Some(later) = run.and_then(after).filter(|moment| *moment <= now) {
        run = Some(later);
    }
    Due { run, missed: row.next_ms.filter(|planned| Some(*planned) != run), next: after(now) }
}

/// Sets the next planned time and records which ones were missed.
async fn move_on(
    tx: &mut Tx,
    parts: &Parts,
    plan: &Plan,
    row: &CampaignRow,
    due: Due,
    now: Timestamp,
) -> Result<(), StoreError> {
    let state = if due.next.is_some() { CampaignState::Active } else { CampaignState::Done };
    tx.campaign_move(row.id, state, due.next, now).await?;
    let Some(missed) = due.missed.map(|missed| missed.in_zone(plan.zone)) else { return Ok(()) };
    let late = LATE_MAX.as_secs() / 3600;
    let note = match due.run {
        Some(run) => format!("missed since {missed}: only the run of {} is made up", run.in_zone(plan.zone)),
        None if parts.renderer.mistake(&plan.letter, &plan.via).is_some() => {
            format!("missed since {missed}: its letter was out of service for more than {late} hours")
        }
        None => format!("missed since {missed}: more than {late} hours late"),
    };
    note_skip(tx, row, &note, now).await
}

/// Gives the run up for a reason. The transaction that found the reason is rolled back, so the row is locked and looked at
/// again.
async fn skip(parts: &Parts, plan: &Plan, row: &CampaignRow, due: Due, why: &str) -> Result<Fate, StoreError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let same = tx.campaign_named(&row.name, true).await?;
    let Some(same) = same.filter(|same| same.state == CampaignState::Active && same.next_ms == row.next_ms) else {
        return Ok(Fate::Gone);
    };
    move_on(&mut tx, parts, plan, &same, due, now).await?;
    note_skip(&mut tx, &same, why, now).await?;
    tx.commit().await?;
    Ok(Fate::Skipped)
}

/// A campaign that cannot be read has no next planned time: it needs a person.
async fn park(mut tx: Tx, row: &CampaignRow, problem: &str, now: Timestamp) -> Result<Fate, StoreError> {
    tx.campaign_move(row.id, CampaignState::Paused, None, now).await?;
    note_skip(&mut tx, row, &format!("paused, since it cannot be read: {problem}"), now).await?;
    tx.commit().await?;
    Ok(Fate::Skipped)
}

async fn note_skip(tx: &mut Tx, row: &CampaignRow, why: &str, now: Timestamp) -> Result<(), StoreError> {
    let why: String = why.chars().take(REASON_CHARS_MAX).collect();
    tracing::warn!(campaign = row.name, why, "a campaign's run was skipped");
    tx.audit(&Actor::System, AuditAct::SkipCampaignRun, Some(&row.name), Some(&why), now).await
}

/// For one line: without the recipients' names.
fn in_short(problem: &IntakeError) -> String {
    match problem {
        IntakeError::MissingVariables(_) => {
            "the letter cannot be written for every recipient; preview the campaign to see for whom".to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_speaks_once_of_a_run_that_waits_for_its_letter_and_again_of_the_next_one() {
        let (mut told, [one, other]) = (Told::default(), [CampaignId::new(), CampaignId::new()]);
        let (first, next) = (Timestamp(1), Timestamp(2));
        assert!(told.is_news(one, first) && told.is_news(other, first));
        assert!(!told.is_news(one, first) && !told.is_news(one, first) && !told.is_news(other, first));
        assert!(told.is_news(one, next) && !told.is_news(one, next));
    }
}
