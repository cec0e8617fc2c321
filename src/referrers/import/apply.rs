//! From what is known of a person and what the rows of a list say, to the record as it should be: pure. An empty cell
//! never erases, a correction by hand stands against a list, and another place is kept beside the preferred one.

use crate::domain::conflict::{Choice, Conflict};
use crate::domain::id::{ConflictId, LocationId, ReferrerId};
use crate::domain::names::{Likeness, PersonKey, folded};
use crate::domain::provenance::{Origin, RecordField};
use crate::domain::referrer::{Location, Place, Referrer, ReferrerType};
use crate::domain::{Actor, AddressKey, EmailAddress, Timestamp};
use crate::referrers::fields;
use crate::referrers::matching::Facet;
use crate::referrers::sheet::{OnRecord, SheetRow};
use crate::store::records::imports::Before;

/// Most tags of one referrer.
const TAGS_MAX: usize = 100;
/// Most further locations of one referrer.
const LOCATIONS_MAX: usize = 50;

/// The fields that belong to a place, not to the person.
const OF_THE_PLACE: [RecordField; 8] = [
    RecordField::Organization,
    RecordField::Street,
    RecordField::City,
    RecordField::Region,
    RecordField::PostalCode,
    RecordField::Fax,
    RecordField::Email,
    RecordField::Phone,
];
/// The fields that belong to the person.
const OF_THE_PERSON: [RecordField; 7] = [
    RecordField::Npi,
    RecordField::FirstName,
    RecordField::LastName,
    RecordField::Credentials,
    RecordField::Kind,
    RecordField::TimeZone,
    RecordField::Notes,
];

/// What one row did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It added the referrer.
    Added,
    /// It changed something.
    Updated,
    /// It added a further location.
    Located,
    /// It said nothing new.
    Nothing,
}

/// A person's record as it should be.
#[derive(Debug)]
pub(super) struct Changed {
    pub referrer: Referrer,
    pub locations: Vec<Location>,
    /// Conflicts to record.
    pub conflicts: Vec<Conflict>,
    /// What each row did, in their order.
    pub effects: Vec<Effect>,
}

/// Everything that is the same for all rows of an import.
#[derive(Debug, Clone)]
pub(super) struct Circumstances {
    /// The list's name.
    pub list: String,
    pub who: Actor,
    pub now: Timestamp,
}

/// Whether rows may replace what is known, or only fill what is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    Replaces,
    Fills,
}

/// A record with nothing but what identifies a new person.
pub(super) fn newcomer(row: &SheetRow, id: ReferrerId, now: Timestamp) -> Referrer {
    let mut referrer = Referrer { id, ..Referrer::new(row.kind, now) };
    referrer.first_name.clone_from(&row.first_name);
    referrer.last_name.clone_from(&row.last_name);
    referrer.credentials.clone_from(&row.credentials);
    referrer.organization.clone_from(&row.organization);
    referrer.place = row.place();
    referrer
}

/// Applies the rows of one person.
pub(super) fn apply(
    before: Option<&Before>,
    id: ReferrerId,
    settled: &[Conflict],
    rows: &[&SheetRow],
    circumstances: &Circumstances,
) -> Changed {
    let kind = rows.first().map_or(ReferrerType::Other, |row| row.kind);
    let start = before.map_or_else(
        || Before { referrer: Referrer { id, ..Referrer::new(kind, circumstances.now) }, locations: Vec::new() },
        Clone::clone,
    );
    let mut work = Work { before, settled, circumstances, conflicts: Vec::new(), after: start };
    let effects = rows.iter().enumerate().map(|(place, row)| work.take(rows, place, row)).collect();
    let mut changed = work.finish(effects);
    if before.is_none() && rows.iter().all(|row| row.on_record == OnRecord::Deleted) {
        // A person deleted elsewhere is recorded here as deleted too: nobody was added.
        changed.referrer.removed_ms = Some(circumstances.now);
        changed.effects.fill(Effect::Nothing);
    }
    changed
}

struct Work<'a> {
    before: Option<&'a Before>,
    settled: &'a [Conflict],
    circumstances: &'a Circumstances,
    conflicts: Vec<Conflict>,
    after: Before,
}

impl Work<'_> {
    fn take(&mut self, rows: &[&SheetRow], place: usize, row: &SheetRow) -> Effect {
        let (record, conflicts) = (self.after.clone(), self.conflicts.len());
        let is_first = place == 0;
        let weight = if is_first { Weight::Replaces } else { Weight::Fills };
        self.of_the_person(row, weight);
        let at = self.stand(rows, place, row);
        let is_new_place = self.of_the_place(rows, place, row, at);
        let changed = self.after != record || self.conflicts.len() > conflicts;
        match (is_first && self.before.is_none(), is_new_place, changed) {
            (true, ..) => Effect::Added,
            (_, true, _) => Effect::Located,
            (_, _, true) => Effect::Updated,
            _ => Effect::Nothing,
        }
    }

    fn of_the_person(&mut self, row: &SheetRow, weight: Weight) {
        for field in OF_THE_PERSON {
            if let Some(said) = said(row, field) {
                self.set(field, &said, weight);
            }
        }
        self.add_tags(row);
        if let Some(source) = row.source.as_ref().filter(|_| weight == Weight::Replaces) {
            self.after.referrer.source = Some(source.clone());
        }
        if let Some(state) = row.standing {
            self.after.referrer.state = self.after.referrer.state.stricter(state);
        }
    }

    fn add_tags(&mut self, row: &SheetRow) {
        let referrer = &mut self.after.referrer;
        let removed = &referrer.provenance.tags_removed;
        let tags = row.tags.iter().map(|tag| tag.trim().to_lowercase()).filter(|tag| !tag.is_empty());
        let wanted: Vec<String> = tags.filter(|tag| !removed.contains(tag)).collect();
        referrer.tags.extend(wanted);
        referrer.tags.sort_unstable();
        referrer.tags.dedup();
        referrer.tags.truncate(TAGS_MAX);
    }

    /// Of which known place a row speaks: none if it is another one. `Some(None)` is the preferred place.
    fn stand(&self, rows: &[&SheetRow], place: usize, row: &SheetRow) -> Option<Option<usize>> {
        if self.before.is_none() && place == 0 {
            return Some(None);
        }
        let said = Facet::of_row(row);
        let here = said.organization();
        let is_other = |other: usize, row: &&SheetRow| other != place && Facet::of_row(row).organization() == here;
        let is_only_one_here = !rows.iter().enumerate().any(|(other, row)| is_other(other, row));
        let alone = rows.iter().all(|row| Facet::of_row(row) == said) || (!here.is_empty() && is_only_one_here);
        let preferred = self.preferred_place();
        let others: Vec<Facet> =
            self.after.locations.iter().map(|location| Facet::of_location(&self.after.referrer, location)).collect();
        // Another known place that fits goes before a preferred one of which nothing is contradicted.
        let exact = |facet: &Facet| said.stands_at(facet, false);
        if exact(&preferred) {
            return Some(None);
        }
        if let Some(other) = others.iter().position(exact) {
            return Some(Some(other));
        }
        if alone && said.stands_at(&preferred, true) {
            return Some(None);
        }
        others.iter().position(|facet| alone && said.stands_at(facet, true)).map(Some)
    }

    /// Returns whether the row names a place that was not known.
    fn of_the_place(&mut self, rows: &[&SheetRow], place: usize, row: &SheetRow, at: Option<Option<usize>>) -> bool {
        match at {
            Some(None) => {
                let earlier = rows[..place]
                    .iter()
                    .any(|earlier| Facet::of_row(earlier).stands_at(&Facet::of_referrer(&self.after.referrer), false));
                let weight = if earlier { Weight::Fills } else { Weight::Replaces };
                for field in OF_THE_PLACE {
                    if let Some(said) = said(row, field) {
                        self.set(field, &said, weight);
                    }
                }
                false
            }
            Some(Some(other)) => {
                let former = self.after.locations.get(other).and_then(|location| location.email.clone());
                if let Some(location) = self.after.locations.get_mut(other) {
                    refresh(location, row, self.circumstances.now);
                }
                self.borrow_the_mailbox(rows, row, former.as_ref());
                false
            }
            None if self.after.locations.len() >= LOCATIONS_MAX => false,
            None => {
                self.after.locations.push(location_of(row, self.after.referrer.id, self.circumstances));
                self.borrow_the_mailbox(rows, row, None);
                true
            }
        }
    }

    /// A person whose preferred place has no mailbox is written to at that of another of their places, and follows it when
    /// it changes. `former`: the mailbox that place had before.
    fn borrow_the_mailbox(&mut self, rows: &[&SheetRow], row: &SheetRow, former: Option<&EmailAddress>) {
        let known = self.after.referrer.email.as_ref().map(AddressKey::from);
        let is_said = known.is_some() && rows.iter().any(|row| row.email.as_ref().map(AddressKey::from) == known);
        let is_borrowed = known == former.map(AddressKey::from) && !is_said;
        let is_by_hand = self.after.referrer.provenance.is_by_hand(RecordField::Email);
        if let Some(said) = row.email.as_ref().filter(|_| (known.is_none() || is_borrowed) && !is_by_hand) {
            self.set(RecordField::Email, said.as_str(), Weight::Replaces);
        }
    }

    /// The preferred place. Its mailbox says nothing about where a row stands if another of the person's places has the same.
    fn preferred_place(&self) -> Facet {
        let Before { referrer, locations } = &self.after;
        let known = referrer.email.as_ref().map(AddressKey::from);
        let is_borrowed = locations.iter().any(|location| location.email.as_ref().map(AddressKey::from) == known);
        let facet = Facet::of_referrer(referrer);
        if is_borrowed { facet.without_mailbox() } else { facet }
    }

    /// Sets one field as the list says, unless a person corrected it: then the difference is for a person to settle.
    fn set(&mut self, field: RecordField, said: &str, weight: Weight) {
        let known = fields::value(&self.after.referrer, field);
        let is_by_hand = self.after.referrer.provenance.is_by_hand(field);
        if field == RecordField::Kind && said == ReferrerType::Other.as_str() {
            return;
        }
        let is_unknown_kind = field == RecordField::Kind && known.as_deref() == Some(ReferrerType::Other.as_str());
        if let Some(known) = known.as_deref().filter(|_| !is_unknown_kind) {
            let says_less = is_a_name(field) && says_less(field, said, known);
            let says_more = weight == Weight::Fills && is_a_name(field) && self::says_less(field, known, said);
            if fields::same(field, known, said) || says_less || (weight == Weight::Fills && !says_more) {
                return;
            }
        }
        if is_by_hand {
            self.offer(field, known, said);
        } else if fields::set(&mut self.after.referrer, field, said).is_ok() {
            let Circumstances { list, who, now } = self.circumstances;
            let origin = Origin { who: who.clone(), at_ms: *now, list: Some(list.clone()), former: None };
            self.after.referrer.provenance.note(field, &origin);
        }
    }

    /// Records a conflict, unless the same was offered before and is open or was declined.
    fn offer(&mut self, field: RecordField, kept: Option<String>, said: &str) {
        let is_known = |conflict: &Conflict| {
            let stands = conflict.settled_ms.is_none() || conflict.choice == Some(Choice::Keep);
            conflict.field == field && stands && fields::same(field, &conflict.offered, said)
        };
        if field == RecordField::Notes || self.settled.iter().chain(&self.conflicts).any(is_known) {
            return;
        }
        self.conflicts.push(Conflict {
            id: ConflictId::new(),
            referrer_id: self.after.referrer.id,
            field,
            kept,
            offered: said.to_owned(),
            list: self.circumstances.list.clone(),
            created_ms: self.circumstances.now,
            settled_ms: None,
            settled_by: None,
            choice: None,
        });
    }

    fn finish(mut self, effects: Vec<Effect>) -> Changed {
        if self.before.is_none_or(|before| *before != self.after) {
            self.after.referrer.updated_ms = self.circumstances.now;
        }
        Changed { referrer: self.after.referrer, locations: self.after.locations, conflicts: self.conflicts, effects }
    }
}

/// What a row says about a field.
fn said(row: &SheetRow, field: RecordField) -> Option<String> {
    match field {
        RecordField::Npi => row.npi.clone(),
        RecordField::FirstName => row.first_name.clone(),
        RecordField::LastName => row.last_name.clone(),
        RecordField::Credentials => row.credentials.clone(),
        RecordField::Organization => row.organization.clone(),
        RecordField::Kind => Some(row.kind.to_string()),
        RecordField::Email => row.email.as_ref().map(|email| email.as_str().to_owned()),
        RecordField::Fax => row.fax.as_ref().map(|fax| fax.as_str().to_owned()),
        RecordField::Phone => row.phone.clone(),
        RecordField::TimeZone => row.time_zone.map(|zone| zone.name().to_owned()),
        RecordField::Street => row.street.clone(),
        RecordField::City => row.city.clone(),
        RecordField::Region => row.state.clone(),
        RecordField::PostalCode => row.postal_code.clone(),
        RecordField::Notes => row.notes.clone(),
    }
}

const fn is_a_name(field: RecordField) -> bool {
    matches!(field, RecordField::FirstName | RecordField::LastName)
}

/// Whether a name of a list says less than the known one: an initial, no second given name, no `Jr.`.
fn says_less(field: RecordField, said: &str, known: &str) -> bool {
    let key = |text: &str| match field {
        RecordField::LastName => PersonKey::of(None, Some(text)),
        _ => PersonKey::of(Some(text), Some("x")),
    };
    key(said).likeness(&key(known)) == Likeness::Compatible && folded(said).len() < folded(known).len()
}

fn location_of(row: &SheetRow, referrer_id: ReferrerId, circumstances: &Circumstances) -> Location {
    Location {
        id: LocationId::new(),
        referrer_id,
        organization: row.organization.clone(),
        place: row.place(),
        email: row.email.clone(),
        fax: row.fax.clone(),
        phone: row.phone.clone(),
        source: Some(circumstances.list.clone()),
        created_ms: circumstances.now,
        updated_ms: circumstances.now,
    }
}

/// A further place as the row has it; an empty cell never erases.
fn refresh(location: &mut Location, row: &SheetRow, now: Timestamp) {
    let before = location.clone();
    let take = |known: &mut Option<String>, said: &Option<String>, field: RecordField| {
        let is_new =
            said.as_ref().is_some_and(|said| known.as_ref().is_none_or(|known| !fields::same(field, known, said)));
        if is_new {
            known.clone_from(said);
        }
    };
    take(&mut location.organization, &row.organization, RecordField::Organization);
    let Place { street, city, region, postal_code } = &mut location.place;
    take(street, &row.street, RecordField::Street);
    take(city, &row.city, RecordField::City);
    take(region, &row.state, RecordField::Region);
    take(postal_code, &row.postal_code, RecordField::PostalCode);
    take(&mut location.phone, &row.phone, RecordField::Phone);
    let (known, said) = (
        fields::keys(location.email.as_ref(), location.fax.as_ref()),
        fields::keys(row.email.as_ref(), row.fax.as_ref()),
    );
    if said.0.is_some() && said.0 != known.0 {
        location.email.clone_from(&row.email);
    }
    if said.1.is_some() && said.1 != known.1 {
        location.fax.clone_from(&row.fax);
    }
    if *location != before {
        location.updated_ms = now;
    }
}

#[cfg(test)]
mod tests;
