//! Turns at mail domains: an account may hand over only so many letters a minute to one domain, and only so many at once, over
//! all nodes. What finds no turn is given one, so that a backlog does not come back all at once. Letters under way are counted
//! in the records under the lock of the domain's row; a counter of its own would be wrong after a crash.

use std::collections::{BTreeMap, BTreeSet};

use super::render::Prepared;
use crate::accounts::domains::{Arriving, AtDomain};
use crate::accounts::{Accounts, ConfiguredAccount};
use crate::domain::message::Message;
use crate::domain::provider_state::DomainTurn;
use crate::domain::{Address, Lane, PolicyReason, Reason, Timestamp};
use crate::store::records::domain_turns::DomainKey;
use crate::store::{StoreError, Tx};

/// The turns that a batch of letters is about.
#[derive(Debug, Default)]
pub(super) struct DomainTurns {
    turns: BTreeMap<DomainKey, DomainTurn>,
    /// Letters under way, those that this batch lets go included.
    under_way: BTreeMap<DomainKey, u32>,
    changed: BTreeSet<DomainKey>,
}

/// What decides when a letter has its turn.
#[derive(Debug)]
pub(super) struct Passenger {
    domain: Option<String>,
    has_a_turn: bool,
    is_urgent: bool,
}

impl Passenger {
    pub(super) fn of(message: &Message) -> Self {
        let has_a_turn =
            matches!(message.reason, Some(Reason::Policy(PolicyReason::RateReached | PolicyReason::DomainBusy)));
        Self { domain: domain_of(&message.address), has_a_turn, is_urgent: message.lane != Lane::Broadcast }
    }
}

impl DomainTurns {
    /// Reads and locks the turns at the domains of these letters, for the accounts that have such a limit; nothing if none has.
    pub(super) async fn read(tx: &mut Tx, accounts: &Accounts, items: &[Prepared]) -> Result<Self, StoreError> {
        let limited: BTreeSet<&str> = accounts.limiting_domains().collect();
        if limited.is_empty() {
            return Ok(Self::default());
        }
        let domains: BTreeSet<String> = items.iter().filter_map(|item| domain_of(&item.message.address)).collect();
        let of = |account: &str| domains.iter().map(|domain| (account.to_owned(), domain.clone())).collect::<Vec<_>>();
        let keys: Vec<DomainKey> = limited.into_iter().flat_map(of).collect();
        let turns = tx.domain_turns_lock(&keys).await?.into_iter().collect();
        // Only behind the lock: what another node lets go meanwhile is on record before the lock is ours.
        let under_way = under_way(tx, accounts).await?;
        Ok(Self { turns, under_way, changed: BTreeSet::new() })
    }

    /// Takes the turn of a letter by an account; why and until when it must wait if it has none.
    pub(super) fn take(
        &mut self,
        account: &ConfiguredAccount,
        passenger: Passenger,
        now: Timestamp,
    ) -> Option<(PolicyReason, Timestamp)> {
        let Passenger { domain, has_a_turn, is_urgent } = passenger;
        let key = (account.layered.name().to_owned(), domain?);
        let turn = self.turns.get_mut(&key)?;
        let under_way = self.under_way.get(&key).copied().unwrap_or(0);
        let (after, may) = account.turn_at_domain(*turn, Arriving { under_way, has_a_turn, is_urgent }, now);
        let is_changed = *turn != after;
        *turn = after;
        if may == AtDomain::Now {
            self.under_way.insert(key.clone(), under_way + 1);
        }
        if is_changed {
            self.changed.insert(key);
        }
        match may {
            AtDomain::Now => None,
            AtDomain::TooFast(until) => Some((PolicyReason::RateReached, until)),
            AtDomain::Full(until) => Some((PolicyReason::DomainBusy, until)),
        }
    }

    /// Writes the turns that were taken or given.
    pub(super) async fn write(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let changed: Vec<(&DomainKey, DomainTurn)> =
            self.changed.iter().filter_map(|key| Some((key, *self.turns.get(key)?))).collect();
        tx.domain_turns_write(&changed).await
    }
}

/// The letters that all nodes are handing over, by account and domain; of the accounts that limit how many those are.
async fn under_way(tx: &mut Tx, accounts: &Accounts) -> Result<BTreeMap<DomainKey, u32>, StoreError> {
    let counting: Vec<&str> =
        accounts.iter().filter(|(_, account)| account.concurrency_per_domain.is_some()).map(|(name, _)| name).collect();
    let mut counts = BTreeMap::new();
    for (account, address) in tx.letters_under_way(&counting).await? {
        if let Some(domain) = domain_of(&address) {
            *counts.entry((account, domain)).or_default() += 1;
        }
    }
    Ok(counts)
}

fn domain_of(address: &Address) -> Option<String> {
    address.key().mailbox().map(|(_, domain)| domain.to_owned())
}
