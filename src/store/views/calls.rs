//! Read models of the call sheets: which referrers are to be telephoned, because an update waits for permission to fax it,
//! or because their fax number does not work; and which of their letters wait for the answer.

use sqlx::AssertSqlSafe;

use crate::domain::id::{MessageId, ReferrerId};
use crate::domain::{Fault, FaxNumber, PolicyReason, Purpose, Reason, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::rows::{lists, push_list};

/// Who is to be asked for permission. `$1` is 1 where a relationship does not suffice.
const TO_ASK: &str = "FROM referrer r
    WHERE r.fax IS NOT NULL AND r.removed_ms IS NULL AND r.state <> 'do_not_contact'
    AND r.id IN (SELECT m.referrer_id FROM message m
        WHERE m.status = 'suppressed' AND m.reason = 'no_basis' AND m.channel = 'fax')
    AND NOT EXISTS (SELECT 1 FROM basis b WHERE b.fax = r.fax AND b.ended_ms IS NULL AND (b.kind = 'permission'
        OR ($1 = 0 AND b.number_source IN ('given_by_recipient', 'recipient_own_directory_ad_or_site'))))
    AND NOT EXISTS (SELECT 1 FROM suppression s
        WHERE s.channel = 'fax' AND s.address = r.fax AND s.lifted_ms IS NULL)";
/// Whose fax number does not work or is no fax.
const WRONG: &str = "FROM address a JOIN referrer r ON r.fax = a.value
    WHERE a.channel = 'fax' AND a.health <> 'confirmed'
    AND (a.health = 'dead' OR a.fault IN ('not_a_fax', 'invalid_number'))
    AND r.removed_ms IS NULL AND r.state <> 'do_not_contact'
    AND NOT EXISTS (SELECT 1 FROM suppression s
        WHERE s.channel = 'fax' AND s.address = r.fax AND s.scope = 'all' AND s.lifted_ms IS NULL)";
const DEAD_MAILBOXES: &str = "SELECT COUNT(*) FROM address a JOIN referrer r ON r.email_key = a.value
    WHERE a.channel = 'email' AND a.health = 'dead'";
/// Faxes that ended without arriving.
const STOPPED: &str = "SELECT id, referrer_id, letter, purpose, updated_ms FROM message
    WHERE channel = 'fax' AND status IN ('suppressed', 'failed', 'expired')";
const FAXED_AT: &str = "SELECT id FROM referrer WHERE fax = $1 AND removed_ms IS NULL AND id > $2 ORDER BY id LIMIT $3";
const UPDATE_SENT: &str = "SELECT id FROM message WHERE referrer_id = $1 AND channel = 'fax'
    AND purpose IN ('advertisement', 'informational')
    AND status IN ('queued', 'held', 'accepted', 'in_doubt', 'delivered') ORDER BY id DESC LIMIT 1";
/// Faxes of one referrer at most.
const STOPPED_MAX: i64 = 1_000;

/// What stopped the faxes that a call can settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoppedBy {
    /// Nothing permitted faxing updates to the number.
    NoPermission,
    /// The number does not exist, is no fax, or counts as dead.
    WrongNumber,
}

impl StoppedBy {
    /// The reasons of the messages that it stopped.
    #[must_use]
    pub const fn reasons(self) -> &'static [Reason] {
        match self {
            Self::NoPermission => &[Reason::Policy(PolicyReason::NoBasis)],
            Self::WrongNumber => &[
                Reason::Policy(PolicyReason::DeadAddress),
                Reason::Fault(Fault::NotAFax),
                Reason::Fault(Fault::InvalidNumber),
            ],
        }
    }
}

/// A fax that was stopped by what a call can settle.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoppedFax {
    /// The message.
    pub id: MessageId,
    /// To whom.
    pub referrer_id: ReferrerId,
    /// Its letter.
    pub letter: String,
    /// Its purpose.
    pub purpose: Purpose,
    /// Since when.
    pub updated_ms: Timestamp,
}

impl Tx {
    /// Referrers behind `after` in the order of their ids who are to be asked whether updates may be faxed to them, at most
    /// `limit`. `permission_only`: a relationship does not suffice.
    pub async fn calls_for_permission(
        &mut self,
        after: ReferrerId,
        permission_only: bool,
        limit: i64,
    ) -> Result<Vec<ReferrerId>, StoreError> {
        let only = i64::from(permission_only);
        on!(self, |c, d| {
            let text = format!("SELECT r.id {TO_ASK} AND r.id > $2 ORDER BY r.id LIMIT $3");
            Ok(sqlx::query_scalar(AssertSqlSafe(text)).bind(only).bind(after).bind(limit).fetch_all(&mut *c).await?)
        })
    }

    /// How many are to be asked.
    pub async fn calls_for_permission_count(&mut self, permission_only: bool) -> Result<i64, StoreError> {
        let only = i64::from(permission_only);
        on!(self, |c, d| {
            let text = format!("SELECT COUNT(*) {TO_ASK}");
            Ok(sqlx::query_scalar(AssertSqlSafe(text)).bind(only).fetch_one(&mut *c).await?)
        })
    }

    /// Referrers behind `after` in the order of their ids whose fax number does not work or is no fax, at most `limit`.
    pub async fn calls_for_number(&mut self, after: ReferrerId, limit: i64) -> Result<Vec<ReferrerId>, StoreError> {
        on!(self, |c, d| {
            let text = format!("SELECT r.id {WRONG} AND r.id > $1 ORDER BY r.id LIMIT $2");
            Ok(sqlx::query_scalar(AssertSqlSafe(text)).bind(after).bind(limit).fetch_all(&mut *c).await?)
        })
    }

    /// How many there are of them.
    pub async fn calls_for_number_count(&mut self) -> Result<i64, StoreError> {
        on!(self, |c, d| {
            let text = format!("SELECT COUNT(*) {WRONG}");
            Ok(sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&mut *c).await?)
        })
    }

    /// How many mailboxes of referrers do not work.
    pub async fn mailboxes_dead_count(&mut self) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(DEAD_MAILBOXES).fetch_one(&mut *c).await?))
    }

    /// The referrers behind `after` in the order of their ids who have that fax number now, at most `limit`. Nobody who
    /// was removed.
    pub async fn referrers_faxed_at(
        &mut self,
        number: &FaxNumber,
        after: ReferrerId,
        limit: i64,
    ) -> Result<Vec<ReferrerId>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(FAXED_AT)
            .bind(number)
            .bind(after)
            .bind(limit)
            .fetch_all(&mut *c)
            .await?))
    }

    /// The faxes to a referrer that this stopped, of those that have changed at `since` or later, the newest first, 1,000
    /// at most.
    pub async fn faxes_stopped(
        &mut self,
        referrer: ReferrerId,
        by: StoppedBy,
        since: Timestamp,
    ) -> Result<Vec<StoppedFax>, StoreError> {
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(STOPPED);
            statement.push(" AND referrer_id = ").push_bind(referrer);
            statement.push(" AND updated_ms >= ").push_bind(since).push(" AND reason IN (");
            push_list(&mut statement, by.reasons());
            statement.push(") ORDER BY id DESC LIMIT ").push_bind(STOPPED_MAX);
            Ok(statement.build_query_as().fetch_all(&mut *c).await?)
        })
    }

    /// The newest faxed update to a referrer that was sent or still may be. What was stopped before it is out of date.
    pub async fn fax_update_last(&mut self, referrer: ReferrerId) -> Result<Option<MessageId>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(UPDATE_SENT).bind(referrer).fetch_optional(&mut *c).await?))
    }

    /// Of each of these referrers the newest fax that this stopped, if it has changed at `since` or later.
    pub async fn faxes_stopped_last(
        &mut self,
        referrers: &[ReferrerId],
        by: StoppedBy,
        since: Timestamp,
    ) -> Result<Vec<StoppedFax>, StoreError> {
        let mut found = Vec::with_capacity(referrers.len());
        for list in lists(referrers) {
            let rows: Vec<StoppedFax> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new("SELECT * FROM (SELECT stopped.*, ");
                statement.push("ROW_NUMBER() OVER (PARTITION BY referrer_id ORDER BY id DESC) AS place FROM (");
                statement.push(STOPPED).push(" AND updated_ms >= ").push_bind(since).push(" AND reason IN (");
                push_list(&mut statement, by.reasons());
                statement.push(") AND referrer_id IN (");
                push_list(&mut statement, list);
                statement.push(")) AS stopped) AS placed WHERE place = 1");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }
}
