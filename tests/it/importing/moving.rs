//! The records move to another installation by an export: what may not be sent here may not be sent there, whichever older
//! list is imported after it.

use std::collections::BTreeSet;
use std::sync::Arc;

use touchline::consent::{self, Refusal};
use touchline::domain::health::{AddressHealth, Health};
use touchline::domain::referrer::{Referrer, ReferrerState};
use touchline::domain::suppression::{Scope, SuppressionReason, SuppressionSource};
use touchline::domain::{Actor, Address, AddressKey, EmailAddress};
use touchline::referrers::export::Records;
use touchline::referrers::import::{ImportOptions, ImportReport, import};
use touchline::referrers::merge::merge;
use touchline::referrers::sheet::write::sheet as written;
use touchline::referrers::{self, Parts, audience, remove, sheet};
use touchline::store::Store;
use touchline::store::records::referrers::Members;

use crate::support::clock::FakeClock;
use crate::support::databases::{Database, each_database};

/// The list from which everyone comes, and which somebody finds again later.
const OLDER: &str = "First Name,Last Name,Organization,Fax,Email\n\
    Ana,Ruiz,Lake Clinic,847-555-0101,ana@lake.example\n\
    Ben,Salas,Lake Clinic,847-555-0101,ben@lake.example\n\
    Ana,Ruiz,Hill Clinic,847-555-0102,ana@hill.example\n\
    Bo,Lee,Elm Clinic,847-555-0103,bo@elm.example\n";

/// What happens between the list and the export.
enum Act {
    Suppress(&'static str),
    Delete(&'static str),
    Merge(&'static str, &'static str),
    State(&'static str, ReferrerState),
    Rename(&'static str, &'static str),
    Readdress(&'static str, &'static str),
}

use Act::{Delete, Merge, Readdress, Rename, State, Suppress};

const STORIES: [(&str, &[Act]); 6] = [
    (
        "a deletion, and an opt-out of an address that was replaced",
        &[Delete("ana@lake.example"), Suppress("bo@elm.example"), Readdress("bo@elm.example", "lee@elm.example")],
    ),
    (
        "an opt-out and a deletion, addresses of nobody that refused, and a corrected name that is not contacted",
        &[
            Suppress("ana@lake.example"),
            Delete("ana@lake.example"),
            Suppress("stranger@elm.example"),
            Suppress("+44 20 7946 0958"),
            Rename("bo@elm.example", "Li"),
            State("bo@elm.example", ReferrerState::DoNotContact),
        ],
    ),
    (
        "opt-outs at a further location, and a corrected person who is deleted",
        &[
            Suppress("ana@hill.example"),
            Suppress("847-555-0102"),
            Merge("ana@lake.example", "ana@hill.example"),
            Rename("bo@elm.example", "Li"),
            Readdress("bo@elm.example", "li@elm.example"),
            Delete("li@elm.example"),
        ],
    ),
    (
        "a merged person is not contacted",
        &[Merge("ana@lake.example", "bo@elm.example"), State("ana@lake.example", ReferrerState::DoNotContact)],
    ),
    (
        "a merged person is paused",
        &[Merge("ana@lake.example", "ana@hill.example"), State("ana@lake.example", ReferrerState::Paused)],
    ),
    ("a merged person is deleted", &[Merge("bo@elm.example", "ana@hill.example"), Delete("bo@elm.example")]),
];

/// One installation.
struct House {
    parts: Parts,
}

impl House {
    async fn over(database: &Database) -> Self {
        let store: Store = database.open().await;
        store.migrate().await.expect("the schema");
        Self { parts: Parts { store, clock: FakeClock::new() as Arc<_> } }
    }

    async fn import(&self, text: &str) -> ImportReport {
        let sheet = sheet::read(text.as_bytes(), &[]).expect("a list");
        let options = ImportOptions { list: "list.csv".to_owned(), ..ImportOptions::default() };
        import(&self.parts, &sheet, &dana(), &options).await.expect("imported")
    }

    async fn export(&self) -> String {
        let mut tx = self.parts.store.read().await.expect("tx");
        written(&Records::read(&mut tx).await.expect("read").rows())
    }

    async fn one(&self, name: &str) -> Referrer {
        let mut tx = self.parts.store.read().await.expect("tx");
        audience::one(&mut tx, name).await.expect(name)
    }

    async fn everyone(&self) -> Vec<Referrer> {
        let mut tx = self.parts.store.read().await.expect("tx");
        tx.referrers_of(Members::All).await.expect("read")
    }

    async fn act(&self, act: &Act) {
        let parts = &self.parts;
        match act {
            Suppress(address) => self.suppress(address).await,
            Delete(name) => {
                let id = self.one(name).await.id;
                remove::remove(parts, id, "they asked", &dana()).await.expect("deleted");
            }
            Merge(kept, other) => {
                merge(parts, self.one(kept).await.id, self.one(other).await.id, &dana()).await.expect("merged");
            }
            State(name, state) => self.edit(name, |one| one.state = *state).await,
            Rename(name, last) => self.edit(name, |one| one.last_name = Some((*last).to_owned())).await,
            Readdress(name, email) => {
                self.edit(name, |one| one.email = Some(EmailAddress::parse(email).expect("a mailbox"))).await;
            }
        }
    }

    async fn edit(&self, name: &str, change: impl FnOnce(&mut Referrer)) {
        referrers::edit(&self.parts, self.one(name).await.id, &dana(), change).await.expect("edited");
    }

    async fn suppress(&self, address: &str) {
        let refusal = Refusal {
            address: Address::guess(address).expect("an address"),
            scope: Scope::Advertisement,
            reason: SuppressionReason::OptOut,
            source: SuppressionSource::Operator,
            evidence: Some("asked on the telephone".to_owned()),
            who: dana(),
            because: None,
            expires_ms: None,
        };
        let consent = consent::Parts { store: self.parts.store.clone(), clock: self.parts.clock.clone() };
        consent::suppress(&consent, &refusal).await.expect("suppressed");
    }

    /// To which addresses an advertisement may go.
    async fn sendable(&self) -> BTreeSet<AddressKey> {
        let active = self.everyone().await.into_iter().filter(|one| one.state == ReferrerState::Active);
        let mut keys: Vec<AddressKey> =
            active.flat_map(|one| one.addresses().collect::<Vec<_>>()).map(|address| address.key()).collect();
        let mut tx = self.parts.store.read().await.expect("tx");
        let refused = tx.suppressions_among(&keys).await.expect("read");
        let known = tx.addresses_known(&keys).await.expect("read");
        keys.retain(|key| !refused.iter().any(|one| one.address == *key));
        keys.retain(|key| !known.iter().any(|one| one.value == *key && one.health == Health::Dead));
        keys.into_iter().collect()
    }
}

fn dana() -> Actor {
    Actor::operator("dana")
}

fn names(everyone: &[Referrer]) -> BTreeSet<String> {
    everyone.iter().map(Referrer::full_description).collect()
}

/// A second, empty database of the same engine.
async fn another(database: &Database) -> Database {
    if database.is_sqlite() {
        Database::empty_sqlite()
    } else {
        Database::empty_postgres().await.expect("the same server")
    }
}

#[tokio::test]
async fn nothing_that_was_refused_is_sent_after_a_move_and_an_older_list() {
    for (story, acts) in STORIES {
        each_database(async |database| {
            let (here, elsewhere) = (House::over(database).await, another(database).await);
            here.import(OLDER).await;
            for act in acts {
                here.act(act).await;
            }
            let there = House::over(&elsewhere).await;
            let moved = there.import(&here.export().await).await;
            assert!(moved.unclear.is_empty(), "{story}: {:?}", moved.unclear);
            let (before, after) = (here.sendable().await, there.sendable().await);
            let keys = |set: &BTreeSet<AddressKey>| set.iter().map(|key| key.as_str().to_owned()).collect::<Vec<_>>();
            assert_eq!(keys(&after), keys(&before), "{story}: after the move");
            let lost: Vec<String> =
                names(&here.everyone().await).difference(&names(&there.everyone().await)).cloned().collect();
            assert!(lost.is_empty(), "{story}: {lost:?}");
            there.import(OLDER).await;
            here.import(OLDER).await;
            let (before, after) = (here.sendable().await, there.sendable().await);
            assert!(after.is_subset(&before), "{story}: {:?} is not within {:?}", keys(&after), keys(&before));
            here.parts.store.close().await;
            there.parts.store.close().await;
            elsewhere.remove().await;
        })
        .await;
    }
}

#[tokio::test]
async fn whoever_was_deleted_stays_deleted_after_a_move_and_an_address_of_nobody_makes_no_person() {
    each_database(async |database| {
        let (here, elsewhere) = (House::over(database).await, another(database).await);
        here.import(OLDER).await;
        here.act(&Delete("ana@lake.example")).await;
        here.act(&Suppress("stranger@elm.example")).await;
        let there = House::over(&elsewhere).await;
        let export = here.export().await;
        let moved = there.import(&export).await;
        assert_eq!((moved.added, moved.suppressions), (3, 1), "{moved:?}");
        assert_eq!(names(&there.everyone().await), names(&here.everyone().await));
        assert_eq!(there.export().await, export, "exported again, it is the same list");
        let older = there.import(OLDER).await;
        assert_eq!(older.added, 0, "{older:?}");
        assert!(older.problems.iter().any(|line| line.contains("deleted")), "{:?}", older.problems);
        let again = here.import(&export).await;
        assert_eq!((again.added, again.updated, again.suppressions), (0, 0, 0), "{again:?}");
        here.parts.store.close().await;
        there.parts.store.close().await;
        elsewhere.remove().await;
    })
    .await;
}

#[tokio::test]
async fn whoever_was_deleted_and_added_again_by_hand_moves_as_they_are() {
    each_database(async |database| {
        let (here, elsewhere) = (House::over(database).await, another(database).await);
        here.import(OLDER).await;
        let ana = here.one("ana@lake.example").await;
        here.act(&Delete("ana@lake.example")).await;
        let again = |one: &mut Referrer| {
            one.first_name.clone_from(&ana.first_name);
            one.last_name.clone_from(&ana.last_name);
            one.email.clone_from(&ana.email);
        };
        referrers::add(&here.parts, &dana(), true, again).await.expect("added");
        let there = House::over(&elsewhere).await;
        there.import(&here.export().await).await;
        assert_eq!(there.one("ana@lake.example").await.state, ReferrerState::Active);
        assert_eq!(there.sendable().await, here.sendable().await);
        here.parts.store.close().await;
        there.parts.store.close().await;
        elsewhere.remove().await;
    })
    .await;
}

#[tokio::test]
async fn a_location_of_somebody_without_an_npi_moves_where_a_list_can_say_whose_it_is() {
    each_database(async |database| {
        let (here, elsewhere) = (House::over(database).await, another(database).await);
        here.import(&OLDER.replace("ana@hill.example", "ana@lake.example")).await;
        assert_eq!(here.everyone().await.len(), 3, "two rows with one name and mailbox are one person");
        let there = House::over(&elsewhere).await;
        let moved = there.import(&here.export().await).await;
        assert_eq!((moved.added, moved.locations), (3, 1), "{moved:?}");
        here.parts.store.close().await;
        there.parts.store.close().await;
        elsewhere.remove().await;
    })
    .await;
}

#[tokio::test]
async fn a_dead_address_that_was_replaced_is_known_as_dead_after_a_move() {
    each_database(async |database| {
        let (here, elsewhere) = (House::over(database).await, another(database).await);
        here.import(OLDER).await;
        let dead = Address::guess("bo@elm.example").expect("an address");
        let now = here.parts.clock.now();
        let health =
            AddressHealth { channel: dead.channel(), value: dead.key(), health: Health::Dead, strikes: 1, fault: None };
        let mut tx = here.parts.store.write().await.expect("tx");
        tx.addresses_ensure(&[dead.key()], now).await.expect("kept");
        tx.addresses_learn(&[health], now).await.expect("learnt");
        tx.commit().await.expect("kept");
        here.act(&Readdress("bo@elm.example", "lee@elm.example")).await;
        let there = House::over(&elsewhere).await;
        there.import(&here.export().await).await;
        let mut tx = there.parts.store.read().await.expect("tx");
        let known = tx.address_health(&dead).await.expect("read").map(|known| known.health);
        assert_eq!(known, Some(Health::Dead));
        drop(tx);
        here.parts.store.close().await;
        there.parts.store.close().await;
        elsewhere.remove().await;
    })
    .await;
}
