//! Merging two referrers who are one person, and undoing it. Touches are joined, the stricter refusal stands, and a basis
//! stays with its number.

mod carried;

use super::edit::{npi_taken, present};
use super::fields::keys;
use super::{Parts, ReferrersError};
use crate::domain::id::{LocationId, MergeId, ReferrerId};
use crate::domain::referrer::{Location, Referrer};
use crate::domain::{Actor, AuditAct, Timestamp};
use crate::store::Tx;
use crate::store::records::imports::Before;
use crate::store::records::merges::Merge;

/// What a merge did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Merged {
    /// Identifier, to undo it.
    pub merge: MergeId,
    /// Touches that were joined.
    pub touches: usize,
    /// Suppressions that an address of the one that stays has now, because one of the two refused at another address.
    pub suppressions: usize,
    /// Who stays, as it is now.
    #[serde(skip)]
    pub kept: Referrer,
}

/// Merges one referrer into another. The one that stays keeps its values and takes what it lacks; addresses and places
/// of the other become further locations. What one of them refused at any address of a channel holds for the address of that
/// channel to which letters go from now on.
///
/// # Errors
/// [`ReferrersError::NotFound`] if one of them is gone, [`ReferrersError::Invalid`] if both are the same, or have
/// different NPIs.
pub async fn merge(parts: &Parts, kept: ReferrerId, merged: ReferrerId, who: &Actor) -> Result<Merged, ReferrersError> {
    if kept == merged {
        return Err(ReferrersError::Invalid("a referrer cannot be merged with itself".to_owned()));
    }
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let (one, other) = (whole(&mut tx, kept).await?, whole(&mut tx, merged).await?);
    if let (Some(npi), Some(second)) = (&one.referrer.npi, &other.referrer.npi)
        && npi != second
    {
        return Err(ReferrersError::Invalid(
            "they have different NPIs, so they are two people; correct the NPI first if one is wrong".to_owned(),
        ));
    }
    let after = joined(&one, &other, now);
    // Whoever goes first gives up the NPI.
    let gone =
        Referrer { removed_ms: Some(now), updated_ms: now, state: after.referrer.state, ..other.referrer.clone() };
    let known = one.locations.len();
    let (id, before) = (MergeId::new(), vec![one, other]);
    // Addresses are locked before anything else is written, as everywhere.
    let suppressions = carried::carry(&mut tx, id, &before, &after.referrer, who, now).await?;
    tx.referrer_put(&gone).await?;
    tx.referrer_put(&after.referrer).await.map_err(npi_taken)?;
    for location in after.locations.iter().skip(known) {
        tx.location_put(location).await?;
    }
    let touches = tx.touches_join(kept, merged).await?;
    let count = touches.len();
    tx.merge_insert(&Merge { id, kept, merged, before, touches, who: who.clone(), created_ms: now, undone_ms: None })
        .await?;
    tx.audit(who, AuditAct::MergeReferrers, Some(&kept.to_string()), Some(&merged.to_string()), now).await?;
    tx.commit().await?;
    Ok(Merged { merge: id, touches: count, suppressions, kept: after.referrer })
}

async fn whole(tx: &mut Tx, id: ReferrerId) -> Result<Before, ReferrersError> {
    let referrer = present(tx, id).await?;
    Ok(Before { referrer, locations: tx.locations_of(&[id]).await? })
}

/// The record that stays, with what the other adds.
fn joined(one: &Before, other: &Before, now: Timestamp) -> Before {
    let (mut kept, gone) = (one.referrer.clone(), &other.referrer);
    for (known, said) in [
        (&mut kept.npi, &gone.npi),
        (&mut kept.first_name, &gone.first_name),
        (&mut kept.last_name, &gone.last_name),
        (&mut kept.credentials, &gone.credentials),
        (&mut kept.organization, &gone.organization),
        (&mut kept.phone, &gone.phone),
        (&mut kept.time_zone, &gone.time_zone),
        (&mut kept.source, &gone.source),
        (&mut kept.notes, &gone.notes),
    ] {
        if known.is_none() {
            known.clone_from(said);
        }
    }
    if kept.place.is_unknown() {
        kept.place = gone.place.clone();
    }
    let takes_fax = kept.fax.is_none();
    let takes_email = kept.email.is_none();
    kept.fax = kept.fax.or_else(|| gone.fax.clone());
    kept.email = kept.email.or_else(|| gone.email.clone());
    kept.state = kept.state.stricter(gone.state);
    kept.tags.extend(
        gone.tags.iter().filter(|tag| !kept.provenance.tags_removed.contains(tag)).cloned().collect::<Vec<_>>(),
    );
    kept.tags.sort_unstable();
    kept.tags.dedup();
    kept.updated_ms = now;
    let mut locations = one.locations.clone();
    let own = Location {
        id: LocationId::new(),
        referrer_id: kept.id,
        organization: gone.organization.clone(),
        place: gone.place.clone(),
        email: gone.email.clone().filter(|_| !takes_email),
        fax: gone.fax.clone().filter(|_| !takes_fax),
        phone: gone.phone.clone(),
        source: gone.source.clone(),
        created_ms: now,
        updated_ms: now,
    };
    let copies = other.locations.iter().map(|location| Location {
        id: LocationId::new(),
        referrer_id: kept.id,
        ..location.clone()
    });
    locations.extend(Some(own).filter(|own| adds_something(&kept, own)).into_iter().chain(copies));
    Before { referrer: kept, locations }
}

fn adds_something(kept: &Referrer, other: &Location) -> bool {
    let (email, fax) = keys(other.email.as_ref(), other.fax.as_ref());
    let (known_email, known_fax) = keys(kept.email.as_ref(), kept.fax.as_ref());
    let new_email = email.is_some() && email != known_email;
    let new_fax = fax.is_some() && fax != known_fax;
    let new_place = !other.place.is_unknown() && other.place != kept.place;
    let new_organization = other.organization.is_some() && other.organization != kept.organization;
    new_email || new_fax || new_place || new_organization
}

/// Undoes a merge: both are as before, with their own touches. What was changed on the one that stayed in the meantime is
/// lost, except a contact status that was made stricter, and its newer touches.
///
/// # Errors
/// [`ReferrersError::NotFound`] if there is no such merge, [`ReferrersError::Invalid`] if it was undone before, or the one
/// that stayed was merged or deleted since.
pub async fn undo_merge(parts: &Parts, id: MergeId, who: &Actor) -> Result<Vec<Referrer>, ReferrersError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let merge = tx.merge(id).await?.ok_or_else(|| ReferrersError::NotFound(format!("there is no merge {id}")))?;
    let current = present(&mut tx, merge.kept).await.map_err(|_| {
        ReferrersError::Invalid("the one that stayed was merged or deleted since: undo that first".to_owned())
    })?;
    if !tx.merge_undone(id, now).await? {
        return Err(ReferrersError::Invalid("this merge was undone before".to_owned()));
    }
    carried::take_back(&mut tx, &merge, who, now).await?;
    // The stricter of the two stood for both; anything stricter than that was decided since, and stands.
    let joined = merge.before.iter().map(|before| before.referrer.state).max();
    let decided_since = Some(current.state).filter(|state| joined.is_some_and(|joined| *state > joined));
    let mut restored = Vec::with_capacity(merge.before.len());
    for before in &merge.before {
        let state = decided_since.map_or(before.referrer.state, |state| state.stricter(before.referrer.state));
        let referrer = Referrer { updated_ms: now, state, ..before.referrer.clone() };
        tx.referrer_put(&referrer).await.map_err(npi_taken)?;
        tx.locations_delete(referrer.id).await?;
        for location in &before.locations {
            tx.location_put(location).await?;
        }
        restored.push(referrer);
    }
    tx.touches_part(merge.merged, &merge.touches).await?;
    tx.audit(who, AuditAct::UndoMerge, Some(&merge.kept.to_string()), Some(&merge.merged.to_string()), now).await?;
    tx.commit().await?;
    Ok(restored)
}
