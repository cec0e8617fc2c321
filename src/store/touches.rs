//! Touches: the referrer's history. The disposition is a projection of the touch's messages; nothing else writes it.

use sqlx::AssertSqlSafe;

use super::db::{Tx, on};
use super::dialect::Dialect;
use super::error::StoreError;
use super::queue_entries::ROWS_PER_INSERT;
use crate::domain::Timestamp;
use crate::domain::id::{ReferrerId, TouchId};
use crate::domain::touch::{Disposition, Touch, disposition};

const COLUMNS: &str = "SELECT id, referrer_id, submission_id, broadcast_id, kind, letter, title, category, disposition,
    occurred_ms, delivered_ms, actor, notes FROM touch";
const INSERT: &str = "INSERT INTO touch (id, referrer_id, submission_id, broadcast_id, kind, letter, title, category,
    disposition, occurred_ms, delivered_ms, actor, notes) ";
const PROJECT: &str = "UPDATE touch SET disposition = $2,
    delivered_ms = CASE WHEN $2 = 'delivered' THEN COALESCE(delivered_ms, $3) ELSE NULL END WHERE id = $1";
const LOCK: &str = "SELECT id FROM touch WHERE id IN (";
const DELIVERED: &str = "SELECT COUNT(*) FROM touch WHERE referrer_id = $1 AND disposition = 'delivered'
    AND kind IN ('letter', 'call', 'visit', 'meeting', 'lunch_and_learn')";
const DELIVERED_ALL: &str = "SELECT referrer_id, COUNT(*) FROM touch WHERE disposition = 'delivered'
    AND kind IN ('letter', 'call', 'visit', 'meeting', 'lunch_and_learn') GROUP BY referrer_id";

impl Tx {
    /// Stores new touches.
    ///
    /// # Errors
    /// As every store function.
    pub async fn touches_insert(&mut self, touches: &[Touch]) -> Result<(), StoreError> {
        for chunk in touches.chunks(ROWS_PER_INSERT) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT);
                statement.push_values(chunk, |mut row, t| {
                    row.push_bind(t.id).push_bind(t.referrer_id).push_bind(t.submission_id).push_bind(t.broadcast_id);
                    row.push_bind(t.kind).push_bind(&t.letter).push_bind(&t.title).push_bind(&t.category);
                    row.push_bind(t.disposition).push_bind(t.occurred_ms).push_bind(t.delivered_ms);
                    row.push_bind(&t.actor).push_bind(&t.notes);
                });
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Takes the locks of these touches, always in the same order. The one writer of SQLite needs none.
    ///
    /// # Errors
    /// As every store function.
    pub async fn touches_lock(&mut self, touches: &[TouchId]) -> Result<(), StoreError> {
        let mut touches = touches.to_vec();
        touches.sort_unstable();
        touches.dedup();
        for chunk in touches.chunks(ROWS_PER_INSERT) {
            on!(self, |c, d| {
                if d == Dialect::Postgres {
                    let mut statement = sqlx::QueryBuilder::<Engine>::new(LOCK);
                    let mut list = statement.separated(", ");
                    for id in chunk {
                        list.push_bind(*id);
                    }
                    statement.push(") ORDER BY id").push(d.for_update());
                    statement.build().fetch_all(&mut *c).await?;
                }
            });
        }
        Ok(())
    }

    /// Projects a touch's messages onto its disposition.
    ///
    /// # Errors
    /// As every store function.
    pub async fn touch_project(&mut self, touch: TouchId, now: Timestamp) -> Result<Disposition, StoreError> {
        self.touches_lock(&[touch]).await?;
        let projected = disposition(&self.statuses_of_touch(touch).await?);
        on!(self, |c, d| {
            sqlx::query(PROJECT).bind(touch).bind(projected).bind(now).execute(&mut *c).await?;
        });
        Ok(projected)
    }

    /// A referrer's history, newest first, at most `limit`.
    ///
    /// # Errors
    /// As every store function.
    pub async fn touches_of(&mut self, referrer: ReferrerId, limit: i64) -> Result<Vec<Touch>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE referrer_id = $1 ORDER BY occurred_ms DESC, id DESC LIMIT $2");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(referrer).bind(limit).fetch_all(&mut *c).await?)
        })
    }

    /// A page of a referrer's history, newest first, after a cursor (time and id of the last touch of the page before).
    /// At most `limit`.
    ///
    /// # Errors
    /// As every store function.
    pub async fn touches_page(
        &mut self,
        referrer: ReferrerId,
        after: Option<(Timestamp, TouchId)>,
        limit: i64,
    ) -> Result<Vec<Touch>, StoreError> {
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
            statement.push(" WHERE referrer_id = ").push_bind(referrer);
            if let Some((occurred, id)) = after {
                statement.push(" AND (occurred_ms, id) < (").push_bind(occurred);
                statement.push(", ").push_bind(id).push(")");
            }
            statement.push(" ORDER BY occurred_ms DESC, id DESC LIMIT ").push_bind(limit);
            Ok(statement.build_query_as().fetch_all(&mut *c).await?)
        })
    }

    /// One touch.
    ///
    /// # Errors
    /// As every store function.
    pub async fn touch(&mut self, id: TouchId) -> Result<Option<Touch>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE id = $1");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(id).fetch_optional(&mut *c).await?)
        })
    }

    /// The "n" of "n of 7": touches that were delivered, or took place.
    ///
    /// # Errors
    /// As every store function.
    pub async fn touches_delivered(&mut self, referrer: ReferrerId) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(DELIVERED).bind(referrer).fetch_one(&mut *c).await?))
    }

    /// The same for every referrer who has any.
    ///
    /// # Errors
    /// As every store function.
    pub async fn touches_delivered_all(&mut self) -> Result<Vec<(ReferrerId, i64)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(DELIVERED_ALL).fetch_all(&mut *c).await?))
    }
}
