//! Read models for people: failures by cause, what needs attention now.

use crate::domain::id::{MessageId, ReferrerId};
use crate::domain::{Channel, MessageStatus, Reason, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::{record, row};

const CAUSES: &str = "SELECT channel, status, COALESCE(reason, 'unknown') AS reason, COUNT(*) AS messages,
        MAX(updated_ms) AS latest_ms
    FROM message WHERE status IN ('failed', 'in_doubt', 'held', 'expired', 'suppressed')
    GROUP BY channel, status, COALESCE(reason, 'unknown') ORDER BY COUNT(*) DESC, reason, channel, status";
const FAILURES: &str =
    "SELECT m.id, m.referrer_id, m.channel, m.letter, m.status, COALESCE(m.reason, 'unknown') AS reason,
        m.updated_ms, m.tries, r.first_name, r.last_name, r.credentials, r.organization
    FROM message m JOIN referrer r ON r.id = m.referrer_id
    WHERE m.status IN ('failed', 'in_doubt', 'held', 'expired', 'suppressed')";
const FAILED_STATUSES: &str = "SELECT status, COUNT(*) FROM message
    WHERE status IN ('failed', 'in_doubt', 'held', 'expired', 'suppressed') AND COALESCE(reason, 'unknown') = $1 AND id > $2
    GROUP BY status ORDER BY COUNT(*) DESC, status";
const RECENT: &str = "SELECT m.id, m.referrer_id, m.channel, m.letter, m.status, m.reason,
        m.updated_ms, m.tries, r.first_name, r.last_name, r.credentials, r.organization
    FROM message m JOIN referrer r ON r.id = m.referrer_id ORDER BY m.updated_ms DESC, m.id DESC LIMIT $1";
const LETTERS_WAITED_FOR: &str = "SELECT letter, channel, COUNT(*) FROM message
    WHERE status = 'queued' AND reason = 'letter_out_of_service' GROUP BY letter, channel ORDER BY letter, channel";
const WAITING_FOR_LETTER: &str = "SELECT id FROM message
    WHERE status = 'queued' AND reason = 'letter_out_of_service' AND letter = $1 AND channel = $2 AND id > $3
    ORDER BY id LIMIT $4";

/// Undelivered messages, by cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Channel.
    pub channel: Channel,
    /// failed, in doubt, held, expired or suppressed.
    pub status: MessageStatus,
    /// Why.
    pub reason: Reason,
    /// How many.
    pub messages: i64,
    /// The latest of them.
    pub latest_ms: Timestamp,
}

row!(Cause { channel, status, reason, messages, latest_ms });

/// One message in a list, with its referrer's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageLine {
    /// Identifier.
    pub id: MessageId,
    /// The referrer.
    pub referrer_id: ReferrerId,
    /// Channel.
    pub channel: Channel,
    /// Letter.
    pub letter: String,
    /// Status.
    pub status: MessageStatus,
    /// The reason, if there is one.
    pub reason: Option<Reason>,
    /// Since when.
    pub updated_ms: Timestamp,
    /// Attempts that count.
    pub tries: i64,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Letters after the name.
    pub credentials: Option<String>,
    /// Organization.
    pub organization: Option<String>,
}

record!(MessageLine: "message" by id as MessageId { id, referrer_id, channel, letter, status, reason, updated_ms, tries, first_name, last_name, credentials, organization });

impl MessageLine {
    /// The referrer's name for a list.
    #[must_use]
    pub fn name(&self) -> String {
        let person: Vec<&str> = [self.first_name.as_deref(), self.last_name.as_deref()].into_iter().flatten().collect();
        match (person.is_empty(), &self.credentials, &self.organization) {
            (false, Some(letters), _) => format!("{}, {letters}", person.join(" ")),
            (false, None, _) => person.join(" "),
            (true, _, Some(organization)) => organization.clone(),
            (true, _, None) => "unnamed referrer".to_owned(),
        }
    }
}

impl Tx {
    /// The letters for which messages wait because they were out of service, by name and channel, and for each how many wait.
    pub async fn letters_waited_for(&mut self) -> Result<Vec<(String, Channel, i64)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(LETTERS_WAITED_FOR).fetch_all(&mut *c).await?))
    }

    /// The messages that wait because that letter was out of service by that channel, behind `after` in the order of their
    /// ids, at most `limit`.
    pub async fn messages_waiting_for_letter(
        &mut self,
        letter: &str,
        channel: Channel,
        after: MessageId,
        limit: i64,
    ) -> Result<Vec<MessageId>, StoreError> {
        on!(self, |c, d| {
            let statement = sqlx::query_scalar(WAITING_FOR_LETTER).bind(letter).bind(channel).bind(after).bind(limit);
            Ok(statement.fetch_all(&mut *c).await?)
        })
    }

    /// All undelivered messages by cause, the most frequent first.
    pub async fn causes(&mut self) -> Result<Vec<Cause>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(CAUSES).fetch_all(&mut *c).await?))
    }

    /// Undelivered messages, of one reason or all, newest first, at most `limit`.
    pub async fn failures(&mut self, reason: Option<Reason>, limit: i64) -> Result<Vec<MessageLine>, StoreError> {
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(FAILURES);
            if let Some(reason) = reason {
                statement.push(" AND COALESCE(m.reason, 'unknown') = ").push_bind(reason);
            }
            statement.push(" ORDER BY m.updated_ms DESC, m.id DESC LIMIT ").push_bind(limit);
            Ok(statement.build_query_as().fetch_all(&mut *c).await?)
        })
    }

    /// A page of the undelivered messages of a reason, newest first: at most `limit` behind the first `offset`.
    pub async fn failures_page(
        &mut self,
        reason: Reason,
        offset: i64,
        limit: i64,
    ) -> Result<Vec<MessageLine>, StoreError> {
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(FAILURES);
            statement.push(" AND COALESCE(m.reason, 'unknown') = ").push_bind(reason);
            statement.push(" ORDER BY m.updated_ms DESC, m.id DESC LIMIT ").push_bind(limit);
            statement.push(" OFFSET ").push_bind(offset);
            Ok(statement.build_query_as().fetch_all(&mut *c).await?)
        })
    }

    /// The undelivered messages of a reason behind `after` in the order of their ids, at most `limit`: to go through all
    /// of them, whatever becomes of each.
    pub async fn failures_after(
        &mut self,
        reason: Reason,
        after: MessageId,
        limit: i64,
    ) -> Result<Vec<MessageLine>, StoreError> {
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(FAILURES);
            statement.push(" AND COALESCE(m.reason, 'unknown') = ").push_bind(reason);
            statement.push(" AND m.id > ").push_bind(after);
            statement.push(" ORDER BY m.id LIMIT ").push_bind(limit);
            Ok(statement.build_query_as().fetch_all(&mut *c).await?)
        })
    }

    /// How many messages of a reason are undelivered, of those behind `after` in the order of their ids, by status, the most
    /// frequent first. No status without any.
    pub async fn failures_count(
        &mut self,
        reason: Reason,
        after: MessageId,
    ) -> Result<Vec<(MessageStatus, i64)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(FAILED_STATUSES).bind(reason).bind(after).fetch_all(&mut *c).await?))
    }

    /// The most recently changed messages.
    pub async fn messages_recent(&mut self, limit: i64) -> Result<Vec<MessageLine>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(RECENT).bind(limit).fetch_all(&mut *c).await?))
    }
}
