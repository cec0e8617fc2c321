//! Lists meet the people who are known.

use std::collections::BTreeMap;

use touchline::referrers::import::{Decision, ImportOptions};

use super::{Desk, counts};
use crate::support::databases::each_db;

/// Doctors of one hospital, who share its fax line.
fn hospital(doctors: usize, with_npi: bool) -> String {
    let npi = |number: usize| {
        let base = 110_000_000 + number;
        let valid =
            (0..10).map(|check| format!("{base}{check}")).find(|npi| touchline::domain::referrer::npi_is_valid(npi));
        if with_npi { valid.expect("a check digit fits") } else { String::new() }
    };
    let mut list = "NPI,First Name,Last Name,Credentials,Organization,Fax\n".to_owned();
    for number in 0..doctors {
        list.push_str(&format!("{},Ana{number},Ruiz{number},MD,Mercy Hospital,(847) 555-0120\n", npi(number)));
    }
    list
}

#[tokio::test]
async fn any_number_of_people_at_one_fax_line_is_known_again() {
    each_db(async |store| {
        let desk = Desk::at(store);
        for list in [hospital(250, true), hospital(250, false)] {
            let first = desk.import(&list).await;
            assert!(first.unclear.is_empty(), "{:?}", first.unclear);
            let again = desk.import(&list).await;
            assert_eq!(counts(&again), (0, 0, 250, 0));
            assert_eq!(desk.everyone().await.len(), 250, "with or without NPI they are the same people");
        }
    })
    .await;
}

#[tokio::test]
async fn people_who_share_a_mailbox_stay_several_and_one_mailbox_in_capitals_stays_one() {
    each_db(async |store| {
        let desk = Desk::at(store);
        let list = "First Name,Last Name,Email\nAnders,Holm,desk@lake.example\nBea,Salas,desk@lake.example\n\
            Chidi,Okafor,DESK@LAKE.example\nChidi,Okafor,Desk@lake.example\n";
        assert_eq!(counts(&desk.import(list).await), (3, 0, 1, 0));
        assert_eq!(counts(&desk.import(list).await), (0, 0, 4, 0));
        let table = [
            ("Dana,Weiss,dana@bücher.example", "DANA,WEISS,dana@xn--bcher-kva.example"),
            ("José,Núñez,jose@lake.example", "Jose\u{301},Nun\u{303}ez,JOSE@lake.example"),
            ("Zoë,Lee,zo\u{200b}e@lake.example", "Zoe,LEE,zoe@lake.example"),
        ];
        for (one, other) in table {
            let before = desk.everyone().await.len();
            desk.import(&format!("First Name,Last Name,Email\n{one}\n")).await;
            let again = desk.import(&format!("First Name,Last Name,Email\n{other}\n")).await;
            assert_eq!((again.added, desk.everyone().await.len()), (0, before + 1), "{other}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_row_with_only_a_telephone_number_is_not_added_again() {
    each_db(async |store| {
        let desk = Desk::at(store);
        let list = "First Name,Last Name,Organization,Phone\nAna,Ruiz,Lake Clinic,(847) 555-0130 x4\nBen,Salas,,847-555-0131\n";
        assert_eq!(counts(&desk.import(list).await), (2, 0, 0, 0));
        assert_eq!(counts(&desk.import(list).await), (0, 0, 2, 0));
        assert_eq!(desk.named("Ruiz").await.phone.as_deref(), Some("+18475550130;ext=4"));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_clear_is_left_to_a_person_who_can_say_it() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import("First Name,Last Name,Fax\nJohn,Smith,847-555-0140\nJane,Smith,847-555-0140\n").await;
        let list = "First Name,Last Name,Fax,Email\nJ.,Smith,847-555-0140,j@lake.example\n";
        let dry = desk.import_with(list, ImportOptions { dry_run: true, ..ImportOptions::default() }).await;
        let [unclear] = dry.unclear.as_slice() else { panic!("one row is unclear") };
        assert_eq!((unclear.line, unclear.candidates.len()), (2, 2));
        assert_eq!(counts(&desk.import(list).await), (0, 0, 0, 0), "nothing is guessed");
        let jane =
            desk.everyone().await.into_iter().find(|one| one.first_name.as_deref() == Some("Jane")).expect("Jane");
        let decisions = BTreeMap::from([(2, Decision::Same(jane.id))]);
        let told = desk.import_with(list, ImportOptions { decisions, ..ImportOptions::default() }).await;
        assert_eq!(counts(&told), (0, 1, 0, 0));
        let decisions = BTreeMap::from([(2, Decision::New)]);
        let told = desk
            .import_with(&list.replace("J.,", "Jo,"), ImportOptions { decisions, ..ImportOptions::default() })
            .await;
        assert_eq!(told.added, 1);
        assert_eq!(desk.everyone().await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_mailbox_without_a_name_adds_nobody_where_somebody_has_it() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import("First Name,Last Name,Email\nAna,Ruiz,ana@lake.example\n").await;
        let list = "Email\nANA@lake.example\nnew@lake.example\n";
        assert_eq!(counts(&desk.import(list).await), (1, 0, 1, 0));
        assert_eq!(counts(&desk.import(list).await), (0, 0, 2, 0));
    })
    .await;
}

#[tokio::test]
async fn every_place_where_a_person_works_is_kept_and_letters_go_to_the_first() {
    each_db(async |store| {
        let desk = Desk::at(store);
        let list = "NPI,First Name,Last Name,Organization,Fax\n1234567893,Ana,Ruiz,Lake Clinic,847-555-0101\n\
            1234567893,Ana,Ruiz,Hill Clinic,312-555-0109\n";
        assert_eq!(counts(&desk.import(list).await), (1, 0, 0, 1));
        assert_eq!(counts(&desk.import(list).await), (0, 0, 2, 0));
        let ana = desk.named("Ruiz").await;
        assert_eq!(ana.fax.as_ref().map(|fax| fax.as_str()), Some("+18475550101"));
        let mut tx = desk.parts.store.read().await.expect("tx");
        let locations = tx.locations_of(&[ana.id]).await.expect("read");
        assert_eq!(locations[0].fax.as_ref().map(|fax| fax.as_str()), Some("+13125550109"));
        let found = tx.referrers_like(None, None, locations[0].fax.as_ref()).await.expect("read");
        assert_eq!(found.len(), 1, "the further number finds them too");
        drop(tx);
        let after = touchline::referrers::locations::prefer(&desk.parts, ana.id, locations[0].id, &super::dana()).await;
        assert_eq!(after.expect("preferred").fax.as_ref().map(|fax| fax.as_str()), Some("+13125550109"));
        let again = desk.import(list).await;
        assert_eq!((counts(&again), again.conflicts), ((0, 0, 2, 0), 0), "a choice by hand stands");
        assert_eq!(desk.named("Ruiz").await.fax.as_ref().map(|fax| fax.as_str()), Some("+13125550109"));
    })
    .await;
}

#[tokio::test]
async fn people_are_found_by_whatever_is_known_of_them() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(
            "NPI,First Name,Last Name,Organization,Email,Fax,Phone,City\n\
             1234567893,José,Núñez,Élan Care,jose@elan.example,847-555-0113,(312) 555-0114 x9,Évanston\n\
             ,Ana,Ruiz,Lake Clinic,ana@lake.example,847-555-0115,,\n",
        )
        .await;
        let mut tx = desk.parts.store.read().await.expect("tx");
        for text in [
            "jose nunez",
            "NÚÑEZ",
            "Nun\u{303}ez, José",
            "elan",
            "JOSE@ELAN.example",
            "1234567893",
            "(847) 555-0113",
            "847.555.0113",
            "+1 847 555 0113",
            "8475550113",
            "555-0113",
            "312 555 0114",
            "evanston",
        ] {
            let found = tx.referrers_page(Some(text), None, 10).await.expect("read");
            let names: Vec<_> = found.iter().map(|one| one.last_name.as_deref().unwrap_or_default()).collect();
            assert_eq!(names, ["Núñez"], "{text}");
            let one = touchline::referrers::audience::one(&mut tx, text).await.expect(text);
            assert_eq!(one.last_name.as_deref(), Some("Núñez"), "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn people_of_one_list_whom_an_initial_could_join_stay_apart() {
    each_db(async |store| {
        for (list, names) in [
            ("J.,Smith\nJohn,Smith\nJane,Smith\n", vec!["Jane", "John"]),
            (",Ortiz\nAna,Ortiz\nBen,Ortiz\n", vec!["Ana", "Ben"]),
            ("Michael J,Lee\nMichael K,Lee\n", vec!["Michael J", "Michael K"]),
            ("Robert,Stone\nRobert,Stone Jr\n", vec!["Robert"]),
        ] {
            let desk = Desk::at(store.clone());
            let rows: String = list.lines().map(|name| format!("{name},847-555-0141\n")).collect();
            desk.import(&format!("First Name,Last Name,Fax\n{rows}")).await;
            let last = list.split([',', '\n']).nth(1).expect("a name").to_owned();
            let mut found: Vec<String> = desk
                .everyone()
                .await
                .into_iter()
                .filter(|one| one.last_name.as_deref() == Some(&last))
                .filter_map(|one| one.first_name)
                .collect();
            found.sort();
            assert_eq!(found, names, "{list}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_was_corrected_by_hand_is_known_again_by_what_the_list_still_says() {
    each_db(async |store| {
        let desk = Desk::at(store);
        let list = "First Name,Last Name,Organization,Email,Fax\nAna,Ortiz,Lake Clinic,ana@lake.example,847-555-0104\nBen,Salas,,,847-555-0105\n";
        desk.import(list).await;
        let (ana, ben) = (desk.named("Ortiz").await, desk.named("Salas").await);
        let parts = &desk.parts;
        touchline::referrers::edit(parts, ana.id, &super::dana(), |one| one.last_name = Some("Li".into())).await.expect("edited");
        let right = touchline::domain::FaxNumber::parse("847-555-0199").ok();
        touchline::referrers::edit(parts, ben.id, &super::dana(), |one| one.fax = right.clone()).await.expect("edited");
        let again = desk.import(list).await;
        assert_eq!((again.added, desk.everyone().await.len(), again.conflicts), (0, 2, 2));
        assert_eq!((desk.named("Li").await.id, desk.named("Salas").await.fax), (ana.id, right));
    })
    .await;
}

#[tokio::test]
async fn telephone_numbers_without_a_name_are_added_once() {
    each_db(async |store| {
        let desk = Desk::at(store);
        let list = "Phone\n847-555-0150\n847-555-0151\n";
        assert_eq!(desk.import(list).await.added, 2);
        assert_eq!(counts(&desk.import(list).await), (0, 0, 2, 0));
    })
    .await;
}

#[tokio::test]
async fn credentials_that_grew_are_still_theirs_and_a_changed_fax_replaces_the_old_one_however_often_a_row_is_repeated()
{
    each_db(async |store| {
        let desk = Desk::at(store);
        let row = |letters: &str, fax: &str| {
            format!("First Name,Last Name,Credentials,Organization,Fax\nAna,Ruiz,{letters},Lake,{fax}\n")
        };
        desk.import(&row("PMHNP", "847-555-0160")).await;
        assert_eq!(desk.import(&row("PMHNP-BC", "847-555-0160")).await.unclear, []);
        let twice = row("PMHNP-BC", "847-555-0161") + "Ana,Ruiz,PMHNP-BC,Lake,847-555-0161\n";
        assert_eq!(counts(&desk.import(&twice).await), (0, 1, 1, 0));
        assert_eq!(desk.named("Ruiz").await.fax.as_ref().map(|fax| fax.as_str()), Some("+18475550161"));
    })
    .await;
}
