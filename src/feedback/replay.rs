//! Parsing callbacks again, after an upgrade that parses them better. A fact with the same result changes nothing; a
//! new or different one is settled as if it arrived now. Signature and age were verified when the callback arrived, and
//! are not checked again: a secret that has changed since is no reason to refuse.

use std::collections::BTreeMap;

use serde::Serialize;

use super::attempts::Attempts;
use super::{Parts, apply, reading};
use crate::domain::Actor;
use crate::domain::audit::AuditAct;
use crate::domain::callback::{CallbackForm, CallbackState};
use crate::domain::id::{InboxId, MessageId};
use crate::store::views::inbox::{CallbackLine, CallbacksOf, Place};
use crate::store::{StoreError, Tx};

/// Callbacks read again in one transaction at most.
const BATCH_MAX: i64 = 100;

/// Which callbacks are read again.
#[derive(Debug, Clone)]
pub enum Selection {
    /// These.
    These(Vec<InboxId>),
    /// All that fit.
    All(CallbacksOf),
}

/// The result of reading again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Callbacks that were read again.
    pub callbacks: usize,
    /// Those of them that said something that had not taken effect before.
    pub changed: usize,
    /// Facts that took effect.
    pub facts: usize,
    /// Callbacks that cannot be read by this version either, or whose account is no longer configured.
    pub unreadable: usize,
    /// Callbacks that were named and do not exist, still wait to be applied, or were stored by an earlier version in a
    /// form that cannot be read again.
    pub skipped: usize,
    /// The states of the callbacks afterwards, and how many are in each.
    pub states: BTreeMap<CallbackState, usize>,
}

/// What a callback says, as this version reads it: nothing that names or reaches a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactLine {
    /// `progress`, `delivered` or `failed`.
    pub fact: &'static str,
    /// The message it is about, if it is known.
    pub message: Option<MessageId>,
}

/// A callback, and what this version reads in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// The callback.
    #[serde(flatten)]
    pub line: CallbackLine,
    /// Its facts; `None` if it cannot be read.
    pub reading: Option<Vec<FactLine>>,
}

/// Reads callbacks again and applies what they say, in the order of arrival, a hundred per transaction. A dry run does
/// the same and stores nothing.
///
/// # Errors
/// The database cannot be used; what was committed before that is kept.
pub async fn replay(
    parts: &Parts,
    selection: &Selection,
    who: &Actor,
    is_rehearsal: bool,
) -> Result<Replayed, StoreError> {
    let mut total = Replayed::default();
    match selection {
        Selection::These(ids) => {
            for ids in ids.chunks(usize::try_from(BATCH_MAX).unwrap_or(1)) {
                replay_some(parts, ids, is_rehearsal, &mut total).await?;
            }
        }
        Selection::All(of) => {
            let mut after: Option<Place> = None;
            loop {
                let places = parts.store.read().await?.callback_places(of, after, BATCH_MAX).await?;
                let Some(last) = places.last() else { break };
                after = Some(*last);
                let ids: Vec<InboxId> = places.into_iter().map(|(_, id)| id).collect();
                replay_some(parts, &ids, is_rehearsal, &mut total).await?;
            }
        }
    }
    if !is_rehearsal {
        let mut tx = parts.store.write().await?;
        let detail = format!("{} callbacks, {} changed, {} facts", total.callbacks, total.changed, total.facts);
        tx.audit(who, AuditAct::ReplayCallbacks, None, Some(&detail), parts.clock.now()).await?;
        tx.commit().await?;
        parts.queue.wake();
    }
    Ok(total)
}

async fn replay_some(
    parts: &Parts,
    ids: &[InboxId],
    is_rehearsal: bool,
    total: &mut Replayed,
) -> Result<(), StoreError> {
    let mut rest = ids;
    while !rest.is_empty() {
        let mut tx = parts.store.write().await?;
        let (mut callbacks, looked_at) = tx.inbox_callbacks_within(rest).await?;
        rest = &rest[looked_at..];
        callbacks.retain(|one| one.form == CallbackForm::Raw && one.state != CallbackState::Waiting);
        total.skipped += looked_at - callbacks.len();
        let outcome = apply::apply(&mut tx, parts, callbacks, parts.clock.now()).await?;
        if is_rehearsal {
            drop(tx);
        } else {
            tx.commit().await?;
        }
        for callback in outcome.callbacks {
            total.callbacks += 1;
            total.facts += callback.applied;
            total.changed += usize::from(callback.applied > 0 || callback.before != callback.after);
            total.unreadable += usize::from(!callback.is_readable);
            *total.states.entry(callback.after).or_default() += 1;
        }
    }
    Ok(())
}

/// Shows a callback, and what this version reads in it. Changes nothing.
///
/// # Errors
/// The database cannot be used.
pub async fn look(parts: &Parts, id: InboxId) -> Result<Option<Looked>, StoreError> {
    let mut tx = parts.store.read().await?;
    let Some(line) = tx.callback_line(id).await? else { return Ok(None) };
    let callback = tx.inbox_callbacks(&[id]).await?.pop();
    let facts = callback.and_then(|mut callback| reading::read(&parts.accounts, &mut callback));
    let reading = match facts {
        Some(facts) => Some(lines(&mut tx, &line.provider, &facts).await?),
        None => None,
    };
    Ok(Some(Looked { line, reading }))
}

async fn lines(tx: &mut Tx, provider: &str, facts: &[reading::Fact]) -> Result<Vec<FactLine>, StoreError> {
    let events: Vec<_> = facts.iter().map(|fact| (provider, &fact.event)).collect();
    let attempts = Attempts::of_events(tx, &events).await?;
    let line = |fact: &reading::Fact| FactLine {
        fact: fact.event.fact.as_str(),
        message: attempts.of(provider, &fact.event).map(|(_, message)| message),
    };
    Ok(facts.iter().map(line).collect())
}
