//! The audit trail of reading: who viewed a letter that identifies a patient, and who took records out. Each is recorded
//! before anything is shown or written, and nothing is where it cannot be recorded.

use super::Parts;
use crate::domain::Actor;
use crate::domain::AuditAct;
use crate::domain::PhiClass;
use crate::domain::id::ReferrerId;
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

/// Records that `who` previews a letter for a referrer, or for a made-up recipient. Call it for letters that identify a
/// patient.
///
/// # Errors
/// The database cannot be used; then the preview must not be written.
pub async fn note_preview(
    parts: &Parts,
    letter: &str,
    referrer: Option<ReferrerId>,
    who: &Actor,
) -> Result<(), StoreError> {
    let referrer = referrer.map(|referrer| referrer.to_string());
    let mut tx = parts.store.write().await?;
    tx.audit(who, AuditAct::PreviewLetter, referrer.as_deref(), Some(letter), parts.clock.now()).await?;
    tx.commit().await
}

/// Records that `who` exports records: what, and how many.
///
/// # Errors
/// The database cannot be used; then nothing must be exported.
pub async fn note_export(parts: &Parts, what: &str, detail: &str, who: &Actor) -> Result<(), StoreError> {
    let mut tx = parts.store.write().await?;
    tx.audit(who, AuditAct::Export, Some(what), Some(detail), parts.clock.now()).await?;
    tx.commit().await
}
