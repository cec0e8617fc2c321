//! Running a campaign by hand: what it would send is shown first, and what was confirmed is what is sent.

use super::edit::still_so;
use super::facts;
use super::plan::Plan;
use super::{CampaignError, Decisions, named, read};
use crate::domain::campaign::CampaignState;
use crate::domain::{Actor, AuditAct};
use crate::intake::Parts;
use crate::intake::answer::Accepted;
use crate::intake::proposal::Proposal;
use crate::store::records::campaigns::CampaignRow;

/// Creates one broadcast immediately, in addition to the schedule and whatever the campaign's state. If a due run waits
/// for renewed variables, this one stands for it.
///
/// # Errors
/// [`CampaignError::NotFound`]; [`CampaignError::Renew`] if its variables were set for an earlier run;
/// [`CampaignError::WrongState`] if it runs or is changed in this very moment; otherwise as a submission. Then nothing was
/// accepted.
pub async fn run_now(parts: &Parts, name: &str, who: &Actor) -> Result<Accepted, CampaignError> {
    run_as_decided(parts, name, who, Decisions::default()).await
}

/// The same with what the person decided about this run.
///
/// # Errors
/// As [`run_now`].
pub async fn run_as_decided(
    parts: &Parts,
    name: &str,
    who: &Actor,
    decisions: Decisions,
) -> Result<Accepted, CampaignError> {
    let row = named(&mut parts.store.read().await?, name, false).await?;
    let plan = fresh(parts, &row)?;
    run(parts, &row, &plan, who, decisions).await
}

/// The same for a proposal that a person has seen and confirmed; `mark` is the proposal's.
///
/// # Errors
/// As [`run_now`]; [`CampaignError::WrongState`] if it would send anything else by now.
pub async fn run_as_proposed(
    parts: &Parts,
    name: &str,
    mark: &str,
    who: &Actor,
    decisions: Decisions,
) -> Result<Accepted, CampaignError> {
    let row = named(&mut parts.store.read().await?, name, false).await?;
    let plan = fresh(parts, &row)?;
    if plan.propose(parts, &row, who, decisions).await?.mark != mark {
        return Err(CampaignError::WrongState(format!(
            "what campaign `{}` would send has changed since it was shown: look at it again. Nothing was sent",
            row.name
        )));
    }
    run(parts, &row, &plan, who, decisions).await
}

/// What it would send now: how many, by which channel, at what cost, who is left out and why. Nothing is stored.
///
/// # Errors
/// As [`run_now`].
pub async fn propose(parts: &Parts, name: &str, who: &Actor, decisions: Decisions) -> Result<Proposal, CampaignError> {
    let row = named(&mut parts.store.read().await?, name, false).await?;
    Ok(fresh(parts, &row)?.propose(parts, &row, who, decisions).await?)
}

/// The plan of a campaign that carries no stale fact.
fn fresh(parts: &Parts, row: &CampaignRow) -> Result<Plan, CampaignError> {
    let plan = read(row)?;
    let variables = facts::stale(parts, &plan, row, parts.clock.now());
    if variables.is_empty() { Ok(plan) } else { Err(CampaignError::Renew { campaign: row.name.clone(), variables }) }
}

async fn run(
    parts: &Parts,
    seen: &CampaignRow,
    plan: &Plan,
    who: &Actor,
    decisions: Decisions,
) -> Result<Accepted, CampaignError> {
    let run = plan.run(parts, seen, None, who, decisions).await?;
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    still_so(&named(&mut tx, &seen.name, true).await?, seen)?;
    run.record(&mut tx, parts).await?;
    if seen.waiting_ms.is_some() {
        let next = plan.next_after(now, seen.created_ms);
        let state = if next.is_some() { seen.state } else { CampaignState::Done };
        tx.campaign_move(seen.id, state, next, now).await?;
    }
    tx.audit(who, AuditAct::RunCampaign, Some(&seen.name), None, now).await?;
    tx.commit().await?;
    Ok(run.unfold(parts).await?)
}
