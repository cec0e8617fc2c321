//! Whom the rows of an export already name, as an import will know them.

use std::collections::HashMap;

use crate::domain::referrer::{Location, Referrer};
use crate::referrers::matching::{Facet, evidence};
use crate::store::records::referrers::name_key;

/// The people of an export so far, by what an import looks them up.
#[derive(Debug, Default)]
pub(super) struct Known {
    people: Vec<Vec<Facet>>,
    by_npi: HashMap<String, usize>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Known {
    /// Adds a person with all their rows.
    pub(super) fn add(&mut self, rows: &[Referrer]) {
        let Some(first) = rows.first() else { return };
        let place = self.people.len();
        self.by_npi.extend(first.npi.clone().map(|npi| (npi, place)));
        self.by_name.entry(key_of(first)).or_default().push(place);
        self.people.push(rows.iter().map(Facet::of_referrer).collect());
    }

    /// Whether a row that says this would mean one of them.
    pub(super) fn holds(&self, one: &Referrer) -> bool {
        let by_npi = one.npi.as_ref().and_then(|npi| self.by_npi.get(npi)).into_iter();
        let by_name = self.by_name.get(&key_of(one)).into_iter().flatten();
        let facet = Facet::of_referrer(one);
        by_npi.chain(by_name).any(|place| evidence(&facet, &self.people[*place]).is_firm())
    }
}

fn key_of(one: &Referrer) -> String {
    name_key(one.first_name.as_deref(), one.last_name.as_deref(), one.organization.as_deref())
}

/// Whether a row about a further location says by itself whose it is: it shares an address or the organization with the
/// preferred one, and yet is another place.
pub(super) fn says_whose(one: &Referrer, location: &Location) -> bool {
    let (own, further) = (Facet::of_referrer(one), Facet::of_location(one, location));
    evidence(&further, std::slice::from_ref(&own)).is_firm() && !further.stands_at(&own, false)
}
