//! What a person records about one referrer: a new one, a correction, a touch made by hand.

use super::{Parts, ReferrersError, double, entered, fields};
use crate::domain::Actor;
use crate::domain::AuditAct;
use crate::domain::Channel;
use crate::domain::Timestamp;
use crate::domain::id::{ReferrerId, TouchId};
use crate::domain::provenance::{Origin, RecordField};
use crate::domain::referrer::{Referrer, ReferrerType};
use crate::domain::touch::{Disposition, Touch, TouchKind};
use crate::store::{StoreError, Tx};

/// Adds a referrer. `fill` sets its fields. `is_another`: a person says that it is none of those who look alike.
///
/// # Errors
/// [`ReferrersError::Invalid`] if it has neither a name nor an organization or no way to reach it, or if another one has the
/// same NPI; [`ReferrersError::Known`] if somebody on record looks like the same person.
pub async fn add(
    parts: &Parts,
    who: &Actor,
    is_another: bool,
    fill: impl FnOnce(&mut Referrer),
) -> Result<Referrer, ReferrersError> {
    let now = parts.clock.now();
    let empty = Referrer::new(ReferrerType::Other, now);
    let mut referrer = empty.clone();
    fill(&mut referrer);
    refuse_nameless(&referrer)?;
    if referrer.fax.is_none() && referrer.email.is_none() && referrer.phone.is_none() {
        return Err(ReferrersError::Invalid("give a fax number, an email address or a telephone number".to_owned()));
    }
    note_changes(&empty, &mut referrer, who, now);
    let mut tx = parts.store.write().await?;
    if !is_another {
        refuse_a_double(&mut tx, &referrer).await?;
    }
    tx.referrer_put(&referrer).await.map_err(npi_taken)?;
    tx.audit(who, AuditAct::AddReferrer, Some(&referrer.id.to_string()), None, now).await?;
    tx.commit().await?;
    Ok(referrer)
}

/// Somebody without a name or an organization cannot be found, greeted or told from others.
fn refuse_nameless(referrer: &Referrer) -> Result<(), ReferrersError> {
    if is_nameless(referrer) {
        return Err(ReferrersError::Invalid("give a name or an organization".to_owned()));
    }
    Ok(())
}

fn is_nameless(referrer: &Referrer) -> bool {
    referrer.person_name().is_none() && referrer.organization.is_none()
}

async fn refuse_a_double(tx: &mut Tx, referrer: &Referrer) -> Result<(), ReferrersError> {
    let Some(known) = double::of(tx, referrer).await? else { return Ok(()) };
    let name = known.full_description();
    Err(ReferrersError::Known(match referrer.person_name().filter(|new| known.person_name().as_ref() != Some(new)) {
        Some(new) => format!("{new} is on record as {name} ({})", known.id),
        None => format!("{name} ({}) is on record and looks like the same", known.id),
    }))
}

/// Changes a referrer. What a person changes stands against later lists. An address that was not theirs before is tried
/// again even if it counts as dead: a person has entered it. The old one keeps its record.
///
/// # Errors
/// [`ReferrersError::NotFound`] if the referrer is gone, [`ReferrersError::Invalid`] if another one has the same NPI, or if
/// neither a name nor an organization would be left.
pub async fn edit(
    parts: &Parts,
    id: ReferrerId,
    who: &Actor,
    change: impl FnOnce(&mut Referrer),
) -> Result<Referrer, ReferrersError> {
    edit_entering(parts, id, who, &[], change).await
}

/// The same, where a person has entered the addresses of these channels anew, though they may be the same as before.
///
/// # Errors
/// Those of [`edit`].
pub async fn edit_entering(
    parts: &Parts,
    id: ReferrerId,
    who: &Actor,
    anew: &[Channel],
    change: impl FnOnce(&mut Referrer),
) -> Result<Referrer, ReferrersError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let before = present(&mut tx, id).await?;
    let mut referrer = before.clone();
    change(&mut referrer);
    // A list may bring somebody without a name: anything else about them can still be corrected.
    if !is_nameless(&before) {
        refuse_nameless(&referrer)?;
    }
    referrer.updated_ms = now;
    note_changes(&before, &mut referrer, who, now);
    // Addresses are locked before anything else is written, as everywhere.
    entered::give_another_chance(&mut tx, Some(&before), &referrer, anew, who, now).await?;
    tx.referrer_put(&referrer).await.map_err(npi_taken)?;
    tx.audit(who, AuditAct::EditReferrer, Some(&id.to_string()), changed_fields(&before, &referrer).as_deref(), now)
        .await?;
    tx.commit().await?;
    Ok(referrer)
}

/// The referrer, unless it was deleted or merged into another.
pub(super) async fn present(tx: &mut Tx, id: ReferrerId) -> Result<Referrer, ReferrersError> {
    let found = tx.referrer(id).await?.filter(|referrer| referrer.removed_ms.is_none());
    found.ok_or_else(|| ReferrersError::NotFound(format!("there is no referrer {id}")))
}

/// Notes for every changed field that a person set it.
pub(super) fn note_changes(before: &Referrer, after: &mut Referrer, who: &Actor, now: Timestamp) {
    for field in RecordField::ALL {
        let was = fields::value(before, *field);
        if was == fields::value(after, *field) {
            continue;
        }
        // Of several corrections, the first replaced what the list said.
        let known = before.provenance.fields.get(field).filter(|origin| origin.is_by_hand());
        let former = known.map_or(was, |origin| origin.former.clone());
        after.provenance.note(*field, &Origin { who: who.clone(), at_ms: now, list: None, former });
    }
    let removed = &mut after.provenance.tags_removed;
    removed.extend(before.tags.iter().filter(|tag| !after.tags.contains(tag)).cloned());
    removed.retain(|tag| !after.tags.contains(tag));
    removed.sort_unstable();
    removed.dedup();
}

/// The names of changed fields, for the audit trail: never their values.
fn changed_fields(before: &Referrer, after: &Referrer) -> Option<String> {
    let differs = |field: &&RecordField| fields::value(before, **field) != fields::value(after, **field);
    let names: Vec<&str> = RecordField::ALL.iter().filter(differs).map(|field| field.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

pub(crate) fn npi_taken(error: StoreError) -> ReferrersError {
    match error {
        StoreError::Conflict(_) => ReferrersError::Invalid("another referrer has the same NPI".to_owned()),
        other => ReferrersError::Store(other),
    }
}

/// Logs a touch made by a person: a call, a visit, a meeting, a lunch-and-learn; or a referral received.
///
/// # Errors
/// [`ReferrersError::NotFound`] if the referrer is gone, [`ReferrersError::Invalid`] for a letter, which only sending makes.
pub async fn log_touch(
    parts: &Parts,
    referrer: ReferrerId,
    kind: TouchKind,
    title: &str,
    at: Option<Timestamp>,
    who: &Actor,
) -> Result<TouchId, ReferrersError> {
    if kind == TouchKind::Letter {
        return Err(ReferrersError::Invalid("a letter becomes a touch by being sent".to_owned()));
    }
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    present(&mut tx, referrer).await?;
    let occurred = at.unwrap_or(now);
    let touch = Touch {
        id: TouchId::new(),
        referrer_id: referrer,
        submission_id: None,
        broadcast_id: None,
        kind,
        letter: None,
        title: title.chars().take(200).collect(),
        category: None,
        disposition: Disposition::Delivered,
        occurred_ms: occurred,
        delivered_ms: Some(occurred),
        actor: who.to_owned(),
        repeat_of: None,
        notes: None,
    };
    tx.touches_insert(std::slice::from_ref(&touch)).await?;
    tx.audit(who, AuditAct::LogTouch, Some(&referrer.to_string()), Some(kind.as_str()), now).await?;
    tx.commit().await?;
    Ok(touch.id)
}
