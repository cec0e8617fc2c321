//! A person is found by whatever is known of any of their locations, in whatever form it is written.

use touchline::referrers::audience;

use super::{Desk, dana};
use crate::support::databases::each_db;

const LIST: &str = "NPI,First Name,Last Name,Organization,City,Fax,Phone,Email\n\
    1234567893,Ana,Ruiz,Lake Clinic,Evanston,847-555-0101,,ana@lake.example\n\
    1234567893,Ana,Ruiz,Hill Care,Aurora,847-555-0102,(847) 555-0109 x12,ana@hill.example\n\
    ,Bo,Lee,Elm Clinic,London,,+44 20 7946 0958,bo@b\u{fc}cher.example\n";

/// The family names of those whom a search finds.
async fn found(desk: &Desk, text: &str) -> Vec<String> {
    let mut tx = desk.parts.store.read().await.expect("tx");
    let found = tx.referrers_page(Some(text), None, 10).await.expect("read");
    found.into_iter().filter_map(|one| one.last_name).collect()
}

#[tokio::test]
async fn a_person_is_found_by_any_of_their_locations() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(LIST).await;
        for text in
            ["8475550102", "(847) 555-0102", "hill care", "Ruiz Aurora", "aurora", "ana@hill.example", "8475550101"]
        {
            assert_eq!(found(&desk, text).await, ["Ruiz"], "{text}");
            let mut tx = desk.parts.store.read().await.expect("tx");
            assert_eq!(audience::one(&mut tx, text).await.expect(text).last_name.as_deref(), Some("Ruiz"), "{text}");
        }
        // Whoever changes a record or a location leaves both findable.
        let ana = desk.named("Ruiz").await;
        touchline::referrers::edit(&desk.parts, ana.id, &dana(), |one| one.notes = Some("called".into()))
            .await
            .expect("edited");
        assert_eq!(found(&desk, "8475550102").await, ["Ruiz"]);
        let mut tx = desk.parts.store.write().await.expect("tx");
        tx.locations_delete(ana.id).await.expect("forgotten");
        tx.commit().await.expect("forgotten");
        assert!(found(&desk, "8475550102").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_number_is_found_in_any_form() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(LIST).await;
        for text in [
            "(847) 555-0109 ext. 12",
            "847-555-0109 x12",
            "847.555.0109 #12",
            "555-0109 x12",
            "tel:+18475550109;ext=12",
            "1-847-555-0109",
            "001 847 555 0109",
        ] {
            assert_eq!(found(&desk, text).await, ["Ruiz"], "{text}");
        }
        for text in ["0044 20 7946 0958", "011 44 20 7946 0958", "+44 (0)20 7946 0958", "020 7946 0958", "7946 0958"] {
            assert_eq!(found(&desk, text).await, ["Lee"], "{text}");
        }
        for text in ["123-456-7893", "1234 567 893"] {
            assert_eq!(found(&desk, text).await, ["Ruiz"], "{text}");
            let mut tx = desk.parts.store.read().await.expect("tx");
            assert_eq!(audience::one(&mut tx, text).await.expect(text).last_name.as_deref(), Some("Ruiz"), "{text}");
        }
        assert!(found(&desk, "000000000").await.is_empty(), "zeros alone are not everybody");
    })
    .await;
}

#[tokio::test]
async fn a_mailbox_and_its_domain_are_found_in_either_spelling() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(LIST).await;
        desk.import("Last Name,Email\nKim,kim@xn--bcher-kva.example\n").await;
        for text in ["bo@b\u{fc}cher.example", "BO@bu\u{308}cher.example", "bo@xn--bcher-kva.example", "bo@b\u{fc}ch"] {
            assert_eq!(found(&desk, text).await, ["Lee"], "{text}");
        }
        for text in ["b\u{fc}cher.example", "@b\u{fc}cher.example", "xn--bcher-kva.example", "@xn--bcher-kva.example"] {
            assert_eq!(found(&desk, text).await, ["Kim", "Lee"], "{text}");
        }
    })
    .await;
}
