//! Queue entries: one statement per operation, no joins. Every change is guarded by (id, fence), so that a worker whose
//! lease was taken over cannot touch the entry any more.

use std::collections::HashSet;

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::domain::words::words;
use crate::domain::{Lane, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::{record, row};
use crate::store::engine::rows::{lists, portions, push_list};

/// An entry to be put into the queue, its rank already decided.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The kind of work; opaque to the queue.
    pub kind: &'static str,
    /// The subject; at most one entry each.
    pub subject: Uuid,
    /// Lane.
    pub lane: Lane,
    /// The entries with which it competes; an opaque word.
    pub pool: String,
    /// The flow whose turn it uses.
    pub flow: Uuid,
    /// Place in the order; smaller goes first.
    pub rank: i64,
    /// When it is due.
    pub due_ms: Timestamp,
}

words! {
    /// The state of an entry.
    EntryState {
        /// It is not due yet.
        Waiting = "waiting",
        /// It is due and no worker has it.
        Ready = "ready",
        /// A worker has it.
        Leased = "leased",
    }
}

/// Which lanes are claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lanes {
    /// All lanes.
    All,
    /// What must not wait behind a broadcast: every other lane.
    Urgent,
}

/// An entry that is ours until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Identifier, never used again.
    pub id: i64,
    /// The kind of work.
    pub kind: String,
    /// The subject.
    pub subject: Uuid,
    /// Proof that the claim is ours; only grows.
    pub fence: i64,
    /// How often it has been claimed.
    pub claims: i64,
    /// The entries with which it competes.
    pub pool: String,
    /// Place in the order.
    pub rank: i64,
}

record!(Claimed: "queue_entry" by id as i64 { id, kind, subject, fence, claims, pool, rank });

/// A ready entry's place in the order, without a claim to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its pool.
    pub pool: String,
    /// Its rank.
    pub rank: i64,
    /// Its identifier, by which equal ranks are ordered.
    pub id: i64,
}

row!(Head { pool, rank, id });

/// A stored entry, for screens and checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Identifier.
    pub id: i64,
    /// The kind of work.
    pub kind: String,
    /// Its state.
    pub state: EntryState,
    /// When it is due.
    pub due_ms: Timestamp,
    /// Current fence.
    pub fence: i64,
    /// Who holds it.
    pub owner: Option<String>,
    /// When the lease ends.
    pub lease_until_ms: Option<Timestamp>,
}

record!(Entry: "queue_entry" by id as i64 { id, kind, state, due_ms, fence, owner, lease_until_ms });

const LAST_RANK: &str = "INSERT INTO queue_flow (flow, rank, updated_ms) VALUES ($1, 0, $2)
    ON CONFLICT (flow) DO UPDATE SET updated_ms = excluded.updated_ms RETURNING rank";
const VIRTUAL_NOW: &str = "SELECT rank FROM queue_flow WHERE flow = $1";
const SET_RANK: &str = "INSERT INTO queue_flow (flow, rank, updated_ms) VALUES ($1, $2, $3)
    ON CONFLICT (flow) DO UPDATE SET
        rank = CASE WHEN excluded.rank > queue_flow.rank THEN excluded.rank ELSE queue_flow.rank END,
        updated_ms = excluded.updated_ms";
const INSERT: &str = "INSERT INTO queue_entry (kind, subject, lane, pool, flow, rank, due_ms, state, fence, claims) ";
// Statements about the whole queue skip entries that another node is changing: waiting for them, in whatever order the
// engine meets them, could deadlock. The next round finds them.
const PROMOTE: &str = "UPDATE queue_entry SET state = 'ready' WHERE id IN
    (SELECT id FROM queue_entry WHERE state = 'waiting' AND due_ms <= $1";
const CLAIM_PICK: &str = "WITH picked AS MATERIALIZED (
        SELECT id FROM queue_entry WHERE state = 'ready' AND kind = $4 AND pool = $5";
const CLAIM_URGENT: &str = " AND lane <> 'broadcast'";
const CLAIM_ORDER: &str = " ORDER BY rank, id LIMIT $1";
const CLAIM_TAKE: &str =
    ") UPDATE queue_entry SET state = 'leased', fence = fence + 1, claims = claims + 1, owner = $2,
        lease_until_ms = $3 FROM picked WHERE queue_entry.id = picked.id
    RETURNING queue_entry.id, kind, subject, fence, claims, pool, rank";
// From one pool to the next by the index, however many entries each has.
const POOLS: &str = "WITH RECURSIVE found (pool) AS (
        SELECT MIN(pool) FROM queue_entry WHERE state = 'ready' AND kind = $1
        UNION ALL
        SELECT (SELECT MIN(next.pool) FROM queue_entry AS next
            WHERE next.state = 'ready' AND next.kind = $1 AND next.pool > found.pool)
        FROM found WHERE found.pool IS NOT NULL)
    SELECT pool FROM found WHERE pool IS NOT NULL ORDER BY pool";
const HEADS: &str = "SELECT * FROM (SELECT pool, rank, id FROM queue_entry WHERE state = 'ready' AND kind = ";
const EXTEND: &str = "UPDATE queue_entry SET lease_until_ms = ";
const EXTEND_WHICH: &str = " WHERE id IN (SELECT id FROM queue_entry WHERE state = 'leased' AND owner = ";
const REAP: &str = "UPDATE queue_entry SET state = 'ready', owner = NULL, lease_until_ms = NULL WHERE id IN
    (SELECT id FROM queue_entry WHERE state = 'leased' AND lease_until_ms < $1";
const FINISH: &str = "DELETE FROM queue_entry WHERE id = $1 AND fence = $2";
const SNOOZED: &str = "WITH snoozed (id, fence, kind, due_ms) AS (";
const SNOOZE: &str = ") UPDATE queue_entry SET state = 'waiting', kind = snoozed.kind, due_ms = snoozed.due_ms,
    owner = NULL, lease_until_ms = NULL FROM snoozed
    WHERE queue_entry.id = snoozed.id AND queue_entry.fence = snoozed.fence RETURNING queue_entry.id";
const RELEASE: &str = "UPDATE queue_entry SET state = 'ready', owner = NULL, lease_until_ms = NULL
    WHERE id = $1 AND fence = $2 AND state = 'leased'";
const HELD: &str = "SELECT id, fence FROM queue_entry WHERE state = 'leased' AND id IN (";
const REMOVE: &str = "DELETE FROM queue_entry WHERE subject IN (";
const HASTEN: &str = "UPDATE queue_entry SET due_ms = $2 WHERE subject = $1 AND state = 'waiting'";
const HASTEN_KIND: &str = "UPDATE queue_entry SET due_ms = ";
const HASTEN_WHICH: &str = " WHERE state = 'waiting' AND kind = ";
const OF_SUBJECT: &str =
    "SELECT id, kind, state, due_ms, fence, owner, lease_until_ms FROM queue_entry WHERE subject = $1";
// Each part along its own index: with one condition for all, a server reads the table from its beginning, which is where the
// entries are that were taken long ago.
const HAS_WORK: &str = "SELECT CASE
    WHEN EXISTS (SELECT 1 FROM queue_entry WHERE state = 'ready' AND kind = $1) THEN 1
    WHEN EXISTS (SELECT 1 FROM queue_entry WHERE state = 'waiting' AND due_ms <= $2) THEN 1
    WHEN EXISTS (SELECT 1 FROM queue_entry WHERE state = 'leased' AND lease_until_ms < $2) THEN 1 ELSE 0 END";
const STEPS: &str = "WITH step (subject, kind, due_ms) AS (";
const NEXT_STEP: &str = ") UPDATE queue_entry SET state = 'waiting', kind = step.kind, due_ms = step.due_ms,
    fence = fence + 1, owner = NULL, lease_until_ms = NULL FROM step
    WHERE queue_entry.subject = step.subject RETURNING queue_entry.subject";
const PRESENT: &str = "SELECT subject FROM queue_entry WHERE subject IN (";
const DEPTH: &str = "SELECT COUNT(*) FROM queue_entry";
const OLDEST_READY: &str = "SELECT MIN(due_ms) FROM queue_entry WHERE state = 'ready'";
const NEXT_DUE: &str = "SELECT MIN(due_ms) FROM queue_entry WHERE state = 'waiting'";

impl Tx {
    /// The last rank given to a flow (the row stays locked until the end of the transaction) and the virtual time, which
    /// has a row of its own; until that is written, the nil row's.
    pub async fn queue_ranks(&mut self, flow: Uuid, time: Uuid, now: Timestamp) -> Result<(i64, i64), StoreError> {
        on!(self, |c, d| {
            let last: i64 = sqlx::query_scalar(LAST_RANK).bind(flow).bind(now).fetch_one(&mut *c).await?;
            for row in [time, Uuid::nil()] {
                let virtual_now = sqlx::query_scalar(VIRTUAL_NOW).bind(row).fetch_optional(&mut *c).await?;
                if let Some(virtual_now) = virtual_now {
                    return Ok((last, virtual_now));
                }
            }
            Ok((last, 0))
        })
    }

    /// Moves a flow's last rank, or a virtual time, forward; never back.
    pub async fn queue_set_rank(&mut self, flow: Uuid, rank: i64, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(SET_RANK).bind(flow).bind(rank).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Which of these subjects have an entry.
    pub async fn queue_present(&mut self, subjects: &[Uuid]) -> Result<HashSet<Uuid>, StoreError> {
        let mut present = HashSet::with_capacity(subjects.len());
        for list in lists(subjects) {
            let rows: Vec<Uuid> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(PRESENT);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_scalar().fetch_all(&mut *c).await?
            });
            present.extend(rows);
        }
        Ok(present)
    }

    /// Puts entries into the queue; those already due are ready immediately.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a subject has an entry already.
    pub async fn queue_insert(&mut self, entries: &[NewEntry], now: Timestamp) -> Result<(), StoreError> {
        for portion in portions(entries) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT);
                statement.push_values(portion, |mut row, entry| {
                    row.push_bind(entry.kind).push_bind(entry.subject).push_bind(entry.lane).push_bind(&entry.pool);
                    row.push_bind(entry.flow).push_bind(entry.rank).push_bind(entry.due_ms);
                    row.push_bind(if entry.due_ms <= now { EntryState::Ready } else { EntryState::Waiting });
                    row.push_bind(0_i64).push_bind(0_i64);
                });
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Marks entries that have become due as ready. Returns how many.
    pub async fn queue_promote(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        on!(self, |c, d| {
            let text = format!("{PROMOTE}{})", d.skip_locked());
            Ok(sqlx::query(AssertSqlSafe(text)).bind(now).execute(&mut *c).await?.rows_affected())
        })
    }

    /// The pools that have ready entries of a kind.
    pub async fn queue_pools(&mut self, kind: &str) -> Result<Vec<String>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(POOLS).bind(kind).fetch_all(&mut *c).await?))
    }

    /// The first `limit` ready entries of these pools, of one kind and these lanes, in the order of their ranks.
    pub async fn queue_heads(
        &mut self,
        kind: &str,
        lanes: Lanes,
        pools: &[String],
        limit: usize,
    ) -> Result<Vec<Head>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let only = if lanes == Lanes::Urgent { CLAIM_URGENT } else { "" };
        let mut heads = Vec::new();
        for list in lists(pools) {
            let rows: Vec<Head> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new("");
                for (place, pool) in list.iter().enumerate() {
                    statement.push(if place == 0 { "" } else { " UNION ALL " }).push(HEADS).push_bind(kind);
                    statement.push(" AND pool = ").push_bind(pool).push(only).push(" ORDER BY rank, id LIMIT ");
                    statement.push_bind(limit).push(format!(") AS heads_{place}"));
                }
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            heads.extend(rows);
        }
        heads.sort_unstable_by_key(|head| (head.rank, head.id));
        heads.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(heads)
    }

    /// Leases up to `limit` ready entries of one pool, one kind and these lanes to `owner`, in the order of their ranks.
    pub async fn queue_claim(
        &mut self,
        kind: &str,
        lanes: Lanes,
        pool: &str,
        owner: &str,
        lease_until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut claimed: Vec<Claimed> = on!(self, |c, d| {
            let only = if lanes == Lanes::Urgent { CLAIM_URGENT } else { "" };
            let text = format!("{CLAIM_PICK}{only}{CLAIM_ORDER}{}{CLAIM_TAKE}", d.skip_locked());
            sqlx::query_as(AssertSqlSafe(text))
                .bind(limit)
                .bind(owner)
                .bind(lease_until)
                .bind(kind)
                .bind(pool)
                .fetch_all(&mut *c)
                .await?
        });
        claimed.sort_by_key(|entry| (entry.rank, entry.id));
        Ok(claimed)
    }

    /// Extends the named leases of an owner. Returns how many.
    pub async fn queue_extend(
        &mut self,
        owner: &str,
        entries: &[i64],
        lease_until: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut extended = 0;
        for list in lists(entries) {
            extended += on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(EXTEND);
                statement.push_bind(lease_until).push(EXTEND_WHICH).push_bind(owner).push(" AND id IN (");
                push_list(&mut statement, list);
                statement.push(")").push(d.skip_locked()).push(")");
                statement.build().execute(&mut *c).await?.rows_affected()
            });
        }
        Ok(extended)
    }

    /// Releases entries whose lease has ended, for any node to claim. Their fence stays, so the late owner can do no
    /// harm.
    pub async fn queue_reap(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        on!(self, |c, d| {
            let text = format!("{REAP}{})", d.skip_locked());
            Ok(sqlx::query(AssertSqlSafe(text)).bind(now).execute(&mut *c).await?.rows_affected())
        })
    }

    /// Whether the claim is still ours; on PostgreSQL the row stays locked until the end of the transaction.
    pub async fn queue_holds(&mut self, id: i64, fence: i64) -> Result<bool, StoreError> {
        Ok(self.queue_held(&[(id, fence)]).await?.contains(&id))
    }

    /// Which of these claims, each an id and a fence, are still ours; on PostgreSQL their rows stay locked until the end
    /// of the transaction.
    pub async fn queue_held(&mut self, claims: &[(i64, i64)]) -> Result<HashSet<i64>, StoreError> {
        let mut ids: Vec<i64> = claims.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        let mut held = HashSet::with_capacity(claims.len());
        for list in lists(&ids) {
            let rows: Vec<(i64, i64)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(HELD);
                push_list(&mut statement, list);
                statement.push(") ORDER BY id").push(d.for_update());
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            held.extend(rows);
        }
        Ok(claims.iter().filter(|claim| held.contains(claim)).map(|(id, _)| *id).collect())
    }

    /// Removes an entry whose work is done. False: it was no longer ours.
    pub async fn queue_finish(&mut self, id: i64, fence: i64) -> Result<bool, StoreError> {
        on!(self, |c, d| Ok(sqlx::query(FINISH).bind(id).bind(fence).execute(&mut *c).await?.rows_affected() == 1))
    }

    /// Postpones an entry, perhaps for another kind of work. False: it was no longer ours.
    pub async fn queue_snooze(
        &mut self,
        id: i64,
        fence: i64,
        kind: &'static str,
        due: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.queue_snooze_all(kind, &[(id, fence, due)]).await?.contains(&id))
    }

    /// The same for many, each an id, a fence and a time. Returns the ids of those that were ours.
    pub async fn queue_snooze_all(
        &mut self,
        kind: &'static str,
        entries: &[(i64, i64, Timestamp)],
    ) -> Result<HashSet<i64>, StoreError> {
        let mut snoozed = HashSet::with_capacity(entries.len());
        for portion in portions(entries) {
            let rows: Vec<i64> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(SNOOZED);
                statement.push_values(portion, |mut row, (id, fence, due)| {
                    row.push_bind(*id).push_bind(*fence).push_bind(kind).push_bind(*due);
                });
                statement.push(SNOOZE);
                statement.build_query_scalar().fetch_all(&mut *c).await?
            });
            snoozed.extend(rows);
        }
        Ok(snoozed)
    }

    /// Gives an entry back untouched. False: it was no longer ours.
    pub async fn queue_release(&mut self, id: i64, fence: i64) -> Result<bool, StoreError> {
        on!(self, |c, d| Ok(sqlx::query(RELEASE).bind(id).bind(fence).execute(&mut *c).await?.rows_affected() == 1))
    }

    /// Removes the entry of a subject, whoever holds it: its fence can never match again.
    pub async fn queue_remove(&mut self, subject: Uuid) -> Result<(), StoreError> {
        self.queue_remove_all(&[subject]).await
    }

    /// The same for many.
    pub async fn queue_remove_all(&mut self, subjects: &[Uuid]) -> Result<(), StoreError> {
        for list in lists(subjects) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(REMOVE);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Brings a waiting entry forward.
    pub async fn queue_hasten(&mut self, subject: Uuid, due: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(HASTEN).bind(subject).bind(due).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Brings waiting entries of one kind forward, those of these subjects.
    pub async fn queue_hasten_all(
        &mut self,
        kind: &'static str,
        subjects: &[Uuid],
        due: Timestamp,
    ) -> Result<(), StoreError> {
        for list in lists(subjects) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(HASTEN_KIND);
                statement.push_bind(due).push(HASTEN_WHICH).push_bind(kind).push(" AND due_ms > ").push_bind(due);
                statement.push(" AND subject IN (");
                push_list(&mut statement, list);
                statement.push(")");
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// The entry of a subject.
    pub async fn queue_entry(&mut self, subject: Uuid) -> Result<Option<Entry>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(OF_SUBJECT).bind(subject).fetch_optional(&mut *c).await?))
    }

    /// Whether a claim of that kind could find anything. Only reads.
    pub async fn queue_has_work(&mut self, kind: &str, now: Timestamp) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let found: i32 = sqlx::query_scalar(HAS_WORK).bind(kind).bind(now).fetch_one(&mut *c).await?;
            Ok(found == 1)
        })
    }

    /// Sets what comes next for subjects, whoever holds their entries: the fence grows, so that the holder's own changes
    /// touch nothing. Only evidence about the subject, written under its lock, may do this. Returns the subjects that
    /// have an entry.
    pub async fn queue_next_steps(
        &mut self,
        steps: &[(Uuid, &'static str, Timestamp)],
    ) -> Result<HashSet<Uuid>, StoreError> {
        let mut found = HashSet::with_capacity(steps.len());
        for portion in portions(steps) {
            let rows: Vec<Uuid> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(STEPS);
                statement.push_values(portion, |mut row, (subject, kind, due)| {
                    row.push_bind(*subject).push_bind(*kind).push_bind(*due);
                });
                statement.push(NEXT_STEP);
                statement.build_query_scalar().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// How many entries there are.
    pub async fn queue_depth(&mut self) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(DEPTH).fetch_one(&mut *c).await?))
    }

    /// Since when the oldest ready entry has been due.
    pub async fn queue_oldest_ready(&mut self) -> Result<Option<Timestamp>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(OLDEST_READY).fetch_one(&mut *c).await?))
    }

    /// When the next waiting entry becomes due.
    pub async fn queue_next_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(NEXT_DUE).fetch_one(&mut *c).await?))
    }
}
