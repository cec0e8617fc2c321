//! Turns at mail domains: an account may hand over only so many letters a minute to one domain, over all nodes. What finds no
//! turn is given one, so that a backlog does not come back all at once.

use std::collections::{BTreeMap, BTreeSet};

use super::render::Prepared;
use crate::accounts::{Accounts, ConfiguredAccount};
use crate::domain::message::Message;
use crate::domain::provider_state::DomainTurn;
use crate::domain::{Address, Lane, PolicyReason, Timestamp};
use crate::store::records::domain_turns::DomainKey;
use crate::store::{StoreError, Tx};

/// The turns that a batch of letters is about.
#[derive(Debug, Default)]
pub(super) struct DomainTurns {
    turns: BTreeMap<DomainKey, DomainTurn>,
    changed: BTreeSet<DomainKey>,
}

/// What decides when a letter has its turn.
#[derive(Debug)]
pub(super) struct Passenger {
    domain: Option<String>,
    /// Whether it goes ahead of those that were given a turn: because it was given one, or because somebody waits for it.
    goes_ahead: bool,
}

impl Passenger {
    pub(super) fn of(message: &Message) -> Self {
        let was_given_one = message.reason == Some(PolicyReason::RateReached.into());
        Self { domain: domain_of(&message.address), goes_ahead: was_given_one || message.lane != Lane::Broadcast }
    }
}

impl DomainTurns {
    /// Reads and locks the turns at the domains of these letters, for the accounts that have such a limit; nothing if none has.
    pub(super) async fn read(tx: &mut Tx, accounts: &Accounts, items: &[Prepared]) -> Result<Self, StoreError> {
        let limited: BTreeSet<&str> =
            accounts.iter().filter(|(_, account)| account.rate_per_domain.is_some()).map(|(name, _)| name).collect();
        if limited.is_empty() {
            return Ok(Self::default());
        }
        let domains: BTreeSet<String> = items.iter().filter_map(|item| domain_of(&item.message.address)).collect();
        let of = |account: &str| domains.iter().map(|domain| (account.to_owned(), domain.clone())).collect::<Vec<_>>();
        let keys: Vec<DomainKey> = limited.into_iter().flat_map(of).collect();
        let turns = tx.domain_turns_lock(&keys).await?.into_iter().collect();
        Ok(Self { turns, changed: BTreeSet::new() })
    }

    /// Takes the turn of a letter by an account; until when it must wait if it has none.
    pub(super) fn take(
        &mut self,
        account: &ConfiguredAccount,
        passenger: Passenger,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let key = (account.layered.name().to_owned(), passenger.domain?);
        let turn = self.turns.get_mut(&key)?;
        let (after, until) = account.turn_at_domain(*turn, passenger.goes_ahead, now);
        if *turn != after {
            *turn = after;
            self.changed.insert(key);
        }
        until
    }

    /// Writes the turns that were taken or given.
    pub(super) async fn write(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let changed: Vec<(&DomainKey, DomainTurn)> =
            self.changed.iter().filter_map(|key| Some((key, *self.turns.get(key)?))).collect();
        tx.domain_turns_write(&changed).await
    }
}

fn domain_of(address: &Address) -> Option<String> {
    address.key().mailbox().map(|(_, domain)| domain.to_owned())
}
