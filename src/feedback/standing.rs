//! The state of each fact of a batch of callbacks before it is applied: a fact belongs to the callback that reported it
//! first, and is applied again only when that callback is read as saying something else.

use std::collections::{HashMap, HashSet};

use super::reading::Fact;
use crate::domain::callback::CallbackState;
use crate::domain::id::InboxId;
use crate::store::records::inbox::Callback;
use crate::store::records::inbox_facts::{Claim, NewFact};
use crate::store::{StoreError, Tx};

/// The state of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Another callback reported it first.
    Told,
    /// It took effect before, exactly as it is read now.
    InEffect,
    /// It is to be applied.
    Due,
    /// It takes effect now.
    Applied,
    /// Its attempt is not known yet, and may still come.
    Early,
    /// Its attempt did not turn up in time.
    Unmatched,
}

/// A callback that was read.
#[derive(Debug)]
pub(super) struct Read {
    /// The callback; its content has been used up.
    pub(super) callback: Callback,
    /// Its facts and their states; `None` if it could not be read.
    pub(super) facts: Option<Vec<(Fact, Standing)>>,
}

impl Read {
    /// A callback and what was read in it; the states of its facts are not known yet.
    pub(super) fn new(callback: Callback, facts: Option<Vec<Fact>>) -> Self {
        let facts = facts.map(|facts| facts.into_iter().map(|fact| (fact, Standing::Told)).collect());
        Self { callback, facts }
    }

    /// Its facts; none if it could not be read.
    pub(super) fn facts(&self) -> impl Iterator<Item = &(Fact, Standing)> {
        self.facts.iter().flatten()
    }

    fn facts_mut(&mut self) -> (&Callback, impl Iterator<Item = &mut (Fact, Standing)>) {
        (&self.callback, self.facts.iter_mut().flatten())
    }
}

/// Determines the states of the callbacks' facts, claims those not reported before, notes where one is read as saying
/// something different, and gives up what is not said after all.
pub(super) async fn take(tx: &mut Tx, batch: &mut [Read]) -> Result<(), StoreError> {
    let ids: Vec<InboxId> = batch.iter().map(|read| read.callback.id).collect();
    let mut own: HashMap<(InboxId, String), Claim> = HashMap::new();
    own.extend(tx.inbox_facts_of(&ids).await?.into_iter().map(|claim| ((claim.callback, claim.dedupe.clone()), claim)));
    let mut untold = Vec::new();
    for read in &mut *batch {
        let (callback, facts) = read.facts_mut();
        for (fact, standing) in facts {
            let Some(claim) = own.remove(&(callback.id, fact.event.dedupe.clone())) else {
                untold.push(claim_of(callback, fact));
                continue;
            };
            *standing = by_claim(callback.state, &claim, fact);
            if claim.said.is_some_and(|said| said != fact.said) {
                tx.inbox_fact_restate(&claim_of(callback, fact)).await?;
            }
        }
    }
    // What is left was claimed by an earlier reading. One that cannot be read now keeps its claims.
    let readable = batch.iter().filter(|read| read.facts.is_some()).map(|read| read.callback.id);
    let readable: HashSet<InboxId> = readable.collect();
    for (callback, dedupe) in own.keys().filter(|(callback, _)| readable.contains(callback)) {
        tx.inbox_fact_release(*callback, dedupe).await?;
    }
    claim(tx, batch, &untold).await
}

/// Claims what was not reported before.
async fn claim(tx: &mut Tx, batch: &mut [Read], untold: &[NewFact]) -> Result<(), StoreError> {
    if untold.is_empty() {
        return Ok(());
    }
    let mut claimed = tx.inbox_facts_claim(untold).await?;
    for read in batch {
        let (callback, facts) = read.facts_mut();
        for (fact, standing) in facts.filter(|(_, standing)| *standing == Standing::Told) {
            if claimed.remove(&(callback.id, fact.event.dedupe.clone())) {
                *standing = Standing::Due;
            }
        }
    }
    Ok(())
}

fn by_claim(state: CallbackState, claim: &Claim, fact: &Fact) -> Standing {
    let is_applied = state == CallbackState::Applied || claim.applied_ms.is_some();
    let is_same = claim.said.as_ref().is_none_or(|said| *said == fact.said);
    if is_applied && is_same { Standing::InEffect } else { Standing::Due }
}

fn claim_of(callback: &Callback, fact: &Fact) -> NewFact {
    NewFact {
        provider: callback.provider.clone(),
        dedupe: fact.event.dedupe.clone(),
        callback: callback.id,
        said: fact.said.clone(),
    }
}
