//! Merges of two referrers who are one person, kept so that they can be undone.

use std::collections::{BTreeSet, HashMap};

use sqlx::AssertSqlSafe;

use super::imports::Before;
use crate::domain::id::{MergeId, ReferrerId, TouchId};
use crate::domain::{Actor, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, push_list};

const COLUMNS: &str = "SELECT id, kept_id, merged_id, before, touches, who, created_ms, undone_ms FROM referrer_merge";
const INSERT: &str = "INSERT INTO referrer_merge (id, kept_id, merged_id, before, touches, who, created_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const UNDONE: &str = "UPDATE referrer_merge SET undone_ms = $2 WHERE id = $1 AND undone_ms IS NULL";
const JOIN: &str = "UPDATE touch SET referrer_id = $1 WHERE referrer_id = $2 RETURNING id";
const STANDING: &str = "SELECT merged_id, kept_id FROM referrer_merge WHERE undone_ms IS NULL AND merged_id IN (";
const TOUCHING: &str = "SELECT merged_id, kept_id FROM referrer_merge WHERE undone_ms IS NULL AND (merged_id IN (";
const PART: &str = "UPDATE touch SET referrer_id = ";

/// Merges of one person after another that are followed.
const MERGES_MAX: usize = 10;

/// Two referrers who are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// Identifier.
    pub id: MergeId,
    /// Who stays.
    pub kept: ReferrerId,
    /// Who was merged into it.
    pub merged: ReferrerId,
    /// Both as they were, the kept one first.
    pub before: Vec<Before>,
    /// Touches of the merged one, now in the history of the kept one.
    pub touches: Vec<TouchId>,
    /// Who merged them.
    pub who: Actor,
    /// When.
    pub created_ms: Timestamp,
    /// When it was undone.
    pub undone_ms: Option<Timestamp>,
}

struct Row {
    id: MergeId,
    kept_id: ReferrerId,
    merged_id: ReferrerId,
    before: String,
    touches: String,
    who: Actor,
    created_ms: Timestamp,
    undone_ms: Option<Timestamp>,
}

record!(Row: "referrer_merge" by id as MergeId { id, kept_id, merged_id, before, touches, who, created_ms, undone_ms });

impl TryFrom<Row> for Merge {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unreadable = |_| StoreError::Corrupt(format!("referrer_merge {}: a record cannot be read", row.id));
        Ok(Self {
            id: row.id,
            kept: row.kept_id,
            merged: row.merged_id,
            before: serde_json::from_str(&row.before).map_err(unreadable)?,
            touches: serde_json::from_str(&row.touches).map_err(unreadable)?,
            who: row.who,
            created_ms: row.created_ms,
            undone_ms: row.undone_ms,
        })
    }
}

impl Tx {
    /// Records a merge.
    pub async fn merge_insert(&mut self, merge: &Merge) -> Result<(), StoreError> {
        let failed = |_| StoreError::Corrupt("a record cannot be written as JSON".to_owned());
        let before = serde_json::to_string(&merge.before).map_err(failed)?;
        let touches = serde_json::to_string(&merge.touches).map_err(failed)?;
        on!(self, |c, d| {
            sqlx::query(INSERT)
                .bind(merge.id)
                .bind(merge.kept)
                .bind(merge.merged)
                .bind(&before)
                .bind(&touches)
                .bind(&merge.who)
                .bind(merge.created_ms)
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// One merge.
    pub async fn merge(&mut self, id: MergeId) -> Result<Option<Merge>, StoreError> {
        let row: Option<Row> = on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE id = $1");
            sqlx::query_as(AssertSqlSafe(text)).bind(id).fetch_optional(&mut *c).await?
        });
        row.map(Merge::try_from).transpose()
    }

    /// Merges in which a referrer took part, the newest first, at most 50.
    pub async fn merges_of(&mut self, referrer: ReferrerId) -> Result<Vec<Merge>, StoreError> {
        let rows: Vec<Row> = on!(self, |c, d| {
            let text =
                format!("{COLUMNS} WHERE kept_id = $1 OR merged_id = $1 ORDER BY created_ms DESC, id DESC LIMIT 50");
            sqlx::query_as(AssertSqlSafe(text)).bind(referrer).fetch_all(&mut *c).await?
        });
        rows.into_iter().map(Merge::try_from).collect()
    }

    /// Who of these is merged into whom at present.
    pub async fn merges_standing(&mut self, ids: &[ReferrerId]) -> Result<Vec<(ReferrerId, ReferrerId)>, StoreError> {
        let mut found = Vec::new();
        for list in lists(ids) {
            let rows: Vec<(ReferrerId, ReferrerId)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(STANDING);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// The records of each of these people: their own, and every one that is merged with it at present, in whatever direction, sorted.
    pub async fn records_of_people(
        &mut self,
        ids: &[ReferrerId],
    ) -> Result<HashMap<ReferrerId, Vec<ReferrerId>>, StoreError> {
        let mut merged: HashMap<ReferrerId, BTreeSet<ReferrerId>> = HashMap::new();
        let mut seen: BTreeSet<ReferrerId> = ids.iter().copied().collect();
        let mut next: Vec<ReferrerId> = seen.iter().copied().collect();
        for _ in 0..MERGES_MAX {
            let mut found = BTreeSet::new();
            for (one, other) in self.merges_touching(&next).await? {
                merged.entry(one).or_default().insert(other);
                merged.entry(other).or_default().insert(one);
                found.extend([one, other]);
            }
            next = found.into_iter().filter(|id| seen.insert(*id)).collect();
            if next.is_empty() {
                break;
            }
        }
        Ok(ids.iter().map(|id| (*id, reached(*id, &merged))).collect())
    }

    /// The records of one person.
    pub async fn records_of_person(&mut self, id: ReferrerId) -> Result<Vec<ReferrerId>, StoreError> {
        Ok(self.records_of_people(&[id]).await?.remove(&id).unwrap_or_default())
    }

    /// The merges at present in which one of these took part.
    async fn merges_touching(&mut self, ids: &[ReferrerId]) -> Result<Vec<(ReferrerId, ReferrerId)>, StoreError> {
        let mut found = Vec::new();
        for list in lists(ids) {
            let rows: Vec<(ReferrerId, ReferrerId)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(TOUCHING);
                push_list(&mut statement, list);
                statement.push(") OR kept_id IN (");
                push_list(&mut statement, list);
                statement.push("))");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// Marks a merge as undone. False: it already was.
    pub async fn merge_undone(&mut self, id: MergeId, now: Timestamp) -> Result<bool, StoreError> {
        on!(self, |c, d| Ok(sqlx::query(UNDONE).bind(id).bind(now).execute(&mut *c).await?.rows_affected() == 1))
    }

    /// Puts all touches of one referrer into the history of another, and returns them.
    pub async fn touches_join(&mut self, kept: ReferrerId, merged: ReferrerId) -> Result<Vec<TouchId>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(JOIN).bind(kept).bind(merged).fetch_all(&mut *c).await?))
    }

    /// Puts these touches into a referrer's history.
    pub async fn touches_part(&mut self, referrer: ReferrerId, touches: &[TouchId]) -> Result<(), StoreError> {
        for list in lists(touches) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(PART);
                statement.push_bind(referrer).push(" WHERE id IN (");
                push_list(&mut statement, list);
                statement.push(")");
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }
}

/// Everyone who can be reached from one by merges, with them, sorted.
fn reached(from: ReferrerId, merged: &HashMap<ReferrerId, BTreeSet<ReferrerId>>) -> Vec<ReferrerId> {
    let (mut reached, mut next) = (BTreeSet::from([from]), vec![from]);
    while let Some(id) = next.pop() {
        next.extend(merged.get(&id).into_iter().flatten().copied().filter(|other| reached.insert(*other)));
    }
    reached.into_iter().collect()
}
