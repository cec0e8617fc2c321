//! Where a referrer works: which of several places letters go to.

use super::edit::{note_changes, present};
use super::{Parts, ReferrersError};
use crate::domain::id::{LocationId, ReferrerId};
use crate::domain::referrer::{Location, Referrer};
use crate::domain::{Actor, AuditAct};

/// Makes a further location the preferred one: letters go there from now on. The one that was preferred is kept.
///
/// # Errors
/// [`ReferrersError::NotFound`] if the referrer is gone or has no such location.
pub async fn prefer(
    parts: &Parts,
    id: ReferrerId,
    location: LocationId,
    who: &Actor,
) -> Result<Referrer, ReferrersError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let before = present(&mut tx, id).await?;
    let known = tx.locations_of(&[id]).await?;
    let chosen = known
        .into_iter()
        .find(|known| known.id == location)
        .ok_or_else(|| ReferrersError::NotFound(format!("there is no location {location} of this referrer")))?;
    let former = Location {
        organization: before.organization.clone(),
        place: before.place.clone(),
        email: before.email.clone(),
        fax: before.fax.clone(),
        phone: before.phone.clone(),
        updated_ms: now,
        ..chosen.clone()
    };
    let mut referrer = Referrer {
        organization: chosen.organization.or_else(|| before.organization.clone()),
        place: chosen.place,
        // A mailbox often belongs to the person and not to the place.
        email: chosen.email.or_else(|| before.email.clone()),
        fax: chosen.fax,
        phone: chosen.phone,
        updated_ms: now,
        ..before.clone()
    };
    note_changes(&before, &mut referrer, who, now);
    tx.referrer_put(&referrer).await?;
    tx.location_put(&former).await?;
    tx.audit(who, AuditAct::PreferLocation, Some(&id.to_string()), None, now).await?;
    tx.commit().await?;
    Ok(referrer)
}
