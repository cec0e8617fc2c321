//! What a mail provider's event says beyond the fact itself, as a return.

use super::follow::{Evidence, Finding};
use super::matching::Letters;
use super::taking::was_corrected;
use crate::domain::event::{DeliveryEvent, Fact};
use crate::domain::id::{AttemptId, InboxId};
use crate::domain::returned::{Automatic, MatchedBy, ReturnClass, ReturnKind, Returned};
use crate::domain::{About, Fault, Timestamp};
use crate::settle::{self, Update};
use crate::store::records::inbox::Callback;
use crate::store::{StoreError, Tx};

/// An event about an attempt that is known.
#[derive(Debug, Clone)]
pub(in crate::feedback) struct Told {
    callback: InboxId,
    source: String,
    attempt: AttemptId,
    returned: Returned,
    reason: Option<Fault>,
    at: Timestamp,
}

impl Told {
    /// What the event says came back, if anything did.
    pub fn of(callback: &Callback, event: &DeliveryEvent, attempt: AttemptId) -> Option<Self> {
        let returned = event.returned.clone()?;
        let reason = match &event.fact {
            Fact::Failed(failure) => Some(failure.fault),
            Fact::Progress { .. } | Fact::Delivered { .. } => None,
        };
        Some(Self {
            callback: callback.id,
            source: callback.provider.clone(),
            attempt,
            returned,
            reason,
            at: event.occurred_ms.unwrap_or(callback.received_ms),
        })
    }
}

/// The events as returns, each with its letter.
///
/// # Errors
/// The database cannot be used.
pub(in crate::feedback) async fn findings(tx: &mut Tx, told: &[Told]) -> Result<Vec<Finding>, StoreError> {
    if told.is_empty() {
        return Ok(Vec::new());
    }
    let letters = Letters::read(tx, &told.iter().map(|one| one.attempt).collect::<Vec<_>>()).await?;
    let finding = |one: &Told| {
        let is_automatic = one.returned.kind == ReturnKind::AutoReply;
        Finding {
            evidence: Evidence::Callback(one.callback),
            source: one.source.clone(),
            returned: one.returned.clone(),
            reason: one.reason,
            answer: is_automatic.then(|| (automatic(&one.returned), None)),
            sender: letters.get(one.attempt).and_then(super::taking::domain),
            first_line: None,
            reply: None,
            may_be_a_persons: false,
            asks_to_stop: false,
            matched_by: Some(MatchedBy::Provider),
            letter: letters.get(one.attempt).cloned(),
            referrer: None,
            received_ms: one.at,
        }
    };
    Ok(told.iter().map(finding).collect())
}

/// Takes back what a person said to be misread: of those whose word was corrected for that domain, nothing follows for the address.
/// `updates`: what the same events say of the letters themselves, which did not arrive all the same.
///
/// # Errors
/// The database cannot be used.
pub(in crate::feedback) async fn correct(
    tx: &mut Tx,
    findings: &mut [Finding],
    updates: &mut [Update],
) -> Result<(), StoreError> {
    for finding in findings.iter_mut().filter(|finding| finding.returned.class == Some(ReturnClass::Hard)) {
        if !was_corrected(tx, finding.returned.row.as_deref(), finding.sender.as_deref()).await? {
            continue;
        }
        finding.returned.class = Some(ReturnClass::Soft);
        let attempt = finding.letter.as_ref().map(|letter| letter.attempt);
        for update in updates.iter_mut().filter(|update| Some(update.attempt) == attempt) {
            if let settle::Evidence::Fact(Fact::Failed(failure), _) = &mut update.evidence {
                failure.about = Some(About::Letter);
            }
        }
    }
    Ok(())
}

/// Leaves out the words about letters that identify a patient: a server may quote the subject. The codes stay.
pub(in crate::feedback) fn leave_out_words_about_patients(findings: &[Finding], updates: &mut [Update]) {
    let letters = findings.iter().filter(|finding| finding.is_about_a_patient()).filter_map(|one| one.letter.as_ref());
    let attempts: Vec<AttemptId> = letters.map(|letter| letter.attempt).collect();
    for update in updates.iter_mut().filter(|update| attempts.contains(&update.attempt)) {
        if let settle::Evidence::Fact(Fact::Failed(failure), _) = &mut update.evidence {
            failure.raw_text = None;
        }
    }
}

/// What kind of answer a provider's word names: an address that changed is a task for a person, and so is a challenge.
fn automatic(returned: &Returned) -> Automatic {
    let word = returned.row.as_deref().unwrap_or_default().to_ascii_lowercase().replace(['_', '-', ' '], "");
    if word.ends_with("addresschange") {
        Automatic::Moved
    } else if word.ends_with("challengeverification") {
        Automatic::Challenge
    } else {
        Automatic::Other
    }
}
