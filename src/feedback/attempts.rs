//! Which attempt a fact is about.

use std::collections::{BTreeMap, HashMap};

use super::standing::{Read, Standing};
use crate::domain::event::DeliveryEvent;
use crate::domain::id::{AttemptId, MessageId};
use crate::store::{StoreError, Tx};

/// The attempts that a batch of callbacks may be about.
pub(super) struct Attempts {
    homes: HashMap<AttemptId, (String, MessageId)>,
    by_reference: HashMap<(String, String), AttemptId>,
}

impl Attempts {
    /// Looks up the attempts of all facts that are due.
    ///
    /// # Errors
    /// The database cannot be used.
    pub(super) async fn read(tx: &mut Tx, batch: &[Read]) -> Result<Self, StoreError> {
        let due = batch.iter().flat_map(|read| {
            let due = read.facts().filter(|(_, standing)| *standing == Standing::Due);
            due.map(|(fact, _)| (read.callback.provider.as_str(), &fact.event))
        });
        Self::of_events(tx, &due.collect::<Vec<_>>()).await
    }

    /// Looks up the attempts of events, each received for an account.
    ///
    /// # Errors
    /// The database cannot be used.
    pub(super) async fn of_events(tx: &mut Tx, events: &[(&str, &DeliveryEvent)]) -> Result<Self, StoreError> {
        let mut references: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (provider, event) in events {
            if let Some(reference) = &event.reference {
                references.entry(provider).or_default().push(&reference.0);
            }
        }
        let mut by_reference = HashMap::new();
        for (provider, references) in references {
            for (reference, id) in tx.references_claimed(provider, &references).await? {
                by_reference.insert((provider.to_owned(), reference), id);
            }
        }
        let named = events.iter().filter_map(|(_, event)| event.attempt);
        let ids: Vec<AttemptId> = named.chain(by_reference.values().copied()).collect();
        let homes = tx.attempt_homes(&ids).await?;
        let homes = homes.into_iter().map(|(id, provider, message)| (id, (provider, message))).collect();
        Ok(Self { homes, by_reference })
    }

    /// The attempt an event is about and its message: by our reference if it is echoed, else by the provider's. An
    /// attempt of another account is never touched, whatever the callback says.
    pub(super) fn of(&self, provider: &str, event: &DeliveryEvent) -> Option<(AttemptId, MessageId)> {
        let home = |id: AttemptId| self.homes.get(&id).map(|(owner, message)| (id, owner, *message));
        if let Some((id, owner, message)) = event.attempt.and_then(home) {
            return (owner == provider).then_some((id, message));
        }
        let reference = event.reference.as_ref()?;
        let (id, _, message) = home(*self.by_reference.get(&(provider.to_owned(), reference.0.clone()))?)?;
        Some((id, message))
    }
}
