//! Read models of the dashboard's lists: message lines by filter, addresses that do not work, running broadcasts.

use super::overview::MessageLine;
use crate::domain::health::Health;
use crate::domain::id::{BroadcastId, MessageId, ReferrerId};
use crate::domain::{Channel, Fault, MessageStatus, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::records::broadcasts::Broadcast;

const LINES: &str = "SELECT m.id, m.referrer_id, m.channel, m.letter, m.status, m.reason,
        m.updated_ms, m.tries, r.first_name, r.last_name, r.credentials, r.organization
    FROM message m JOIN referrer r ON r.id = m.referrer_id WHERE 1 = 1";
const UNWELL: &str = "SELECT a.channel, a.health, a.fault, a.updated_ms, r.id AS referrer_id
    FROM address a JOIN referrer r ON r.fax = a.value WHERE a.channel = 'fax' AND a.health IN ('dead', 'doubtful')
    UNION ALL
    SELECT a.channel, a.health, a.fault, a.updated_ms, r.id AS referrer_id
    FROM address a JOIN referrer r ON r.email_key = a.value
    WHERE a.channel = 'email' AND a.health IN ('dead', 'doubtful')
    ORDER BY 2, 4 DESC, 5, 1 LIMIT $1";
const RUNNING: &str = "SELECT id, submission_id, campaign_id, planned_ms, name, letter, total, created_ms, finished_ms,
    paused_ms, paused_reason, resumed_ms, resumed_by FROM broadcast WHERE finished_ms IS NULL ORDER BY created_ms DESC, id DESC LIMIT $1";

/// Which messages to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct LinesOf {
    /// Only those in one of these statuses; all, if empty.
    pub statuses: &'static [MessageStatus],
    /// Only those of one broadcast.
    pub broadcast: Option<BroadcastId>,
    /// Only those created before this one: the last of the page before.
    pub before: Option<MessageId>,
}

/// A referrer's address that does not work, or seems not to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnwellAddress {
    /// Channel.
    pub channel: Channel,
    /// dead or doubtful.
    pub health: Health,
    /// The latest evidence against it.
    pub fault: Option<Fault>,
    /// Since when.
    pub updated_ms: Timestamp,
    /// The referrer it belongs to.
    pub referrer_id: ReferrerId,
}

record!(UnwellAddress: "referrer" by referrer_id as ReferrerId { channel, health, fault, updated_ms, referrer_id });

impl Tx {
    /// Messages with their referrers' names, newest first, at most `limit`.
    pub async fn message_lines(&mut self, of: LinesOf, limit: i64) -> Result<Vec<MessageLine>, StoreError> {
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(LINES);
            if !of.statuses.is_empty() {
                statement.push(" AND m.status IN (");
                let mut list = statement.separated(", ");
                for status in of.statuses {
                    list.push_bind(*status);
                }
                statement.push(")");
            }
            if let Some(broadcast) = of.broadcast {
                statement.push(" AND m.broadcast_id = ").push_bind(broadcast);
            }
            if let Some(before) = of.before {
                statement.push(" AND m.id < ").push_bind(before);
            }
            statement.push(" ORDER BY m.id DESC LIMIT ").push_bind(limit);
            Ok(statement.build_query_as().fetch_all(&mut *c).await?)
        })
    }

    /// Addresses of referrers that are dead or doubtful, the dead first, then the latest, at most `limit`.
    pub async fn addresses_unwell(&mut self, limit: i64) -> Result<Vec<UnwellAddress>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(UNWELL).bind(limit).fetch_all(&mut *c).await?))
    }

    /// Broadcasts whose messages are not all settled, newest first, at most `limit`.
    pub async fn broadcasts_running(&mut self, limit: i64) -> Result<Vec<Broadcast>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(RUNNING).bind(limit).fetch_all(&mut *c).await?))
    }
}
