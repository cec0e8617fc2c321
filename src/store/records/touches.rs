//! Touches: the referrer's history. The disposition is a projection of the touch's messages; nothing else writes it.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;

use crate::domain::id::{ReferrerId, TouchId};
use crate::domain::touch::{Disposition, Touch, disposition};
use crate::domain::{MessageStatus, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, portions, push_list};

const COLUMNS: &str = "SELECT id, referrer_id, submission_id, broadcast_id, kind, letter, title, category, disposition,
    occurred_ms, delivered_ms, actor, repeat_of, notes FROM touch";
const INSERT: &str = "INSERT INTO touch (id, referrer_id, submission_id, broadcast_id, kind, letter, title, category,
    disposition, occurred_ms, delivered_ms, actor, repeat_of, notes) ";
const CHANGED: &str = "WITH changed (id, disposition, at_ms) AS (";
const CHANGE: &str = ") UPDATE touch SET disposition = changed.disposition, delivered_ms = CASE
    WHEN changed.disposition = 'delivered' THEN COALESCE(delivered_ms, changed.at_ms) ELSE NULL END
    FROM changed WHERE touch.id = changed.id";
const STANDING: &str = "SELECT id, disposition FROM touch WHERE id IN (";
// What each repeat repeats, through any number of repeats that did not arrive: if a later one of a chain fails, the letter
// counts once all the same.
const DELIVERED: &str = "WITH RECURSIVE repeated (id, earlier_id) AS (
    SELECT id, repeat_of FROM touch WHERE referrer_id = $1 AND repeat_of IS NOT NULL
    UNION SELECT repeated.id, earlier.repeat_of FROM repeated JOIN touch earlier ON earlier.id = repeated.earlier_id
    WHERE earlier.disposition <> 'delivered' AND earlier.repeat_of IS NOT NULL)
    SELECT COUNT(*) FROM touch WHERE referrer_id = $1 AND disposition = 'delivered'
    AND kind IN ('letter', 'call', 'visit', 'meeting', 'lunch_and_learn') AND id NOT IN
    (SELECT repeated.id FROM repeated JOIN touch earlier ON earlier.id = repeated.earlier_id
    WHERE earlier.disposition = 'delivered')";
const DELIVERED_ALL: &str = "WITH RECURSIVE repeated (id, earlier_id) AS (
    SELECT id, repeat_of FROM touch WHERE repeat_of IS NOT NULL
    UNION SELECT repeated.id, earlier.repeat_of FROM repeated JOIN touch earlier ON earlier.id = repeated.earlier_id
    WHERE earlier.disposition <> 'delivered' AND earlier.repeat_of IS NOT NULL)
    SELECT referrer_id, COUNT(*) FROM touch WHERE disposition = 'delivered'
    AND kind IN ('letter', 'call', 'visit', 'meeting', 'lunch_and_learn') AND id NOT IN
    (SELECT repeated.id FROM repeated JOIN touch earlier ON earlier.id = repeated.earlier_id
    WHERE earlier.disposition = 'delivered') GROUP BY referrer_id";

record!(Touch: "touch" by id as TouchId { id, referrer_id, submission_id, broadcast_id, kind, letter, title, category, disposition, occurred_ms, delivered_ms, actor, repeat_of, notes });

impl Tx {
    /// Stores new touches.
    pub async fn touches_insert(&mut self, touches: &[Touch]) -> Result<(), StoreError> {
        for portion in portions(touches) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT);
                statement.push_values(portion, |mut row, t| {
                    row.push_bind(t.id).push_bind(t.referrer_id).push_bind(t.submission_id).push_bind(t.broadcast_id);
                    row.push_bind(t.kind).push_bind(&t.letter).push_bind(&t.title).push_bind(&t.category);
                    row.push_bind(t.disposition).push_bind(t.occurred_ms).push_bind(t.delivered_ms);
                    row.push_bind(&t.actor).push_bind(t.repeat_of).push_bind(&t.notes);
                });
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Takes the locks of these touches, always in the same order, and returns their dispositions.
    pub async fn touches_lock(&mut self, touches: &[TouchId]) -> Result<Vec<(TouchId, Disposition)>, StoreError> {
        let mut touches = touches.to_vec();
        touches.sort_unstable();
        touches.dedup();
        let mut found = Vec::with_capacity(touches.len());
        for list in lists(&touches) {
            let rows: Vec<(TouchId, Disposition)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(STANDING);
                push_list(&mut statement, list);
                statement.push(") ORDER BY id").push(d.for_update());
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// Projects touches' messages onto their dispositions; nothing else writes a disposition. Takes the touches' locks.
    pub async fn touches_project(&mut self, touches: &[TouchId], now: Timestamp) -> Result<(), StoreError> {
        let standing = self.touches_lock(touches).await?;
        let mut statuses: BTreeMap<TouchId, Vec<MessageStatus>> = BTreeMap::new();
        let ids: Vec<TouchId> = standing.iter().map(|(id, _)| *id).collect();
        for (touch, _, status) in self.statuses_of_touches(&ids).await? {
            statuses.entry(touch).or_default().push(status);
        }
        let projected = |id: &TouchId| disposition(statuses.get(id).map_or(&[], Vec::as_slice));
        let changed: Vec<(TouchId, Disposition)> = standing
            .iter()
            .map(|(id, _)| (*id, projected(id)))
            .zip(&standing)
            .filter(|(after, before)| after != *before)
            .map(|(after, _)| after)
            .collect();
        for portion in portions(&changed) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(CHANGED);
                statement.push_values(portion, |mut row, (id, disposition)| {
                    row.push_bind(*id).push_bind(*disposition).push_bind(now);
                });
                statement.push(CHANGE);
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// A referrer's history, newest first, at most `limit`.
    pub async fn touches_of(&mut self, referrer: ReferrerId, limit: i64) -> Result<Vec<Touch>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE referrer_id = $1 ORDER BY occurred_ms DESC, id DESC LIMIT $2");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(referrer).bind(limit).fetch_all(&mut *c).await?)
        })
    }

    /// A page of a referrer's history, newest first, after a cursor (time and id of the last touch of the page before).
    /// At most `limit`.
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
    pub async fn touch(&mut self, id: TouchId) -> Result<Option<Touch>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE id = $1");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(id).fetch_optional(&mut *c).await?)
        })
    }

    /// The "n" of "n of 7": touches that were delivered, or took place.
    pub async fn touches_delivered(&mut self, referrer: ReferrerId) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(DELIVERED).bind(referrer).fetch_one(&mut *c).await?))
    }

    /// The same for every referrer with any.
    pub async fn touches_delivered_all(&mut self) -> Result<Vec<(ReferrerId, i64)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(DELIVERED_ALL).fetch_all(&mut *c).await?))
    }
}
