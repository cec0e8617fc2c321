//! The ledger: counts of messages by outcome. A broadcast is finished only when
//! delivered + failed + suppressed + cancelled + expired + in doubt = total.

use serde::Serialize;

use crate::domain::MessageStatus;
use crate::domain::id::{BroadcastId, SubmissionId};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;

const ALL: &str = "SELECT status, COUNT(*) FROM message GROUP BY status";
const OF_BROADCAST: &str = "SELECT status, COUNT(*) FROM message WHERE broadcast_id = $1 GROUP BY status";
const OF_SUBMISSION: &str = "SELECT status, COUNT(*) FROM message WHERE submission_id = $1 GROUP BY status";

/// Which messages to count.
#[derive(Debug, Clone, Copy)]
pub enum LedgerOf {
    /// All there are.
    Everything,
    /// Those of one broadcast.
    Broadcast(BroadcastId),
    /// Those of one submission.
    Submission(SubmissionId),
}

/// Counts of messages by outcome; they add up to `total`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// All of them.
    pub total: i64,
    /// Delivered.
    pub delivered: i64,
    /// Not delivered.
    pub failed: i64,
    /// Forbidden by policy.
    pub suppressed: i64,
    /// Withdrawn.
    pub cancelled: i64,
    /// Ran out of time.
    pub expired: i64,
    /// May or may not have been sent.
    pub in_doubt: i64,
    /// Waiting for a person.
    pub held: i64,
    /// Waiting for their turn, or with a provider.
    pub queued: i64,
}

impl Ledger {
    fn add(&mut self, status: MessageStatus, count: i64) {
        self.total += count;
        match status {
            MessageStatus::Delivered => self.delivered += count,
            MessageStatus::Failed => self.failed += count,
            MessageStatus::Suppressed => self.suppressed += count,
            MessageStatus::Cancelled => self.cancelled += count,
            MessageStatus::Expired => self.expired += count,
            MessageStatus::InDoubt => self.in_doubt += count,
            MessageStatus::Held => self.held += count,
            MessageStatus::Queued | MessageStatus::Accepted => self.queued += count,
        }
    }

    /// Whether nothing more will happen by itself: everything is terminal, held, or in doubt.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.queued == 0
    }
}

impl Tx {
    /// Counts messages by outcome.
    pub async fn ledger(&mut self, of: LedgerOf) -> Result<Ledger, StoreError> {
        let rows: Vec<(MessageStatus, i64)> = on!(self, |c, d| match of {
            LedgerOf::Everything => sqlx::query_as(ALL).fetch_all(&mut *c).await?,
            LedgerOf::Broadcast(id) => sqlx::query_as(OF_BROADCAST).bind(id).fetch_all(&mut *c).await?,
            LedgerOf::Submission(id) => sqlx::query_as(OF_SUBMISSION).bind(id).fetch_all(&mut *c).await?,
        });
        let mut ledger = Ledger::default();
        for (status, count) in rows {
            ledger.add(status, count);
        }
        Ok(ledger)
    }
}
