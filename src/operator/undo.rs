//! Undo: a person withdraws a submission before its undo window ends. All of it or nothing, and before any provider was
//! called.

use super::{OperatorError, Parts};
use crate::domain::id::SubmissionId;
use crate::domain::{Actor, AuditAct, Timestamp};
use crate::settle::{self, Origin};
use crate::store::Tx;
use crate::store::records::submissions::SubmissionRow;
use crate::store::views::undo::Undoable;

/// Submissions looked through for the latest of somebody.
const LATEST_AMONG: i64 = 1_000;

/// A submission that was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The submission.
    pub submission: SubmissionId,
    /// How many messages were cancelled.
    pub messages: usize,
    /// Whether it was a list of which not everything was on the queue yet; the rest of it is stopped as well.
    pub was_unfolding: bool,
    /// When it was withdrawn.
    pub at: Timestamp,
}

/// Withdraws a submission: nothing of it is sent. Its messages are cancelled, its touches do not count, and a list that is
/// still being unfolded stops.
///
/// # Errors
/// [`OperatorError::NotFound`]; [`OperatorError::WrongState`] if its undo window has ended, it never had one, nothing of it
/// waits, or it was withdrawn already, with what to do instead. After a failure of the store in the middle of a long list it is withdrawn all
/// the same, and the rest is cancelled by itself.
pub async fn undo(parts: &Parts, id: SubmissionId, who: &Actor) -> Result<Undone, OperatorError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let broadcast = tx.broadcast_of_submission(id).await?;
    // The list first and the submission after it, as the transaction that unfolds a portion takes them.
    let was_unfolding = match broadcast {
        Some(broadcast) => tx.broadcast_unfold_stop(broadcast).await?,
        None => false,
    };
    let row = tx.submission_lock(id).await?;
    let row = row.ok_or_else(|| OperatorError::NotFound(format!("there is no submission {id}")))?;
    check(&mut tx, &row, was_unfolding, now).await?;
    tx.submission_undone(id, who, now).await?;
    tx.audit(who, AuditAct::Undo, Some(&id.to_string()), None, now).await?;
    tx.commit().await?;
    let messages = withdraw_all(parts, id, who).await?;
    Ok(Undone { submission: id, messages, was_unfolding, at: now })
}

/// The latest submission of a person of which something can still be withdrawn.
///
/// # Errors
/// [`OperatorError::NotFound`] if there is none; it names what others sent that could be.
pub async fn latest(parts: &Parts, who: &Actor) -> Result<SubmissionId, OperatorError> {
    let undoable = parts.store.read().await?.undoable(parts.clock.now(), LATEST_AMONG).await?;
    if let Some(own) = undoable.iter().find(|one| one.who == *who) {
        return Ok(own.id);
    }
    Err(OperatorError::NotFound(match undoable.first() {
        None => "nothing can be undone: no undo window is open; `touchline cancel` stops messages that have not been \
                 handed over yet"
            .to_owned(),
        Some(Undoable { id, who, .. }) => {
            format!("you have sent nothing that can be undone; {} has: `touchline undo {id}`", who.name())
        }
    }))
}

async fn check(tx: &mut Tx, row: &SubmissionRow, was_unfolding: bool, now: Timestamp) -> Result<(), OperatorError> {
    let refused = |words: &str| Err(OperatorError::WrongState(words.to_owned()));
    let instead = "`touchline cancel MESSAGE` stops a message that has not been handed over yet";
    if row.undone_ms.is_some() {
        return refused("it was withdrawn already");
    }
    match row.undo_until_ms {
        None => refused(&format!("it was sent without an undo window: {instead}")),
        Some(until) if now >= until => refused(&format!("its undo window has ended: {instead}")),
        Some(_) if tx.submission_was_handed_over(row.id).await? => {
            refused(&format!("part of it was handed over already: {instead}"))
        }
        Some(_) if !was_unfolding && tx.messages_waiting_of(row.id, 1).await?.is_empty() => {
            refused("nothing of it waits: there is nothing to withdraw")
        }
        Some(_) => Ok(()),
    }
}

async fn withdraw_all(parts: &Parts, id: SubmissionId, who: &Actor) -> Result<usize, OperatorError> {
    let origin = Origin::person(who);
    let mut messages = 0;
    loop {
        let mut tx = parts.store.write().await?;
        let some = settle::withdraw_some(&mut tx, id, &origin, parts.clock.now()).await?;
        tx.commit().await?;
        messages += some;
        if some == 0 {
            return Ok(messages);
        }
    }
}
