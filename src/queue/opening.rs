//! What may be claimed now: the room there is for the entries of some pools.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::Lanes;
use crate::domain::Timestamp;
use crate::store::records::queue_entries::Claimed;
use crate::store::{StoreError, Tx};

/// Room for so many entries of these pools and lanes. The pools share it by the ranks of their entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Whose entries.
    pub pools: Vec<String>,
    /// Of which lanes.
    pub lanes: Lanes,
    /// How many.
    pub limit: usize,
}

impl Opening {
    /// Leases what fits, in the order of the ranks.
    pub(super) async fn claim(
        &self,
        tx: &mut Tx,
        kind: &str,
        owner: &str,
        until: Timestamp,
    ) -> Result<Vec<Claimed>, StoreError> {
        let mut claimed = Vec::new();
        for (pool, limit) in self.shares(tx, kind).await? {
            claimed.extend(tx.queue_claim(kind, self.lanes, &pool, owner, until, limit).await?);
        }
        claimed.sort_by_key(|entry| (entry.rank, entry.id));
        Ok(claimed)
    }

    /// How many of each pool are among the first of all.
    async fn shares(&self, tx: &mut Tx, kind: &str) -> Result<Vec<(String, usize)>, StoreError> {
        match self.pools.as_slice() {
            _ if self.limit == 0 => Ok(Vec::new()),
            [only] => Ok(vec![(only.clone(), self.limit)]),
            pools => {
                let mut shares: BTreeMap<String, usize> = BTreeMap::new();
                for head in tx.queue_heads(kind, self.lanes, pools, self.limit).await? {
                    *shares.entry(head.pool).or_default() += 1;
                }
                Ok(shares.into_iter().collect())
            }
        }
    }
}

/// The row of the virtual time of a pool. Pools whose words are the same up to the first slash share one: entries that
/// never compete with each other must not move each other's time.
pub(super) fn time_of(pool: &str) -> Uuid {
    derived(&[channel(pool).as_bytes()])
}

/// The row of a flow's last rank among the entries of a pool.
pub(super) fn flow_in(flow: Uuid, pool: &str) -> Uuid {
    derived(&[flow.as_bytes(), channel(pool).as_bytes()])
}

/// The part of a pool's word that says whose time it shares.
fn channel(pool: &str) -> &str {
    pool.split('/').next().unwrap_or_default()
}

/// An id that follows from others (RFC 9562 §5.8).
fn derived(parts: &[&[u8]]) -> Uuid {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(b"touchline queue");
    parts.iter().for_each(|part| context.update(part));
    let mut octets = [0; 16];
    octets.copy_from_slice(&context.finish().as_ref()[..16]);
    uuid::Builder::from_custom_bytes(octets).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_of_one_channel_share_their_time_and_others_do_not() {
        assert_eq!(time_of("fax/advertisement none US"), time_of("fax/treatment identified GB"));
        assert_ne!(time_of("fax/advertisement none US"), time_of("email/advertisement none"));
        let flow = Uuid::from_u128(7);
        assert_ne!(flow_in(flow, "fax/x"), flow_in(flow, "email/x"));
        assert_ne!(flow_in(flow, "fax/x"), flow_in(Uuid::from_u128(8), "fax/x"));
        assert_ne!(flow_in(flow, "fax/x"), time_of("fax/x"));
    }
}
