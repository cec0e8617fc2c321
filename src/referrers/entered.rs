//! An address that a person enters gets another chance: whoever enters it says that it is right.

use super::ReferrersError;
use crate::domain::health::{AddressHealth, Health};
use crate::domain::referrer::Referrer;
use crate::domain::{Actor, AddressKey, AuditAct, Channel, Timestamp};
use crate::store::Tx;

/// Lets the addresses of a referrer be tried again that were not theirs before, or whose channel is among `anew`, where
/// something is held against them. An address that a list only repeats says nothing new.
///
/// # Errors
/// Database errors.
pub(super) async fn give_another_chance(
    tx: &mut Tx,
    before: Option<&Referrer>,
    after: &Referrer,
    anew: &[Channel],
    who: &Actor,
    now: Timestamp,
) -> Result<(), ReferrersError> {
    let key_of = |referrer: &Referrer, channel: Channel| referrer.address(channel).map(|address| address.key());
    let is_entered = |channel: Channel, key: &AddressKey| {
        anew.contains(&channel) || before.and_then(|before| key_of(before, channel)).as_ref() != Some(key)
    };
    let keys: Vec<AddressKey> = Channel::ALL
        .iter()
        .filter_map(|channel| key_of(after, *channel).filter(|key| is_entered(*channel, key)))
        .collect();
    let is_unwell = |known: &AddressHealth| matches!(known.health, Health::Dead | Health::Doubtful);
    // Few are: most calls take no lock.
    let known = tx.addresses_known(&keys).await?;
    let keys: Vec<AddressKey> = known.into_iter().filter(is_unwell).map(|known| known.value).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let mut unwell = tx.addresses_lock(&keys).await?;
    unwell.retain(is_unwell);
    let fresh: Vec<AddressHealth> = unwell.iter().map(|known| AddressHealth::fresh(known.value.clone())).collect();
    tx.addresses_learn(&fresh, now).await?;
    for known in &unwell {
        let subject = known.value.masked();
        tx.audit(who, AuditAct::ReviveAddress, Some(&subject), Some("entered anew"), now).await?;
    }
    Ok(())
}
