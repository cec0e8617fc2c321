//! Changing a campaign: edit and renew, rename, remove. What a change makes of it is checked as a new one is, before
//! anything is stored.

use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::facts::Facts;
use super::plan::Plan;
use super::{CampaignError, Decisions, NAME_CHARS_MAX, Overview, Times, named, next_of, overview, read, schedule_of};
use crate::domain::campaign::CampaignState;
use crate::domain::{Actor, AuditAct, Channel, Timestamp};
use crate::intake::Parts;
use crate::intake::proposal::Proposal;
use crate::referrers::audience::Audience;
use crate::store::records::campaigns::CampaignRow;

/// What to change; what is not given stays.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Another letter.
    pub letter: Option<String>,
    /// Another audience.
    pub to: Option<Audience>,
    /// Other channels.
    pub via: Option<Vec<Channel>>,
    /// Variables to set; setting one to what it is renews it.
    pub set: Map<String, Value>,
    /// Variables to leave to the letter's default.
    pub unset: Vec<String>,
    /// Variables that are still true for the next run.
    pub keep: Vec<String>,
    /// Another schedule, in words.
    pub every: Option<String>,
    /// Another time zone of the schedule.
    pub zone: Option<Tz>,
}

impl Changes {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.told().is_empty()
    }

    /// What changes, for the records: names, no values.
    fn told(&self) -> Vec<String> {
        let fields = [
            ("letter", self.letter.is_some()),
            ("audience", self.to.is_some()),
            ("channels", self.via.is_some()),
            ("schedule", self.every.is_some()),
            ("time zone", self.zone.is_some()),
        ];
        let fields = fields.iter().filter(|(_, given)| *given).map(|(name, _)| (*name).to_owned());
        let set = self.set.keys().map(|name| format!("set {name}"));
        let unset = self.unset.iter().map(|name| format!("unset {name}"));
        let keep = self.keep.iter().map(|name| format!("keep {name}"));
        fields.chain(set).chain(unset).chain(keep).collect()
    }
}

/// Changes a campaign. Variables that are set or confirmed (`keep`) are good for one more run; a run that waits for them
/// is made within a minute, if no later run is due by then. Broadcasts already created do not change.
///
/// # Errors
/// [`CampaignError::NotFound`]; otherwise as for a new campaign: what it would become is checked whole, and nothing is
/// changed. [`CampaignError::WrongState`] if it ran or was changed in this very moment.
pub async fn edit(parts: &Parts, name: &str, changes: &Changes, who: &Actor) -> Result<Overview, CampaignError> {
    let seen = named(&mut parts.store.read().await?, name, false).await?;
    let (plan, row) = changed(parts, &seen, changes)?;
    plan.preview(parts, &row, &row.who, Decisions::default()).await?;
    let mut tx = parts.store.write().await?;
    still_so(&named(&mut tx, &seen.name, true).await?, &seen)?;
    tx.campaign_update(&row).await?;
    let what = changes.told().join(", ");
    tx.audit(who, AuditAct::EditCampaign, Some(&row.name), Some(&what), row.updated_ms).await?;
    let shown = overview(parts, &mut tx, row).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Who would get the changed campaign if it ran now; nothing is stored.
///
/// # Errors
/// As [`edit`].
pub async fn preview_edit(parts: &Parts, name: &str, changes: &Changes) -> Result<Proposal, CampaignError> {
    let seen = named(&mut parts.store.read().await?, name, false).await?;
    let (plan, row) = changed(parts, &seen, changes)?;
    Ok(plan.propose(parts, &row, &row.who, Decisions::default()).await?)
}

/// The schedule of the changed campaign, as it is understood.
///
/// # Errors
/// As [`edit`].
pub async fn times_of_edit(parts: &Parts, name: &str, changes: &Changes) -> Result<Times, CampaignError> {
    let seen = named(&mut parts.store.read().await?, name, false).await?;
    let (plan, row) = changed(parts, &seen, changes)?;
    Ok(Times::of(&plan.schedule, plan.zone, row.next_ms, row.created_ms))
}

/// Gives a campaign another name. Broadcasts keep the name under which they were made.
///
/// # Errors
/// [`CampaignError::NotFound`]; [`CampaignError::Invalid`] if the new name is taken or is none.
pub async fn rename(parts: &Parts, name: &str, to: &str, who: &Actor) -> Result<CampaignRow, CampaignError> {
    let to = super::name_of(to)?;
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let mut row = named(&mut tx, name, true).await?;
    let old = std::mem::replace(&mut row.name, to);
    row.updated_ms = now;
    tx.campaign_update(&row).await.map_err(|error| super::name_taken(error, &row.name))?;
    tx.audit(who, AuditAct::RenameCampaign, Some(&row.name), Some(&format!("it was called {old}")), now).await?;
    tx.commit().await?;
    Ok(row)
}

/// Removes a campaign: it makes no further run, and its name can be used again. Its broadcasts, those under way too, stay
/// as they are.
///
/// # Errors
/// [`CampaignError::NotFound`].
pub async fn remove(parts: &Parts, name: &str, who: &Actor) -> Result<CampaignRow, CampaignError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let mut row = named(&mut tx, name, true).await?;
    (row.state, row.next_ms, row.waiting_ms) = (CampaignState::Done, None, None);
    (row.removed_ms, row.updated_ms) = (Some(now), now);
    tx.campaign_update(&row).await?;
    tx.audit(who, AuditAct::RemoveCampaign, Some(&row.name), None, now).await?;
    tx.commit().await?;
    Ok(row)
}

/// Refuses to write over what another node or person has changed since it was read.
pub(super) fn still_so(now: &CampaignRow, seen: &CampaignRow) -> Result<(), CampaignError> {
    if now == seen {
        return Ok(());
    }
    Err(CampaignError::WrongState(format!(
        "campaign `{}` ran or was changed at this very moment: look at it again",
        seen.name
    )))
}

/// What the campaign becomes, with everything checked that needs no database.
fn changed(parts: &Parts, seen: &CampaignRow, changes: &Changes) -> Result<(Plan, CampaignRow), CampaignError> {
    let now = parts.clock.now();
    if changes.is_empty() {
        return Err(CampaignError::Invalid("say what to change, such as --set NAME=TEXT or --every WHEN".to_owned()));
    }
    let mut plan = read_for_change(seen, changes, now)?;
    plan.refuse_treatment(parts)?;
    let facts = renewed(parts, &mut plan, seen, changes, now)?;
    let mut row = CampaignRow {
        letter: plan.letter.clone(),
        variables: Value::Object(plan.variables.clone()).to_string(),
        dated: facts.written(),
        audience: plan.to.to_string(),
        channels: plan.channels(),
        zone: plan.zone.name().to_owned(),
        updated_ms: now,
        ..seen.clone()
    };
    if changes.every.is_some() || changes.zone.is_some() {
        let next = next_of(&plan, now, seen.created_ms)?;
        if let Some(every) = &changes.every {
            row.schedule = plan.schedule.kept(every);
        }
        if row.state == CampaignState::Done {
            row.state = CampaignState::Active;
        }
        (row.next_ms, row.waiting_ms) = (Some(next).filter(|_| row.state == CampaignState::Active), None);
    }
    Ok((plan, row))
}

/// The campaign's plan with the given parts replaced, variables not yet.
fn read_for_change(seen: &CampaignRow, changes: &Changes, now: Timestamp) -> Result<Plan, CampaignError> {
    let mut plan = read(seen)?;
    if let Some(letter) = &changes.letter {
        plan.letter.clone_from(letter);
    }
    if let Some(to) = &changes.to {
        plan.to = to.clone();
    }
    if let Some(via) = &changes.via {
        plan.via.clone_from(via);
        plan.via.sort_unstable();
        plan.via.dedup();
    }
    if let Some(zone) = changes.zone {
        plan.zone = zone;
    }
    if let Some(every) = &changes.every {
        plan.schedule = schedule_of(every, plan.zone, now)?;
    }
    Ok(plan)
}

/// Sets, unsets and confirms variables, and notes when.
fn renewed(
    parts: &Parts,
    plan: &mut Plan,
    seen: &CampaignRow,
    changes: &Changes,
    now: Timestamp,
) -> Result<Facts, CampaignError> {
    let letter = parts.renderer.letter(&plan.letter);
    let declares = |name: &str| letter.is_none_or(|letter| letter.variables.iter().any(|one| one.name == name));
    let mut facts = Facts::of(seen);
    for name in &changes.unset {
        if plan.variables.remove(name).is_none() || changes.set.contains_key(name) {
            return Err(CampaignError::Invalid(format!("`{}` is not set, so it cannot be unset", shown(name))));
        }
        facts.renew(name, seen, now);
    }
    for (name, value) in &changes.set {
        plan.variables.insert(name.clone(), value.clone());
        facts.renew(name, seen, now);
    }
    for name in &changes.keep {
        if !declares(name) {
            return Err(CampaignError::Invalid(format!("`{}` is not a variable of this letter", shown(name))));
        }
        facts.renew(name, seen, now);
    }
    facts.retain(declares);
    Ok(facts)
}

fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect()
}
