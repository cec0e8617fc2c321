//! Campaigns: standing plans that become broadcasts. What a person can do with one is here, in [`edit`] (change, renew,
//! rename, remove) and in [`by_hand`] (run it now); [`runner`] does the rest. Every act is recorded with who did it.
//!
//! A recurring campaign carries no stale fact: a variable that holds a date, or is marked as perishable in its letter, is
//! good for one run, and must be renewed or confirmed before the next.

pub mod by_hand;
pub mod edit;
mod facts;
mod plan;
pub mod runner;
pub mod schedule;
mod times;

use chrono_tz::Tz;
use serde_json::{Map, Value};

use crate::domain::campaign::{CampaignState, CampaignWait};
use crate::domain::id::CampaignId;
use crate::domain::referrer::ReferrerState;
use crate::domain::{Actor, AuditAct, Channel, Timestamp};
use crate::intake::proposal::Proposal;
use crate::intake::{IntakeError, Parts};
use crate::referrers::ReferrersError;
use crate::referrers::audience;
use crate::referrers::audience::Audience;
use crate::store::records::broadcasts::Broadcast;
use crate::store::records::campaigns::CampaignRow;
use crate::store::{StoreError, Tx};
pub use by_hand::{propose, run_as_decided, run_now};
pub use facts::Dated;
use plan::Plan;
use schedule::{Misread, Schedule};
pub use times::{Times, times};

/// Active targets above which a warning is given: few consistent referrers bring more than many (referral-domain §1.2).
pub const ACTIVE_TARGETS_ADVISED: usize = 50;
/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 80;
/// Broadcasts shown with a campaign.
const RUNS_SHOWN: i64 = 20;

/// Why a campaign could not be created, changed or run. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// There is no such campaign.
    #[error("{0}")]
    NotFound(String),
    /// It cannot be done as asked: why, and what to do.
    #[error("{0}")]
    Invalid(String),
    /// Its schedule is not understood.
    #[error("{0}")]
    Schedule(Misread),
    /// The campaign is in a state that does not allow it.
    #[error("{0}")]
    WrongState(String),
    /// Its variables were set for an earlier run.
    #[error("{}", renew_words(.campaign, .variables))]
    Renew {
        /// Its name.
        campaign: String,
        /// The variables to renew or confirm, in the letter's order.
        variables: Vec<String>,
    },
    /// Its run cannot be accepted.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The database cannot do it now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A campaign as a person describes it.
#[derive(Debug, Clone)]
pub struct NewCampaign {
    /// Its name, which no other campaign has; at most 80 characters on one line.
    pub name: String,
    /// The letter it sends.
    pub letter: String,
    /// To whom; evaluated again for every run.
    pub to: Audience,
    /// Which channels to use.
    pub via: Vec<Channel>,
    /// The letter's variables, the same for every run.
    pub variables: Map<String, Value>,
    /// When, in words: see [`schedule::Schedule`].
    pub every: String,
    /// The time zone of the schedule.
    pub zone: Tz,
    /// Who creates it.
    pub who: Actor,
}

/// What a person decided about one run of a campaign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Decisions {
    /// Those who got the letter since the last planned time get it again.
    pub again: bool,
    /// It goes at once, without an undo window.
    pub now: bool,
}

/// A campaign with what a person wants to know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The campaign.
    pub campaign: CampaignRow,
    /// When it runs, as a sentence.
    pub when: String,
    /// Referrers in its audience at present whose contact status allows letters.
    pub active_targets: usize,
    /// What is allowed but worth checking.
    pub warnings: Vec<String>,
    /// The variables that must be renewed before its next run, in the letter's order.
    pub renew: Vec<String>,
    /// Why its due run is not made, if it waits.
    pub waits: Option<CampaignWait>,
    /// Its newest broadcasts, newest first, at most 20.
    pub runs: Vec<Broadcast>,
}

/// Why a campaign's due run is not made, given the variables that must be renewed; `None` if nothing is due, or it is made
/// shortly.
#[must_use]
pub fn waits(parts: &Parts, row: &CampaignRow, renew: &[String]) -> Option<CampaignWait> {
    let is_due = row.state == CampaignState::Active && row.next_ms.is_some_and(|next| next <= parts.clock.now());
    if is_due && letter_mistake(parts, row, Plan::read(row).as_ref().ok()).is_some() {
        return Some(CampaignWait::LetterOutOfService);
    }
    (row.waiting_ms.is_some() && !renew.is_empty()).then_some(CampaignWait::RenewVariables)
}

/// The mistake for which the campaign's letter is out of service by one of its channels.
fn letter_mistake<'a>(
    parts: &'a Parts,
    row: &CampaignRow,
    plan: Option<&Plan>,
) -> Option<&'a (impl std::fmt::Display + use<'a>)> {
    parts.renderer.mistake(&row.letter, plan.map_or(&[], |plan| plan.via.as_slice()))
}

/// The variables that must be renewed before the campaign's next run, in the letter's order.
#[must_use]
pub fn renewals(parts: &Parts, row: &CampaignRow) -> Vec<String> {
    let Ok(plan) = Plan::read(row) else { return Vec::new() };
    let now = parts.clock.now();
    let next = row.next_ms.or_else(|| plan.next_after(now, row.created_ms));
    if row.removed_ms.is_some() { Vec::new() } else { facts::stale(parts, &plan, row, next.unwrap_or(now)) }
}

/// When each variable that is true for a while only was set or confirmed, in the letter's order.
#[must_use]
pub fn perishable(parts: &Parts, row: &CampaignRow) -> Vec<(String, Dated)> {
    let Ok(plan) = Plan::read(row) else { return Vec::new() };
    if !plan.schedule.recurs() {
        return Vec::new();
    }
    let facts = facts::Facts::of(row);
    let dated = |name: String| {
        let when = facts.dated(&name, row);
        (name, when)
    };
    facts::perishable(parts, &plan).into_iter().map(dated).collect()
}

/// Creates a campaign, which is active immediately.
///
/// # Errors
/// [`CampaignError::Schedule`] if the schedule is not understood; [`CampaignError::Invalid`] if the name is taken, the
/// schedule is in the past, or the letter is about treatment; otherwise as a submission: the letter must exist, every
/// present member's letter must be complete, and the audience must not be empty.
pub async fn add(parts: &Parts, new: NewCampaign) -> Result<Overview, CampaignError> {
    let (plan, row) = drawn_up(parts, new)?;
    plan.preview(parts, &row, &row.who, Decisions::default()).await?;
    let mut tx = parts.store.write().await?;
    tx.campaign_insert(&row).await.map_err(|error| name_taken(error, &row.name))?;
    tx.audit(
        &row.who,
        AuditAct::AddCampaign,
        Some(&row.name),
        Some(&plan.schedule.sentence(plan.zone)),
        row.created_ms,
    )
    .await?;
    let overview = overview(parts, &mut tx, row).await?;
    tx.commit().await?;
    Ok(overview)
}

/// All campaigns by name, without those that are removed. [`when`] says in words when one runs.
///
/// # Errors
/// The database cannot be used.
pub async fn list(parts: &Parts) -> Result<Vec<CampaignRow>, CampaignError> {
    Ok(parts.store.read().await?.campaigns_list().await?)
}

/// The removed campaigns, the last removed first.
///
/// # Errors
/// The database cannot be used.
pub async fn removed(parts: &Parts) -> Result<Vec<CampaignRow>, CampaignError> {
    Ok(parts.store.read().await?.campaigns_removed().await?)
}

/// One campaign with its warnings and newest broadcasts.
///
/// # Errors
/// [`CampaignError::NotFound`].
pub async fn show(parts: &Parts, name: &str) -> Result<Overview, CampaignError> {
    let mut tx = parts.store.read().await?;
    let row = named(&mut tx, name, false).await?;
    overview(parts, &mut tx, row).await
}

/// The campaign with that identifier, removed or not, as [`show`] has it.
///
/// # Errors
/// [`CampaignError::NotFound`].
pub async fn show_by_id(parts: &Parts, id: CampaignId) -> Result<Overview, CampaignError> {
    let mut tx = parts.store.read().await?;
    let row = tx.campaign(id).await?;
    let row = row.ok_or_else(|| CampaignError::NotFound("there is no such campaign".to_owned()))?;
    overview(parts, &mut tx, row).await
}

/// Stops it from running until it is resumed. Broadcasts already created continue.
///
/// # Errors
/// [`CampaignError::NotFound`], or [`CampaignError::WrongState`] if it is not active.
pub async fn pause(parts: &Parts, name: &str, who: &Actor) -> Result<CampaignRow, CampaignError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let mut row = named(&mut tx, name, true).await?;
    if row.state != CampaignState::Active {
        return Err(wrong_state(&row, "only an active campaign can be paused"));
    }
    (row.state, row.next_ms, row.waiting_ms, row.updated_ms) = (CampaignState::Paused, None, None, now);
    tx.campaign_move(row.id, CampaignState::Paused, None, now).await?;
    tx.audit(who, AuditAct::PauseCampaign, Some(&row.name), None, now).await?;
    tx.commit().await?;
    Ok(row)
}

/// Lets it run again, starting with the first planned time from now on: runs missed while paused are not made up.
///
/// # Errors
/// [`CampaignError::NotFound`], or [`CampaignError::WrongState`] if it is not paused, or its only time has passed.
pub async fn resume(parts: &Parts, name: &str, who: &Actor) -> Result<CampaignRow, CampaignError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let mut row = named(&mut tx, name, true).await?;
    if row.state != CampaignState::Paused {
        return Err(wrong_state(&row, "only a paused campaign can be resumed"));
    }
    let next = read(&row)?.next_after(now, row.created_ms);
    if next.is_none() {
        return Err(wrong_state(&row, "its last planned time has passed; run it by hand, or create a new one"));
    }
    (row.state, row.next_ms, row.updated_ms) = (CampaignState::Active, next, now);
    tx.campaign_move(row.id, CampaignState::Active, next, now).await?;
    tx.audit(who, AuditAct::ResumeCampaign, Some(&row.name), None, now).await?;
    tx.commit().await?;
    Ok(row)
}

/// Who would get it if it ran now, who would not and why; nothing is stored.
///
/// # Errors
/// As [`by_hand::run_now`].
pub async fn preview(parts: &Parts, name: &str, decisions: Decisions) -> Result<Proposal, CampaignError> {
    let row = named(&mut parts.store.read().await?, name, false).await?;
    Ok(read(&row)?.propose(parts, &row, &row.who, decisions).await?)
}

/// The same for a campaign that does not exist yet.
///
/// # Errors
/// As [`add`], but the name may be taken.
pub async fn preview_new(parts: &Parts, new: NewCampaign) -> Result<Proposal, CampaignError> {
    let (plan, row) = drawn_up(parts, new)?;
    Ok(plan.propose(parts, &row, &row.who, Decisions::default()).await?)
}

/// The schedule of a campaign that does not exist yet, as it is understood.
///
/// # Errors
/// [`CampaignError::Schedule`] if it is not understood; [`CampaignError::Invalid`] if no such time is to come.
pub fn times_of_new(parts: &Parts, every: &str, zone: Tz) -> Result<Times, CampaignError> {
    let now = parts.clock.now();
    let schedule = schedule_of(every, zone, now)?;
    let first = schedule.next_after(now, zone, now).ok_or_else(|| never(&schedule, zone))?;
    Ok(Times::of(&schedule, zone, Some(first), now))
}

/// When it runs, as a sentence; as written if that cannot be read.
#[must_use]
pub fn when(row: &CampaignRow) -> String {
    Plan::read(row).map_or_else(|_| row.schedule.clone(), |plan| plan.schedule.sentence(plan.zone))
}

/// The campaign as it would be stored, with everything checked that needs no database.
fn drawn_up(parts: &Parts, new: NewCampaign) -> Result<(Plan, CampaignRow), CampaignError> {
    let now = parts.clock.now();
    let name = name_of(&new.name)?;
    let mut via = new.via;
    via.sort_unstable();
    via.dedup();
    let schedule = schedule_of(&new.every, new.zone, now)?;
    let plan = Plan { letter: new.letter, to: new.to, via, variables: new.variables, schedule, zone: new.zone };
    plan.refuse_treatment(parts)?;
    let next = next_of(&plan, now, now)?;
    let row = CampaignRow {
        id: CampaignId::new(),
        name,
        letter: plan.letter.clone(),
        variables: Value::Object(plan.variables.clone()).to_string(),
        dated: "{}".to_owned(),
        audience: plan.to.to_string(),
        channels: plan.channels(),
        schedule: plan.schedule.kept(&new.every),
        zone: plan.zone.name().to_owned(),
        state: CampaignState::Active,
        next_ms: Some(next),
        runs: 0,
        waiting_ms: None,
        who: new.who,
        created_ms: now,
        updated_ms: now,
        removed_ms: None,
    };
    Ok((plan, row))
}

/// A campaign's name as it is kept.
fn name_of(written: &str) -> Result<String, CampaignError> {
    let name = written.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(CampaignError::Invalid(format!(
            "a campaign's name is one line of 1 to {NAME_CHARS_MAX} characters"
        )));
    }
    Ok(name.to_owned())
}

/// The schedule that a person wrote.
fn schedule_of(written: &str, zone: Tz, now: Timestamp) -> Result<Schedule, CampaignError> {
    Schedule::read(written, now, zone).map_err(CampaignError::Schedule)
}

/// The first run of a plan that is created or changed now.
fn next_of(plan: &Plan, now: Timestamp, created: Timestamp) -> Result<Timestamp, CampaignError> {
    plan.next_after(now, created).ok_or_else(|| never(&plan.schedule, plan.zone))
}

/// What is said of a schedule that is never due again.
fn never(schedule: &Schedule, zone: Tz) -> CampaignError {
    let sentence = schedule.sentence(zone);
    CampaignError::Invalid(if schedule.recurs() {
        format!("{sentence}: no such time ever comes")
    } else {
        format!("{sentence} is in the past")
    })
}

fn renew_words(campaign: &str, variables: &[String]) -> String {
    let first = variables.first().map_or("", String::as_str);
    format!(
        "campaign `{campaign}` waits: renew {}. They were set for an earlier run; `touchline campaign edit \"{campaign}\" \
         --set {first}=TEXT` renews one, and `--keep {first}` confirms one that is still true",
        variables.join(", ")
    )
}

async fn overview(parts: &Parts, tx: &mut Tx, campaign: CampaignRow) -> Result<Overview, CampaignError> {
    let mut warnings = Vec::new();
    let mut active_targets = 0;
    let plan = Plan::read(&campaign);
    if let Some(mistake) = letter_mistake(parts, &campaign, plan.as_ref().ok()) {
        warnings.push(format!(
            "its letter is out of service because of a mistake ({mistake}): no run is made before it is corrected"
        ));
    }
    match plan {
        Err(problem) => warnings.push(format!("it cannot run: {problem}")),
        Ok(plan) => match audience::members(tx, &plan.to).await {
            Ok(members) => {
                let members = tx.referrers(&members).await?;
                active_targets = members.iter().filter(|referrer| referrer.state == ReferrerState::Active).count();
                warnings.extend(focus_warning(&campaign, active_targets));
            }
            Err(ReferrersError::Store(error)) => return Err(error.into()),
            Err(ReferrersError::NotFound(_)) => warnings.push(format!("no referrer matches `{}`", campaign.audience)),
            Err(problem) => warnings.push(problem.to_string()),
        },
    }
    let runs = tx.broadcasts_list(Some(campaign.id), RUNS_SHOWN).await?;
    let renew = renewals(parts, &campaign);
    let waits = waits(parts, &campaign, &renew);
    Ok(Overview { when: when(&campaign), campaign, active_targets, warnings, renew, waits, runs })
}

fn focus_warning(campaign: &CampaignRow, active_targets: usize) -> Option<String> {
    match active_targets {
        0 => Some(format!("no one in `{}` can be contacted at present", campaign.audience)),
        1..=ACTIVE_TARGETS_ADVISED => None,
        many => Some(format!(
            "{many} active targets: few consistent referrers bring more than many; consider a list of at most \
             {ACTIVE_TARGETS_ADVISED}"
        )),
    }
}

async fn named(tx: &mut Tx, name: &str, lock: bool) -> Result<CampaignRow, CampaignError> {
    let name = name.trim();
    tx.campaign_named(name, lock).await?.ok_or_else(|| {
        let shown: String = name.chars().take(NAME_CHARS_MAX).collect();
        CampaignError::NotFound(format!("there is no campaign `{shown}`; `touchline campaign list` shows them all"))
    })
}

fn read(row: &CampaignRow) -> Result<Plan, CampaignError> {
    Plan::read(row).map_err(|problem| CampaignError::Invalid(format!("campaign `{}` cannot run: {problem}", row.name)))
}

fn name_taken(error: StoreError, name: &str) -> CampaignError {
    match error {
        StoreError::Conflict(_) => CampaignError::Invalid(format!(
            "there is already a campaign `{name}`: choose another name, or edit that one"
        )),
        other => CampaignError::Store(other),
    }
}

fn wrong_state(row: &CampaignRow, why: &str) -> CampaignError {
    CampaignError::WrongState(format!("campaign `{}` is {}: {why}", row.name, row.state))
}
