//! The audit trail of reading: who viewed a letter that identifies a patient.

use super::Parts;
use crate::domain::Actor;
use crate::domain::AuditAct;
use crate::domain::PhiClass;
use crate::domain::message::Message;
use crate::store::StoreError;

/// Records that `who` views `part` of a message's document, such as `page 2`. Letters that identify no patient are not
/// recorded.
///
/// # Errors
/// The database cannot be used; then the document must not be shown.
pub async fn note_document_view(parts: &Parts, message: &Message, part: &str, who: &Actor) -> Result<(), StoreError> {
    if message.phi != PhiClass::Identified {
        return Ok(());
    }
    let mut tx = parts.store.write().await?;
    tx.audit(who, AuditAct::ViewDocument, Some(&message.id.to_string()), Some(part), parts.clock.now()).await?;
    tx.commit().await
}
