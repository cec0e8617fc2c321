//! Applying callbacks: each is parsed, its facts are matched with the attempts they are about, and settled. The same
//! steps serve new callbacks and those parsed again.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::attempts::Attempts;
use super::returns::follow;
use super::returns::told::{self, Told};
use super::standing::{self, Read, Standing};
use super::{Parts, reading};
use crate::domain::Timestamp;
use crate::domain::callback::CallbackState;
use crate::domain::event::EventSource;
use crate::domain::id::InboxId;
use crate::settle::{self, Evidence, Origin, POLL, Update};
use crate::store::records::inbox::Callback;
use crate::store::{StoreError, Tx};

/// The result for a batch of callbacks.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Callbacks whose state changed.
    pub(super) settled: usize,
    /// Each callback in its present state, and how many of its facts took effect.
    pub(super) callbacks: Vec<Reread>,
}

/// A callback after it was parsed and applied.
#[derive(Debug, Clone)]
pub(super) struct Reread {
    /// The callback.
    pub(super) id: InboxId,
    /// The account it was sent to.
    pub(super) provider: String,
    /// Its state before.
    pub(super) before: CallbackState,
    /// Its state now.
    pub(super) after: CallbackState,
    /// Whether it could be parsed.
    pub(super) is_readable: bool,
    /// Facts that took effect.
    pub(super) applied: usize,
}

/// Parses callbacks and applies what they say. The caller commits.
///
/// Only what is authenticated counts; an unsigned callback is only a reason to ask the provider immediately.
///
/// # Errors
/// The database cannot be used.
pub(super) async fn apply(
    tx: &mut Tx,
    parts: &Parts,
    callbacks: Vec<Callback>,
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    let mut batch: Vec<Read> = callbacks
        .into_iter()
        .map(|mut callback| {
            let facts = reading::read(&parts.accounts, &mut callback);
            Read::new(callback, facts)
        })
        .collect();
    standing::take(tx, &mut batch).await?;
    let attempts = Attempts::read(tx, &batch).await?;
    let mut effects = Effects::of(parts, &mut batch, &attempts, now);
    let mut findings = told::findings(tx, &effects.told).await?;
    told::correct(tx, &mut findings, &mut effects.updates).await?;
    told::leave_out_words_about_patients(&findings, &mut effects.updates);
    settle::apply_all(tx, &parts.rules, &effects.updates, now).await?;
    follow::record(tx, &parts.returns, &findings, now).await?;
    tx.queue_hasten_all(POLL, &effects.hinted, now).await?;
    record(tx, &batch, now).await
}

/// What follows from a batch of callbacks.
#[derive(Debug, Default)]
struct Effects {
    updates: Vec<Update>,
    /// Messages about which something was said that must be confirmed first.
    hinted: Vec<Uuid>,
    /// What came back for emails.
    told: Vec<Told>,
}

impl Effects {
    /// Decides about every fact that is due.
    fn of(parts: &Parts, batch: &mut [Read], attempts: &Attempts, now: Timestamp) -> Self {
        let mut effects = Self::default();
        for Read { callback, facts } in batch {
            let is_late = now.since(callback.received_ms) > super::WAIT_FOR_ATTEMPT;
            let is_believed = is_believed(parts, &callback.provider);
            for (fact, standing) in facts.iter_mut().flatten().filter(|(_, standing)| *standing == Standing::Due) {
                let event = &fact.event;
                *standing = match attempts.of(&callback.provider, event) {
                    None if is_late => Standing::Unmatched,
                    None => Standing::Early,
                    Some((_, message)) if !is_believed => {
                        effects.hinted.push(message.0);
                        Standing::Applied
                    }
                    Some((attempt, _)) => {
                        let origin = Origin::provider(EventSource::Webhook, &callback.provider);
                        let origin = Origin { occurred: event.occurred_ms, billed: event.billed.clone(), ..origin };
                        let evidence = Evidence::Fact(event.fact.clone(), event.reference.clone());
                        effects.updates.push(Update { attempt, evidence, origin });
                        effects.told.extend(Told::of(callback, event, attempt));
                        Standing::Applied
                    }
                };
            }
        }
        effects
    }
}

/// Whether the account's callbacks prove their origin, or the provider cannot be asked.
pub(super) fn is_believed(parts: &Parts, provider: &str) -> bool {
    parts.accounts.get(provider).is_some_and(|account| {
        let can = account.capabilities();
        can.webhook.is_proof() || !can.status
    })
}

/// Stores the callbacks' states.
async fn record(tx: &mut Tx, batch: &[Read], now: Timestamp) -> Result<Outcome, StoreError> {
    let mut outcome = Outcome::default();
    let mut changed: BTreeMap<CallbackState, Vec<InboxId>> = BTreeMap::new();
    let mut looked = Vec::new();
    for read in batch {
        let (before, after) = (read.callback.state, state(read));
        if before != after {
            changed.entry(after).or_default().push(read.callback.id);
            outcome.settled += 1;
        } else if after == CallbackState::Waiting {
            looked.push(read.callback.id);
        }
        record_facts(tx, read, after, now).await?;
        outcome.callbacks.push(Reread {
            id: read.callback.id,
            provider: read.callback.provider.clone(),
            before,
            after,
            is_readable: read.facts.is_some(),
            applied: read.facts().filter(|(_, standing)| *standing == Standing::Applied).count(),
        });
    }
    for (state, ids) in changed {
        tx.inbox_settle(&ids, state, now).await?;
    }
    tx.inbox_looked(&looked).await?;
    Ok(outcome)
}

/// What the callback's state does not say about its facts; mostly nothing.
async fn record_facts(tx: &mut Tx, read: &Read, state: CallbackState, now: Timestamp) -> Result<(), StoreError> {
    let id = read.callback.id;
    let Some(facts) = &read.facts else { return Ok(()) };
    let count = i64::try_from(facts.len()).unwrap_or(i64::MAX);
    if count != read.callback.facts {
        tx.inbox_count_facts(id, count).await?;
    }
    for (fact, standing) in facts {
        match (state, standing) {
            (CallbackState::Waiting, Standing::Applied | Standing::InEffect) => {
                tx.inbox_fact_applied(id, &fact.event.dedupe, now).await?;
            }
            (CallbackState::Applied, Standing::Unmatched) => tx.inbox_fact_release(id, &fact.event.dedupe).await?,
            _ => {}
        }
    }
    Ok(())
}

/// A callback's state, from its facts. One that could be parsed before and cannot be now keeps its state.
fn state(read: &Read) -> CallbackState {
    let Some(facts) = &read.facts else {
        return match read.callback.state {
            CallbackState::Waiting => CallbackState::Unreadable,
            settled => settled,
        };
    };
    let any = |wanted: &[Standing]| facts.iter().any(|(_, standing)| wanted.contains(standing));
    if facts.is_empty() {
        CallbackState::Ignored
    } else if any(&[Standing::Early]) {
        CallbackState::Waiting
    } else if any(&[Standing::Applied, Standing::InEffect]) {
        CallbackState::Applied
    } else if any(&[Standing::Unmatched]) {
        CallbackState::Unmatched
    } else {
        CallbackState::Repeated
    }
}
