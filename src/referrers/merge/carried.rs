//! What one of two merged people refused at some address holds for the address to which letters go from now on.

use std::collections::BTreeSet;

use crate::consent::{self, Refusal};
use crate::domain::id::MergeId;
use crate::domain::referrer::Referrer;
use crate::domain::suppression::{Scope, Suppression, SuppressionReason, SuppressionSource};
use crate::domain::{Actor, Address, AddressKey, Channel, Timestamp};
use crate::referrers::refusals::EVIDENCE_CHARS_MAX;
use crate::store::records::imports::Before;
use crate::store::records::merges::Merge;
use crate::store::{StoreError, Tx};

/// Suppresses the preferred addresses of the record that stays, as far as one of the two refused at another address of the
/// same channel. Returns how many suppressions are new. A mailbox that bounced refused nothing.
///
/// # Errors
/// The database cannot be used.
pub(super) async fn carry(
    tx: &mut Tx,
    merge: MergeId,
    records: &[Before],
    kept: &Referrer,
    who: &Actor,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let keys = keys_of(records);
    let mut refusals = tx.suppressions_among(&keys).await?;
    refusals.sort_by_key(|refusal| (refusal.created_ms, refusal.id));
    let carried: Vec<Refusal> = Channel::ALL
        .iter()
        .filter_map(|channel| kept.address(*channel))
        .flat_map(|preferred| carried_to(&preferred, &refusals, merge, who))
        .collect();
    // Several addresses are locked together, before any of them is suppressed.
    let locked: Vec<AddressKey> = carried.iter().map(|refusal| refusal.address.key()).collect();
    if !locked.is_empty() {
        tx.addresses_ensure(&locked, now).await?;
        tx.addresses_lock(&locked).await?;
    }
    for refusal in &carried {
        consent::suppress_in(tx, refusal, now).await?;
    }
    Ok(carried.len())
}

/// Whether somebody refuses, as against letters that came back from the address.
fn is_their_will(known: &Suppression) -> bool {
    known.reason != SuppressionReason::Bounced
}

/// One refusal of each scope that the preferred address does not have itself.
fn carried_to(preferred: &Address, refusals: &[Suppression], merge: MergeId, who: &Actor) -> Vec<Refusal> {
    let key = preferred.key();
    let has = |scope: Scope| {
        refusals.iter().any(|known| known.address == key && known.scope == scope && is_their_will(known))
    };
    let of_scope = |scope: &Scope| {
        let mut elsewhere =
            refusals.iter().filter(|known| known.channel == preferred.channel() && known.address != key);
        let known = elsewhere.find(|known| known.scope == *scope && is_their_will(known))?;
        Some(Refusal {
            address: preferred.clone(),
            scope: *scope,
            reason: known.reason,
            source: SuppressionSource::Merge,
            evidence: Some(evidence(merge, known)),
            who: who.clone(),
            because: None,
            expires_ms: None,
        })
    };
    Scope::ALL.iter().filter(|scope| !has(**scope)).filter_map(of_scope).collect()
}

fn evidence(merge: MergeId, known: &Suppression) -> String {
    let day = known.created_ms.to_utc().date_naive();
    let words = known.evidence.as_deref().unwrap_or_default();
    let whole = format!("{} they refused at {} on {day} {words}", mark(merge), known.address.masked());
    let words: Vec<&str> = whole.split_whitespace().collect();
    words.join(" ").chars().take(EVIDENCE_CHARS_MAX).collect()
}

/// How the evidence begins of what a merge brought.
fn mark(merge: MergeId) -> String {
    format!("merge {merge}:")
}

/// Lifts what the merge brought, as far as it stands. What an address refused itself stands.
///
/// # Errors
/// The database cannot be used.
pub(super) async fn take_back(tx: &mut Tx, merge: &Merge, who: &Actor, now: Timestamp) -> Result<(), StoreError> {
    let mark = mark(merge.id);
    let is_of_it = |known: &Suppression| {
        known.source == SuppressionSource::Merge
            && known.evidence.as_ref().is_some_and(|evidence| evidence.starts_with(&mark))
    };
    for known in tx.suppressions_among(&keys_of(&merge.before)).await?.iter().filter(|known| is_of_it(known)) {
        consent::lift_in(tx, known.id, who, "the merge was undone", now).await?;
    }
    Ok(())
}

/// The keys of every address of these records, preferred or not.
fn keys_of(records: &[Before]) -> Vec<AddressKey> {
    let keys: BTreeSet<AddressKey> = records.iter().flat_map(Before::addresses).map(|address| address.key()).collect();
    keys.into_iter().collect()
}
