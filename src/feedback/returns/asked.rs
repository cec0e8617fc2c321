//! What a person makes of a request to be sent no more: which of somebody's addresses it means, and what becomes of the letters that
//! were held for it. A request in a mail may mean the fax ("stop faxing us"): nobody else can tell.

use super::follow;
use super::working::WorkError;
use crate::consent::{self, Refusal};
use crate::domain::id::ReferrerId;
use crate::domain::message::Message;
use crate::domain::returned::{ReturnKind, ReturnState};
use crate::domain::suppression::{Scope, SuppressionReason, SuppressionSource};
use crate::domain::{Actor, Address, AddressKey, Channel, EmailAddress, PolicyReason, Timestamp};
use crate::feedback::Parts;
use crate::settle::{self, Origin};
use crate::store::Tx;
use crate::store::records::returns::{ReturnRow, ReturnsOf};

/// They asked for no more on these channels: the address that wrote, or that was written to, theirs on record, and theirs to which letters
/// are held. Updates to it end; letters about their own patients go on.
///
/// # Errors
/// [`WorkError::Invalid`] if no such address is known.
pub(super) async fn suppress(
    tx: &mut Tx,
    row: &ReturnRow,
    channels: &[Channel],
    who: &Actor,
    now: Timestamp,
) -> Result<(), WorkError> {
    let addresses = meant(tx, row, channels).await?;
    if addresses.is_empty() {
        return Err(WorkError::Invalid("no such address of theirs is on record: suppress it by hand".to_owned()));
    }
    let mut keys: Vec<AddressKey> = addresses.iter().map(Address::key).collect();
    tx.addresses_ensure(&keys, now).await?;
    // Those of what is released afterwards too: addresses before messages, as everywhere.
    if let Some(referrer) = row.referrer_id {
        keys.extend(held_for(tx, referrer, false).await?.iter().map(|message| message.address.key()));
    }
    tx.addresses_lock(&keys).await?;
    for address in addresses {
        let refusal = Refusal {
            address,
            scope: Scope::Advertisement,
            reason: SuppressionReason::OptOut,
            source: SuppressionSource::Email,
            evidence: row.first_line.clone(),
            who: who.clone(),
            because: Some(row.id),
            expires_ms: None,
        };
        consent::suppress_in(tx, &refusal, now).await?;
    }
    Ok(())
}

/// The addresses that a request means, each once.
async fn meant(tx: &mut Tx, row: &ReturnRow, channels: &[Channel]) -> Result<Vec<Address>, WorkError> {
    let asked = row.address_key.as_deref().or(row.sender.as_deref()).map(EmailAddress::parse);
    let mut found: Vec<Address> = asked.and_then(Result::ok).map(Address::Email).into_iter().collect();
    if let Some(referrer) = row.referrer_id {
        let records = tx.records_of_person(referrer).await?;
        for record in tx.referrers(&records).await? {
            // Also where they are written to now: they may have answered a letter to an earlier address.
            found.extend(record.email.map(Address::Email).into_iter().chain(record.fax.map(Address::Fax)));
        }
        found.extend(held_for(tx, referrer, false).await?.into_iter().map(|message| message.address));
    }
    let mut addresses: Vec<Address> = Vec::new();
    for address in found.into_iter().filter(|address| channels.contains(&address.channel())) {
        if addresses.iter().all(|known| known.key() != address.key()) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// What is held for a referrer because they may have asked for no more.
async fn held_for(tx: &mut Tx, referrer: ReferrerId, lock: bool) -> Result<Vec<Message>, WorkError> {
    let mut waiting = follow::waiting_for(tx, referrer, lock).await?;
    waiting.retain(|message| message.reason == Some(PolicyReason::AskedToStop.into()));
    Ok(waiting)
}

/// What is still held because of the request goes on as if it had not been; automatic letters still wait while the conversation is open.
///
/// # Errors
/// The database cannot be used.
pub(super) async fn release_what_was_held(
    tx: &mut Tx,
    parts: &Parts,
    row: &ReturnRow,
    who: &Actor,
    give_up: Timestamp,
    now: Timestamp,
) -> Result<(), WorkError> {
    let (Some(referrer), ReturnKind::OptOut) = (row.referrer_id, row.kind) else { return Ok(()) };
    // Another answer that a person has not read yet may ask for the same.
    let (state, kinds) = (Some(ReturnState::Open), vec![ReturnKind::OptOut]);
    let of = ReturnsOf { state, kinds, referrer: Some(referrer), message: None };
    if tx.returns_page(&of, None, 2).await?.iter().any(|other| other.id != row.id) {
        return Ok(());
    }
    // Addresses before messages, as everywhere.
    let keys: Vec<AddressKey> =
        held_for(tx, referrer, false).await?.iter().map(|message| message.address.key()).collect();
    tx.addresses_lock(&keys).await?;
    let mut messages = held_for(tx, referrer, true).await?;
    tx.touches_lock(&messages.iter().map(|message| message.touch_id).collect::<Vec<_>>()).await?;
    let origin = Origin::person(who);
    for message in &mut messages {
        settle::go_on(tx, message, give_up, &parts.rules.domains, &origin, now).await?;
    }
    Ok(())
}
