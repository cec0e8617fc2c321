//! The roster of an import: everyone who is known and could be meant, and everyone whom the list adds, with the rows
//! that speak of each.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Decision;
use crate::domain::id::ReferrerId;
use crate::domain::names::PersonKey;
use crate::domain::referrer::Referrer;
use crate::domain::{Address, AddressKey, Timestamp};
use crate::referrers::double::{MERGES_MAX, kept_by};
use crate::referrers::fields::uncorrected;
use crate::referrers::matching::{Evidence, Facet, ONLY_SUFFIX, evidence};
use crate::referrers::sheet::SheetRow;
use crate::store::records::imports::Before;
use crate::store::records::referrers::{Alike, name_key};
use crate::store::{StoreError, Tx};

/// An address that more rows of a list share than this is looked up by no name.
const SHARED_BY_FEW: usize = 5;

/// One person, and the rows that speak of them.
#[derive(Debug)]
pub(super) struct Person {
    /// As they were; none if the list adds them.
    pub before: Option<Before>,
    /// Rows of the list, by place, in its order.
    pub rows: Vec<usize>,
    facets: Vec<Facet>,
    id: ReferrerId,
    name: String,
}

/// What is known about who a row means.
#[derive(Debug)]
pub(super) enum Meant {
    /// That person.
    One(usize),
    /// A person whom the list adds.
    New,
    /// Nobody by name, and the address is on record: there is nothing to add.
    AddressOnly,
    /// A person must say: why, and who it could be.
    Unclear(&'static str, Vec<Candidate>),
    /// Somebody who was deleted.
    Deleted(String),
}

/// Somebody who could be meant.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Candidate {
    /// Identifier.
    pub id: ReferrerId,
    /// Name, organization and place.
    pub name: String,
}

/// Everyone who could be meant.
#[derive(Debug, Default)]
pub(super) struct Roster {
    pub people: Vec<Person>,
    /// Rows that name nobody, and an address that is on record.
    pub only_addresses: Vec<usize>,
    by_id: HashMap<ReferrerId, usize>,
    by_npi: HashMap<String, Vec<usize>>,
    by_name: HashMap<String, Vec<usize>>,
    by_address: HashMap<AddressKey, Vec<usize>>,
    by_phone: HashMap<String, Vec<usize>>,
    /// Names that rows of the list have with different suffixes: father and son.
    namesakes: HashSet<PersonKey>,
}

impl Roster {
    /// Loads everyone whom one of the rows could mean, however many share an address.
    pub(super) async fn load(tx: &mut Tx, rows: &[&SheetRow]) -> Result<Self, StoreError> {
        let mut roster = Self { namesakes: namesakes(rows), ..Self::default() };
        let records = candidates(tx, rows).await?;
        let ids: Vec<ReferrerId> = records.iter().map(|referrer| referrer.id).collect();
        let mut locations: HashMap<ReferrerId, Vec<_>> = HashMap::new();
        for location in tx.locations_of(&ids).await? {
            locations.entry(location.referrer_id).or_default().push(location);
        }
        let kept_by = kept_by(tx, ids).await?;
        let (own, merged): (Vec<&Referrer>, Vec<&Referrer>) =
            records.iter().partition(|referrer| kept_by.get(&referrer.id) == Some(&referrer.id));
        for referrer in own {
            let before =
                Before { referrer: referrer.clone(), locations: locations.remove(&referrer.id).unwrap_or_default() };
            roster.add_known(before);
        }
        // A person who was merged into another stays known under the old name and addresses.
        for referrer in merged {
            if let Some(place) = kept_by.get(&referrer.id).and_then(|kept| roster.place_of(*kept)) {
                roster.add_facet(place, Facet::of_referrer(referrer), name_key_of(referrer));
            }
        }
        Ok(roster)
    }

    fn add_known(&mut self, before: Before) {
        let referrer = &before.referrer;
        let key = name_key_of(referrer);
        let facets: Vec<Facet> = std::iter::once(Facet::of_referrer(referrer))
            .chain(before.locations.iter().map(|location| Facet::of_location(referrer, location)))
            .collect();
        let place = self.people.len();
        self.by_id.insert(referrer.id, place);
        let person = Person {
            id: referrer.id,
            name: referrer.full_description(),
            before: Some(before),
            rows: Vec::new(),
            facets: Vec::new(),
        };
        self.people.push(person);
        for facet in facets {
            self.add_facet(place, facet, key.clone());
        }
        // A list that still says what was corrected means the same person.
        let former = self.people[place].before.as_ref().and_then(|before| uncorrected(&before.referrer));
        if let Some(former) = former {
            self.add_facet(place, Facet::of_referrer(&former), name_key_of(&former));
        }
    }

    fn place_of(&self, id: ReferrerId) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    fn add_facet(&mut self, place: usize, facet: Facet, name: String) {
        let add = |list: &mut Vec<usize>| {
            if list.last() != Some(&place) {
                list.push(place);
            }
        };
        if let Some(npi) = facet.npi() {
            add(self.by_npi.entry(npi.to_owned()).or_default());
        }
        if let Some(phone) = facet.phone() {
            add(self.by_phone.entry(phone.to_owned()).or_default());
        }
        for address in facet.addresses() {
            add(self.by_address.entry(address.clone()).or_default());
        }
        add(self.by_name.entry(name).or_default());
        if !self.people[place].facets.contains(&facet) {
            self.people[place].facets.push(facet);
        }
    }

    /// Notes that a row speaks of a person.
    pub(super) fn assign(&mut self, place: usize, row: usize, said: &SheetRow) {
        self.people[place].rows.push(row);
        self.add_facet(place, Facet::of_row(said), name_key_of_row(said));
    }

    /// Adds the person of a row, who was not known.
    pub(super) fn add_new(&mut self, row: usize, said: &SheetRow) {
        let place = self.people.len();
        let id = ReferrerId::new();
        let described = super::apply::newcomer(said, id, Timestamp(0)).full_description();
        self.by_id.insert(id, place);
        self.people.push(Person { before: None, rows: Vec::new(), facets: Vec::new(), id, name: described });
        self.assign(place, row, said);
    }

    /// Who is meant by a row. `decision`: what a person said about it.
    pub(super) fn meant(&self, said: &SheetRow, decision: Option<&Decision>) -> Meant {
        match decision {
            Some(Decision::New) => return Meant::New,
            Some(Decision::Same(id)) => {
                return self.place_of(*id).map_or(
                    Meant::Unclear("there is no such referrer with a similar name, NPI or address", Vec::new()),
                    Meant::One,
                );
            }
            None => {}
        }
        let row = Facet::of_row(said);
        if row.is_nameless() && row.npi().is_none() {
            return self.by_address_alone(&row);
        }
        self.most_likely(&row, &name_key_of_row(said))
    }

    fn by_address_alone(&self, row: &Facet) -> Meant {
        let known = row.addresses().filter_map(|address| self.by_address.get(address)).flatten();
        let by_phone = row.phone().and_then(|phone| self.by_phone.get(phone)).into_iter().flatten();
        if known.chain(by_phone).count() > 0 { Meant::AddressOnly } else { Meant::New }
    }

    fn most_likely(&self, row: &Facet, name: &str) -> Meant {
        let by_npi = row.npi().and_then(|npi| self.by_npi.get(npi)).into_iter().flatten();
        let by_name = self.by_name.get(name).into_iter().flatten();
        let candidates: BTreeSet<usize> = by_npi.chain(by_name).copied().collect();
        let judged: Vec<(Evidence, usize)> = candidates
            .into_iter()
            .map(|place| (self.evidence(row, &self.people[place].facets), place))
            .filter(|(evidence, _)| *evidence > Evidence::No)
            .collect();
        let strongest = judged.iter().map(|(evidence, _)| *evidence).filter(|evidence| evidence.is_firm()).max();
        let best: Vec<usize> =
            judged.iter().filter(|(evidence, _)| Some(*evidence) == strongest).map(|(_, place)| *place).collect();
        let present: Vec<usize> = best.iter().copied().filter(|place| !self.is_deleted(*place)).collect();
        let best = if present.is_empty() { best } else { present };
        match (best.as_slice(), strongest) {
            ([one], Some(_)) => self.unless_deleted(*one),
            ([_, _, ..], Some(_)) => Meant::Unclear("several known people fit equally well", self.named(&best)),
            _ => match judged.first() {
                Some((Evidence::Doubtful(why), _)) => {
                    let all: Vec<usize> = judged.iter().map(|(_, place)| *place).collect();
                    Meant::Unclear(why, self.named(&all))
                }
                _ => Meant::New,
            },
        }
    }

    /// As [`evidence`], but of father and son in one list none is taken for the other.
    fn evidence(&self, row: &Facet, person: &[Facet]) -> Evidence {
        let found = evidence(row, person);
        let is_by_name = found.is_firm() && found != Evidence::Npi;
        let is_namesake = is_by_name && self.namesakes.contains(&row.name().without_suffix());
        if is_namesake && !person.iter().any(|facet| row.name().has_suffix_of(facet.name())) {
            return Evidence::Doubtful(ONLY_SUFFIX);
        }
        found
    }

    fn unless_deleted(&self, place: usize) -> Meant {
        if self.is_deleted(place) { Meant::Deleted(self.people[place].name.clone()) } else { Meant::One(place) }
    }

    fn is_deleted(&self, place: usize) -> bool {
        let before = self.people[place].before.as_ref();
        before.is_some_and(|before| before.referrer.removed_ms.is_some())
    }

    fn named(&self, places: &[usize]) -> Vec<Candidate> {
        let candidate = |place: &usize| {
            let person = &self.people[*place];
            Candidate { id: person.id, name: person.name.clone() }
        };
        places.iter().map(candidate).collect()
    }
}

impl Person {
    /// The identifier of the person's record, known or new.
    pub(super) const fn id(&self) -> ReferrerId {
        self.id
    }

    /// Every address of theirs on record, preferred or not.
    pub(super) fn addresses(&self) -> Vec<Address> {
        let Some(before) = &self.before else { return Vec::new() };
        let further = before.locations.iter().flat_map(|location| {
            let fax = location.fax.clone().map(Address::Fax);
            fax.into_iter().chain(location.email.clone().map(Address::Email))
        });
        before.referrer.addresses().chain(further).collect()
    }

    /// Whether a row speaks of them.
    pub(super) const fn is_concerned(&self) -> bool {
        !self.rows.is_empty()
    }
}

/// Records that one of the rows could mean, those removed and merged included.
async fn candidates(tx: &mut Tx, rows: &[&SheetRow]) -> Result<Vec<Referrer>, StoreError> {
    let npis: BTreeSet<&str> = rows.iter().filter_map(|row| row.npi.as_deref()).collect();
    let names: BTreeSet<String> = rows.iter().copied().map(name_key_of_row).collect();
    let facets: Vec<Facet> = rows.iter().copied().map(Facet::of_row).collect();
    // Whoever was corrected may be found by an address alone, unless many share it: then only rows without a name ask.
    let mut sharing: HashMap<&str, usize> = HashMap::new();
    for address in facets.iter().flat_map(Facet::addresses) {
        *sharing.entry(address.as_str()).or_default() += 1;
    }
    let asks = |facet: &Facet, address: &str| {
        facet.is_nameless() || sharing.get(address).is_some_and(|rows| *rows <= SHARED_BY_FEW)
    };
    let addresses: BTreeSet<&str> = facets
        .iter()
        .flat_map(|facet| facet.addresses().map(move |address| (facet, address.as_str())))
        .filter(|(facet, address)| asks(facet, address))
        .map(|(_, address)| address)
        .collect();
    let (mailboxes, numbers): (Vec<&str>, Vec<&str>) = addresses.into_iter().partition(|key| key.contains('@'));
    let phones: BTreeSet<&str> = facets.iter().filter(|facet| facet.is_nameless()).filter_map(Facet::phone).collect();
    let mut found: BTreeMap<ReferrerId, Referrer> = BTreeMap::new();
    let wanted: [(Alike, Vec<&str>); 5] = [
        (Alike::Npi, npis.into_iter().collect()),
        (Alike::Name, names.iter().map(String::as_str).collect()),
        (Alike::Email, mailboxes),
        (Alike::Fax, numbers),
        (Alike::Phone, phones.into_iter().collect()),
    ];
    for (by, keys) in wanted {
        for referrer in tx.referrers_alike(by, &keys).await? {
            found.insert(referrer.id, referrer);
        }
    }
    // A corrected record is also found under what lists said before, however many share the address.
    for referrer in tx.referrers_corrected().await? {
        if uncorrected(&referrer).is_some_and(|former| names.contains(&name_key_of(&former))) {
            found.insert(referrer.id, referrer);
        }
    }
    let mut missing: Vec<ReferrerId> = found.keys().copied().collect();
    for _ in 0..MERGES_MAX {
        let kept: Vec<ReferrerId> = tx.merges_standing(&missing).await?.into_iter().map(|(_, kept)| kept).collect();
        missing = kept.into_iter().filter(|id| !found.contains_key(id)).collect();
        if missing.is_empty() {
            break;
        }
        found.extend(tx.referrers(&missing).await?.into_iter().map(|referrer| (referrer.id, referrer)));
    }
    Ok(found.into_values().collect())
}

/// The names, without suffix, that rows have with different suffixes or with and without one.
fn namesakes(rows: &[&SheetRow]) -> HashSet<PersonKey> {
    let mut seen: HashMap<PersonKey, PersonKey> = HashMap::new();
    let mut found = HashSet::new();
    for row in rows {
        let name = PersonKey::of(row.first_name.as_deref(), row.last_name.as_deref());
        let bare = name.without_suffix();
        if !seen.entry(bare.clone()).or_insert_with(|| name.clone()).has_suffix_of(&name) {
            found.insert(bare);
        }
    }
    found
}

fn name_key_of(referrer: &Referrer) -> String {
    name_key(referrer.first_name.as_deref(), referrer.last_name.as_deref(), referrer.organization.as_deref())
}

fn name_key_of_row(row: &SheetRow) -> String {
    name_key(row.first_name.as_deref(), row.last_name.as_deref(), row.organization.as_deref())
}
