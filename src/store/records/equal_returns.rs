//! Failures that returns told of, as they are compared: whether a row of equal ones is about us and not about the addresses.

use crate::domain::id::{AttemptId, ReturnId};
use crate::domain::returned::ReturnClass;
use crate::domain::{Actor, AddressKey, Fault, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::rows::{lists, push_list};

// What was handed over before a person let the account go on is not looked at again: they have decided about it.
const RECENT: &str = "SELECT r.id, r.attempt_id, r.address_key, r.class, r.reason, r.status, r.diagnostic, a.provider,
    a.opened_ms FROM mail_return r JOIN attempt a ON a.id = r.attempt_id
    LEFT JOIN provider_state p ON p.provider = a.provider
    WHERE r.received_ms > $1 AND r.kind = 'bounce' AND r.class IN ('hard', 'ours') AND r.outcome IS NULL
    AND r.address_key IS NOT NULL AND r.matched_by NOT IN ('recipient', 'sender')
    AND (p.resumed_ms IS NULL OR a.opened_ms > p.resumed_ms) ORDER BY r.received_ms DESC LIMIT $2";
const TAKEN_BACK: &str = "SELECT DISTINCT address_key FROM mail_return WHERE outcome = 'about_us' AND address_key IN (";
// Identifiers grow with time.
const HANDED_OVER: &str = "SELECT COUNT(*) FROM attempt WHERE id >= $2 AND id <= $3 AND provider = $1
    AND status IN ('accepted', 'delivered', 'failed', 'in_doubt')";
const ARRIVED: &str = "SELECT a.id FROM attempt a JOIN message m ON m.id = a.message_id WHERE a.id >= $2
    AND a.provider = $1 AND a.status = 'delivered' AND m.confidence = 'confirmed' LIMIT 1";
const SOFTEN: &str = "UPDATE mail_return SET class = 'soft' WHERE id = $1";
const OF_NO_LETTER: &str = "SELECT COUNT(*) FROM mail_return WHERE state = 'open' AND received_ms > $1
    AND message_id IS NULL AND referrer_id IS NULL";
const OURS_OPEN: &str =
    "SELECT id FROM mail_return WHERE state = 'open' AND kind = 'bounce' AND class = 'ours' AND message_id IS NOT NULL
    AND matched_by NOT IN ('recipient', 'sender') LIMIT 1";

/// A failure that a return told of, and the hand-over that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedReturn {
    /// The return.
    pub id: ReturnId,
    /// The attempt that it is about.
    pub attempt: AttemptId,
    /// The address that was written to.
    pub address: AddressKey,
    /// What was read in it: hard, or about us.
    pub class: ReturnClass,
    /// Why.
    pub reason: Option<Fault>,
    /// The enhanced code.
    pub status: Option<String>,
    /// The words. May hold addresses. None of a letter that identifies a patient.
    pub diagnostic: Option<String>,
    /// The account that the letter was handed over to.
    pub account: String,
    /// When.
    pub opened_ms: Timestamp,
}

type Row =
    (ReturnId, AttemptId, AddressKey, ReturnClass, Option<Fault>, Option<String>, Option<String>, String, Timestamp);

impl From<Row> for FailedReturn {
    fn from((id, attempt, address, class, reason, status, diagnostic, account, opened_ms): Row) -> Self {
        Self { id, attempt, address, class, reason, status, diagnostic, account, opened_ms }
    }
}

impl Tx {
    /// The failures, hard or about us, that surely were of a letter of ours, received since then, about which nobody has decided, the
    /// newest first. At most `limit`.
    pub async fn returns_failed_since(
        &mut self,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<FailedReturn>, StoreError> {
        let rows: Vec<Row> =
            on!(self, |c, d| sqlx::query_as(RECENT).bind(since).bind(limit).fetch_all(&mut *c).await?);
        Ok(rows.into_iter().map(FailedReturn::from).collect())
    }

    /// Which of these addresses were taken for bad once because of something that was about us.
    pub async fn addresses_taken_back(&mut self, addresses: &[AddressKey]) -> Result<Vec<AddressKey>, StoreError> {
        let keys: Vec<&str> = addresses.iter().map(AddressKey::as_str).collect();
        let mut found = Vec::new();
        for list in lists(&keys) {
            let rows: Vec<AddressKey> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(TAKEN_BACK);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_scalar().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// How many letters an account was handed from one attempt to another, both included.
    pub async fn attempts_handed_over(
        &mut self,
        account: &str,
        (first, last): (AttemptId, AttemptId),
    ) -> Result<i64, StoreError> {
        on!(self, |c, d| {
            Ok(sqlx::query_scalar(HANDED_OVER).bind(account).bind(first).bind(last).fetch_one(&mut *c).await?)
        })
    }

    /// Whether a letter certainly arrived that an account was handed with or after an attempt.
    pub async fn attempts_any_arrived(&mut self, account: &str, first: AttemptId) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let found: Option<AttemptId> =
                sqlx::query_scalar(ARRIVED).bind(account).bind(first).fetch_optional(&mut *c).await?;
            Ok(found.is_some())
        })
    }

    /// Whether a person still has to look at a failure that was about us.
    pub async fn returns_ours_open(&mut self) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let found: Option<ReturnId> = sqlx::query_scalar(OURS_OPEN).fetch_optional(&mut *c).await?;
            Ok(found.is_some())
        })
    }

    /// Notes that a return proves nothing against the address of its letter.
    pub async fn return_soften(&mut self, id: ReturnId) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(SOFTEN).bind(id).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// How many returns wait for a person that were received since then and name neither a letter nor a referrer.
    pub async fn returns_of_no_letter_since(&mut self, since: Timestamp) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(OF_NO_LETTER).bind(since).fetch_one(&mut *c).await?))
    }

    /// Notes that returns were about us. False, and the caller gives the transaction up: somebody has decided about one of them since.
    pub async fn returns_are_about_us(
        &mut self,
        ids: &[ReturnId],
        who: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut changed = 0;
        for list in lists(ids) {
            changed += on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(
                    "UPDATE mail_return SET class = 'ours', outcome = 'about_us', done_ms = ",
                );
                statement.push_bind(now).push(", done_by = ").push_bind(who).push(" WHERE outcome IS NULL AND id IN (");
                push_list(&mut statement, list);
                statement.push(")");
                statement.build().execute(&mut *c).await?.rows_affected()
            });
        }
        Ok(usize::try_from(changed).is_ok_and(|changed| changed == ids.len()))
    }
}
