//! Whether somebody who is added by hand is on record: under the name of a record that was merged, under a name or address
//! that was corrected, at a further location.

use std::collections::{BTreeMap, HashMap};

use super::fields::uncorrected;
use super::matching::{Evidence, Facet, evidence};
use crate::domain::AddressKey;
use crate::domain::id::ReferrerId;
use crate::domain::referrer::{Location, Referrer};
use crate::store::records::referrers::{Alike, name_key};
use crate::store::{StoreError, Tx};

/// How many merges in a row are followed.
pub(super) const MERGES_MAX: usize = 20;

/// The referrer on record who looks like this new one; nobody who was deleted.
///
/// # Errors
/// The database cannot be used.
pub(super) async fn of(tx: &mut Tx, new: &Referrer) -> Result<Option<Referrer>, StoreError> {
    let found = alike(tx, new).await?;
    let kept_by = kept_by(tx, found.keys().copied().collect()).await?;
    let mut merged: HashMap<ReferrerId, Vec<Facet>> = HashMap::new();
    for (id, kept) in &kept_by {
        if let Some(one) = found.get(id).filter(|_| id != kept) {
            merged.entry(*kept).or_default().push(Facet::of_referrer(one));
        }
    }
    let ids: Vec<ReferrerId> = kept_by.values().copied().collect();
    let locations = tx.locations_of(&ids).await?;
    let facet = Facet::of_referrer(new);
    let looks_alike = |known: &Referrer| {
        let mut facets = facets_of(known, &locations);
        facets.extend(merged.get(&known.id).into_iter().flatten().cloned());
        known.removed_ms.is_none() && evidence(&facet, &facets) > Evidence::No
    };
    Ok(tx.referrers(&ids).await?.into_iter().find(looks_alike))
}

/// Everything that is known of a referrer, in comparable form.
fn facets_of(known: &Referrer, locations: &[Location]) -> Vec<Facet> {
    let own = locations.iter().filter(|location| location.referrer_id == known.id);
    let further = own.map(|location| Facet::of_location(known, location));
    let former = uncorrected(known).map(|former| Facet::of_referrer(&former));
    std::iter::once(Facet::of_referrer(known)).chain(further).chain(former).collect()
}

/// Records with the same name, NPI, address or telephone number, those removed and merged included.
async fn alike(tx: &mut Tx, new: &Referrer) -> Result<BTreeMap<ReferrerId, Referrer>, StoreError> {
    let name = name_key(new.first_name.as_deref(), new.last_name.as_deref(), new.organization.as_deref());
    let (email, fax) = (new.email.as_ref().map(AddressKey::from), new.fax.as_ref().map(AddressKey::from));
    let mut found = BTreeMap::new();
    for (by, key) in [
        (Alike::Name, Some(name.as_str())),
        (Alike::Npi, new.npi.as_deref()),
        (Alike::Email, email.as_ref().map(AddressKey::as_str)),
        (Alike::Fax, fax.as_ref().map(AddressKey::as_str)),
        (Alike::Phone, new.phone.as_deref()),
    ] {
        let Some(key) = key else { continue };
        found.extend(tx.referrers_alike(by, &[key]).await?.into_iter().map(|known| (known.id, known)));
    }
    Ok(found)
}

/// Who stands for each of these records: themselves, or whom they were merged into.
pub(super) async fn kept_by(tx: &mut Tx, ids: Vec<ReferrerId>) -> Result<BTreeMap<ReferrerId, ReferrerId>, StoreError> {
    let mut kept_by: BTreeMap<ReferrerId, ReferrerId> = ids.into_iter().map(|id| (id, id)).collect();
    for _ in 0..MERGES_MAX {
        let ids: Vec<ReferrerId> = kept_by.values().copied().collect();
        let merged: HashMap<ReferrerId, ReferrerId> = tx.merges_standing(&ids).await?.into_iter().collect();
        if merged.is_empty() {
            break;
        }
        for kept in kept_by.values_mut() {
            *kept = merged.get(kept).copied().unwrap_or(*kept);
        }
    }
    Ok(kept_by)
}
