//! A year of monthly imports of a changing list, compared with a model of who should be known.

use std::collections::{BTreeMap, BTreeSet};

use touchline::domain::{EmailAddress, FaxNumber};
use touchline::referrers;

use super::{Desk, dana};
use crate::support::databases::{Database, each_db};

/// A small generator with a seed, so that a year is a function of its number alone.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound.max(1)
    }

    fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A clinician as the world has them.
#[derive(Clone)]
struct Clinician {
    number: usize,
    npi: Option<String>,
    first: String,
    last: String,
    clinic: usize,
    second_clinic: Option<usize>,
    email: Option<String>,
    /// What a person corrected by hand.
    corrected_fax: Option<String>,
}

struct World {
    dice: Dice,
    people: Vec<Clinician>,
    clinics: usize,
    next: usize,
}

const FIRST: [&str; 12] =
    ["Ana", "José", "Søren", "Mary Ann", "Li", "Chidi", "Zoë", "Renée", "John", "Jane", "Beatriz", "Anders"];
const LAST: [&str; 12] = [
    "Ruiz",
    "Núñez",
    "O'Brien",
    "van der Berg",
    "Ng",
    "Null",
    "Smith",
    "Stone III",
    "Ångström",
    "Lee",
    "Salas",
    "Okafor",
];

fn fax_of(clinic: usize) -> String {
    format!("847-{}-{:04}", 600 + clinic / 10_000, clinic % 10_000)
}

fn npi_of(number: usize) -> String {
    let base = 120_000_000 + number;
    let npi = (0..10).map(|check| format!("{base}{check}")).find(|npi| touchline::domain::referrer::npi_is_valid(npi));
    npi.expect("a check digit fits")
}

impl World {
    fn new(seed: u64, people: usize) -> Self {
        let mut world = Self { dice: Dice(seed), people: Vec::new(), clinics: people / 8 + 2, next: 0 };
        for _ in 0..people {
            world.be_born();
        }
        world
    }

    fn be_born(&mut self) {
        let number = self.next;
        self.next += 1;
        let pick = |dice: &mut Dice, list: &[&str]| list[dice.below(list.len())].to_owned();
        // A number in the name keeps people apart whom no list could tell apart.
        let last = format!("{}-{}", pick(&mut self.dice, &LAST), letters(number));
        let first = pick(&mut self.dice, &FIRST);
        let clinic = self.dice.below(self.clinics);
        let has_npi = self.dice.happens(70);
        let second = self.dice.below(self.clinics);
        let second_clinic = (has_npi && second != clinic && self.dice.happens(10)).then_some(second);
        // Some have a mailbox of their own, some the front desk's.
        let email = match self.dice.below(3) {
            0 => None,
            1 => Some(format!("desk{clinic}@clinic{clinic}.example")),
            _ => Some(format!("p{number}@clinic{clinic}.example")),
        };
        let npi = has_npi.then(|| npi_of(number));
        self.people.push(Clinician { number, npi, first, last, clinic, second_clinic, email, corrected_fax: None });
    }

    /// A month passes: some leave, some come, some change their mailbox.
    fn pass_a_month(&mut self) {
        for _ in 0..self.people.len() / 50 + 1 {
            self.be_born();
        }
        for place in 0..self.people.len() {
            if self.dice.happens(3) && self.people[place].email.is_some() {
                let (number, clinic) = (self.people[place].number, self.people[place].clinic);
                self.people[place].email = Some(format!("new{}.p{number}@clinic{clinic}.example", self.dice.below(9)));
            }
        }
    }

    /// The list of a month: in any order, now in capitals, now decomposed, now without some cells.
    fn list(&mut self) -> String {
        let mut rows = Vec::new();
        for one in self.people.clone() {
            let way = self.dice.below(4);
            let clinics = std::iter::once(one.clinic).chain(one.second_clinic);
            for clinic in clinics {
                let (first, last) = (spelled(&one.first, way), spelled(&one.last, way));
                let email = if clinic == one.clinic { one.email.clone().unwrap_or_default() } else { String::new() };
                let email = if way == 1 { email.to_uppercase() } else { email };
                let npi = one.npi.clone().unwrap_or_default();
                rows.push(format!(
                    "{npi},\"{first}\",\"{last}\",Clinic {},{},{email}",
                    letters(clinic),
                    fax_of(clinic)
                ));
            }
        }
        for place in (1..rows.len()).rev() {
            rows.swap(place, self.dice.below(place + 1));
        }
        format!("NPI,First Name,Last Name,Organization,Fax,Email\n{}\n", rows.join("\n"))
    }
}

/// A number in letters: 0 is A, 27 is BB.
fn letters(number: usize) -> String {
    let mut text = String::new();
    let mut rest = number;
    loop {
        text.insert(0, char::from(b'a' + u8::try_from(rest % 26).expect("a letter")));
        rest /= 26;
        if rest == 0 {
            return text[..1].to_uppercase() + &text[1..];
        }
    }
}

fn spelled(name: &str, way: usize) -> String {
    use unicode_normalization::UnicodeNormalization;
    match way {
        1 => name.to_uppercase(),
        2 => name.nfd().collect(),
        _ => name.to_owned(),
    }
}

/// Who is known after a year, by name and mailbox, as the model has it and as the records have it.
async fn live_through(desk: &Desk, world: &mut World, months: usize) {
    let mut known: BTreeMap<usize, Clinician> = BTreeMap::new();
    for month in 0..months {
        let list = world.list();
        let report = desk.import(&list).await;
        assert!(report.unclear.is_empty(), "month {month}: {:?}", report.unclear.first());
        known.extend(world.people.iter().map(|one| (one.number, one.clone())));
        let again = desk.import(&list).await;
        let rows = list.lines().count() - 1;
        assert_eq!((again.added, again.updated, again.unchanged), (0, 0, rows), "month {month}: the same list again");
        assert_eq!(desk.everyone().await.len(), known.len(), "month {month}");
        correct_somebody(desk, world).await;
        world.pass_a_month();
    }
    let model: BTreeSet<(String, Option<String>)> = world
        .people
        .iter()
        .filter_map(|one| known.get(&one.number))
        .map(|one| (plain(&format!("{} {}", one.first, one.last)), one.npi.clone()))
        .collect();
    let records: BTreeSet<(String, Option<String>)> = desk
        .everyone()
        .await
        .iter()
        .map(|one| (plain(&one.person_name().unwrap_or_default()), one.npi.clone()))
        .collect();
    assert_eq!(records, model);
    for one in world.people.iter().filter(|one| one.corrected_fax.is_some()) {
        let record = record_of(desk, one).await;
        assert_eq!(
            record.fax,
            one.corrected_fax.as_deref().and_then(|fax| FaxNumber::parse(fax).ok()),
            "a correction stands"
        );
    }
    for one in world.people.iter().filter(|one| known.contains_key(&one.number)).step_by(37) {
        let last_known = &known[&one.number];
        let record = record_of(desk, one).await;
        assert_eq!(
            record.email.as_ref().map(|email| email.as_str().to_lowercase()),
            last_known
                .email
                .as_deref()
                .and_then(|email| EmailAddress::parse(email).ok())
                .map(|email| email.as_str().to_lowercase()),
        );
    }
}

fn plain(name: &str) -> String {
    touchline::domain::names::folded(name)
}

async fn record_of(desk: &Desk, one: &Clinician) -> touchline::domain::referrer::Referrer {
    let wanted = plain(&format!("{} {}", one.first, one.last));
    let mut tx = desk.parts.store.read().await.expect("tx");
    let found = tx.referrers_page(Some(&wanted), None, 10).await.expect("read");
    found.into_iter().find(|record| plain(&record.person_name().unwrap_or_default()) == wanted).expect("known")
}

/// Maria corrects one fax number by hand.
async fn correct_somebody(desk: &Desk, world: &mut World) {
    let place = world.dice.below(world.people.len());
    let right = format!("312-701-{:04}", place % 10_000);
    let record = record_of(desk, &world.people[place]).await;
    let fax = FaxNumber::parse(&right).expect("a number");
    referrers::edit(&desk.parts, record.id, &dana(), |one| one.fax = Some(fax)).await.expect("edited");
    world.people[place].corrected_fax = Some(right);
}

#[tokio::test]
async fn a_year_of_monthly_lists_leaves_exactly_the_right_people() {
    each_db(async |store| {
        live_through(&Desk::at(store), &mut World::new(20_261_129, 160), 12).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "long: twelve lists of twenty thousand rows"]
async fn a_year_of_lists_of_twenty_thousand_leaves_exactly_the_right_people() {
    let database = Database::sqlite().await;
    let store = database.open().await;
    store.migrate().await.expect("the schema");
    live_through(&Desk::at(store.clone()), &mut World::new(7, 20_000), 12).await;
    store.close().await;
    database.remove().await;
}
