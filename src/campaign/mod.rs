//! Campaigns: standing plans that become broadcasts. What a person can do with one is here; [`runner`] does the rest.
//! Every act is recorded with who did it.

mod plan;
pub mod runner;
pub mod schedule;

use chrono_tz::Tz;
use serde_json::{Map, Value};

use crate::domain::Actor;
use crate::domain::AuditAct;
use crate::domain::Channel;
use crate::domain::campaign::CampaignState;
use crate::domain::id::CampaignId;
use crate::domain::referrer::ReferrerState;
use crate::intake::answer::Accepted;
use crate::intake::{IntakeError, Parts};
use crate::referrers::ReferrersError;
use crate::referrers::audience;
use crate::referrers::audience::Audience;
use crate::store::records::broadcasts::Broadcast;
use crate::store::records::campaigns::CampaignRow;
use crate::store::{StoreError, Tx};
use plan::Plan;

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
    /// The campaign is in a state that does not allow it.
    #[error("{0}")]
    WrongState(String),
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
    /// Its newest broadcasts, newest first, at most 20.
    pub runs: Vec<Broadcast>,
}

/// Creates a campaign, which is active immediately.
///
/// # Errors
/// [`CampaignError::Invalid`] if the name is taken, the schedule is not understood or is in the past, or the letter is
/// about treatment; otherwise as a submission: the letter must exist, every present member's letter must be complete,
/// and the audience must not be empty.
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
    let overview = overview(&mut tx, row).await?;
    tx.commit().await?;
    Ok(overview)
}

/// All campaigns by name. [`when`] says in words when one runs.
///
/// # Errors
/// The database cannot be used.
pub async fn list(parts: &Parts) -> Result<Vec<CampaignRow>, CampaignError> {
    Ok(parts.store.read().await?.campaigns_list().await?)
}

/// One campaign with its warnings and newest broadcasts.
///
/// # Errors
/// [`CampaignError::NotFound`].
pub async fn show(parts: &Parts, name: &str) -> Result<Overview, CampaignError> {
    let mut tx = parts.store.read().await?;
    let row = named(&mut tx, name, false).await?;
    overview(&mut tx, row).await
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
    (row.state, row.next_ms, row.updated_ms) = (CampaignState::Paused, None, now);
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

/// Creates one broadcast immediately, in addition to the schedule and whatever the campaign's state. `now` sends it outside
/// office hours too.
///
/// # Errors
/// [`CampaignError::NotFound`], otherwise as a submission; then nothing was accepted.
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
    let run = read(&row)?.run(parts, &row, None, who, decisions).await?;
    let mut tx = parts.store.write().await?;
    run.record(&mut tx, parts).await?;
    tx.audit(who, AuditAct::RunCampaign, Some(&row.name), None, parts.clock.now()).await?;
    tx.commit().await?;
    Ok(run.unfold(parts).await?)
}

/// Who would get it if it ran now, who would not and why; nothing is stored.
///
/// # Errors
/// As [`run_now`].
pub async fn preview(parts: &Parts, name: &str, decisions: Decisions) -> Result<Accepted, CampaignError> {
    let row = named(&mut parts.store.read().await?, name, false).await?;
    Ok(read(&row)?.preview(parts, &row, &row.who, decisions).await?)
}

/// The same for a campaign that does not exist yet.
///
/// # Errors
/// As [`add`], but the name may be taken.
pub async fn preview_new(parts: &Parts, new: NewCampaign) -> Result<Accepted, CampaignError> {
    let (plan, row) = drawn_up(parts, new)?;
    Ok(plan.preview(parts, &row, &row.who, Decisions::default()).await?)
}

/// When it runs, as a sentence; as written if that cannot be read.
#[must_use]
pub fn when(row: &CampaignRow) -> String {
    Plan::read(row).map_or_else(|_| row.schedule.clone(), |plan| plan.schedule.sentence(plan.zone))
}

/// The campaign as it would be stored, with everything checked that needs no database.
fn drawn_up(parts: &Parts, new: NewCampaign) -> Result<(Plan, CampaignRow), CampaignError> {
    let now = parts.clock.now();
    let name = new.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(CampaignError::Invalid(format!(
            "a campaign's name is one line of 1 to {NAME_CHARS_MAX} characters"
        )));
    }
    let mut via = new.via;
    via.sort_unstable();
    via.dedup();
    let schedule = new.every.parse().map_err(CampaignError::Invalid)?;
    let plan = Plan { letter: new.letter, to: new.to, via, variables: new.variables, schedule, zone: new.zone };
    plan.refuse_treatment(parts)?;
    let Some(next) = plan.next_after(now, now) else {
        return Err(CampaignError::Invalid(format!("{} is in the past", plan.schedule.sentence(plan.zone))));
    };
    let channels: Vec<&str> = plan.via.iter().map(|channel| channel.as_str()).collect();
    let row = CampaignRow {
        id: CampaignId::new(),
        name,
        letter: plan.letter.clone(),
        variables: Value::Object(plan.variables.clone()).to_string(),
        audience: plan.to.to_string(),
        channels: channels.join(","),
        schedule: new.every.trim().to_owned(),
        zone: plan.zone.name().to_owned(),
        state: CampaignState::Active,
        next_ms: Some(next),
        who: new.who,
        created_ms: now,
        updated_ms: now,
    };
    Ok((plan, row))
}

async fn overview(tx: &mut Tx, campaign: CampaignRow) -> Result<Overview, CampaignError> {
    let mut warnings = Vec::new();
    let mut active_targets = 0;
    match Plan::read(&campaign) {
        Err(problem) => warnings.push(format!("it cannot run: {problem}")),
        Ok(plan) => match audience::members(tx, &plan.to).await {
            Ok(members) => {
                let members = tx.referrers(&members).await?;
                active_targets = members.iter().filter(|referrer| referrer.state == ReferrerState::Active).count();
                warnings.extend(focus_warning(&campaign, active_targets));
            }
            Err(ReferrersError::Store(error)) => return Err(error.into()),
            Err(problem) => warnings.push(problem.to_string()),
        },
    }
    let runs = tx.broadcasts_list(Some(campaign.id), RUNS_SHOWN).await?;
    Ok(Overview { when: when(&campaign), campaign, active_targets, warnings, runs })
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
            "there is already a campaign `{name}`: choose another name, or pause and resume that one"
        )),
        other => CampaignError::Store(other),
    }
}

fn wrong_state(row: &CampaignRow, why: &str) -> CampaignError {
    CampaignError::WrongState(format!("campaign `{}` is {}: {why}", row.name, row.state))
}
