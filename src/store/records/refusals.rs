//! Refusals of mail accounts since the last acceptance, from which `settle` sees whether the same one comes for several
//! recipients in a row.

use sqlx::AssertSqlSafe;

use crate::domain::health::Health;
use crate::domain::id::AttemptId;
use crate::domain::{AddressKey, Fault, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::portions;

const COLUMNS: &str = "SELECT attempt_id, provider, address_key, words, health, strikes, fault, at_ms, taken_back_ms,
    stands_ms FROM refusal";
const INSERT: &str = "INSERT INTO refusal (attempt_id, provider, address_key, words, health, strikes, fault, at_ms,
    taken_back_ms, stands_ms) ";
const TURN: &str = "INSERT INTO refusal_turn (provider, updated_ms) VALUES ($1, $2)
    ON CONFLICT (provider) DO UPDATE SET updated_ms = excluded.updated_ms";
const REFUSING: &str = "SELECT DISTINCT provider FROM refusal ORDER BY provider";
const END: &str = "DELETE FROM refusal WHERE provider = $1";
const FORGET: &str = "DELETE FROM refusal WHERE provider = $1 AND at_ms < $2";
const STAND: &str = "UPDATE refusal SET stands_ms = $2 WHERE provider = $1 AND stands_ms IS NULL";
const TAKE_BACK: &str = "UPDATE refusal SET taken_back_ms = $2 WHERE attempt_id = $1";

/// The most refusals of one account that are looked at, the newest.
const LOOKED_AT_MAX: i64 = 1_000;

/// One refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalRow {
    /// The attempt that was refused.
    pub attempt_id: AttemptId,
    /// The account.
    pub provider: String,
    /// The recipient.
    pub address_key: AddressKey,
    /// The refusal's text without what differs from one recipient to the next.
    pub words: String,
    /// What was known of the address before this was held against it; `None` if it was not.
    pub health: Option<Health>,
    /// The strikes against it then.
    pub strikes: i64,
    /// The latest evidence against it then.
    pub fault: Option<Fault>,
    /// When it was refused.
    pub at_ms: Timestamp,
    /// When it turned out to be about us.
    pub taken_back_ms: Option<Timestamp>,
    /// When a person said that it was right all the same.
    pub stands_ms: Option<Timestamp>,
}

record!(RefusalRow: "refusal" by attempt_id as AttemptId { attempt_id, provider, address_key, words, health, strikes, fault, at_ms, taken_back_ms, stands_ms });

impl Tx {
    /// Takes the lock under which an account's refusals are changed. To be taken before any other.
    pub async fn refusals_lock(&mut self, provider: &str, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(TURN).bind(provider).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// The accounts that have refused something since they last accepted a letter.
    pub async fn refusing_providers(&mut self) -> Result<Vec<String>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(REFUSING).fetch_all(&mut *c).await?))
    }

    /// An account's refusals since it last accepted a letter, oldest first; of more than a thousand the newest.
    pub async fn refusals_of(&mut self, provider: &str) -> Result<Vec<RefusalRow>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE provider = $1 ORDER BY at_ms DESC, attempt_id DESC LIMIT $2");
            let mut rows: Vec<RefusalRow> =
                sqlx::query_as(AssertSqlSafe(text)).bind(provider).bind(LOOKED_AT_MAX).fetch_all(&mut *c).await?;
            rows.reverse();
            Ok(rows)
        })
    }

    /// Stores refusals.
    pub async fn refusals_insert(&mut self, rows: &[RefusalRow]) -> Result<(), StoreError> {
        for portion in portions(rows) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT);
                statement.push_values(portion, |mut row, one| {
                    row.push_bind(one.attempt_id).push_bind(&one.provider).push_bind(&one.address_key);
                    row.push_bind(&one.words).push_bind(one.health).push_bind(one.strikes).push_bind(one.fault);
                    row.push_bind(one.at_ms).push_bind(one.taken_back_ms).push_bind(one.stands_ms);
                });
                statement.push(" ON CONFLICT DO NOTHING");
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Records that refusals turned out to be about us.
    pub async fn refusals_take_back(&mut self, attempts: &[AttemptId], now: Timestamp) -> Result<(), StoreError> {
        for attempt in attempts {
            on!(self, |c, d| {
                sqlx::query(TAKE_BACK).bind(*attempt).bind(now).execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Records that a person has found an account's refusals right.
    pub async fn refusals_stand(&mut self, provider: &str, now: Timestamp) -> Result<u64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query(STAND).bind(provider).bind(now).execute(&mut *c).await?.rows_affected()))
    }

    /// Ends an account's row of refusals: it has accepted a letter.
    pub async fn refusals_end(&mut self, provider: &str) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(END).bind(provider).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Forgets an account's refusals from before a moment.
    pub async fn refusals_forget(&mut self, provider: &str, before: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(FORGET).bind(provider).bind(before).execute(&mut *c).await?;
            Ok(())
        })
    }
}
