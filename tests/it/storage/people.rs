//! Further locations, conflicts, imports and merges of referrers.

use sqlx::{Connection, PgConnection, SqliteConnection};
use touchline::domain::conflict::{Choice, Conflict};
use touchline::domain::id::{BasisId, ConflictId, ImportId, LocationId, MergeId, SuppressionId};
use touchline::domain::provenance::{Origin, RecordField};
use touchline::domain::referrer::{Location, Place, Referrer};
use touchline::domain::suppression::{Scope, Suppression, SuppressionReason, SuppressionSource};
use touchline::domain::{Actor, Address, AddressKey, Channel};
use touchline::store::Tx;
use touchline::store::records::imports::{Before, ImportChange, ListImport};
use touchline::store::records::merges::Merge;
use touchline::store::records::referrers::Alike;

use super::samples::{at, email, fax, known_referrer, referrer, touch};
use crate::support::databases::{Database, each_database, each_db};

fn maria() -> Actor {
    Actor::operator("maria")
}

fn location(of: &Referrer) -> Location {
    Location {
        id: LocationId::new(),
        referrer_id: of.id,
        organization: Some("Hill Clinic".into()),
        place: Place {
            street: Some("9 Hill St".into()),
            city: Some("Chicago".into()),
            region: Some("IL".into()),
            postal_code: Some("60601".into()),
        },
        email: Some(email("Front@hill.example")),
        fax: Some(fax(109)),
        phone: Some("+13125550110;ext=4".into()),
        source: Some("list.csv".into()),
        created_ms: at(1),
        updated_ms: at(2),
    }
}

async fn two_referrers(tx: &mut Tx) -> (Referrer, Referrer) {
    let (one, other) = (known_referrer(), referrer("Bielak"));
    tx.referrer_add(&one).await.expect("stored");
    tx.referrer_put(&other).await.expect("stored");
    (one, other)
}

#[tokio::test]
async fn a_location_is_read_back_changed_found_and_forgotten() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let (one, other) = two_referrers(&mut tx).await;
        let mut hill = location(&one);
        tx.location_put(&hill).await.expect("stored");
        assert_eq!(tx.locations_of(&[one.id, other.id]).await.expect("read"), std::slice::from_ref(&hill));
        (hill.phone, hill.updated_ms) = (None, at(3));
        tx.location_put(&hill).await.expect("changed");
        assert_eq!(tx.locations_of(&[one.id]).await.expect("read"), std::slice::from_ref(&hill));
        let by_mailbox = tx.referrers_like(None, Some(&email("front@HILL.example")), None).await.expect("read");
        assert_eq!(by_mailbox.first().map(|found| found.id), Some(one.id));
        tx.locations_delete(one.id).await.expect("forgotten");
        assert!(tx.locations_of(&[one.id]).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn everyone_alike_is_found_however_many_and_though_removed() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        for number in 0..130_u32 {
            let mut one = referrer("Ruiz");
            one.first_name = Some(format!("Ana {number}"));
            one.fax = Some(fax(120));
            tx.referrer_put(&one).await.expect("stored");
        }
        let mut gone = known_referrer();
        gone.removed_ms = Some(at(4));
        gone.provenance.note(
            RecordField::Fax,
            &Origin { who: maria(), at_ms: at(3), list: None, former: Some("+13125550199".into()) },
        );
        tx.referrer_put(&gone).await.expect("stored");
        assert_eq!(tx.referrers_alike(Alike::Name, &["ruiz"]).await.expect("read").len(), 130);
        assert_eq!(tx.referrers_alike(Alike::Fax, &[fax(120).as_str()]).await.expect("read").len(), 130);
        let mailbox = AddressKey::from(&email("ZOE@together.example"));
        for (by, key) in [
            (Alike::Npi, "1234567893"),
            (Alike::Name, "nunez"),
            (Alike::Email, mailbox.as_str()),
            (Alike::Phone, "+13125550102"),
        ] {
            assert_eq!(
                tx.referrers_alike(by, &[key, "nothing"]).await.expect("read"),
                std::slice::from_ref(&gone),
                "{by:?}"
            );
        }
        assert_eq!(tx.referrers_removed().await.expect("read"), std::slice::from_ref(&gone));
        assert_eq!(tx.referrer_count().await.expect("read"), 130, "a removed referrer counts nowhere");
        assert!(tx.referrers_page(Some("Núñez"), None, 10).await.expect("read").is_empty());
        assert!(tx.referrers_like(Some("1234567893"), None, None).await.expect("read").is_empty());
        let mut successor = referrer("Other");
        successor.npi = Some("1234567893".into());
        tx.referrer_put(&successor).await.expect("the NPI is free again");
        assert!(tx.referrers_without_keys(10).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn whoever_was_corrected_is_found_and_nobody_else() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let (mut corrected, _) = two_referrers(&mut tx).await;
        let origin = Origin { who: maria(), at_ms: at(1), list: None, former: Some("Ruis".to_owned()) };
        corrected.provenance.note(RecordField::LastName, &origin);
        tx.referrer_put(&corrected).await.expect("stored");
        assert_eq!(tx.referrers_corrected().await.expect("read"), [corrected]);
    })
    .await;
}

#[tokio::test]
async fn a_conflict_is_open_once_for_each_field_and_settled_once() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let (one, other) = two_referrers(&mut tx).await;
        let mut first = Conflict {
            id: ConflictId::new(),
            referrer_id: one.id,
            field: RecordField::Fax,
            kept: None,
            offered: "+13125550101".into(),
            list: "list.csv".into(),
            created_ms: at(1),
            settled_ms: None,
            settled_by: None,
            choice: None,
        };
        tx.conflict_put(&first).await.expect("stored");
        let again = Conflict { id: ConflictId::new(), offered: "+13125550102".into(), ..first.clone() };
        tx.conflict_put(&again).await.expect("replaced");
        first.offered.clone_from(&again.offered);
        let of_other = Conflict {
            id: ConflictId::new(),
            referrer_id: other.id,
            kept: Some("x".into()),
            created_ms: at(2),
            ..first.clone()
        };
        tx.conflict_put(&of_other).await.expect("stored");
        assert_eq!(tx.conflicts_open(10).await.expect("read"), [first.clone(), of_other]);
        assert_eq!(tx.conflicts_count().await.expect("read"), 2);
        assert!(tx.conflict_settle(first.id, Choice::Keep, &maria(), at(3)).await.expect("settled"));
        assert!(!tx.conflict_settle(first.id, Choice::Accept, &maria(), at(4)).await.expect("asked"));
        (first.settled_ms, first.settled_by, first.choice) = (Some(at(3)), Some(maria()), Some(Choice::Keep));
        assert_eq!(tx.conflict(first.id).await.expect("read"), Some(first.clone()));
        assert_eq!(tx.conflicts_of(&[one.id]).await.expect("read"), [first]);
        assert_eq!(tx.conflicts_count().await.expect("read"), 1);
    })
    .await;
}

#[tokio::test]
async fn an_import_and_what_it_changed_are_read_back_and_undone_once() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let (one, other) = two_referrers(&mut tx).await;
        let mut import = ListImport {
            id: ImportId::new(),
            list: "list.csv".into(),
            who: maria(),
            added: 1,
            updated: 1,
            created_ms: at(1),
            undone_ms: None,
        };
        tx.import_insert(&import).await.expect("stored");
        let before = Before { referrer: one.clone(), locations: vec![location(&one)] };
        let changes = [
            ImportChange { referrer: one.id, before: Some(before), bases: vec![BasisId::new()] },
            ImportChange { referrer: other.id, before: None, bases: Vec::new() },
        ];
        tx.import_changes_insert(import.id, &changes).await.expect("stored");
        assert_eq!(tx.import_changes(import.id).await.expect("read"), changes);
        assert!(tx.import_undone(import.id, at(2)).await.expect("undone"));
        assert!(!tx.import_undone(import.id, at(3)).await.expect("asked"));
        import.undone_ms = Some(at(2));
        assert_eq!(tx.import(import.id).await.expect("read"), Some(import.clone()));
        assert_eq!(tx.imports_list(10).await.expect("read"), [import.clone()]);
        tx.import_changes_forget(other.id).await.expect("forgotten");
        assert_eq!(tx.import_changes(import.id).await.expect("read").len(), 1);
        assert!(tx.referrer_delete(other.id).await.expect("deleted"));
        assert_eq!(tx.referrer(other.id).await.expect("read"), None);
    })
    .await;
}

#[tokio::test]
async fn a_merge_joins_touches_and_parts_them_again() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let (one, other) = two_referrers(&mut tx).await;
        let (own, moved) = (touch(one.id), touch(other.id));
        tx.touches_insert(&[own.clone(), moved.clone()]).await.expect("stored");
        assert!(!tx.referrer_delete(one.id).await.expect("asked"), "a history stays");
        let touches = tx.touches_join(one.id, other.id).await.expect("joined");
        assert_eq!(touches, [moved.id]);
        assert_eq!(tx.touches_of(one.id, 10).await.expect("read").len(), 2);
        let mut merge = Merge {
            id: MergeId::new(),
            kept: one.id,
            merged: other.id,
            before: vec![Before { referrer: one.clone(), locations: Vec::new() }],
            touches,
            who: maria(),
            created_ms: at(1),
            undone_ms: None,
        };
        tx.merge_insert(&merge).await.expect("stored");
        assert_eq!(tx.merges_standing(&[one.id, other.id]).await.expect("read"), [(other.id, one.id)]);
        tx.touches_part(other.id, &merge.touches).await.expect("parted");
        assert!(tx.merge_undone(merge.id, at(2)).await.expect("undone"));
        assert!(!tx.merge_undone(merge.id, at(3)).await.expect("asked"));
        merge.undone_ms = Some(at(2));
        assert_eq!(tx.merge(merge.id).await.expect("read"), Some(merge.clone()));
        assert_eq!(tx.merges_of(other.id).await.expect("read"), [merge]);
        assert!(tx.merges_standing(&[other.id]).await.expect("read").is_empty());
        assert_eq!(tx.touches_of(other.id, 10).await.expect("read").len(), 1);
    })
    .await;
}

/// Puts the key of the refusal as it was stored before mailboxes had one key.
async fn as_an_earlier_version(database: &Database) {
    let statements =
        ["UPDATE suppression SET address = 'dana@bücher.example'", "DELETE FROM setting WHERE name = 'address_keys'"];
    for statement in statements {
        if database.is_sqlite() {
            let mut connection = SqliteConnection::connect(&database.url).await.expect("connected");
            sqlx::query(statement).execute(&mut connection).await.expect("changed");
        } else {
            let mut connection = PgConnection::connect(&database.url).await.expect("connected");
            sqlx::query(statement).execute(&mut connection).await.expect("changed");
        }
    }
}

#[tokio::test]
async fn an_opt_out_of_an_earlier_version_holds_under_every_spelling_after_the_upgrade() {
    each_database(async |database| {
        let store = database.open().await;
        store.migrate().await.expect("the schema");
        let old = "dana@bücher.example";
        let mut tx = store.write().await.expect("tx");
        let refusal = Suppression {
            id: SuppressionId::new(),
            channel: Channel::Email,
            address: Address::Email(email(old)).key(),
            scope: Scope::All,
            reason: SuppressionReason::OptOut,
            source: SuppressionSource::Web,
            evidence: None,
            who: Actor::Recipient,
            created_ms: at(1),
            lifted_ms: None,
            lifted_by: None,
            lifted_reason: None,
            return_id: None,
            expires_ms: None,
        };
        tx.suppression_insert(&refusal).await.expect("stored");
        tx.commit().await.expect("committed");
        as_an_earlier_version(database).await;
        store.migrate().await.expect("brought forward");
        let mut tx = store.read().await.expect("tx");
        for spelling in [old, "DANA@xn--bcher-kva.example"] {
            let found = tx.suppressions_among(&[Address::Email(email(spelling)).key()]).await.expect("read");
            assert_eq!(found.len(), 1, "{spelling}");
        }
        drop(tx);
        store.close().await;
    })
    .await;
}
