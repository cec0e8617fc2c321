//! What a person does about addresses that count as dead: one of them, or many by cause and time, gets another chance.

use std::collections::BTreeMap;

use super::{OperatorError, Parts};
use crate::domain::health::{AddressHealth, Health};
use crate::domain::{Actor, Address, AuditAct, Fault};
use crate::store::records::addresses::DeadOf;

/// The most addresses at once; what is left needs another call.
pub const AT_ONCE_MAX: i64 = 10_000;

/// What was done, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revival {
    /// How many addresses.
    pub addresses: usize,
    /// How many by cause, the most frequent first.
    pub causes: Vec<(Option<Fault>, usize)>,
    /// Whether there may be more of the kind than can be done at once.
    pub is_cut: bool,
}

/// Gives one address another chance: nothing is held against it any more.
///
/// # Errors
/// [`OperatorError::WrongState`] if nothing is held against it.
pub async fn revive(parts: &Parts, address: &Address, who: &Actor) -> Result<(), OperatorError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let known = tx.addresses_lock(&[address.key()]).await?.pop();
    let is_doubted =
        |known: AddressHealth| known.fault.is_some() || matches!(known.health, Health::Dead | Health::Doubtful);
    if !known.is_some_and(is_doubted) {
        return Err(OperatorError::WrongState("nothing is held against this address".to_owned()));
    }
    tx.addresses_learn(&[AddressHealth::fresh(address.key())], now).await?;
    tx.audit(who, AuditAct::ReviveAddress, Some(&address.masked()), None, now).await?;
    tx.commit().await?;
    Ok(())
}

/// How many addresses [`revive_all`] would give another chance.
///
/// # Errors
/// [`OperatorError::Invalid`] for a span that holds no moment.
pub async fn count(parts: &Parts, which: DeadOf) -> Result<Revival, OperatorError> {
    check_span(which)?;
    let dead = parts.store.read().await?.addresses_dead(which, AT_ONCE_MAX, false).await?;
    Ok(revival(&dead))
}

/// Gives the dead addresses of a kind another chance, at most [`AT_ONCE_MAX`], in one transaction. Recorded once, with
/// how many and which kind.
///
/// # Errors
/// [`OperatorError::Invalid`] for a span that holds no moment. Nothing was changed then, nor after a failure of the store.
pub async fn revive_all(parts: &Parts, which: DeadOf, who: &Actor) -> Result<Revival, OperatorError> {
    check_span(which)?;
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let dead = tx.addresses_dead(which, AT_ONCE_MAX, true).await?;
    let fresh: Vec<AddressHealth> = dead.iter().map(|known| AddressHealth::fresh(known.value.clone())).collect();
    tx.addresses_learn(&fresh, now).await?;
    if !dead.is_empty() {
        tx.audit(who, AuditAct::ReviveAddress, None, Some(&detail(which, dead.len())), now).await?;
    }
    tx.commit().await?;
    Ok(revival(&dead))
}

fn check_span(which: DeadOf) -> Result<(), OperatorError> {
    match (which.since, which.until) {
        (Some(since), Some(until)) if since >= until => {
            Err(OperatorError::Invalid("no moment lies between them: `since` comes before `until`".to_owned()))
        }
        _ => Ok(()),
    }
}

fn revival(dead: &[AddressHealth]) -> Revival {
    let mut causes: BTreeMap<Option<Fault>, usize> = BTreeMap::new();
    for known in dead {
        *causes.entry(known.fault).or_default() += 1;
    }
    let mut causes: Vec<(Option<Fault>, usize)> = causes.into_iter().collect();
    causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let is_cut = i64::try_from(dead.len()).is_ok_and(|count| count >= AT_ONCE_MAX);
    Revival { addresses: dead.len(), causes, is_cut }
}

fn detail(which: DeadOf, addresses: usize) -> String {
    let mut detail = format!("{addresses} addresses");
    for (name, value) in [
        ("channel", which.channel.map(|channel| channel.to_string())),
        ("cause", which.fault.map(|fault| fault.to_string())),
        ("since", which.since.map(|at| at.to_string())),
        ("until", which.until.map(|at| at.to_string())),
    ] {
        if let Some(value) = value {
            detail.push_str(&format!(", {name} {value}"));
        }
    }
    detail
}
