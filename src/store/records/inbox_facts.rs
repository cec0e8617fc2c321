//! The facts that callbacks report: each is applied once for each account, by the callback that reported it first.

use std::collections::BTreeSet;

use crate::domain::Timestamp;
use crate::domain::id::InboxId;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::row;
use crate::store::engine::rows::{lists, portions, push_list};

const CLAIM: &str = "INSERT INTO inbox_fact (provider, dedupe, inbox_id, said) ";
const CLAIMED: &str = " ON CONFLICT DO NOTHING RETURNING inbox_id, dedupe";
const CLAIMS: &str = "SELECT inbox_id, dedupe, said, applied_ms FROM inbox_fact WHERE inbox_id IN (";
const RESTATE: &str = "UPDATE inbox_fact SET said = $1 WHERE inbox_id = $2 AND dedupe = $3";
const APPLIED: &str = "UPDATE inbox_fact SET applied_ms = $1 WHERE inbox_id = $2 AND dedupe = $3";
const RELEASE: &str = "DELETE FROM inbox_fact WHERE inbox_id = $1 AND dedupe = $2";
const REMOVE: &str = "DELETE FROM inbox_fact WHERE inbox_id IN (";

/// A fact that a callback reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFact {
    /// The account it came to.
    pub provider: String,
    /// The fact's key.
    pub dedupe: String,
    /// The callback.
    pub callback: InboxId,
    /// A digest of the content.
    pub said: String,
}

/// A fact that a callback was the first to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The callback.
    pub callback: InboxId,
    /// The fact's key.
    pub dedupe: String,
    /// A digest of the content; `None` for callbacks of earlier versions.
    pub said: Option<String>,
    /// When it was applied, if the callback's state does not show it.
    pub applied_ms: Option<Timestamp>,
}

row!(Claim { callback = "inbox_id", dedupe, said, applied_ms });

impl Tx {
    /// Claims facts for their callbacks, in the order of their keys, so that two nodes never deadlock. Returns
    /// callback and key of those not reported before; of two alike, the first.
    pub async fn inbox_facts_claim(&mut self, facts: &[NewFact]) -> Result<BTreeSet<(InboxId, String)>, StoreError> {
        let mut facts: Vec<&NewFact> = facts.iter().collect();
        facts.sort_by(|a, b| (&a.provider, &a.dedupe).cmp(&(&b.provider, &b.dedupe)));
        let mut claimed = BTreeSet::new();
        for portion in portions(&facts) {
            let rows: Vec<(InboxId, String)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(CLAIM);
                statement.push_values(portion, |mut row, fact| {
                    row.push_bind(&fact.provider).push_bind(&fact.dedupe);
                    row.push_bind(fact.callback).push_bind(&fact.said);
                });
                statement.push(CLAIMED);
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            claimed.extend(rows);
        }
        Ok(claimed)
    }

    /// The facts that callbacks were the first to report.
    pub async fn inbox_facts_of(&mut self, callbacks: &[InboxId]) -> Result<Vec<Claim>, StoreError> {
        let mut claims = Vec::with_capacity(callbacks.len());
        for list in lists(callbacks) {
            let rows: Vec<Claim> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(CLAIMS);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            claims.extend(rows);
        }
        Ok(claims)
    }

    /// Notes that a claimed fact was read as saying something else than before.
    pub async fn inbox_fact_restate(&mut self, fact: &NewFact) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(RESTATE).bind(&fact.said).bind(fact.callback).bind(&fact.dedupe).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Notes that a fact was applied while its callback waits for others.
    pub async fn inbox_fact_applied(
        &mut self,
        callback: InboxId,
        dedupe: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(APPLIED).bind(now).bind(callback).bind(dedupe).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Gives up a claim: the callback does not report that fact, or nothing known matches it.
    pub async fn inbox_fact_release(&mut self, callback: InboxId, dedupe: &str) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(RELEASE).bind(callback).bind(dedupe).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Forgets the facts of callbacks that are removed.
    pub(super) async fn inbox_facts_remove(&mut self, callbacks: &[InboxId]) -> Result<(), StoreError> {
        for list in lists(callbacks) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(REMOVE);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }
}
