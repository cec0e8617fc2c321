//! What went to whom: what the guard against repeats asks.

use crate::domain::id::{CampaignId, ReferrerId, SubmissionId, TouchId};
use crate::domain::{Address, MessageStatus, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, push_list};

const SENT: &str =
    "SELECT m.referrer_id, m.touch_id, m.submission_id, m.letter, m.status, m.address, t.occurred_ms, m.created_ms,
        b.campaign_id, CASE WHEN m.purpose IN ('treatment', 'operational') OR m.letter <> ";
const OF: &str = " THEN m.variables END AS variables
    FROM message m JOIN touch t ON t.id = m.touch_id LEFT JOIN broadcast b ON b.id = m.broadcast_id
    WHERE m.status IN ('queued', 'held', 'accepted', 'in_doubt', 'delivered') AND m.letter IN (";

/// A letter that went to a referrer, or may still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// To whom.
    pub referrer_id: ReferrerId,
    /// The touch it is.
    pub touch_id: TouchId,
    /// The submission that sent it.
    pub submission_id: SubmissionId,
    /// The letter's name.
    pub letter: String,
    /// Where its message stands.
    pub status: MessageStatus,
    /// Where it went.
    pub address: Address,
    /// When it was sent, or is to be.
    pub occurred_ms: Timestamp,
    /// When it was accepted, or its campaign ran.
    pub created_ms: Timestamp,
    /// The campaign that sent it.
    pub campaign_id: Option<CampaignId>,
    /// Its variables, JSON, where they tell two letters apart: treatment and operational ones, and copies of the letter.
    /// Never logged.
    pub variables: Option<String>,
}

record!(Sent: "message" by touch_id as TouchId {
    referrer_id, touch_id, submission_id, letter, status, address, occurred_ms, created_ms, campaign_id, variables
});

impl Tx {
    /// Takes the locks of these letters until the end of the transaction, always in the same order: no two transactions
    /// decide at the same time who gets one of them, whatever the node or program. A letter's lock comes before those of
    /// addresses and messages.
    pub async fn letters_lock(&mut self, letters: &[&str]) -> Result<(), StoreError> {
        let mut letters = letters.to_vec();
        letters.sort_unstable();
        letters.dedup();
        on!(self, |c, d| {
            if let Some(lock) = d.lock_named() {
                for letter in letters {
                    sqlx::query(lock).bind(format!("letter {letter}")).execute(&mut *c).await?;
                }
            }
            Ok(())
        })
    }

    /// Everything that these referrers were sent of one letter or its copies since a moment, or that is still on its way to them; not what
    /// failed, was forbidden, was cancelled or expired. One for each message, in no particular order.
    pub async fn letters_sent(
        &mut self,
        letter: &str,
        copies: &[&str],
        referrers: &[ReferrerId],
        since: Timestamp,
    ) -> Result<Vec<Sent>, StoreError> {
        let names: Vec<&str> = std::iter::once(letter).chain(copies.iter().copied()).collect();
        let mut found = Vec::new();
        for list in lists(referrers) {
            let rows: Vec<Sent> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(SENT);
                statement.push_bind(letter).push(OF);
                push_list(&mut statement, &names);
                statement.push(") AND t.occurred_ms >= ").push_bind(since);
                statement.push(" AND m.referrer_id IN (");
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }
}
