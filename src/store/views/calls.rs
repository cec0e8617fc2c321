//! Read models of the call sheets: which referrers are to be telephoned, because an update waits for permission to fax it,
//! or because their fax number does not work; and which of their letters wait for the answer.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::domain::basis::{BasisKind, NumberSource, suffices};
use crate::domain::id::{MessageId, ReferrerId};
use crate::domain::{Fault, FaxNumber, PolicyReason, Purpose, Reason, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::row;
use crate::store::engine::rows::{lists, push_list};

/// A fax that waits for permission.
const WAITS: &str = "m.status = 'suppressed' AND m.reason = 'no_basis' AND m.channel = 'fax'";
/// Who may be asked for permission at all; a sufficient basis is looked for besides.
const ASKABLE: &str = "r.fax IS NOT NULL AND r.removed_ms IS NULL AND r.state <> 'do_not_contact'
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
#[derive(Debug, Clone, PartialEq, Eq)]
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

row!(StoppedFax { id, referrer_id, letter, purpose, updated_ms });

/// Somebody to telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Who.
    pub referrer_id: ReferrerId,
    /// When the newest letter that waits for the answer was stopped, or the number was last found not to work.
    pub since_ms: Timestamp,
}

row!(Call { referrer_id, since_ms });

impl Call {
    /// Before the first one.
    pub const FIRST: Self = Self { referrer_id: ReferrerId(Uuid::nil()), since_ms: Timestamp(i64::MAX) };
}

/// Those who are to be asked for permission, as a condition on the referrer `r`.
fn to_ask(permission_only: bool) -> String {
    let sufficient = sufficient_basis(permission_only);
    format!(
        "{ASKABLE} AND NOT EXISTS (SELECT 1 FROM basis b WHERE b.fax = r.fax AND b.ended_ms IS NULL AND ({sufficient}))"
    )
}

/// That a basis `b` suffices: the combinations that [`suffices`] allows. Only words of the program stand in it.
fn sufficient_basis(permission_only: bool) -> String {
    let sources = NumberSource::ALL.iter().copied().map(Some).chain([None]);
    let kinds = BasisKind::ALL.iter().copied();
    let all = kinds.flat_map(|kind| sources.clone().map(move |source| (kind, source)));
    let conditions = all.filter(|(kind, source)| suffices(*kind, *source, permission_only)).map(|(kind, source)| {
        let from = source.map_or("IS NULL".to_owned(), |source| format!("= '{}'", source.as_str()));
        format!("(b.kind = '{}' AND b.number_source {from})", kind.as_str())
    });
    conditions.collect::<Vec<_>>().join(" OR ")
}

impl Tx {
    /// Who is to be asked whether updates may be faxed to them, behind `after`, at most `limit`: those for whom something waits
    /// since lately first. `permission_only`: a relationship does not suffice.
    pub async fn calls_for_permission(
        &mut self,
        after: Call,
        permission_only: bool,
        limit: i64,
    ) -> Result<Vec<Call>, StoreError> {
        let to_ask = to_ask(permission_only);
        let text = format!(
            "SELECT r.id AS referrer_id, w.since_ms FROM referrer r JOIN (SELECT m.referrer_id, MAX(m.updated_ms) AS since_ms
                FROM message m WHERE {WAITS} GROUP BY m.referrer_id) AS w ON w.referrer_id = r.id
            WHERE {to_ask} AND (w.since_ms < $1 OR (w.since_ms = $1 AND r.id > $2))
            ORDER BY w.since_ms DESC, r.id LIMIT $3"
        );
        on!(self, |c, d| {
            let statement =
                sqlx::query_as(AssertSqlSafe(text)).bind(after.since_ms).bind(after.referrer_id).bind(limit);
            Ok(statement.fetch_all(&mut *c).await?)
        })
    }

    /// How many are to be asked.
    pub async fn calls_for_permission_count(&mut self, permission_only: bool) -> Result<i64, StoreError> {
        let to_ask = to_ask(permission_only);
        let text = format!(
            "SELECT COUNT(*) FROM referrer r WHERE {to_ask} AND r.id IN (SELECT m.referrer_id FROM message m WHERE {WAITS})"
        );
        on!(self, |c, d| Ok(sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&mut *c).await?))
    }

    /// Whether that referrer is to be asked for permission.
    pub async fn is_to_be_asked(&mut self, referrer: ReferrerId, permission_only: bool) -> Result<bool, StoreError> {
        let to_ask = to_ask(permission_only);
        let text = format!(
            "SELECT COUNT(*) FROM referrer r WHERE r.id = $1 AND {to_ask}
            AND EXISTS (SELECT 1 FROM message m WHERE m.referrer_id = r.id AND {WAITS})"
        );
        let found: i64 =
            on!(self, |c, d| sqlx::query_scalar(AssertSqlSafe(text)).bind(referrer).fetch_one(&mut *c).await?);
        Ok(found > 0)
    }

    /// Referrers behind `after` whose fax number does not work or is no fax, at most `limit`: those of whom it was found out
    /// lately first.
    pub async fn calls_for_number(&mut self, after: Call, limit: i64) -> Result<Vec<Call>, StoreError> {
        let text = format!(
            "SELECT r.id AS referrer_id, a.updated_ms AS since_ms {WRONG}
            AND (a.updated_ms < $1 OR (a.updated_ms = $1 AND r.id > $2)) ORDER BY a.updated_ms DESC, r.id LIMIT $3"
        );
        on!(self, |c, d| {
            let statement =
                sqlx::query_as(AssertSqlSafe(text)).bind(after.since_ms).bind(after.referrer_id).bind(limit);
            Ok(statement.fetch_all(&mut *c).await?)
        })
    }

    /// How many there are of them.
    pub async fn calls_for_number_count(&mut self) -> Result<i64, StoreError> {
        on!(self, |c, d| {
            let text = format!("SELECT COUNT(*) {WRONG}");
            Ok(sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&mut *c).await?)
        })
    }

    /// Whether that referrer's fax number does not work or is no fax.
    pub async fn has_wrong_number(&mut self, referrer: ReferrerId) -> Result<bool, StoreError> {
        let text = format!("SELECT COUNT(*) {WRONG} AND r.id = $1");
        let found: i64 =
            on!(self, |c, d| sqlx::query_scalar(AssertSqlSafe(text)).bind(referrer).fetch_one(&mut *c).await?);
        Ok(found > 0)
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
