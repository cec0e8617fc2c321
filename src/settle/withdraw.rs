//! Withdrawing: the messages of a submission that was undone are cancelled, a portion in each transaction, so that a long
//! list does not hold the database's only writer. From the moment that the submission is marked, the gate lets none of them
//! through.

use super::{Origin, acts};
use crate::domain::id::{MessageId, SubmissionId};
use crate::domain::{MessageStatus, OperatorReason, Timestamp};
use crate::store::{StoreError, Tx};

/// Messages withdrawn in one transaction.
const PORTION: i64 = 512;

/// Cancels some of the messages of a withdrawn submission that wait for their turn or for a person. Returns how many: 0 when
/// none is left. What has been handed over stays as it is. Takes the locks of the addresses, then those of the messages.
///
/// # Errors
/// [`StoreError`]; then the transaction has no effect.
pub async fn withdraw_some(
    tx: &mut Tx,
    submission: SubmissionId,
    origin: &Origin,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let seen = tx.messages_waiting_of(submission, PORTION).await?;
    let keys: Vec<_> = seen.iter().map(|message| message.address.key()).collect();
    tx.addresses_lock(&keys).await?;
    let ids: Vec<MessageId> = seen.iter().map(|message| message.id).collect();
    let mut messages = tx.messages(&ids, true).await?;
    let open: Vec<MessageId> = tx.attempts_open(&ids).await?.into_iter().map(|attempt| attempt.message_id).collect();
    messages.retain(|message| {
        matches!(message.status, MessageStatus::Queued | MessageStatus::Held) && !open.contains(&message.id)
    });
    let reason = OperatorReason::Withdrawn.into();
    acts::end(tx, &mut messages, MessageStatus::Cancelled, reason, origin, now).await?;
    Ok(messages.len())
}
