//! Who is who: how strongly a row of a list speaks for a known person. An address that several share proves nothing by
//! itself, and two different NPIs (45 CFR § 162.406) are never one person.

use std::collections::BTreeSet;

use super::fields::{keys, postal_key, street_key};
use super::sheet::SheetRow;
use crate::domain::AddressKey;
use crate::domain::names::{Likeness, PersonKey, folded, organization_key};
use crate::domain::referrer::{Location, Place, Referrer};

/// Why a row with another suffix may be somebody else.
pub const ONLY_SUFFIX: &str = "two rows of the list differ only in `Jr.` or the like";

/// What is said of a person in one place, in comparable form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facet {
    npi: Option<String>,
    name: PersonKey,
    given: String,
    letters: BTreeSet<String>,
    organization: String,
    place: PlaceKey,
    email: Option<AddressKey>,
    fax: Option<AddressKey>,
    phone: Option<String>,
    /// Whether a row of the list says it that is being imported, and not a record.
    is_new: bool,
}

/// So many letters two given names must begin with to be forms of one: Cath and Catherine, Beth and Bethany.
const FORM_CHARS_MIN: usize = 3;

/// A place in comparable form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct PlaceKey {
    street: String,
    city: String,
    region: String,
    postal_code: String,
}

impl PlaceKey {
    fn of(place: &Place) -> Self {
        let folded = |text: &Option<String>| text.as_deref().map(folded).unwrap_or_default();
        Self {
            street: place.street.as_deref().map(street_key).unwrap_or_default(),
            city: folded(&place.city),
            region: folded(&place.region),
            postal_code: place.postal_code.as_deref().map(postal_key).unwrap_or_default(),
        }
    }

    /// Whether both are known and cannot be one.
    fn contradicts(&self, other: &Self) -> bool {
        let differ = |one: &str, other: &str| !one.is_empty() && !other.is_empty() && one != other;
        let by_zip = differ(&self.postal_code, &other.postal_code);
        let by_town = differ(&self.city, &other.city) || differ(&self.region, &other.region);
        by_zip || by_town || differ(&self.street, &other.street)
    }
}

impl Facet {
    /// What a record says.
    #[must_use]
    pub fn of_referrer(referrer: &Referrer) -> Self {
        let (email, fax) = keys(referrer.email.as_ref(), referrer.fax.as_ref());
        Self {
            npi: referrer.npi.clone(),
            name: PersonKey::of(referrer.first_name.as_deref(), referrer.last_name.as_deref()),
            given: referrer.first_name.as_deref().map(folded).unwrap_or_default(),
            letters: letters(referrer.credentials.as_deref()),
            organization: referrer.organization.as_deref().map(organization_key).unwrap_or_default(),
            place: PlaceKey::of(&referrer.place),
            email,
            fax,
            phone: referrer.phone.clone(),
            is_new: false,
        }
    }

    /// What one of a referrer's further locations says.
    #[must_use]
    pub fn of_location(referrer: &Referrer, location: &Location) -> Self {
        let (email, fax) = keys(location.email.as_ref(), location.fax.as_ref());
        Self {
            organization: location.organization.as_deref().map(organization_key).unwrap_or_default(),
            place: PlaceKey::of(&location.place),
            email,
            fax,
            phone: location.phone.clone(),
            ..Self::of_referrer(referrer)
        }
    }

    /// What a row of a list says.
    #[must_use]
    pub fn of_row(row: &SheetRow) -> Self {
        let (email, fax) = keys(row.email.as_ref(), row.fax.as_ref());
        Self {
            npi: row.npi.clone(),
            name: PersonKey::of(row.first_name.as_deref(), row.last_name.as_deref()),
            given: row.first_name.as_deref().map(folded).unwrap_or_default(),
            letters: letters(row.credentials.as_deref()),
            organization: row.organization.as_deref().map(organization_key).unwrap_or_default(),
            place: PlaceKey::of(&row.place()),
            email,
            fax,
            phone: row.phone.clone(),
            is_new: true,
        }
    }

    /// The NPI.
    #[must_use]
    pub fn npi(&self) -> Option<&str> {
        self.npi.as_deref()
    }

    /// The person's name in comparable form; empty if none is named.
    #[must_use]
    pub const fn name(&self) -> &PersonKey {
        &self.name
    }

    /// The organization in comparable form; empty if none is named.
    #[must_use]
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// Whether it names neither a person nor an organization.
    #[must_use]
    pub fn is_nameless(&self) -> bool {
        self.name.is_empty() && self.organization.is_empty()
    }

    /// Whether the given name is missing or an initial, which many names begin with.
    #[must_use]
    pub fn is_vague(&self) -> bool {
        self.name.is_vague()
    }

    /// The telephone number.
    #[must_use]
    pub fn phone(&self) -> Option<&str> {
        self.phone.as_deref()
    }

    /// The same without its mailbox.
    #[must_use]
    pub fn without_mailbox(self) -> Self {
        Self { email: None, ..self }
    }

    /// Mailbox and fax number.
    pub fn addresses(&self) -> impl Iterator<Item = &AddressKey> {
        self.email.iter().chain(&self.fax)
    }

    fn shares_an_address(&self, other: &Self) -> bool {
        let same = |one: &Option<AddressKey>, other: &Option<AddressKey>| one.is_some() && one == other;
        same(&self.email, &other.email)
            || same(&self.fax, &other.fax)
            || (self.phone.is_some() && self.phone == other.phone)
    }

    fn shares_a_line(&self, other: &Self) -> bool {
        (self.fax.is_some() && self.fax == other.fax) || (self.phone.is_some() && self.phone == other.phone)
    }

    fn contradicts_the_addresses_of(&self, other: &Self) -> bool {
        let differ =
            |one: &Option<AddressKey>, other: &Option<AddressKey>| one.is_some() && other.is_some() && one != other;
        differ(&self.email, &other.email) || differ(&self.fax, &other.fax)
    }

    fn shares_the_organization(&self, other: &Self) -> bool {
        !self.organization.is_empty() && self.organization == other.organization
    }

    /// Whether the letters after the names are of different professions: `PMHNP` and `PMHNP-BC` are of one.
    fn has_other_letters(&self, other: &Self) -> bool {
        let alike = |one: &String| {
            other.letters.iter().any(|two| one.starts_with(two.as_str()) || two.starts_with(one.as_str()))
        };
        !self.letters.is_empty() && !other.letters.is_empty() && !self.letters.iter().any(alike)
    }

    /// Whether a row speaks of the place of this facet, rather than of another place where the same person works. `alone`:
    /// the list has only this row of the person, so that a new number replaces the old one.
    #[must_use]
    pub fn stands_at(&self, place: &Self, alone: bool) -> bool {
        if self.place.contradicts(&place.place) {
            return false;
        }
        // A mailbox often belongs to the person and not to the place.
        if self.shares_a_line(place) {
            return alone || self.organization == place.organization || self.is_without_organization(place);
        }
        let same_house = self.shares_the_organization(place) || self.is_without_organization(place);
        same_house && (alone || !self.contradicts_the_addresses_of(place))
    }

    fn is_without_organization(&self, other: &Self) -> bool {
        self.organization.is_empty() || other.organization.is_empty()
    }
}

fn letters(credentials: Option<&str>) -> BTreeSet<String> {
    let parts = credentials.unwrap_or_default().split([',', ' ', '/', ';', '-']);
    parts.map(|part| folded(part).replace(' ', "")).filter(|part| !part.is_empty()).collect()
}

/// How strongly a row speaks for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// Not at all.
    No,
    /// It may be the same person or another: a person must say. The reason continues "… could be …, because".
    Doubtful(&'static str),
    /// The same name and organization, and no other place.
    NameAndOrganization,
    /// A shared address, and a name that says less or more.
    AddressAndSimilarName,
    /// A shared address and the same name.
    AddressAndName,
    /// The same NPI.
    Npi,
}

impl Evidence {
    /// Whether it is enough to take the two for one.
    #[must_use]
    pub const fn is_firm(self) -> bool {
        !matches!(self, Self::No | Self::Doubtful(_))
    }
}

/// How strongly a row speaks for a person of whom these facets are known.
#[must_use]
pub fn evidence(row: &Facet, person: &[Facet]) -> Evidence {
    let known_npi = person.iter().find_map(Facet::npi);
    if let (Some(npi), Some(known)) = (row.npi(), known_npi) {
        return if npi == known { by_npi(row, person) } else { Evidence::No };
    }
    if row.name.is_empty() {
        return person.iter().map(|facet| of_offices(row, facet)).max().unwrap_or(Evidence::No);
    }
    let best = person.iter().map(|facet| of_people(row, facet)).max().unwrap_or(Evidence::No);
    // An initial may stand for several names: whoever it was joined with speaks against another one.
    let contradicts =
        |facet: &Facet| facet.name.last() == row.name.last() && row.name.likeness(&facet.name) == Likeness::Different;
    if best.is_firm() && person.iter().any(contradicts) && !person.iter().any(|facet| facet.name == row.name) {
        return Evidence::Doubtful("the name fits an initial that is taken for another name");
    }
    best
}

fn by_npi(row: &Facet, person: &[Facet]) -> Evidence {
    let fits = |facet: &Facet| {
        row.name.is_empty()
            || facet.name.is_empty()
            || row.name.likeness(&facet.name) > Likeness::Different
            || row.given == facet.given
            // A nickname may stand for the given name, or half of a double one, but not any name for any other.
            || (row.name.last() == facet.name.last() && is_form_of(&row.given, &facet.given))
    };
    if person.iter().any(fits) {
        Evidence::Npi
    } else {
        Evidence::Doubtful("the NPI is theirs but the name is another")
    }
}

/// Whether two given names may be forms of one: they begin alike, or one is a part of the other.
fn is_form_of(one: &str, other: &str) -> bool {
    let begin_alike = one.chars().zip(other.chars()).take(FORM_CHARS_MIN).filter(|(one, other)| one == other).count();
    let is_part = |part: &str, whole: &str| whole.split(' ').any(|word| word == part);
    one.is_empty() || other.is_empty() || begin_alike == FORM_CHARS_MIN || is_part(one, other) || is_part(other, one)
}

fn of_people(row: &Facet, known: &Facet) -> Evidence {
    let likeness = row.name.likeness(&known.name);
    if likeness == Likeness::Different {
        return Evidence::No;
    }
    let shares_an_address = row.shares_an_address(known);
    let shares_the_organization = row.shares_the_organization(known);
    if !shares_an_address && !shares_the_organization {
        return Evidence::No;
    }
    if row.has_other_letters(known) && (row.email.is_none() || row.email != known.email) {
        return Evidence::Doubtful("the name is the same but the credentials are different");
    }
    if known.is_new && !row.name.has_suffix_of(&known.name) {
        return Evidence::Doubtful(ONLY_SUFFIX);
    }
    match likeness {
        Likeness::Same if shares_an_address => Evidence::AddressAndName,
        Likeness::Same if row.place.contradicts(&known.place) && row.npi.is_none() => {
            Evidence::Doubtful("name and organization are the same but the place is another")
        }
        Likeness::Same if row.place.contradicts(&known.place) => Evidence::No,
        Likeness::Same => Evidence::NameAndOrganization,
        _ if shares_an_address => Evidence::AddressAndSimilarName,
        _ => Evidence::Doubtful("the organization is the same and the name is similar"),
    }
}

/// A row without a person's name is an office, and only an office can be the same.
fn of_offices(row: &Facet, known: &Facet) -> Evidence {
    if !known.name.is_empty() {
        return Evidence::No;
    }
    let same_name = row.organization == known.organization;
    if same_name && row.shares_an_address(known) {
        return Evidence::AddressAndName;
    }
    if !row.shares_the_organization(known) || row.place.contradicts(&known.place) {
        return Evidence::No;
    }
    let same_town = !row.place.city.is_empty() && row.place.city == known.place.city;
    if row.contradicts_the_addresses_of(known) && !same_town {
        return Evidence::Doubtful("the organization is the same but the address is another");
    }
    Evidence::NameAndOrganization
}

#[cfg(test)]
mod tests;
