//! After a restore. The records have lost everything since the backup was made, above all calls. Whatever had not
//! ended then may have gone out since, so nothing goes out by itself:
//!
//! - a queued message is held with the reason `restored`, until a person releases it;
//! - a message that a provider may have is looked up as usual, and what would follow as another try is held instead
//!   ([`crate::settle::Rules::restored`]);
//! - a campaign that is due may have run: it is paused, and when it is resumed, missed runs are not made up;
//! - sessions of operators end.
//!
//! All of it is one transaction: a database is either not restored yet, or restored and safe.

use serde::Serialize;

use crate::domain::{Actor, AuditAct, PolicyReason, Timestamp};
use crate::settle::{self, Origin};
use crate::store::{Store, StoreError, Tx};

/// Messages handled at once.
const BATCH: i64 = 200;

/// What a restore found that had not ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Parked {
    /// Messages that were queued and are held now.
    pub held: usize,
    /// Messages that a provider may have; they are looked up.
    pub in_flight: i64,
    /// Campaigns that were due and are paused now, by name.
    pub campaigns: Vec<String>,
}

/// Makes sure that nothing in these records goes out by itself. Call it while no daemon uses them.
///
/// # Errors
/// The database cannot be used; then nothing is changed.
pub async fn park(store: &Store, who: &Actor, now: Timestamp) -> Result<Parked, StoreError> {
    let mut tx = store.write().await?;
    let mut parked = Parked { in_flight: tx.attempts_in_flight().await?, ..Parked::default() };
    loop {
        let held = hold_some(&mut tx, who, now).await?;
        parked.held += held;
        if held == 0 {
            break;
        }
    }
    parked.campaigns = tx.campaigns_pause_due(now).await?;
    tx.sessions_end_all().await?;
    tx.restore_note(now).await?;
    let detail = format!("{} messages held, {} campaigns paused", parked.held, parked.campaigns.len());
    tx.audit(who, AuditAct::Restore, None, Some(&detail), now).await?;
    tx.commit().await?;
    Ok(parked)
}

/// Holds a batch of the queued messages; returns how many.
async fn hold_some(tx: &mut Tx, who: &Actor, now: Timestamp) -> Result<usize, StoreError> {
    let waiting = tx.messages_waiting(BATCH).await?;
    let mut messages = tx.messages(&waiting, true).await?;
    settle::hold(tx, &mut messages, PolicyReason::Restored.into(), &Origin::person(who), now).await?;
    Ok(messages.len())
}
