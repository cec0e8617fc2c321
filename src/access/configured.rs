//! The audit trail of the configuration: what a command wrote into it.

use super::Parts;
use crate::domain::{Actor, AuditAct};
use crate::store::StoreError;

/// Records that `who` wrote a provider account into the configuration: its name and the provider's kind, no setting.
///
/// # Errors
/// The database cannot be used; then nothing is recorded.
pub async fn note_provider_added(parts: &Parts, account: &str, kind: &str, who: &Actor) -> Result<(), StoreError> {
    let mut tx = parts.store.write().await?;
    tx.audit(who, AuditAct::AddProvider, Some(account), Some(kind), parts.clock.now()).await?;
    tx.commit().await
}
