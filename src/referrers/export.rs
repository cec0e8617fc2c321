//! Everything that goes into an export: people on record with their further locations, deleted people, and suppressed or dead
//! addresses that belong to no one. What may not be sent here may not be sent after the export is imported elsewhere, even
//! if an older list is imported later.

mod known;

use std::collections::{HashMap, HashSet};

use super::double::kept_by;
use super::fields::uncorrected;
use super::sheet::OnRecord;
use super::sheet::write::Exported;
use crate::domain::basis::{Basis, BasisKind};
use crate::domain::health::AddressHealth;
use crate::domain::id::ReferrerId;
use crate::domain::referrer::{Location, Referrer, ReferrerState, ReferrerType};
use crate::domain::suppression::Suppression;
use crate::domain::{Address, AddressKey, Timestamp};
use crate::store::records::addresses::DeadOf;
use crate::store::records::referrers::Members;
use crate::store::{StoreError, Tx};
use known::Known;

/// Refusals and dead addresses looked through for those of nobody.
const ADDRESSES_MAX: i64 = 1_000_000;

/// Everything that goes into an export.
#[derive(Debug)]
pub struct Records {
    /// Everyone on record.
    pub referrers: Vec<Referrer>,
    /// Bases in effect.
    pub bases: Vec<Basis>,
    /// Refusals in effect.
    pub refusals: Vec<Suppression>,
    /// Rows about people who are not on record anymore: deleted ones, and former names of those whom no letter may reach.
    pub deleted: usize,
    /// Further locations that no list could say of the same person again. What their addresses refused is in the export.
    pub locations_left_out: usize,
    rows: Vec<Row>,
    health: Vec<AddressHealth>,
}

/// What one row of the list is about.
#[derive(Debug)]
struct Row {
    referrer: Referrer,
    on_record: OnRecord,
}

impl Records {
    /// Reads them.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn read(tx: &mut Tx) -> Result<Self, StoreError> {
        let referrers = tx.referrers_of(Members::All).await?;
        let removed = tx.referrers_removed().await?;
        let people: Vec<&Referrer> = referrers.iter().chain(&removed).collect();
        let ids: Vec<ReferrerId> = people.iter().map(|one| one.id).collect();
        let kept_by = kept_by(tx, ids.clone()).await?;
        let mut further: HashMap<ReferrerId, Vec<Location>> = HashMap::new();
        for location in tx.locations_of(&ids).await? {
            further.entry(location.referrer_id).or_default().push(location);
        }
        let mut sheet = Sheet::default();
        for one in &referrers {
            sheet.add_person(one, OnRecord::Yes, &further);
        }
        let is_merged = |one: &&Referrer| kept_by.get(&one.id).is_some_and(|kept| *kept != one.id);
        for one in removed.iter().filter(|one| !is_merged(one)) {
            sheet.add_unless_known(one, &further);
        }
        // Under a former name or address they would not be known again. That matters where no letter may reach them.
        let refusing: HashMap<ReferrerId, &Referrer> =
            people.iter().filter(|one| is_refusing(one)).map(|one| (one.id, *one)).collect();
        let merged = removed.iter().filter(is_merged);
        let merged = merged.filter_map(|one| Some((one.clone(), *refusing.get(kept_by.get(&one.id)?)?)));
        let corrected = refusing.values().filter_map(|one| Some((uncorrected(one)?, *one)));
        let mut former: Vec<(Referrer, &Referrer)> = merged.chain(corrected).collect();
        former.sort_by_key(|(one, now)| (now.id, one.id));
        for (mut one, now) in former {
            // By the number they are known, and not by what they were called.
            one.npi = one.npi.filter(|npi| now.npi.as_ref() != Some(npi));
            sheet.add_unless_known(&one, &HashMap::new());
        }
        sheet.finish(tx, referrers).await
    }

    /// Reads only what addresses refused and which are dead: each address is a row of nobody's.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn of_suppressions(tx: &mut Tx) -> Result<Self, StoreError> {
        Sheet::default().finish(tx, Vec::new()).await
    }

    /// The rows of the list.
    #[must_use]
    pub fn rows(&self) -> Vec<Exported<'_>> {
        let bases: HashMap<&str, &Basis> = self.bases.iter().map(|basis| (basis.fax.as_str(), basis)).collect();
        let health: HashMap<&AddressKey, &AddressHealth> =
            self.health.iter().map(|known| (&known.value, known)).collect();
        let mut refusals: HashMap<&AddressKey, Vec<&Suppression>> = HashMap::new();
        for refusal in &self.refusals {
            refusals.entry(&refusal.address).or_default().push(refusal);
        }
        let mut rows = Vec::with_capacity(self.rows.len());
        for Row { referrer, on_record } in &self.rows {
            let keys: Vec<AddressKey> = referrer.addresses().map(|address| address.key()).collect();
            let fax = referrer.fax.as_ref().filter(|_| *on_record == OnRecord::Yes);
            rows.push(Exported {
                referrer,
                on_record: *on_record,
                basis: fax.and_then(|fax| bases.get(fax.as_str()).copied()),
                refusals: keys.iter().filter_map(|key| refusals.get(key)).flatten().copied().collect(),
                health: keys.iter().filter_map(|key| health.get(key).copied()).collect(),
            });
        }
        rows
    }
}

/// Whether no letter may reach them at whatever address.
fn is_refusing(one: &Referrer) -> bool {
    one.removed_ms.is_some() || one.state != ReferrerState::Active
}

/// The rows in the making.
#[derive(Debug, Default)]
struct Sheet {
    rows: Vec<Row>,
    known: Known,
    locations_left_out: usize,
}

impl Sheet {
    /// Adds a person, and once more for each further location of which a list can say whose it is. That of somebody whom no
    /// letter may reach is better another person's than nobody's.
    fn add_person(&mut self, one: &Referrer, on_record: OnRecord, further: &HashMap<ReferrerId, Vec<Location>>) {
        let mut places = vec![one.clone()];
        for location in further.get(&one.id).into_iter().flatten() {
            if one.npi.is_some() || is_refusing(one) || known::says_whose(one, location) {
                places.push(Referrer {
                    organization: location.organization.clone(),
                    place: location.place.clone(),
                    email: location.email.clone(),
                    fax: location.fax.clone(),
                    phone: location.phone.clone(),
                    ..one.clone()
                });
            } else {
                self.locations_left_out += 1;
            }
        }
        self.known.add(&places);
        self.rows.extend(places.into_iter().map(|referrer| Row { referrer, on_record }));
    }

    /// Adds somebody who is not on record anymore, unless a list that says the same would mean somebody who is.
    fn add_unless_known(&mut self, one: &Referrer, further: &HashMap<ReferrerId, Vec<Location>>) {
        if !self.known.holds(one) {
            self.add_person(one, OnRecord::Deleted, further);
        }
    }

    /// Adds what is known of addresses.
    async fn finish(mut self, tx: &mut Tx, referrers: Vec<Referrer>) -> Result<Records, StoreError> {
        let deleted = self.rows.iter().filter(|row| row.on_record == OnRecord::Deleted).count();
        let mut keys: HashSet<AddressKey> =
            self.rows.iter().flat_map(|row| row.referrer.addresses()).map(|address| address.key()).collect();
        let mut refusals = tx.suppressions_list(false, ADDRESSES_MAX).await?;
        refusals.sort_by_key(|refusal| (refusal.scope, refusal.created_ms));
        let dead = tx.addresses_dead(DeadOf::default(), ADDRESSES_MAX, false).await?;
        let mut of_nobody: Vec<AddressKey> = refusals
            .iter()
            .map(|refusal| refusal.address.clone())
            .chain(dead.iter().map(|one| one.value.clone()))
            .collect();
        of_nobody.sort_unstable();
        for key in of_nobody {
            if keys.insert(key.clone()) {
                self.rows.extend(
                    key.address().map(|address| Row { referrer: nobody(address), on_record: OnRecord::Nobody }),
                );
            }
        }
        let list: Vec<AddressKey> = keys.into_iter().collect();
        let mut bases = tx.basis_among(&list).await?;
        // Of several, a permission allows more than a relationship, and the newest says most.
        bases.sort_by_key(|basis| (basis.kind == BasisKind::Permission, basis.created_ms));
        let (rows, locations_left_out) = (self.rows, self.locations_left_out);
        Ok(Records { referrers, bases, refusals, deleted, locations_left_out, rows, health: dead })
    }
}

/// A record of an address alone.
fn nobody(address: Address) -> Referrer {
    let mut referrer = Referrer::new(ReferrerType::Other, Timestamp(0));
    match address {
        Address::Fax(number) => referrer.fax = Some(number),
        Address::Email(mailbox) => referrer.email = Some(mailbox),
    }
    referrer
}
