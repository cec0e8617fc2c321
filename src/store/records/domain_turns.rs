//! Whose turn it is at a mail domain, by account: one row for each that an account with such a limit has written to lately; and
//! which letters are under way there.

use crate::domain::provider_state::DomainTurn;
use crate::domain::{Address, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::rows::{lists, portions, push_list};

const ENSURE: &str = "INSERT INTO domain_turn (provider, domain, arrival_ms, promised_ms) ";
const TURNS: &str = "SELECT provider, domain, arrival_ms, promised_ms FROM domain_turn WHERE (provider, domain) IN (";
const CHANGED: &str = "WITH changed (provider, domain, arrival_ms, promised_ms) AS (";
const CHANGE: &str = ") UPDATE domain_turn SET arrival_ms = changed.arrival_ms, promised_ms = changed.promised_ms
    FROM changed WHERE domain_turn.provider = changed.provider AND domain_turn.domain = changed.domain";
// By the leases, of which there are few; of the attempts that an account ever made there are many.
const UNDER_WAY: &str = "SELECT a.provider, a.dialled FROM queue_entry q JOIN attempt a ON a.message_id = q.subject
    WHERE q.state = 'leased' AND a.status = 'calling' AND a.dialled IS NOT NULL AND a.provider IN (";
const OLD: &str = "SELECT COUNT(*) FROM domain_turn WHERE arrival_ms < $1 AND promised_ms < $1";
const FORGET: &str = "DELETE FROM domain_turn WHERE arrival_ms < $1 AND promised_ms < $1";

/// An account's name and a mail domain.
pub type DomainKey = (String, String);

impl Tx {
    /// Whose turn it is, for each of these accounts and domains, locked until the end of the transaction. The keys are sorted, and
    /// none occurs twice.
    pub async fn domain_turns_lock(&mut self, keys: &[DomainKey]) -> Result<Vec<(DomainKey, DomainTurn)>, StoreError> {
        let mut found = Vec::with_capacity(keys.len());
        for portion in portions(keys) {
            let rows: Vec<(String, String, Timestamp, Timestamp)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(ENSURE);
                statement.push_values(portion, |mut row, (provider, domain)| {
                    row.push_bind(provider).push_bind(domain).push("0").push("0");
                });
                statement.push(" ON CONFLICT (provider, domain) DO NOTHING");
                statement.build().execute(&mut *c).await?;
                let mut statement = sqlx::QueryBuilder::<Engine>::new(TURNS);
                statement.push_values(portion, |mut row, (provider, domain)| {
                    row.push_bind(provider).push_bind(domain);
                });
                statement.push(") ORDER BY provider, domain").push(d.for_update());
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows.into_iter().map(|(provider, domain, arrival_ms, promised_ms)| {
                ((provider, domain), DomainTurn { arrival_ms, promised_ms })
            }));
        }
        Ok(found)
    }

    /// Writes turns back.
    pub async fn domain_turns_write(&mut self, turns: &[(&DomainKey, DomainTurn)]) -> Result<(), StoreError> {
        for portion in portions(turns) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(CHANGED);
                statement.push_values(portion, |mut row, ((provider, domain), turn)| {
                    row.push_bind(provider).push_bind(domain).push_bind(turn.arrival_ms).push_bind(turn.promised_ms);
                });
                statement.push(CHANGE);
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// The letters that these accounts are handing over now: to each its account and the address that is written to. What is on
    /// record and whose claim has not run out counts, on whatever node; what a node left behind counts until then.
    pub async fn letters_under_way(&mut self, providers: &[&str]) -> Result<Vec<(String, Address)>, StoreError> {
        let mut found = Vec::new();
        for list in lists(providers) {
            let rows: Vec<(String, Address)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(UNDER_WAY);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// How many rows were last of use before that moment.
    pub async fn domain_turns_old(&mut self, before: Timestamp) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(OLD).bind(before).fetch_one(&mut *c).await?))
    }

    /// Removes the rows that were last of use before that moment.
    pub async fn domain_turns_forget(&mut self, before: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(FORGET).bind(before).execute(&mut *c).await?;
            Ok(())
        })
    }
}
