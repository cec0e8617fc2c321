//! Deleting a referrer. Letters that went out and refusals are records that a practice must be able to show (47 CFR
//! § 64.1200(a)(4); `compliance.md` R2.9), so the history stays, and so does enough to know the person again on the next list.

use super::edit::present;
use super::{Parts, ReferrersError};
use crate::domain::id::ReferrerId;
use crate::domain::referrer::{Referrer, ReferrerState};
use crate::domain::{Actor, AuditAct};

/// What deleting did, and what is kept.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Removed {
    /// Name, organization and place.
    pub name: String,
    /// Touches that stay in the records.
    pub touches: usize,
    /// Refusals of their addresses that stay in force.
    pub refusals: usize,
}

/// Touches counted.
const TOUCHES_COUNTED: i64 = 10_000;

/// Takes a referrer off all lists: they get nothing anymore, waiting letters to them are refused at the last check, and a
/// later list does not add them again. Notes and tags are erased.
///
/// # Errors
/// [`ReferrersError::NotFound`] if there is no such referrer, [`ReferrersError::Invalid`] without a reason.
pub async fn remove(parts: &Parts, id: ReferrerId, why: &str, who: &Actor) -> Result<Removed, ReferrersError> {
    let why = why.trim();
    if why.is_empty() {
        return Err(ReferrersError::Invalid("say why: the reason is kept in the audit trail".to_owned()));
    }
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let referrer = present(&mut tx, id).await?;
    let keys: Vec<_> = referrer.addresses().map(|address| address.key()).collect();
    let removed = Removed {
        name: referrer.full_description(),
        touches: tx.touches_of(id, TOUCHES_COUNTED).await?.len(),
        refusals: tx.suppressions_among(&keys).await?.len(),
    };
    let gone = Referrer {
        removed_ms: Some(now),
        updated_ms: now,
        state: ReferrerState::DoNotContact,
        notes: None,
        tags: Vec::new(),
        ..referrer
    };
    tx.referrer_put(&gone).await?;
    tx.audit(who, AuditAct::DeleteReferrer, Some(&id.to_string()), Some(why), now).await?;
    tx.commit().await?;
    Ok(removed)
}
