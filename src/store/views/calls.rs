//! Read models of the call sheets: which referrers are to be telephoned, because an update waits for permission to fax it,
//! or because their fax number does not work; and which of their letters wait for the answer.

use crate::domain::id::{MessageId, ReferrerId};
use crate::domain::{Purpose, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;

const TO_ASK: &str = "SELECT r.id FROM referrer r
    WHERE r.id > $1 AND r.fax IS NOT NULL AND r.removed_ms IS NULL AND r.state <> 'do_not_contact'
    AND r.id IN (SELECT m.referrer_id FROM message m
        WHERE m.status = 'suppressed' AND m.reason = 'no_basis' AND m.channel = 'fax')
    AND NOT EXISTS (SELECT 1 FROM basis b WHERE b.fax = r.fax AND b.ended_ms IS NULL AND (b.kind = 'permission'
        OR ($2 = 0 AND b.number_source IN ('given_by_recipient', 'recipient_own_directory_ad_or_site'))))
    AND NOT EXISTS (SELECT 1 FROM suppression s
        WHERE s.channel = 'fax' AND s.address = r.fax AND s.lifted_ms IS NULL)
    ORDER BY r.id LIMIT $3";
const TO_ASK_COUNT: &str = "SELECT COUNT(*) FROM referrer r
    WHERE r.fax IS NOT NULL AND r.removed_ms IS NULL AND r.state <> 'do_not_contact'
    AND r.id IN (SELECT m.referrer_id FROM message m
        WHERE m.status = 'suppressed' AND m.reason = 'no_basis' AND m.channel = 'fax')
    AND NOT EXISTS (SELECT 1 FROM basis b WHERE b.fax = r.fax AND b.ended_ms IS NULL AND (b.kind = 'permission'
        OR ($1 = 0 AND b.number_source IN ('given_by_recipient', 'recipient_own_directory_ad_or_site'))))
    AND NOT EXISTS (SELECT 1 FROM suppression s
        WHERE s.channel = 'fax' AND s.address = r.fax AND s.lifted_ms IS NULL)";
const WRONG: &str = "SELECT r.id FROM address a JOIN referrer r ON r.fax = a.value
    WHERE r.id > $1 AND a.channel = 'fax' AND a.health <> 'confirmed'
    AND (a.health = 'dead' OR a.fault IN ('not_a_fax', 'invalid_number'))
    AND r.removed_ms IS NULL AND r.state <> 'do_not_contact'
    AND NOT EXISTS (SELECT 1 FROM suppression s
        WHERE s.channel = 'fax' AND s.address = r.fax AND s.scope = 'all' AND s.lifted_ms IS NULL)
    ORDER BY r.id LIMIT $2";
const WRONG_COUNT: &str = "SELECT COUNT(*) FROM address a JOIN referrer r ON r.fax = a.value
    WHERE a.channel = 'fax' AND a.health <> 'confirmed'
    AND (a.health = 'dead' OR a.fault IN ('not_a_fax', 'invalid_number'))
    AND r.removed_ms IS NULL AND r.state <> 'do_not_contact'
    AND NOT EXISTS (SELECT 1 FROM suppression s
        WHERE s.channel = 'fax' AND s.address = r.fax AND s.scope = 'all' AND s.lifted_ms IS NULL)";
const DEAD_MAILBOXES: &str = "SELECT COUNT(*) FROM address a JOIN referrer r ON r.email_key = a.value
    WHERE a.channel = 'email' AND a.health = 'dead'";
const STOPPED: &str = "SELECT id, letter, purpose, updated_ms FROM message
    WHERE referrer_id = $1 AND channel = 'fax' AND status IN ('suppressed', 'failed', 'expired')
    AND reason IN ('no_basis', 'dead_address', 'not_a_fax', 'invalid_number') ORDER BY id DESC LIMIT 100";

/// A fax that was stopped by what a call can settle.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoppedFax {
    /// The message.
    pub id: MessageId,
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
        on!(self, |c, d| Ok(sqlx::query_scalar(TO_ASK).bind(after).bind(only).bind(limit).fetch_all(&mut *c).await?))
    }

    /// How many are to be asked.
    pub async fn calls_for_permission_count(&mut self, permission_only: bool) -> Result<i64, StoreError> {
        let only = i64::from(permission_only);
        on!(self, |c, d| Ok(sqlx::query_scalar(TO_ASK_COUNT).bind(only).fetch_one(&mut *c).await?))
    }

    /// Referrers behind `after` in the order of their ids whose fax number does not work or is no fax, at most `limit`.
    pub async fn calls_for_number(&mut self, after: ReferrerId, limit: i64) -> Result<Vec<ReferrerId>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(WRONG).bind(after).bind(limit).fetch_all(&mut *c).await?))
    }

    /// How many there are of them.
    pub async fn calls_for_number_count(&mut self) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(WRONG_COUNT).fetch_one(&mut *c).await?))
    }

    /// How many mailboxes of referrers do not work.
    pub async fn mailboxes_dead_count(&mut self) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(DEAD_MAILBOXES).fetch_one(&mut *c).await?))
    }

    /// The faxes to a referrer that wait for permission or for the right number, the newest first, 100 at most.
    pub async fn faxes_stopped(&mut self, referrer: ReferrerId) -> Result<Vec<StoppedFax>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(STOPPED).bind(referrer).fetch_all(&mut *c).await?))
    }
}
