//! Refusals that a list brings: stored with its rows, in the same transaction, whether or not it is clear whom a row means.
//! A list can refuse more than is on record and never less: nothing here lifts a refusal or revives an address.

use std::collections::{HashMap, HashSet};

use super::ReferrersError;
use super::sheet::write::evidence_with_day;
use super::sheet::{OnRecord, RefusalEvidence, SheetRefusal, SheetRow};
use crate::consent::{self, Refusal};
use crate::domain::health::{AddressHealth, Health};
use crate::domain::referrer::{Referrer, ReferrerState};
use crate::domain::suppression::{Scope, Suppression, SuppressionReason, SuppressionSource};
use crate::domain::{Actor, Address, AddressKey, Channel, Timestamp};
use crate::store::Tx;
use crate::store::records::referrers::Alike;

/// Longest evidence kept, in characters.
pub(super) const EVIDENCE_CHARS_MAX: usize = 1_000;

/// The list, and who imports it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    /// The list's name.
    pub list: &'a str,
    /// Who imports it.
    pub who: &'a Actor,
    /// When.
    pub now: Timestamp,
}

/// Whom the rows of a list mean: for each row that means one person, every address that is known of them. Rows that are not
/// here are of nobody in particular.
#[derive(Debug, Default)]
pub(super) struct People {
    of_row: HashMap<usize, usize>,
    addresses: Vec<Vec<Address>>,
    /// Rows whose people are not marked by them, because the rows themselves are left out.
    unmarked: HashSet<usize>,
}

impl People {
    /// Adds a person with the places of their rows.
    pub(super) fn add(&mut self, rows: &[usize], addresses: Vec<Address>) {
        self.of_row.extend(rows.iter().map(|row| (*row, self.addresses.len())));
        self.addresses.push(addresses);
    }

    /// Adds what is known of the person whom a row means that is left out.
    pub(super) fn add_left_out(&mut self, row: usize, addresses: Vec<Address>) {
        self.unmarked.insert(row);
        self.add(&[row], addresses);
    }

    fn addresses_of(&self, row: usize) -> Option<&[Address]> {
        self.of_row.get(&row).and_then(|person| self.addresses.get(*person)).map(Vec::as_slice)
    }
}

/// Stores what the rows say about refusals of addresses and about dead ones. Returns how many suppressions are new. A repeat
/// changes nothing. Contact status is a field of the person and is stored with them; where a row that says "do not contact"
/// means nobody in particular, or is left out, the addresses are suppressed instead.
///
/// Call it before bases are recorded: an opt-out ends what allowed faxing until then, and a basis that the list has beside
/// it was obtained in spite of it.
///
/// # Errors
/// The database cannot be used.
pub(super) async fn record(
    tx: &mut Tx,
    rows: &[&SheetRow],
    people: &People,
    source: Source<'_>,
) -> Result<usize, ReferrersError> {
    let mut said: Vec<(Address, SheetRefusal)> = Vec::new();
    let others = of_others(tx, rows).await?;
    for (place, row) in rows.iter().enumerate() {
        let known = people.addresses_of(place);
        let is_marked = known.is_some() && !people.unmarked.contains(&place);
        // A deleted person did not refuse on behalf of others at the same address.
        let is_of_others = |refusal: &SheetRefusal| {
            row.on_record == OnRecord::Deleted
                && address_of(row, refusal.channel).is_some_and(|address| others.contains(&address.key()))
        };
        let by_standing = instead_of_standing(row, is_marked).into_iter().filter(|refusal| !is_of_others(refusal));
        for refusal in row.refusals.iter().cloned().chain(by_standing) {
            let mut addresses: Vec<Address> = addresses_of(row).collect();
            // A list may say that a person refused without giving their address: then it is every one on record.
            if address_of(row, refusal.channel).is_none() {
                addresses.extend_from_slice(known.unwrap_or_default());
            }
            addresses.retain(|address| address.channel() == refusal.channel);
            addresses.sort_unstable();
            addresses.dedup();
            said.extend(addresses.into_iter().map(|address| (address, refusal.clone())));
        }
    }
    let dead = dead_and_new(tx, rows).await?;
    lock(tx, &said, &dead, source.now).await?;
    tx.addresses_learn(&dead, source.now).await?;
    let mut count = 0;
    for (address, refusal) in said {
        count += usize::from(suppress(tx, address, &refusal, source).await?);
    }
    Ok(count)
}

/// Addresses of people who were deleted elsewhere, if another person in the list or on record has them, even one who was
/// deleted here.
async fn of_others(tx: &mut Tx, rows: &[&SheetRow]) -> Result<HashSet<AddressKey>, ReferrersError> {
    let (deleted, other): (Vec<&SheetRow>, Vec<&SheetRow>) =
        rows.iter().copied().partition(|row| row.on_record == OnRecord::Deleted);
    let keys: HashSet<AddressKey> = deleted.into_iter().flat_map(addresses_of).map(|address| address.key()).collect();
    if keys.is_empty() {
        return Ok(keys);
    }
    let named = other.into_iter().filter(|row| row.on_record == OnRecord::Yes);
    let mut found: HashSet<AddressKey> = named.flat_map(addresses_of).map(|address| address.key()).collect();
    let (mailboxes, numbers): (Vec<&str>, Vec<&str>) =
        keys.iter().map(AddressKey::as_str).partition(|key| key.contains('@'));
    for (by, list) in [(Alike::Email, mailboxes), (Alike::Fax, numbers)] {
        let known = tx.referrers_alike(by, &list).await?;
        found.extend(known.iter().flat_map(Referrer::addresses).map(|address| address.key()));
    }
    Ok(found)
}

/// Locks every address at once, in the order in which other transactions lock them, so that no call to them starts between
/// this and the commit.
async fn lock(
    tx: &mut Tx,
    said: &[(Address, SheetRefusal)],
    dead: &[AddressHealth],
    now: Timestamp,
) -> Result<(), ReferrersError> {
    let refusing = said.iter().map(|(address, _)| address.key());
    let keys: Vec<AddressKey> = refusing.chain(dead.iter().map(|known| known.value.clone())).collect();
    if !keys.is_empty() {
        tx.addresses_ensure(&keys, now).await?;
        tx.addresses_lock(&keys).await?;
    }
    Ok(())
}

/// Addresses that the list calls dead and of which nothing is known here: what this installation has learned itself, and
/// what a person revived, counts more.
async fn dead_and_new(tx: &mut Tx, rows: &[&SheetRow]) -> Result<Vec<AddressHealth>, ReferrersError> {
    let mut dead: Vec<AddressHealth> = Vec::new();
    let mut seen: HashSet<AddressKey> = HashSet::new();
    for row in rows {
        for (channel, fault) in &row.dead {
            let Some(value) = address_of(row, *channel).map(|address| address.key()) else { continue };
            if seen.insert(value.clone()) {
                let health = Health::Dead;
                dead.push(AddressHealth { channel: *channel, value, health, strikes: 1, fault: *fault });
            }
        }
    }
    let keys: Vec<AddressKey> = dead.iter().map(|known| known.value.clone()).collect();
    let known: HashSet<AddressKey> = tx.addresses_known(&keys).await?.into_iter().map(|one| one.value).collect();
    dead.retain(|one| !known.contains(&one.value));
    Ok(dead)
}

/// The refusals that stand for "do not contact" where nobody is marked so.
fn instead_of_standing(row: &SheetRow, is_marked: bool) -> Vec<SheetRefusal> {
    let Some(evidence) = row.standing_evidence.as_ref().filter(|_| !is_marked) else { return Vec::new() };
    if row.standing != Some(ReferrerState::DoNotContact) {
        return Vec::new();
    }
    let refusal = |channel: &Channel| SheetRefusal {
        channel: *channel,
        scope: Scope::Advertisement,
        reason: SuppressionReason::DoNotContact,
        day: None,
        evidence: evidence.clone(),
    };
    Channel::ALL.iter().map(refusal).collect()
}

/// Whether the suppression is new. One that is in effect stays as it is, and one that a person lifted after the day of the
/// refusal stays lifted.
async fn suppress(
    tx: &mut Tx,
    address: Address,
    said: &SheetRefusal,
    source: Source<'_>,
) -> Result<bool, ReferrersError> {
    let words = match &said.evidence {
        RefusalEvidence::Kept(words) => words.clone(),
        other => format!("{}, imported on {}", place(other, source.list), source.now.to_utc().date_naive()),
    };
    let ever = tx.suppressions_ever_of(&address).await?;
    // What a merge brought is no refusal of the address, unless the list only repeats it.
    let is_own = |known: &&Suppression| {
        known.source != SuppressionSource::Merge
            || (known.lifted_ms.is_none() && known.evidence.as_deref() == Some(words.as_str()))
    };
    let mut same = ever.iter().filter(|known| known.scope == said.scope).filter(is_own);
    let is_answered = |lifted: Timestamp| said.day.is_some_and(|day| day < lifted.to_utc().date_naive());
    if same.any(|known| known.lifted_ms.is_none_or(is_answered)) {
        return Ok(false);
    }
    let evidence: String = evidence_with_day(said.day, &words).chars().take(EVIDENCE_CHARS_MAX).collect();
    let refusal = Refusal {
        address,
        scope: said.scope,
        reason: said.reason,
        source: SuppressionSource::Import,
        evidence: Some(evidence),
        who: source.who.clone(),
        because: None,
        expires_ms: None,
    };
    consent::suppress_in(tx, &refusal, source.now).await?;
    Ok(true)
}

fn address_of(row: &SheetRow, channel: Channel) -> Option<Address> {
    match channel {
        Channel::Fax => row.fax.clone().map(Address::Fax),
        Channel::Email => row.email.clone().map(Address::Email),
    }
}

/// The addresses that a row gives, also those that nothing is sent to.
pub(in crate::referrers) fn addresses_of(row: &SheetRow) -> impl Iterator<Item = Address> {
    Channel::ALL.iter().filter_map(|channel| address_of(row, *channel)).chain(row.further.iter().cloned())
}

/// Whether a row refuses something that only the person it means can be held to: it gives no address for it.
pub(super) fn needs_person(row: &SheetRow) -> bool {
    let has = |channel| addresses_of(row).any(|address| address.channel() == channel);
    let refuses_all = row.standing == Some(ReferrerState::DoNotContact) && addresses_of(row).next().is_none();
    refuses_all || row.refusals.iter().any(|refusal| !has(refusal.channel))
}

/// Where it stands, for the evidence.
fn place(evidence: &RefusalEvidence, list: &str) -> String {
    match evidence {
        RefusalEvidence::Column(name) => format!("column \u{201c}{name}\u{201d} of list {list}"),
        RefusalEvidence::FileName => format!("by the name of list {list}"),
        RefusalEvidence::Kept(_) => format!("list {list}"),
    }
}
