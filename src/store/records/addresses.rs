//! Addresses: their health, and the row that serves as the lock of every hand-over.

use crate::domain::health::{AddressHealth, Health};
use crate::domain::{Address, AddressKey, Channel, Fault, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, portions, push_list};

const ENSURE: &str = "INSERT INTO address (channel, value, health, strikes, updated_ms) ";
const LOCK: &str = "SELECT channel, value, health, strikes, fault FROM address
    WHERE channel IN ('fax', 'email') AND value IN (";
const CHANGED: &str = "WITH changed (channel, value, health, strikes, fault, updated_ms) AS (";
const CHANGE: &str = ") UPDATE address SET health = changed.health, strikes = changed.strikes, fault = changed.fault,
    updated_ms = changed.updated_ms FROM changed
    WHERE address.channel = changed.channel AND address.value = changed.value";
const GET: &str = "SELECT channel, value, health, strikes, fault FROM address WHERE channel = $1 AND value = $2";

const DEAD: &str = "SELECT channel, value, health, strikes, fault FROM address WHERE health = 'dead'";

/// Which dead addresses; all conditions given must hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeadOf {
    /// Of this channel.
    pub channel: Option<Channel>,
    /// For this cause.
    pub fault: Option<Fault>,
    /// Since then or later.
    pub since: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
}

record!(AddressHealth: "address" by value as AddressKey { channel, value, health, strikes, fault });

impl Tx {
    /// Makes sure that each address has its row; existing rows stay as they are.
    pub async fn addresses_ensure(&mut self, addresses: &[AddressKey], now: Timestamp) -> Result<(), StoreError> {
        let mut addresses = addresses.to_vec();
        addresses.sort_unstable();
        addresses.dedup();
        for portion in portions(&addresses) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(ENSURE);
                statement.push_values(portion, |mut row, key| {
                    row.push_bind(key.channel()).push_bind(key).push_bind(Health::Unverified);
                    row.push_bind(0_i64).push_bind(now);
                });
                statement.push(" ON CONFLICT DO NOTHING");
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Takes the locks of these addresses, always in the same order, and returns what is known of them.
    pub async fn addresses_lock(&mut self, keys: &[AddressKey]) -> Result<Vec<AddressHealth>, StoreError> {
        self.addresses_of(keys, true).await
    }

    /// What is known of these addresses, without locking them.
    pub async fn addresses_known(&mut self, keys: &[AddressKey]) -> Result<Vec<AddressHealth>, StoreError> {
        self.addresses_of(keys, false).await
    }

    async fn addresses_of(&mut self, keys: &[AddressKey], lock: bool) -> Result<Vec<AddressHealth>, StoreError> {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        keys.dedup();
        let mut found = Vec::new();
        let keys: Vec<&str> = keys.iter().map(AddressKey::as_str).collect();
        for list in lists(&keys) {
            let rows: Vec<AddressHealth> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(LOCK);
                push_list(&mut statement, list);
                statement.push(") ORDER BY channel, value");
                statement.push(if lock { d.for_update() } else { "" });
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// What is known of one address.
    pub async fn address_health(&mut self, address: &Address) -> Result<Option<AddressHealth>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(GET)
            .bind(address.channel())
            .bind(address.key())
            .fetch_optional(&mut *c)
            .await?))
    }

    /// Dead addresses in the order of their keys, at most `limit`; `lock` keeps them from changing until the end of the
    /// transaction.
    pub async fn addresses_dead(
        &mut self,
        which: DeadOf,
        limit: i64,
        lock: bool,
    ) -> Result<Vec<AddressHealth>, StoreError> {
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(DEAD);
            if let Some(channel) = which.channel {
                statement.push(" AND channel = ").push_bind(channel);
            }
            if let Some(fault) = which.fault {
                statement.push(" AND fault = ").push_bind(fault);
            }
            if let Some(since) = which.since {
                statement.push(" AND updated_ms >= ").push_bind(since);
            }
            if let Some(until) = which.until {
                statement.push(" AND updated_ms < ").push_bind(until);
            }
            statement.push(" ORDER BY channel, value LIMIT ").push_bind(limit);
            statement.push(if lock { d.for_update() } else { "" });
            Ok(statement.build_query_as().fetch_all(&mut *c).await?)
        })
    }

    /// Records what was learned about addresses.
    pub async fn addresses_learn(&mut self, learnt: &[AddressHealth], now: Timestamp) -> Result<(), StoreError> {
        for portion in portions(learnt) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(CHANGED);
                statement.push_values(portion, |mut row, known| {
                    row.push_bind(known.channel).push_bind(&known.value).push_bind(known.health);
                    row.push_bind(known.strikes).push_bind(known.fault).push_bind(now);
                });
                statement.push(CHANGE);
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }
}
